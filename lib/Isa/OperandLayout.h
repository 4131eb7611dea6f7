//===- OperandLayout.h - the bits of an operand -----------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One description of each operand's parts, from the lowest bit upwards, for the
// encoder and the decoder alike.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_ISA_OPERANDLAYOUT_H
#define SERRANO_LIB_ISA_OPERANDLAYOUT_H

#include "serrano/Isa/Operands.h"
#include <concepts>
#include <type_traits>

namespace serrano::isa {

struct PartInfo {
  const char *name;
  unsigned width;
  /// What to do about a value out of range.
  const char *remedy = "";
};

inline constexpr const char *useRegister =
    "; load it into a register with s.li";

template <typename Self, typename T>
concept IsOperand = std::same_as<std::remove_const_t<Self>, T>;

// visitParts(operand, fn) calls fn(PartInfo, member) for each part.

template <IsOperand<Register> Self, typename Fn>
void visitParts(Self &self, Fn &&fn) {
  fn(PartInfo{"register", 6}, self.index);
}

template <IsOperand<Value> Self, typename Fn>
void visitParts(Self &self, Fn &&fn) {
  fn(PartInfo{"register", 6}, self.reg);
  fn(PartInfo{"immediate", 26, useRegister}, self.imm);
}

template <IsOperand<HbmAddress> Self, typename Fn>
void visitParts(Self &self, Fn &&fn) {
  fn(PartInfo{"register", 6}, self.reg);
  fn(PartInfo{"offset", 42, useRegister}, self.offset);
}

template <IsOperand<LocalAddress> Self, typename Fn>
void visitParts(Self &self, Fn &&fn) {
  fn(PartInfo{"space", 2}, self.space);
  fn(PartInfo{"register", 6}, self.reg);
  fn(PartInfo{"offset", 24, useRegister}, self.offset);
}

template <IsOperand<Tile> Self, typename Fn>
void visitParts(Self &self, Fn &&fn) {
  fn(PartInfo{"space", 2}, self.space);
  fn(PartInfo{"ring", 4}, self.ring);
  fn(PartInfo{"register", 6}, self.reg);
  fn(PartInfo{"offset", 24, useRegister}, self.offset);
  fn(PartInfo{"row stride", 22, "; use several instructions"}, self.stride);
  fn(PartInfo{"dtype", 4}, self.dtype);
  fn(PartInfo{"broadcast", 1}, self.broadcast);
}

template <IsOperand<Wait> Self, typename Fn>
void visitParts(Self &self, Fn &&fn) {
  fn(PartInfo{"valid", 1}, self.valid);
  fn(PartInfo{"counter", 9}, self.counter);
  fn(PartInfo{"lag", 6}, self.lag);
}

template <IsOperand<Signal> Self, typename Fn>
void visitParts(Self &self, Fn &&fn) {
  fn(PartInfo{"valid", 1}, self.valid);
  fn(PartInfo{"counter", 6}, self.counter);
}

template <IsOperand<Body> Self, typename Fn>
void visitParts(Self &self, Fn &&fn) {
  fn(PartInfo{"block of words", 16, "; move a part of it into a function"},
     self.words);
}

template <IsOperand<Callee> Self, typename Fn>
void visitParts(Self &self, Fn &&fn) {
  fn(PartInfo{"word address", 32}, self.word);
}

/// An operand made of parts, as opposed to a plain number or an enumeration.
template <typename T>
concept HasParts =
    requires(const T &operand) { visitParts(operand, [](auto...) {}); };

/// A part that is set although another one makes it meaningless: it could not
/// be written in assembly. Null if there is none.
template <typename T>
const char *meaninglessPart(const T &operand) {
  if constexpr (std::is_same_v<T, Tile>) {
    bool isRing =
        operand.space == TileSpace::Ring || operand.space == TileSpace::Pop;
    if (!isRing && operand.ring)
      return "a ring, but is not in a ring";
  } else if constexpr (std::is_same_v<T, Wait>) {
    if (!operand.valid && (operand.counter || operand.lag))
      return "a counter or a lag, but is no valid wait";
  } else if constexpr (std::is_same_v<T, Signal>) {
    if (!operand.valid && operand.counter)
      return "a counter, but is no valid signal";
  }
  return nullptr;
}

} // namespace serrano::isa

#endif // SERRANO_LIB_ISA_OPERANDLAYOUT_H
