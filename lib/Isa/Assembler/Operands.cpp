//===- Operands.cpp - operands of instructions ------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Parser.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <bit>

using namespace llvm;

namespace serrano::isa {

template <typename T>
T Parser::narrow(int64_t value, SMLoc loc, const char *what) {
  bool fits = static_cast<int64_t>(static_cast<T>(value)) == value &&
              (std::is_signed_v<T> || value >= 0);
  if (!fits)
    fail(loc, formatv("{0} {1} does not fit{2}", what, value,
                      std::is_unsigned_v<T> && value < 0
                          ? ": it cannot be negative"
                          : "; load it into a register with s.li")
                  .str());
  return static_cast<T>(value);
}

bool Parser::acceptIndexed(StringRef prefix, int64_t max, int64_t &index) {
  Token token = lexer.peek();
  StringRef digits = token.text;
  if (token.kind != Token::Kind::Name || !digits.consume_front(prefix) ||
      !all_of(digits, isDigit))
    return false;
  if (digits.empty()) {
    Lexer before = lexer;
    lexer.next();
    if (!accept("(")) {
      lexer = before;
      return false;
    }
    index = parseExpression();
    expect(")");
  } else {
    lexer.next();
    if (digits.getAsInteger(10, index))
      index = max + 1;
  }
  if (index < 0 || index > max)
    fail(token.loc, formatv("'{0}' does not exist: they are numbered {1}0 .. "
                            "{1}{2}",
                            digits.empty() ? (prefix + Twine(index)).str()
                                           : token.text.str(),
                            prefix, max)
                        .str());
  return true;
}

bool Parser::acceptRegister(uint8_t &reg) {
  const Token &token = lexer.peek();
  if (token.kind == Token::Kind::Name) {
    auto it = registers.find(token.text);
    if (it != registers.end()) {
      reg = it->second;
      lexer.next();
      return true;
    }
  }
  int64_t index;
  if (!acceptIndexed("r", 63, index))
    return false;
  reg = index;
  return true;
}

void Parser::parseOperand(Register &value) {
  SMLoc loc = lexer.peek().loc;
  if (!acceptRegister(value.index))
    fail(loc, "expected a register: r0 .. r63, or a name that .reg gave one");
}

template <typename T>
void Parser::parseSum(uint8_t &reg, T &number) {
  if (acceptRegister(reg) && !lexer.peek().is("+") && !lexer.peek().is("-"))
    return;
  SMLoc loc = lexer.peek().loc;
  number = narrow<T>(parseExpression(), loc, "offset");
}

template <typename T>
void Parser::parseBracketedSum(uint8_t &reg, T &number) {
  expect("[");
  parseSum(reg, number);
  expect("]");
}

void Parser::parseOperand(Value &value) { parseSum(value.reg, value.imm); }

void Parser::parseOperand(HbmAddress &value) {
  SMLoc loc = lexer.peek().loc;
  if (!lexer.peek().isName("hbm"))
    fail(loc, "expected an address in HBM: hbm[register + offset]");
  lexer.next();
  parseBracketedSum(value.reg, value.offset);
}

void Parser::parseOperand(LocalAddress &value) {
  SMLoc loc = lexer.peek().loc;
  std::optional<Space> space = parseSpace(lexer.peek().text);
  if (!space)
    fail(loc, "expected an address in a memory of the core: spm[register + "
              "offset], or with acc or smem");
  value.space = *space;
  lexer.next();
  parseBracketedSum(value.reg, value.offset);
}

void Parser::parseOperand(Tile &value) {
  SMLoc loc = lexer.peek().loc;
  int64_t ring = 0;
  const Token &token = lexer.peek();
  bool isScratchpad = token.isName("spm");
  if (isScratchpad || token.isName("acc")) {
    value.space = isScratchpad ? TileSpace::Spm : TileSpace::Acc;
    lexer.next();
  } else if (acceptIndexed("ring", 15, ring)) {
    value.space = TileSpace::Ring;
  } else if (acceptIndexed("pop", 15, ring)) {
    value.space = TileSpace::Pop;
  } else {
    fail(loc, "expected a tile: spm[register + offset]:stride:dtype, or with "
              "acc, ring2 or pop2 for spm");
  }
  value.ring = ring;
  parseBracketedSum(value.reg, value.offset);
  expect(":");
  SMLoc strideLoc = lexer.peek().loc;
  value.stride = narrow<uint32_t>(parseExpression(), strideLoc, "row stride");
  expect(":");
  parseEnumOperand(value.dtype);
  if (!accept(":"))
    return;
  Token broadcast = expectName("'bcast'");
  if (broadcast.text != "bcast")
    fail(broadcast.loc, "expected 'bcast' or the end of the operand");
  value.broadcast = true;
}

void Parser::parseOperand(Wait &value) {
  SMLoc loc = lexer.peek().loc;
  int64_t counter;
  if (!acceptIndexed("c", 511, counter))
    fail(loc, "expected a wait: c3, or c3-1 for all but the last increment");
  value.valid = true;
  value.counter = counter;
  if (accept("-"))
    value.lag = parseBounded("lag", 0, 63);
}

void Parser::parseOperand(Signal &value) {
  SMLoc loc = lexer.peek().loc;
  int64_t counter;
  if (!acceptIndexed("c", 63, counter))
    fail(loc, "expected a counter: c0 .. c63");
  value.valid = true;
  value.counter = counter;
}

void Parser::parseOperand(uint32_t &value) {
  SMLoc loc = lexer.peek().loc;
  value = narrow<uint32_t>(parseExpression(), loc, "number");
}

void Parser::parseOperand(int64_t &value) { value = parseExpression(); }

void Parser::parseOperand(float &value) {
  Lexer before = lexer;
  bool isNegative = accept("-");
  Token token = lexer.peek();
  APFloat number(0.0f);
  if (token.isName("inf")) {
    number = APFloat::getInf(APFloat::IEEEsingle(), isNegative);
  } else if (token.isName("nan") && !isNegative) {
    lexer.next();
    uint32_t bits = 0x7fc00000;
    if (accept("(")) {
      SMLoc loc = lexer.peek().loc;
      bits = narrow<uint32_t>(parseExpression(), loc, "NaN");
      if ((bits & 0x7fffffff) <= 0x7f800000)
        fail(loc, formatv("{0:x8} is no NaN", bits).str());
      expect(")");
    }
    value = std::bit_cast<float>(bits);
    return;
  } else if (token.kind == Token::Kind::Float) {
    Expected<APFloat::opStatus> status =
        number.convertFromString(token.text, APFloat::rmNearestTiesToEven);
    if (!status) {
      consumeError(status.takeError());
      fail(token.loc, formatv("'{0}' is not a number", token.text).str());
    }
    if (number.isInfinity())
      fail(token.loc,
           formatv("'{0}' does not fit f32; write inf", token.text).str());
    if (isNegative)
      number.changeSign();
  } else {
    lexer = before;
    value = static_cast<float>(parseExpression());
    return;
  }
  lexer.next();
  value = number.convertToFloat();
}

} // namespace serrano::isa
