//===- Lexer.cpp - tokens of the assembly language --------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lexer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace serrano::isa {

static bool startsName(char c) {
  return isAlpha(c) || c == '_' || c == '.' || c == '$';
}

static bool continuesName(char c) { return startsName(c) || isDigit(c); }

/// The length of the number at the start of `text`; sets `isFloat`.
static size_t numberLength(StringRef text, bool &isFloat) {
  isFloat = false;
  if (text.starts_with("0x") || text.starts_with("0b"))
    return 2 + text.drop_front(2).take_while(isAlnum).size();
  auto digits = [&](size_t from) {
    return from + text.drop_front(from).take_while(isDigit).size();
  };
  size_t length = digits(0);
  if (length < text.size() && text[length] == '.') {
    isFloat = true;
    length = digits(length + 1);
  }
  if (length < text.size() && (text[length] == 'e' || text[length] == 'E')) {
    isFloat = true;
    ++length;
    if (length < text.size() && (text[length] == '+' || text[length] == '-'))
      ++length;
    length = digits(length);
  }
  // "12ab" is one wrong number rather than a number and a name.
  return length + text.drop_front(length).take_while(continuesName).size();
}

void Lexer::skipBlanks() {
  while (position != end) {
    StringRef rest(position, end - position);
    if (rest.front() == ' ' || rest.front() == '\t' || rest.front() == '\r')
      ++position;
    else if (rest.front() == ';' || rest.starts_with("//"))
      position += std::min(rest.find('\n'), rest.size());
    else
      return;
  }
}

void Lexer::advance() {
  skipBlanks();
  StringRef rest(position, end - position);
  token.loc = SMLoc::getFromPointer(position);
  auto take = [&](Token::Kind kind, size_t length) {
    token.kind = kind;
    token.text = rest.take_front(length);
    position += length;
  };
  if (rest.empty())
    return take(Token::Kind::End, 0);
  char c = rest.front();
  if (c == '\n')
    return take(Token::Kind::Newline, 1);
  if (startsName(c))
    return take(Token::Kind::Name, rest.take_while(continuesName).size());
  if (isDigit(c)) {
    bool isFloat;
    size_t length = numberLength(rest, isFloat);
    return take(isFloat ? Token::Kind::Float : Token::Kind::Integer, length);
  }
  if (c == '"') {
    size_t close = 1;
    while (close < rest.size() && rest[close] != '"' && rest[close] != '\n')
      close += rest[close] == '\\' && close + 1 < rest.size() &&
                       rest[close + 1] != '\n'
                   ? 2
                   : 1;
    if (close >= rest.size() || rest[close] == '\n')
      return take(Token::Kind::Invalid, std::min(close, rest.size()));
    take(Token::Kind::String, close + 1);
    token.text = token.text.drop_front().drop_back();
    return;
  }
  for (StringRef sign : {"<<", ">>", "==", "!=", "<=", ">=", "&&", "||"})
    if (rest.starts_with(sign))
      return take(Token::Kind::Sign, 2);
  bool isSign = StringRef("=,:+-*/%<>()[]{}!").contains(c);
  take(isSign ? Token::Kind::Sign : Token::Kind::Invalid, 1);
}

} // namespace serrano::isa
