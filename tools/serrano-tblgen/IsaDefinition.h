//===- IsaDefinition.h - the ISA as the generators see it -------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TOOLS_SERRANOTBLGEN_ISADEFINITION_H
#define SERRANO_TOOLS_SERRANOTBLGEN_ISADEFINITION_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TableGen/Record.h"
#include <cstdint>
#include <string>
#include <vector>

namespace serrano::tblgen {

/// A def of class `IsaEnum`.
struct EnumDefinition {
  llvm::StringRef name;
  unsigned width = 0;
  std::vector<llvm::StringRef> cases;
  std::vector<llvm::StringRef> docs;
};

/// A field, placed in its instruction's words.
struct FieldDefinition {
  llvm::StringRef name;
  llvm::StringRef cppType;
  llvm::StringRef doc;
  llvm::StringRef kindDoc;
  unsigned width = 0;
  unsigned word = 0;
  unsigned bit = 0;
};

/// A def of class `Instruction`.
struct InstructionDefinition {
  llvm::StringRef name;
  llvm::StringRef mnemonic;
  llvm::StringRef summary;
  llvm::StringRef description;
  llvm::StringRef cost;
  llvm::StringRef queue;
  uint64_t opcode = 0;
  unsigned words = 1;
  llvm::SmallVector<FieldDefinition> fields;
};

/// Everything `IsaInstructions.td` defines, in the order of the file.
struct IsaDefinition {
  llvm::SmallVector<EnumDefinition> enums;
  llvm::SmallVector<llvm::StringRef> queues;
  llvm::SmallVector<InstructionDefinition> instructions;

  /// Reads and checks all definitions. The errors are reported at the lines of
  /// the .td file; if there are any, the program ends.
  static IsaDefinition read(const llvm::RecordKeeper &records);

  /// A hash of all that decides what the bits of a program mean.
  uint64_t hash() const;
};

/// "gelu_tanh" as the name of an enum's case: "GeluTanh".
std::string toCaseName(llvm::StringRef name);

/// The comment at the head of a generated file.
void emitFileHeader(llvm::StringRef title, llvm::raw_ostream &os);

} // namespace serrano::tblgen

#endif // SERRANO_TOOLS_SERRANOTBLGEN_ISADEFINITION_H
