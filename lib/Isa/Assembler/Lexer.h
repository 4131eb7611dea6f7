//===- Lexer.h - tokens of the assembly language ----------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_ISA_ASSEMBLER_LEXER_H
#define SERRANO_LIB_ISA_ASSEMBLER_LEXER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SMLoc.h"

namespace serrano::isa {

struct Token {
  enum class Kind {
    Name,    ///< letters, digits, '_', '.', '$', not starting with a digit
    Integer, ///< decimal, 0x.. or 0b..
    Float,   ///< with a point or an exponent
    String,  ///< the text between the quotes, with its escapes
    Sign,    ///< one or two characters of punctuation
    Newline,
    End,
    Invalid, ///< anything else
  };
  Kind kind = Kind::End;
  llvm::StringRef text;
  llvm::SMLoc loc;

  bool is(llvm::StringRef sign) const {
    return kind == Kind::Sign && text == sign;
  }
  bool isName(llvm::StringRef name) const {
    return kind == Kind::Name && text == name;
  }
  bool endsLine() const { return kind == Kind::Newline || kind == Kind::End; }
};

/// Splits a source into tokens, one ahead. Copy it to come back to a place.
class Lexer {
public:
  explicit Lexer(llvm::StringRef source)
      : position(source.begin()), end(source.end()) {
    advance();
  }

  const Token &peek() const { return token; }
  Token next() {
    Token result = token;
    advance();
    return result;
  }

private:
  void advance();
  void skipBlanks();

  const char *position;
  const char *end;
  Token token;
};

} // namespace serrano::isa

#endif // SERRANO_LIB_ISA_ASSEMBLER_LEXER_H
