//===- DecodedText.h - all instructions of a program ------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_ISA_DECODEDTEXT_H
#define SERRANO_LIB_ISA_DECODEDTEXT_H

#include "serrano/Isa/Instructions.h"
#include "serrano/Isa/Program.h"
#include "serrano/Isa/Verify.h"
#include "llvm/ADT/ArrayRef.h"
#include <optional>
#include <vector>

namespace serrano::isa {

/// An instruction at its place.
struct PlacedInstruction {
  Instruction instruction;
  uint32_t word;

  /// The block that follows it, if it has one.
  std::optional<uint32_t> bodyWords() const;
  /// The word address after it; its block, if any, starts there.
  uint32_t end() const { return word + infoOf(instruction).words; }
};

/// The instructions of `program`, function by function. What does not decode is
/// added to `findings` and ends its function.
struct DecodedText {
  DecodedText(const Program &program, std::vector<Finding> &findings);

  /// Those of function `index` of the program.
  llvm::ArrayRef<PlacedInstruction> function(size_t index) const {
    return functions[index];
  }

private:
  std::vector<std::vector<PlacedInstruction>> functions;
};

} // namespace serrano::isa

#endif // SERRANO_LIB_ISA_DECODEDTEXT_H
