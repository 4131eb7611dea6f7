//===- IsaAttributes.cpp - operands of instructions -------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OperandAttributes.h"
#include "dialects/Isa/Isa.h"
#include "mlir/IR/DialectImplementation.h"
#include "serrano/Isa/Assembly.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include <bit>

using namespace mlir;
using namespace serrano::isa::ir;

//===----------------------------------------------------------------------===//
// Hashes, for the uniquing of attributes
//===----------------------------------------------------------------------===//

namespace serrano::isa {

static llvm::hash_code hash_value(const Register &v) {
  return llvm::hash_value(v.index);
}
static llvm::hash_code hash_value(const Value &v) {
  return llvm::hash_combine(v.reg, v.imm);
}
static llvm::hash_code hash_value(const HbmAddress &v) {
  return llvm::hash_combine(v.reg, v.offset);
}
static llvm::hash_code hash_value(const LocalAddress &v) {
  return llvm::hash_combine(v.space, v.reg, v.offset);
}
static llvm::hash_code hash_value(const Tile &v) {
  return llvm::hash_combine(v.space, v.ring, v.reg, v.offset, v.stride, v.dtype,
                            v.broadcast);
}
static llvm::hash_code hash_value(const Wait &v) {
  return llvm::hash_combine(v.valid, v.counter, v.lag);
}
static llvm::hash_code hash_value(const Signal &v) {
  return llvm::hash_combine(v.valid, v.counter);
}

} // namespace serrano::isa

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

/// "<prefix>12", in one word.
static ParseResult parseIndexed(AsmParser &parser, StringRef prefix,
                                unsigned max, unsigned &index) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  StringRef word;
  if (parser.parseKeyword(&word))
    return failure();
  if (!word.consume_front(prefix) || word.getAsInteger(10, index) ||
      index > max)
    return parser.emitError(loc)
           << "expected " << prefix << "0 .. " << prefix << max;
  return success();
}

/// "r3 + 16", "r3 - 4", "r3" or "16".
template <typename T>
static ParseResult parseSum(AsmParser &parser, uint8_t &reg, T &number) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  int64_t value;
  OptionalParseResult first = parser.parseOptionalInteger(value);
  bool hasNumber = first.has_value();
  if (hasNumber && failed(*first))
    return failure();
  if (!hasNumber) {
    unsigned index;
    if (parseIndexed(parser, "r", 63, index))
      return failure();
    reg = index;
    bool isNegative = succeeded(parser.parseOptionalMinus());
    if (!isNegative && failed(parser.parseOptionalPlus()))
      return success();
    if (parser.parseInteger(value))
      return failure();
    value = isNegative ? -value : value;
  }
  number = static_cast<T>(value);
  if (static_cast<int64_t>(number) != value ||
      (std::is_unsigned_v<T> && value < 0))
    return parser.emitError(loc) << value
                                 << " does not fit; load it into a "
                                    "register with isa.s.li";
  return success();
}

template <typename T>
static ParseResult parseBracketedSum(AsmParser &parser, uint8_t &reg,
                                     T &number) {
  return failure(parser.parseLSquare() || parseSum(parser, reg, number) ||
                 parser.parseRSquare());
}

namespace serrano::isa::ir {

ParseResult parseOperand(AsmParser &parser, Register &value) {
  unsigned index;
  if (parseIndexed(parser, "r", 63, index))
    return failure();
  value.index = index;
  return success();
}

ParseResult parseOperand(AsmParser &parser, Value &value) {
  return parseSum(parser, value.reg, value.imm);
}

ParseResult parseOperand(AsmParser &parser, HbmAddress &value) {
  return failure(parser.parseKeyword("hbm") ||
                 parseBracketedSum(parser, value.reg, value.offset));
}

ParseResult parseOperand(AsmParser &parser, LocalAddress &value) {
  return failure(parseEnumOperand(parser, value.space) ||
                 parseBracketedSum(parser, value.reg, value.offset));
}

ParseResult parseOperand(AsmParser &parser, Tile &value) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  StringRef space;
  if (parser.parseKeyword(&space))
    return failure();
  // The ring's number is a part of the word.
  StringRef name = space.rtrim("0123456789");
  StringRef digits = space.drop_front(name.size());
  std::optional<TileSpace> parsed = parseTileSpace(name);
  bool isRing = parsed == TileSpace::Ring || parsed == TileSpace::Pop;
  unsigned ring = 0;
  if (!parsed || isRing == digits.empty() ||
      (isRing && (digits.getAsInteger(10, ring) || ring > 15)))
    return parser.emitError(loc)
           << "expected spm, acc, ring0 .. ring15 or pop0 .. pop15";
  value.space = *parsed;
  value.ring = ring;
  if (parseBracketedSum(parser, value.reg, value.offset) ||
      parser.parseColon() || parser.parseInteger(value.stride) ||
      parser.parseColon() || parseEnumOperand(parser, value.dtype))
    return failure();
  if (failed(parser.parseOptionalColon()))
    return success();
  value.broadcast = true;
  return parser.parseKeyword("bcast");
}

