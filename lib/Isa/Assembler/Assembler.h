//===- Assembler.h - lines of an assembly source ----------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_ISA_ASSEMBLER_ASSEMBLER_H
#define SERRANO_LIB_ISA_ASSEMBLER_ASSEMBLER_H

#include "Parser.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringSet.h"
#include <vector>

namespace serrano::isa {

/// Assembles one source in one pass; calls are resolved at its end.
class Assembler : Parser {
public:
  using Parser::Parser;

  llvm::Expected<Program> run();

private:
  //===--- Lines (Statements.cpp) ---===//

  /// Lines up to a closing brace or the end of the source.
  void parseLines();
  void parseLine();
  /// Goes to the end of a line that was not understood, and of its block.
  void recover();
  void parseBlock();
  void skipBlock();
  void parseFunction();
  void resolveCalls();
  void reportFindings();

  void parseInstruction(const Token &mnemonic);
  template <typename T>
  void parseInstructionAs(const Token &mnemonic);
  template <typename T>
  void parseFields(T &instruction);
  template <typename T>
  void parseField(const Token &name, T &instruction);
  /// Reports what the encoder says about `instruction`.
  void encodeAt(uint32_t word, const Instruction &instruction, llvm::SMLoc loc);

  //===--- Directives (Directives.cpp) ---===//

  using Directive = void (Assembler::*)();
  static const llvm::StringMap<Directive> &directives();
  void parseEqu();
  void parseReg();
  void parseIf();
  void parseFor();
  void parseEntry();
  void parseDim();
  void parseHbm();
  void parseInput();
  void parseOutput();
  void parseOp();
  void parseLimit();
  void parseCache();

  void requireTopLevel();
  Entry &currentEntry();
  Operand parseOperandDirective();
  /// A size of an array: a number, or a sum of products with dimensions.
  std::string parseSize();
  std::string parseSizeFactor();
  /// Whether a size may name it: a dimension of the entry at hand, or in a
  /// function of any entry before it.
  bool isDimension(llvm::StringRef name);
  /// `name=` and a number of at least 1.
  void parseOption(const char *name, int64_t &value);
  std::string parseTypeName(const char *what,
                            llvm::ArrayRef<llvm::StringRef> names);

  //===--- Tensors of the source model (TensorDirective.cpp) ---===//

  void parseTensor();
  /// "[2, tokens]"
  std::vector<std::string> parseSizes();

  //===--- State ---===//

  struct CallSite {
    uint32_t word;
    std::string callee;
    llvm::SMLoc loc;
  };

  Program program;
  bool inFunction = false;
  unsigned blockDepth = 0;
  uint64_t iterations = 0;
  /// Where the directive at hand starts.
  llvm::SMLoc directiveLoc;
  std::vector<CallSite> calls;
  /// Of each instruction, by its word address.
  llvm::DenseMap<uint32_t, llvm::SMLoc> locations;
  /// Where each entry is declared.
  std::vector<llvm::SMLoc> entryLocations;
  /// Names of `-D` whose `.equ` has been seen.
  llvm::StringSet<> overridden;
};

} // namespace serrano::isa

#endif // SERRANO_LIB_ISA_ASSEMBLER_ASSEMBLER_H
