//===- Instructions.h - the instructions as structs -------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything here is generated from dialects/Isa/IsaInstructions.td. Needs
// neither LLVM nor MLIR.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_ISA_INSTRUCTIONS_H
#define SERRANO_ISA_INSTRUCTIONS_H

#include "serrano/Isa/Operands.h"
#include <array>
#include <cstdint>
#include <string_view>
#include <variant>

namespace serrano::isa {

/// Where a field lies: bits `bit` + `width` - 1 .. `bit` of word `word`.
struct FieldInfo {
  std::string_view name;
  uint8_t word = 0;
  uint8_t bit = 0;
  uint8_t width = 0;
};

struct InstructionInfo {
  std::string_view mnemonic;
  uint8_t opcode = 0;
  uint8_t words = 0;
  Queue queue = Queue::Sequencer;
  std::string_view summary;
};

#include "dialects/Isa/IsaInstructions.h.inc"

static_assert(std::variant_size_v<Instruction> == std::size(instructionInfos));

/// For each opcode the index of its alternative of `Instruction`, or -1.
inline constexpr std::array<int16_t, 256> instructionIndexOfOpcode = [] {
  std::array<int16_t, 256> result{};
  result.fill(-1);
  for (size_t i = 0; i < std::size(instructionInfos); ++i)
    result[instructionInfos[i].opcode] = static_cast<int16_t>(i);
  return result;
}();

inline const InstructionInfo &infoOf(const Instruction &instruction) {
  return instructionInfos[instruction.index()];
}

} // namespace serrano::isa

#endif // SERRANO_ISA_INSTRUCTIONS_H
