//===- Directives.cpp - constants, repetition, the manifest -----*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../OperandTypes.h"
#include "Assembler.h"
#include "serrano/Support/NearestName.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace serrano::isa {

/// What the offset of an address in HBM can hold.
static constexpr int64_t maxHbmAddress = (int64_t(1) << 42) - 1;
static constexpr uint64_t maxIterations = uint64_t(1) << 24;

const StringMap<Assembler::Directive> &Assembler::directives() {
  static const StringMap<Directive> table = {
      {".equ", &Assembler::parseEqu},       {".reg", &Assembler::parseReg},
      {".if", &Assembler::parseIf},         {".for", &Assembler::parseFor},
      {".entry", &Assembler::parseEntry},   {".dim", &Assembler::parseDim},
      {".hbm", &Assembler::parseHbm},       {".input", &Assembler::parseInput},
      {".output", &Assembler::parseOutput}, {".op", &Assembler::parseOp},
      {".limit", &Assembler::parseLimit},   {".cache", &Assembler::parseCache},
      {".tensor", &Assembler::parseTensor}};
  return table;
}

//===----------------------------------------------------------------------===//
// Names, conditions, repetition
//===----------------------------------------------------------------------===//

void Assembler::parseEqu() {
  Token name = expectName("the name of a constant");
  expect(",");
  int64_t value = parseExpression();
  if (constants.defined.contains(name.text) &&
      overridden.insert(name.text).second)
    return;
  define(name, value);
}

void Assembler::parseReg() {
  Token name = expectName("a name for the register");
  expect(",");
  Register reg;
  parseOperand(reg);
  define(name, 0);
  numbers.erase(name.text);
  registers[name.text] = reg.index;
}

void Assembler::parseIf() {
  bool holds = parseExpression() != 0;
  holds ? parseBlock() : skipBlock();
  if (!lexer.peek().isName(".else"))
    return;
  lexer.next();
  if (lexer.peek().isName(".if")) {
    lexer.next();
    // Of a chain, the blocks after the one that holds are skipped as a whole.
    if (!holds)
      return parseIf();
    while (!lexer.peek().is("{") && !lexer.peek().endsLine())
      lexer.next();
    skipBlock();
    return;
  }
  holds ? skipBlock() : parseBlock();
}

void Assembler::parseFor() {
  Token name = expectName("the name of the counter");
  expect("=");
  int64_t begin = parseExpression();
  expect(",");
  int64_t end = parseExpression();
  Lexer block = lexer;
  skipBlock();
  Lexer after = lexer;
  if (begin >= end)
    return;
  define(name, begin);
  for (int64_t i = begin; i < end; ++i) {
    if (++iterations > maxIterations)
      fail(name.loc, formatv("the .for blocks of the source repeat more than "
                             "{0} times; use loop",
                             maxIterations)
                         .str());
    numbers[name.text] = i;
    unsigned errorsBefore = errors;
    lexer = block;
    parseBlock();
    // The same error in every repetition helps nobody.
    if (errors > errorsBefore)
      break;
  }
  numbers.erase(name.text);
  lexer = after;
}

//===----------------------------------------------------------------------===//
// The manifest
//===----------------------------------------------------------------------===//

void Assembler::requireTopLevel() {
  if (inFunction)
    fail(directiveLoc, "the directive belongs outside of functions");
}

void Assembler::parseEntry() {
  requireTopLevel();
  SMLoc loc = lexer.peek().loc;
  std::string name = expectSymbol("the name of a function");
  for (const Entry &entry : program.entries)
    if (entry.name == name)
      fail(loc, formatv("'{0}' is already an entry", name).str());
  Entry &entry = program.entries.emplace_back();
  entry.name = entry.function = name;
  entryLocations.push_back(loc);
}

Entry &Assembler::currentEntry() {
  requireTopLevel();
  if (program.entries.empty())
    fail(directiveLoc, "the directive belongs to an entry; put .entry NAME "
                       "before it");
  return program.entries.back();
}

