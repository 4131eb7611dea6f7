//===- Assembly.h - instructions as text ------------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The assembly language is described in docs/Assembly.md.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_ISA_ASSEMBLY_H
#define SERRANO_ISA_ASSEMBLY_H

#include "serrano/Isa/Instructions.h"
#include "serrano/Isa/Program.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <bit>
#include <string>
#include <type_traits>

namespace serrano {
class TargetModel;
} // namespace serrano

namespace serrano::isa {

/// `instruction` on one line. A block is left out; a callee is its word
/// address.
std::string print(const Instruction &instruction);

/// A range of HBM that holds weights.
struct WeightRange {
  std::string name;
  uint64_t address = 0;
  uint64_t bytes = 0;
};

/// Prints `program` as a source that assembles to the same program. Beside the
/// instructions stand, as comments, their addresses, the source operators that
/// blocks belong to and the ranges of HBM that transfers begin in; `weights`,
/// which no source describes, are comments too.
llvm::Error disassemble(const Program &program, llvm::raw_ostream &os,
                        llvm::ArrayRef<WeightRange> weights = {});

/// The names that stand for numbers in expressions.
struct AssemblyConstants {
  /// The target's numbers, written `$name`.
  llvm::StringMap<int64_t> target;
  /// Defined from outside; an `.equ` of the same name is then ignored.
  llvm::StringMap<int64_t> defined;
};

/// The numbers of `target` that a source can name.
llvm::StringMap<int64_t> targetConstants(const TargetModel &target);

/// Assembles `source`. The error's message holds every diagnostic, each as
/// "`name`:line:column: error: ..." with the source line and a caret, and ends
/// with a new line. The program is checked by `verify` only as far as it needs
/// no target.
llvm::Expected<Program> assemble(llvm::StringRef source, llvm::StringRef name,
                                 const AssemblyConstants &constants = {});

// How each kind of field is written.

void printOperand(llvm::raw_ostream &os, Register value);
void printOperand(llvm::raw_ostream &os, Value value);
void printOperand(llvm::raw_ostream &os, HbmAddress value);
void printOperand(llvm::raw_ostream &os, LocalAddress value);
void printOperand(llvm::raw_ostream &os, const Tile &value);
void printOperand(llvm::raw_ostream &os, Wait value);
void printOperand(llvm::raw_ostream &os, Signal value);
void printOperand(llvm::raw_ostream &os, uint32_t value);
void printOperand(llvm::raw_ostream &os, int64_t value);
/// The shortest number that reads back as the same bits, always with a point;
/// or `inf`, `-inf`, `nan`, `nan(0x7fc00001)`.
void printOperand(llvm::raw_ostream &os, float value);

/// Whether a field of this value is left out: nothing, zero, false, no wait.
/// Functions, addresses and tiles are always written, for the reader.
template <typename T>
bool isLeftOut(const T &value) {
  constexpr bool isAlwaysWritten =
      std::is_enum_v<T> || std::is_same_v<T, HbmAddress> ||
      std::is_same_v<T, LocalAddress> || std::is_same_v<T, Tile>;
  if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<uint32_t>(value) == 0; // -0 is not nothing.
  else
    return !isAlwaysWritten && value == T{};
}

} // namespace serrano::isa

#endif // SERRANO_ISA_ASSEMBLY_H
