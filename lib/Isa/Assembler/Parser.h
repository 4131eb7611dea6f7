//===- Parser.h - expressions and operands ----------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_ISA_ASSEMBLER_PARSER_H
#define SERRANO_LIB_ISA_ASSEMBLER_PARSER_H

#include "Lexer.h"
#include "serrano/Isa/Assembly.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/SourceMgr.h"
#include <optional>

namespace serrano::isa {

/// A line that cannot be understood, already reported. Thrown to the loop over
/// the lines, which goes on with the next one.
struct SyntaxError {};

/// Reads the parts of a line: numbers, names, expressions, operands.
class Parser {
public:
  Parser(llvm::StringRef source, llvm::StringRef name,
         const AssemblyConstants &constants);

protected:
  /// Adds a diagnostic at `loc`.
  void report(llvm::SMLoc loc, const llvm::Twine &message);
  [[noreturn]] void fail(llvm::SMLoc loc, const llvm::Twine &message);

  //===--- Tokens ---===//

  bool accept(llvm::StringRef sign);
  void expect(llvm::StringRef sign);
  /// A name; `what` says of what, for the error.
  Token expectName(const char *what);
  std::string expectString(const char *what);
  /// A name of the program's own, in double quotes if it is no plain name.
  std::string expectSymbol(const char *what);
  void expectEndOfLine();
  void skipNewlines();

  //===--- Expressions ---===//

  int64_t parseExpression() { return parseBinary(0); }
  int64_t parseBinary(unsigned minPrecedence);
  int64_t parseUnary();
  int64_t parsePrimary();
  int64_t parseInteger(const Token &token);
  int64_t parseMinMax(bool isMax);
  int64_t lookUp(const Token &name);
  int64_t apply(const Token &sign, int64_t a, int64_t b);
  /// An expression in `min` .. `max`; `what` names it in the error.
  int64_t parseBounded(const char *what, int64_t min, int64_t max);

  /// Defines `name`, which must be new.
  void define(const Token &name, int64_t value);

  //===--- Operands ---===//

  void parseOperand(Register &value);
  void parseOperand(Value &value);
  void parseOperand(HbmAddress &value);
  void parseOperand(LocalAddress &value);
  void parseOperand(Tile &value);
  void parseOperand(Wait &value);
  void parseOperand(Signal &value);
  void parseOperand(uint32_t &value);
  void parseOperand(int64_t &value);
  void parseOperand(float &value);
  template <typename E>
  void parseEnumOperand(E &value);

  /// "r3", "r(expression)" or the name of an `.reg`; false if there is none.
  bool acceptRegister(uint8_t &reg);
  /// "<prefix>3" or "<prefix>(expression)".
  bool acceptIndexed(llvm::StringRef prefix, int64_t max, int64_t &index);
  /// "[register +- expression]".
  template <typename T>
  void parseBracketedSum(uint8_t &reg, T &number);
  template <typename T>
  void parseSum(uint8_t &reg, T &number);

  template <typename T>
  T narrow(int64_t value, llvm::SMLoc loc, const char *what);

  llvm::SourceMgr sources;
  Lexer lexer;
  const AssemblyConstants &constants;
  llvm::StringMap<int64_t> numbers;
  llvm::StringMap<uint8_t> registers;
  std::string diagnostics;
  unsigned errors = 0;
  /// How deep the expression at hand is nested.
  unsigned depth = 0;
};

template <typename E>
void Parser::parseEnumOperand(E &value) {
  const Token &token = lexer.peek();
  std::optional<E> parsed = parseEnum<E>(token.text);
  if (!parsed)
    fail(token.loc,
         "expected one of " +
             llvm::join(llvm::map_range(EnumTraits<E>::cases,
                                        [](std::string_view name) {
                                          return llvm::StringRef(name);
                                        }),
                        ", "));
  value = *parsed;
  lexer.next();
}

} // namespace serrano::isa

#endif // SERRANO_LIB_ISA_ASSEMBLER_PARSER_H
