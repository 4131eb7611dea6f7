//===- Print.cpp - one instruction as text ----------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/Assembly.h"
#include "llvm/Support/Format.h"
#include <bit>
#include <charconv>
#include <cmath>

using namespace llvm;

namespace serrano::isa {

/// "r3+16", "r3", "16", "-4" or "0".
template <typename T>
static void printSum(raw_ostream &os, unsigned reg, T number) {
  if (reg)
    os << 'r' << reg;
  if (!reg || number > 0)
    os << (reg ? "+" : "") << number;
  else if (number != 0)
    os << number;
}

void printOperand(raw_ostream &os, Register value) {
  os << 'r' << unsigned(value.index);
}

void printOperand(raw_ostream &os, Value value) {
  printSum(os, value.reg, value.imm);
}

void printOperand(raw_ostream &os, HbmAddress value) {
  os << "hbm[";
  printSum(os, value.reg, value.offset);
  os << ']';
}

void printOperand(raw_ostream &os, LocalAddress value) {
  os << stringify(value.space) << '[';
  printSum(os, value.reg, value.offset);
  os << ']';
}

void printOperand(raw_ostream &os, const Tile &value) {
  os << stringify(value.space);
  if (value.space == TileSpace::Ring || value.space == TileSpace::Pop)
    os << unsigned(value.ring);
  os << '[';
  printSum(os, value.reg, value.offset);
  os << "]:" << value.stride << ':' << stringify(value.dtype);
  if (value.broadcast)
    os << ":bcast";
}

void printOperand(raw_ostream &os, Wait value) {
  os << 'c' << value.counter;
  if (value.lag)
    os << '-' << unsigned(value.lag);
}

void printOperand(raw_ostream &os, Signal value) {
  os << 'c' << unsigned(value.counter);
}

void printOperand(raw_ostream &os, uint32_t value) { os << value; }

void printOperand(raw_ostream &os, int64_t value) { os << value; }

void printOperand(raw_ostream &os, float value) {
  if (std::isnan(value)) {
    constexpr uint32_t canonical = 0x7fc00000;
    os << "nan";
    if (auto bits = std::bit_cast<uint32_t>(value); bits != canonical)
      os << '(' << format_hex(bits, 10) << ')';
    return;
  }
  if (std::isinf(value)) {
    os << (value < 0 ? "-inf" : "inf");
    return;
  }
  char buffer[32];
  auto result = std::to_chars(std::begin(buffer), std::end(buffer), value);
  StringRef text(buffer, result.ptr - buffer);
  size_t exponent = std::min(text.find('e'), text.size());
  os << text.take_front(exponent);
  if (!text.contains('.'))
    os << ".0";
  os << text.drop_front(exponent);
}

std::string print(const Instruction &instruction) {
  std::string text;
  raw_string_ostream os(text);
  std::visit(
      [&](const auto &i) {
        os << i.mnemonic;
        const char *separator = " ";
        i.visit(i, [&](FieldInfo info, const auto &field) {
          using Field = std::remove_cvref_t<decltype(field)>;
          if constexpr (!std::is_same_v<Field, Body>) {
            if (isLeftOut(field))
              return;
            os << std::exchange(separator, ", ") << info.name;
            if constexpr (std::is_same_v<Field, Callee>)
              os << '=' << field.word;
            else if constexpr (std::is_enum_v<Field>)
              os << '=' << stringify(field);
            else if constexpr (!std::is_same_v<Field, bool>)
              printOperand(os << '=', field);
          }
        });
      },
      instruction);
  return text;
}

} // namespace serrano::isa
