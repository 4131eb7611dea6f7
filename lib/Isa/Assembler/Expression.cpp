//===- Expression.cpp - tokens, diagnostics, expressions --------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Parser.h"
#include "serrano/Support/NearestName.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace llvm;

namespace serrano::isa {

Parser::Parser(StringRef source, StringRef name,
               const AssemblyConstants &constants)
    : lexer(""), constants(constants) {
  auto buffer = MemoryBuffer::getMemBufferCopy(source, name);
  lexer = Lexer(buffer->getBuffer());
  sources.AddNewSourceBuffer(std::move(buffer), SMLoc());
}

void Parser::report(SMLoc loc, const Twine &message) {
  ++errors;
  raw_string_ostream os(diagnostics);
  sources.GetMessage(loc, SourceMgr::DK_Error, message)
      .print(nullptr, os, /*ShowColors=*/false);
}

void Parser::fail(SMLoc loc, const Twine &message) {
  report(loc, message);
  throw SyntaxError();
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

/// `token` as it is called in an error.
static std::string describe(const Token &token) {
  switch (token.kind) {
  case Token::Kind::Newline:
    return "the end of the line";
  case Token::Kind::End:
    return "the end of the source";
  default:
    return ("'" + token.text + "'").str();
  }
}

bool Parser::accept(StringRef sign) {
  if (!lexer.peek().is(sign))
    return false;
  lexer.next();
  return true;
}

void Parser::expect(StringRef sign) {
  if (!accept(sign))
    fail(lexer.peek().loc,
         formatv("expected '{0}', found {1}", sign, describe(lexer.peek()))
             .str());
}

Token Parser::expectName(const char *what) {
  if (lexer.peek().kind != Token::Kind::Name)
    fail(
        lexer.peek().loc,
        formatv("expected {0}, found {1}", what, describe(lexer.peek())).str());
  return lexer.next();
}

std::string Parser::expectString(const char *what) {
  if (lexer.peek().kind != Token::Kind::String)
    fail(lexer.peek().loc, formatv("expected {0} in double quotes, found {1}",
                                   what, describe(lexer.peek()))
                               .str());
  std::string result;
  StringRef text = lexer.next().text;
  for (size_t i = 0; i < text.size(); ++i) {
    bool isEscape = text[i] == '\\' && i + 1 < text.size();
    char c = isEscape ? text[++i] : text[i];
    result += isEscape && c == 'n' ? '\n' : c;
  }
  return result;
}

std::string Parser::expectSymbol(const char *what) {
  if (lexer.peek().kind == Token::Kind::String)
    return expectString(what);
  return expectName(what).text.str();
}

void Parser::expectEndOfLine() {
  if (!lexer.peek().endsLine())
    fail(lexer.peek().loc, formatv("expected the end of the line, found {0}",
                                   describe(lexer.peek()))
                               .str());
}

void Parser::skipNewlines() {
  while (lexer.peek().kind == Token::Kind::Newline)
    lexer.next();
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// 0 for what is no binary operator.
static unsigned precedenceOf(const Token &token) {
  static constexpr std::pair<StringLiteral, unsigned> operators[] = {
      {"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {"<", 4},
      {"<=", 4}, {">", 4},  {">=", 4}, {"<<", 5}, {">>", 5},
      {"+", 6},  {"-", 6},  {"*", 7},  {"/", 7},  {"%", 7}};
  for (auto [sign, precedence] : operators)
    if (token.is(sign))
      return precedence;
  return 0;
}

int64_t Parser::parseBinary(unsigned minPrecedence) {
  int64_t left = parseUnary();
  while (true) {
    unsigned precedence = precedenceOf(lexer.peek());
    if (precedence <= minPrecedence)
      return left;
    Token sign = lexer.next();
    left = apply(sign, left, parseBinary(precedence));
  }
}

int64_t Parser::apply(const Token &sign, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflows = false;
  bool divides = sign.is("/") || sign.is("%");
  if (divides && b == 0)
    fail(sign.loc, "division by zero");
  if ((sign.is("<<") || sign.is(">>")) && (b < 0 || b > 63))
    fail(sign.loc, formatv("shift by {0}, outside 0 .. 63", b).str());
  if (sign.is("+"))
    overflows = AddOverflow(a, b, result);
  else if (sign.is("-"))
    overflows = SubOverflow(a, b, result);
  else if (sign.is("*"))
    overflows = MulOverflow(a, b, result);
  else if (divides && b == -1) // The least number divided by -1 overflows.
    overflows = sign.is("/") && SubOverflow<int64_t>(0, a, result);
  else if (sign.is("/"))
    result = a / b;
  else if (sign.is("%"))
    result = a % b;
  else if (sign.is("<<"))
    overflows = b == 63 ? a != 0 : MulOverflow(a, int64_t(1) << b, result);
  else if (sign.is(">>"))
    result = a >> b;
  else if (sign.is("=="))
    result = a == b;
  else if (sign.is("!="))
    result = a != b;
  else if (sign.is("<"))
    result = a < b;
  else if (sign.is("<="))
    result = a <= b;
  else if (sign.is(">"))
    result = a > b;
  else if (sign.is(">="))
    result = a >= b;
  else if (sign.is("&&"))
    result = a && b;
  else
    result = a || b;
  if (overflows)
    fail(sign.loc,
         formatv("{0} {1} {2} does not fit 64 bits", a, sign.text, b).str());
  return result;
}

int64_t Parser::parseUnary() {
  constexpr unsigned maxDepth = 100;
  Token sign = lexer.peek();
  if (++depth > maxDepth)
    fail(sign.loc, "the expression is nested too deeply; split it with .equ");
  int64_t value;
  if (accept("+"))
    value = parseUnary();
  else if (accept("!"))
    value = !parseUnary();
  else if (accept("-"))
    value = apply(sign, 0, parseUnary());
  else
    value = parsePrimary();
  --depth;
  return value;
}

int64_t Parser::parseInteger(const Token &token) {
  int64_t value;
  if (token.text.getAsInteger(/*Radix=*/0, value))
    fail(token.loc,
         formatv("'{0}' is not a number of 64 bits", token.text).str());
  return value;
}

int64_t Parser::parsePrimary() {
  Token token = lexer.peek();
  if (token.kind == Token::Kind::Integer)
    return parseInteger(lexer.next());
  if (accept("(")) {
    int64_t value = parseExpression();
    expect(")");
    return value;
  }
  if (token.kind != Token::Kind::Name)
    fail(token.loc, "expected a number, found " + describe(token));
  lexer.next();
  if ((token.text == "min" || token.text == "max") && lexer.peek().is("("))
    return parseMinMax(token.text == "max");
  return lookUp(token);
}

int64_t Parser::parseMinMax(bool isMax) {
  expect("(");
  int64_t result = parseExpression();
  while (accept(",")) {
    int64_t value = parseExpression();
    result = isMax ? std::max(result, value) : std::min(result, value);
  }
  expect(")");
  return result;
}

int64_t Parser::lookUp(const Token &name) {
  if (name.text.starts_with("$")) {
    StringRef constant = name.text.drop_front();
    auto it = constants.target.find(constant);
    if (it != constants.target.end())
      return it->second;
    if (constants.target.empty())
      fail(name.loc,
           formatv("'{0}' is a number of the target: name one with --target",
                   name.text)
               .str());
    fail(name.loc, formatv("the target has no number '{0}'{1}", constant,
                           didYouMean(constant, constants.target.keys()))
                       .str());
  }
  auto it = numbers.find(name.text);
  if (it != numbers.end())
    return it->second;
  if (registers.contains(name.text))
    fail(name.loc,
         formatv("'{0}' is a register; a number is needed here", name.text)
             .str());
  std::string hint = didYouMean(name.text, numbers.keys());
  fail(name.loc,
       formatv("'{0}' is not defined{1}", name.text,
               hint.empty() ? "; define it before with .equ or -D" : hint)
           .str());
}

int64_t Parser::parseBounded(const char *what, int64_t min, int64_t max) {
  SMLoc loc = lexer.peek().loc;
  int64_t value = parseExpression();
  if (value < min || value > max)
    fail(
        loc,
        formatv("{0} is {1}, outside {2} .. {3}", what, value, min, max).str());
  return value;
}

/// Whether `name` has a meaning of its own, as "r3" or "min".
static bool isReserved(StringRef name) {
  if (name == "min" || name == "max" || name == "inf" || name == "nan")
    return true;
  for (StringRef prefix : {"r", "c", "ring", "pop"}) {
    StringRef rest = name;
    if (rest.consume_front(prefix) && llvm::all_of(rest, llvm::isDigit))
      return true;
  }
  return name.starts_with(".") || name.starts_with("$");
}

void Parser::define(const Token &name, int64_t value) {
  if (isReserved(name.text))
    fail(name.loc, formatv("'{0}' cannot be defined: it is a part of the "
                           "language; choose another name",
                           name.text)
                       .str());
  if (registers.contains(name.text) ||
      !numbers.try_emplace(name.text, value).second)
    fail(name.loc,
         formatv("'{0}' is already defined; choose another name", name.text)
             .str());
}

} // namespace serrano::isa