ParseResult parseOperand(AsmParser &parser, Wait &value) {
  unsigned counter;
  if (parseIndexed(parser, "c", 511, counter))
    return failure();
  value.valid = true;
  value.counter = counter;
  if (failed(parser.parseOptionalMinus()))
    return success();
  return parser.parseInteger(value.lag);
}

ParseResult parseOperand(AsmParser &parser, Signal &value) {
  unsigned counter;
  if (parseIndexed(parser, "c", 63, counter))
    return failure();
  value.valid = true;
  value.counter = counter;
  return success();
}

ParseResult parseOperand(AsmParser &parser, uint32_t &value) {
  return parser.parseInteger(value);
}

ParseResult parseOperand(AsmParser &parser, int64_t &value) {
  return parser.parseInteger(value);
}

ParseResult parseOperand(AsmParser &parser, float &value) {
  bool isNegative = succeeded(parser.parseOptionalMinus());
  StringRef word;
  if (succeeded(parser.parseOptionalKeyword(&word, {"inf", "nan"}))) {
    uint32_t bits = word == "inf" ? 0x7f800000 : 0x7fc00000;
    llvm::SMLoc loc = parser.getCurrentLocation();
    if (word == "nan" && succeeded(parser.parseOptionalLParen()))
      if (parser.parseInteger(bits) || parser.parseRParen())
        return failure();
    if (word == "nan" && (bits & 0x7fffffff) <= 0x7f800000)
      return parser.emitError(loc) << bits << " are the bits of no NaN";
    value = std::bit_cast<float>(isNegative ? bits | 0x80000000 : bits);
    return success();
  }
  llvm::APFloat number(0.0f);
  if (parser.parseFloat(llvm::APFloat::IEEEsingle(), number))
    return failure();
  if (isNegative)
    number.changeSign();
  value = number.convertToFloat();
  return success();
}

} // namespace serrano::isa::ir

/// The parts between '<' and '>' of an attribute.
template <typename AttrT, typename T>
static Attribute parseAttribute(AsmParser &parser) {
  T value;
  if (parser.parseLess() || parseOperand(parser, value) ||
      parser.parseGreater())
    return {};
  return AttrT::get(parser.getContext(), value);
}

template <typename T>
static void printAttribute(AsmPrinter &printer, const T &value) {
  printer << '<';
  serrano::isa::printOperand(printer.getStream(), value);
  printer << '>';
}

#define SERRANO_OPERAND_SYNTAX(AttrT, T)                                       \
  Attribute AttrT::parse(AsmParser &parser, Type) {                            \
    return parseAttribute<AttrT, serrano::isa::T>(parser);                     \
  }                                                                            \
  void AttrT::print(AsmPrinter &printer) const {                               \
    printAttribute(printer, getValue());                                       \
  }
SERRANO_OPERAND_SYNTAX(RegisterAttr, Register)
SERRANO_OPERAND_SYNTAX(ValueAttr, Value)
SERRANO_OPERAND_SYNTAX(HbmAddressAttr, HbmAddress)
SERRANO_OPERAND_SYNTAX(LocalAddressAttr, LocalAddress)
SERRANO_OPERAND_SYNTAX(TileAttr, Tile)
SERRANO_OPERAND_SYNTAX(WaitAttr, Wait)
SERRANO_OPERAND_SYNTAX(SignalAttr, Signal)
#undef SERRANO_OPERAND_SYNTAX

#define GET_ATTRDEF_CLASSES
#include "dialects/Isa/IsaAttributes.cpp.inc"

void IsaDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Isa/IsaAttributes.cpp.inc"
      >();
}
