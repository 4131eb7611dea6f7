//===- RandomInstruction.h - instructions for property tests ----*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_ISA_RANDOMINSTRUCTION_H
#define SERRANO_TEST_UNIT_ISA_RANDOMINSTRUCTION_H

#include "serrano/Isa/Instructions.h"
#include <bit>
#include <cstdint>
#include <random>
#include <utility>

namespace serrano::isa {

/// Draws values over the whole range of every field, its ends often.
class RandomInstruction {
public:
  explicit RandomInstruction(uint64_t seed) : random(seed) {}

  /// Calls `fn` with `count` instances of every instruction.
  template <typename Fn>
  void forEach(unsigned count, Fn &&fn) {
    [&]<size_t... index>(std::index_sequence<index...>) {
      (repeat<std::variant_alternative_t<index, Instruction>>(count, fn), ...);
    }(std::make_index_sequence<std::variant_size_v<Instruction>>());
  }

  template <typename T>
  T draw() {
    T instruction;
    T::visit(instruction,
             [&](FieldInfo info, auto &field) { fill(info, field); });
    return instruction;
  }

private:
  template <typename T, typename Fn>
  void repeat(unsigned count, Fn &fn) {
    for (unsigned i = 0; i < count; ++i)
      fn(draw<T>());
  }

  uint64_t below(uint64_t end) {
    return std::uniform_int_distribution<uint64_t>(0, end - 1)(random);
  }
  /// Any number of `width` bits.
  uint64_t bits(unsigned width) {
    uint64_t max = width == 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1;
    switch (below(6)) {
    case 0:
      return 0;
    case 1:
      return max;
    case 2:
      return max >> 1;
    default:
      return random() & max;
    }
  }
  int64_t signedBits(unsigned width) {
    return static_cast<int64_t>(bits(width) << (64 - width)) >> (64 - width);
  }
  template <typename E>
  E drawCase() {
    return static_cast<E>(below(std::size(EnumTraits<E>::cases)));
  }

  void fill(FieldInfo, Register &v) { v.index = bits(6); }
  void fill(FieldInfo, Value &v) {
    v.reg = bits(6);
    v.imm = signedBits(26);
  }
  void fill(FieldInfo, HbmAddress &v) {
    v.reg = bits(6);
    v.offset = bits(42);
  }
  void fill(FieldInfo, LocalAddress &v) {
    v.space = drawCase<Space>();
    v.reg = bits(6);
    v.offset = bits(24);
  }
  void fill(FieldInfo, Tile &v) {
    v.space = drawCase<TileSpace>();
    bool isRing = v.space == TileSpace::Ring || v.space == TileSpace::Pop;
    v.ring = isRing ? bits(4) : 0;
    v.reg = bits(6);
    v.offset = bits(24);
    v.stride = bits(22);
    v.dtype = drawCase<DType>();
    v.broadcast = bits(1);
  }
  void fill(FieldInfo, Wait &v) {
    v = {};
    if (bits(1))
      v = {true, static_cast<uint16_t>(bits(9)), static_cast<uint8_t>(bits(6))};
  }
  void fill(FieldInfo, Signal &v) {
    v = {};
    if (bits(1))
      v = {true, static_cast<uint8_t>(bits(6))};
  }
  void fill(FieldInfo, Body &v) { v.words = bits(16); }
  void fill(FieldInfo, Callee &v) { v.word = bits(32); }
  void fill(FieldInfo, bool &v) { v = bits(1); }
  void fill(FieldInfo, float &v) {
    v = std::bit_cast<float>(static_cast<uint32_t>(bits(32)));
  }
  void fill(FieldInfo info, uint32_t &v) { v = bits(info.width); }
  void fill(FieldInfo info, int64_t &v) { v = signedBits(info.width); }
  template <typename E>
    requires std::is_enum_v<E>
  void fill(FieldInfo, E &v) {
    v = drawCase<E>();
  }

  std::mt19937_64 random;
};

} // namespace serrano::isa

#endif // SERRANO_TEST_UNIT_ISA_RANDOMINSTRUCTION_H