void Assembler::parseDim() {
  Entry &entry = currentEntry();
  Dimension dimension;
  Token name = expectName("the name of a dimension");
  for (const Dimension &other : entry.dimensions)
    if (other.name == name.text)
      fail(name.loc, formatv("dimension '{0}' of entry '{1}' is already there",
                             name.text, entry.name)
                         .str());
  dimension.name = name.text.str();
  bool hasMax = false, hasAddress = false;
  while (accept(",")) {
    Token key = expectName("max= or smem=");
    expect("=");
    if (key.text == "max") {
      dimension.max = parseBounded("max", 0, 0x7fffffff);
      hasMax = true;
    } else if (key.text == "smem") {
      SMLoc loc = lexer.peek().loc;
      dimension.smem = parseBounded("smem", 0, 0x7fffffff);
      if (dimension.smem % 4)
        fail(loc,
             formatv("smem is {0}, not a multiple of 4", dimension.smem).str());
      hasAddress = true;
    } else {
      fail(key.loc,
           formatv("unknown option '{0}': expected max or smem", key.text)
               .str());
    }
  }
  if (!hasMax || !hasAddress)
    fail(name.loc,
         formatv("dimension '{0}' needs max= and smem=", name.text).str());
  entry.dimensions.push_back(std::move(dimension));
}

void Assembler::parseHbm() {
  requireTopLevel();
  constexpr int64_t defaultAlignment = 64;
  Token name = lexer.peek();
  ZeroRange range;
  range.name = expectSymbol("a name for the range");
  expect(",");
  range.bytes = parseBounded("the size", 1, maxHbmAddress);
  int64_t alignment = defaultAlignment;
  std::optional<int64_t> address;
  while (accept(",")) {
    Token key = expectName("align= or at=");
    expect("=");
    SMLoc loc = lexer.peek().loc;
    if (key.text == "at") {
      address = parseBounded("the address", 0, maxHbmAddress);
    } else if (key.text == "align") {
      alignment = parseBounded("the alignment", 1, maxHbmAddress);
      if (!isPowerOf2_64(alignment))
        fail(loc, formatv("the alignment {0} is not a power of two", alignment)
                      .str());
    } else {
      fail(key.loc,
           formatv("unknown option '{0}': expected align or at", key.text)
               .str());
    }
  }
  range.address = address ? *address : alignTo(program.hbmBytes, alignment);
  if (range.address + range.bytes > uint64_t(maxHbmAddress))
    fail(name.loc, formatv("'{0}' ends beyond what an address can hold, {1} "
                           "bytes",
                           range.name, maxHbmAddress)
                       .str());
  for (const ZeroRange &other : program.zeroes)
    if (range.address < other.address + other.bytes &&
        other.address < range.address + range.bytes)
      fail(name.loc,
           formatv("'{0}' overlaps '{1}', which is at {2} .. {3}", range.name,
                   other.name, other.address, other.address + other.bytes - 1)
               .str());
  if (name.kind == Token::Kind::Name)
    define(name, static_cast<int64_t>(range.address));
  program.hbmBytes = std::max(program.hbmBytes, range.address + range.bytes);
  program.zeroes.push_back(std::move(range));
}

void Assembler::parseInput() {
  Entry &entry = currentEntry();
  entry.inputs.push_back(parseOperandDirective());
}

void Assembler::parseOutput() {
  Entry &entry = currentEntry();
  entry.outputs.push_back(parseOperandDirective());
}

std::string Assembler::parseTypeName(const char *what,
                                     ArrayRef<StringRef> names) {
  Token token = expectName(what);
  if (!is_contained(names, token.text))
    fail(token.loc, formatv("'{0}' is not {1}: expected one of {2}", token.text,
                            what, join(names, ", "))
                        .str());
  return token.text.str();
}

