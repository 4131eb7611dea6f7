//===- Operands.h - what the fields of instructions hold --------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_ISA_OPERANDS_H
#define SERRANO_ISA_OPERANDS_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace serrano::isa {

/// `name` and `cases` of an enumeration; a case's value is its index.
template <typename E>
struct EnumTraits;

/// The case of that name.
template <typename E>
constexpr std::optional<E> parseEnum(std::string_view text) {
  for (size_t i = 0; i < std::size(EnumTraits<E>::cases); ++i)
    if (EnumTraits<E>::cases[i] == text)
      return static_cast<E>(i);
  return std::nullopt;
}

#include "dialects/Isa/IsaEnums.h.inc"

/// A scalar register; r0 always reads as zero.
struct Register {
  uint8_t index = 0;

  bool operator==(const Register &) const = default;
};

/// Register + immediate, read when the instruction is dispatched.
struct Value {
  uint8_t reg = 0;
  int32_t imm = 0;

  bool operator==(const Value &) const = default;
};

/// A byte address in HBM: register + offset.
struct HbmAddress {
  uint8_t reg = 0;
  uint64_t offset = 0;

  bool operator==(const HbmAddress &) const = default;
};

/// A byte address in a memory of the core: register + offset.
struct LocalAddress {
  Space space = Space::Spm;
  uint8_t reg = 0;
  uint32_t offset = 0;

  bool operator==(const LocalAddress &) const = default;
};

/// A two-dimensional operand of the matrix and vector engines. Element (r, c)
/// is at the address + r * stride + c * size of dtype; with `broadcast` every
/// element of a row is the one at the address + r * stride.
struct Tile {
  TileSpace space = TileSpace::Spm;
  /// Which ring, if `space` is a ring's slot; the address is then relative to
  /// the slot.
  uint8_t ring = 0;
  uint8_t reg = 0;
  uint32_t offset = 0;
  uint32_t stride = 0;
  DType dtype = DType::F32;
  bool broadcast = false;

  bool operator==(const Tile &) const = default;
};

/// Waits for all but the last `lag` increments of `counter` that have been
/// dispatched.
struct Wait {
  bool valid = false;
  uint16_t counter = 0;
  uint8_t lag = 0;

  bool operator==(const Wait &) const = default;
};

/// The counter that completion increments.
struct Signal {
  bool valid = false;
  uint8_t counter = 0;

  bool operator==(const Signal &) const = default;
};

/// Length of the block that follows.
struct Body {
  uint32_t words = 0;

  bool operator==(const Body &) const = default;
};

/// Word address of a function.
struct Callee {
  uint32_t word = 0;

  bool operator==(const Callee &) const = default;
};

/// Bytes of one element.
constexpr unsigned sizeOf(DType dtype) {
  switch (dtype) {
  case DType::F32:
  case DType::I32:
    return 4;
  case DType::Bf16:
  case DType::F16:
    return 2;
  case DType::F8e4m3:
  case DType::F8e5m2:
  case DType::I8:
  case DType::U8:
    return 1;
  }
  return 0;
}

/// Whether elements are integers; otherwise they are floating-point numbers.
constexpr bool isInteger(DType dtype) {
  return dtype == DType::I32 || dtype == DType::I8 || dtype == DType::U8;
}

} // namespace serrano::isa

#endif // SERRANO_ISA_OPERANDS_H