Operand Assembler::parseOperandDirective() {
  Operand operand;
  Token name = lexer.peek();
  operand.name = expectSymbol("the name of an array");
  expect(",");
  operand.dtype = parseTypeName("an element type of NumPy", numpyTypes());
  operand.stored = operand.dtype;
  expect(",");
  operand.shape = parseSizes();
  bool hasAddress = false;
  while (accept(",")) {
    Token key = expectName("hbm=, smem=, stored= or below=");
    expect("=");
    if (key.text == "hbm" || key.text == "smem") {
      operand.isInScalarMemory = key.text == "smem";
      operand.address = parseBounded("the address", 0, maxHbmAddress);
      hasAddress = true;
    } else if (key.text == "stored") {
      operand.stored =
          parseTypeName("an element type of the chip", chipTypes());
    } else if (key.text == "below") {
      operand.below = parseSize();
    } else {
      fail(key.loc, formatv("unknown option '{0}': expected hbm, smem, stored "
                            "or below",
                            key.text)
                        .str());
    }
  }
  if (!hasAddress)
    fail(name.loc,
         formatv("'{0}' needs an address: hbm= or smem=", operand.name).str());
  if (!is_contained(chipTypes(), operand.stored))
    fail(name.loc, formatv("the chip has no type '{0}'; say with stored= how "
                           "'{1}' is kept: {2}",
                           operand.dtype, operand.name, join(chipTypes(), ", "))
                       .str());
  return operand;
}

void Assembler::parseLimit() {
  Entry &entry = currentEntry();
  Limit limit;
  limit.of = parseTypeName("a kind of limit", limitKinds());
  expect(",");
  limit.size = parseSize();
  expect(",");
  parseOption("max", limit.max);
  entry.limits.push_back(std::move(limit));
}

void Assembler::parseCache() {
  Entry &entry = currentEntry();
  if (entry.cache)
    fail(directiveLoc,
         formatv("entry '{0}' already has a cache", entry.name).str());
  PagedCache cache;
  parseOption("block", cache.block);
  expect(",");
  parseOption("blocks", cache.blocks);
  expect(",");
  parseOption("context", cache.context);
  entry.cache = cache;
}

void Assembler::parseOption(const char *name, int64_t &value) {
  Token key = expectName(name);
  if (key.text != name)
    fail(key.loc,
         formatv("unknown option '{0}': expected {1}", key.text, name).str());
  expect("=");
  value = parseBounded(name, 1, 0x7fffffff);
}

bool Assembler::isDimension(StringRef name) {
  ArrayRef<Entry> entries = program.entries;
  if (!inFunction)
    entries = currentEntry();
  return any_of(entries, [&](const Entry &entry) {
    return any_of(entry.dimensions, [&](const Dimension &dimension) {
      return dimension.name == name;
    });
  });
}

std::string Assembler::parseSizeFactor() {
  Token token = lexer.peek();
  if (token.kind == Token::Kind::Name && isDimension(token.text))
    return lexer.next().text.str();
  int64_t number = parsePrimary();
  if (number < 0)
    fail(token.loc, formatv("a size of {0} is negative", number).str());
  return std::to_string(number);
}

std::string Assembler::parseSize() {
  std::string text;
  // Products of numbers only are one number.
  int64_t total = 0;
  bool isNumber = true;
  do {
    std::string product = parseSizeFactor();
    while (lexer.peek().is("*")) {
      Token sign = lexer.next();
      std::string factor = parseSizeFactor();
      int64_t a, b;
      bool areNumbers = !StringRef(product).getAsInteger(10, a) &&
                        !StringRef(factor).getAsInteger(10, b);
      product = areNumbers ? std::to_string(apply(sign, a, b))
                           : formatv("{0}*{1}", product, factor).str();
    }
    int64_t number;
    if (StringRef(product).getAsInteger(10, number))
      isNumber = false;
    else if (AddOverflow(total, number, total))
      fail(lexer.peek().loc, "the size does not fit 64 bits");
    text += text.empty() ? "" : " + ";
    text += product;
  } while (accept("+"));
  return isNumber ? std::to_string(total) : text;
}

void Assembler::parseOp() {
  requireTopLevel();
  constexpr int64_t maxIndex = 0xffff;
  size_t index = parseBounded("the operator's index", 1, maxIndex);
  expect(",");
  SMLoc loc = lexer.peek().loc;
  std::string name = expectString("the operator's name");
  if (program.operators.size() <= index)
    program.operators.resize(index + 1);
  if (!program.operators[index].empty())
    fail(loc, formatv("operator {0} is already named '{1}'", index,
                      program.operators[index])
                  .str());
  program.operators[index] = std::move(name);
}

} // namespace serrano::isa
