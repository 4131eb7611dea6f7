//===- Entry.cpp - what an entry takes and gives ------------------------ -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Entry.h"
#include "Arrays.h"
#include "Step.h"
#include "serrano/Support/Error.h"
#include "serrano/Support/NearestName.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <optional>

using namespace serrano;

static std::optional<NpyType> parseNpyType(llvm::StringRef name) {
  static const std::pair<llvm::StringRef, NpyType> types[] = {
      {"bool", NpyType::b1}, {"i8", NpyType::i1},  {"i16", NpyType::i2},
      {"i32", NpyType::i4},  {"i64", NpyType::i8}, {"u8", NpyType::u1},
      {"u16", NpyType::u2},  {"u32", NpyType::u4}, {"u64", NpyType::u8},
      {"f16", NpyType::f2},  {"f32", NpyType::f4}, {"f64", NpyType::f8}};
  for (auto [known, type] : types)
    if (known == name)
      return type;
  return std::nullopt;
}

llvm::Expected<Operand> Operand::create(const isa::Operand &source) {
  Operand operand;
  operand.name = source.name;
  std::optional<NpyType> type = parseNpyType(source.dtype);
  if (!type)
    return makeError("operand '{0}' has the unknown type '{1}'", source.name,
                     source.dtype);
  operand.type = *type;
  std::optional<isa::DType> stored = isa::parseEnum<isa::DType>(source.stored);
  if (!stored)
    return makeError("operand '{0}' is stored as the unknown type '{1}'",
                     source.name, source.stored);
  operand.stored = *stored;
  for (const std::string &size : source.shape) {
    llvm::Expected<SizeExpression> expression = SizeExpression::parse(size);
    if (!expression)
      return addContext(expression.takeError(),
                        "operand '" + source.name + "'");
    operand.shape.push_back(std::move(*expression));
  }
  operand.scalarMemory = source.isInScalarMemory;
  operand.address = int64_t(source.address);
  if (source.below.empty())
    return operand;
  llvm::Expected<SizeExpression> below = SizeExpression::parse(source.below);
  if (!below)
    return addContext(below.takeError(), "operand '" + source.name + "'");
  if (!isInteger(operand.type))
    return makeError("operand '{0}' has a bound, but elements of type {1}, "
                     "which are no indices",
                     source.name, source.dtype);
  operand.below = std::move(*below);
  return operand;
}

llvm::Expected<Entry> Entry::create(const isa::Entry &source,
                                    const isa::Program &program) {
  Entry entry;
  entry.name = source.name;
  const isa::Function *function = program.findFunction(source.function);
  if (!function)
    return makeError(
        "entry '{0}' names the function '{1}', which the program does not have",
        source.name, source.function);
  entry.word = function->word;
  for (const isa::Dimension &dimension : source.dimensions)
    entry.dimensions.push_back(
        {dimension.name, dimension.max, int64_t(dimension.smem)});
  for (auto [from, to] : {std::pair{&source.inputs, &entry.inputs},
                          std::pair{&source.outputs, &entry.outputs}})
    for (const isa::Operand &operand : *from) {
      llvm::Expected<Operand> created = Operand::create(operand);
      if (!created)
        return addContext(created.takeError(), "entry '" + source.name + "'");
      to->push_back(std::move(*created));
    }
  for (const isa::Limit &limit : source.limits) {
    llvm::Expected<SizeExpression> size = SizeExpression::parse(limit.size);
    if (!size)
      return addContext(size.takeError(), "entry '" + source.name + "'");
    entry.limits.push_back({limit.of, std::move(*size), limit.max});
  }
  entry.cache = source.cache;
  if (entry.cache)
    if (llvm::Error error = checkStepInputs(entry))
      return addContext(std::move(error), "entry '" + source.name + "'");
  return entry;
}

llvm::Expected<std::vector<uint64_t>>
Operand::shapeFor(const Dimensions &dimensions) const {
  std::vector<uint64_t> result;
  for (const SizeExpression &size : shape) {
    llvm::Expected<int64_t> value = size.evaluate(dimensions);
    if (!value)
      return addContext(value.takeError(), "'" + name + "'");
    result.push_back(*value);
  }
  return result;
}

llvm::Error Entry::checkLimits(const Dimensions &sizes) const {
  for (const Limit &limit : limits) {
    llvm::Expected<int64_t> size = limit.size.evaluate(sizes);
    if (!size)
      return size.takeError();
    if (*size > limit.max && limit.of == "row_tokens")
      return makeError("'{0}' is {1}, but a row of the batch has at most {2} "
                       "tokens in a program that takes rows in portions; "
                       "compile for a row at once (--max-tokens={1}) or for a "
                       "target that has more room (--target)",
                       limit.size.text(), *size, limit.max);
    if (*size > limit.max)
      return makeError("'{0}' is {1}, but the program was compiled for at most "
                       "{2} {3}; compile it with a larger --max-{3}",
                       limit.size.text(), *size, limit.max, limit.of);
  }
  for (const Dimension &dimension : dimensions)
    if (sizes.at(dimension.name) > dimension.max)
      return makeError("'{0}' is {1}, but the program takes at most {2}",
                       dimension.name, sizes.at(dimension.name), dimension.max);
  return llvm::Error::success();
}

llvm::Expected<Dimensions> Entry::bind(const NpzArrays &arrays) const {
  for (const auto &[name, array] : arrays) {
    if (llvm::any_of(inputs, [&](const Operand &o) { return o.name == name; }))
      continue;
    llvm::SmallVector<llvm::StringRef> names;
    for (const Operand &operand : inputs)
      names.push_back(operand.name);
    std::string guess = didYouMean(name, names);
    return makeError(
        "'{0}' is not an input of entry '{1}'{2}", escapeControls(name),
        this->name,
        guess.empty() ? "; its inputs are " + llvm::join(names, ", ") : guess);
  }
  Dimensions result;
  for (const Operand &operand : inputs) {
    auto it = arrays.find(operand.name);
    if (it == arrays.end())
      return makeError(
          "input '{0}' of entry '{1}' is missing; expected {2} {3}",
          operand.name, name, npyTypeName(operand.type),
          shapeText(operand.shape));
    const NpyArray &array = it->second;
    if (array.type != operand.type)
      return makeError("input '{0}' has elements of type {1}, expected {2}; "
                       "convert the array",
                       operand.name, npyTypeName(array.type),
                       npyTypeName(operand.type));
    if (array.shape.size() != operand.shape.size())
      return makeError(
          "input '{0}' has shape {1}, expected {2} dimensions: {3}",
          operand.name, shapeText(array.shape), operand.shape.size(),
          shapeText(operand.shape));
    for (auto [found, expression] :
         llvm::zip_equal(array.shape, operand.shape)) {
      llvm::StringRef symbol = expression.symbol();
      if (symbol.empty())
        continue;
      auto [bound, fresh] = result.try_emplace(symbol.str(), int64_t(found));
      if (!fresh && bound->second != int64_t(found))
        return makeError("input '{0}' has shape {1}, expected {2} with {3} = "
                         "{4} as in the inputs "
                         "before it",
                         operand.name, shapeText(array.shape),
                         shapeText(operand.shape), symbol, bound->second);
    }
  }
  for (const Dimension &dimension : dimensions)
    if (!result.contains(dimension.name))
      return makeError("no input of entry '{0}' gives the size of '{1}'", name,
                       dimension.name);
  if (llvm::Error error = checkLimits(result))
    return std::move(error);
  for (const Operand &operand : inputs) {
    const NpyArray &array = arrays.find(operand.name)->second;
    llvm::Expected<std::vector<uint64_t>> expected = operand.shapeFor(result);
    if (!expected)
      return expected.takeError();
    if (*expected != array.shape)
      return makeError(
          "input '{0}' has shape {1}, expected {2}, which is {3} here",
          operand.name, shapeText(array.shape), shapeText(operand.shape),
          shapeText(*expected));
  }
  return result;
}

std::string Entry::getContextRemedy() const {
  for (const Operand &operand : inputs)
    if (operand.name == "positions" && operand.below &&
        operand.below->text() == std::to_string(cache->context))
      return "the model has positions for no more";
  return "compile it with a larger --max-context";
}

/// Checks that the elements of `array` are in 0 .. bound - 1.
static llvm::Error checkIndices(const Operand &operand, const NpyArray &array,
                                int64_t bound) {
  std::vector<int64_t> elements = toIntegers(array);
  auto *bad = llvm::find_if(llvm::ArrayRef(elements),
                            [&](int64_t e) { return e < 0 || e >= bound; });
  size_t flat = bad - llvm::ArrayRef(elements).begin();
  if (flat == elements.size())
    return llvm::Error::success();
  std::string place = placeText(array.shape, flat);
  llvm::StringRef text = operand.below->text();
  int64_t number;
  if (!text.getAsInteger(10, number))
    return makeError("input '{0}' holds {1} at {2}, expected 0 to {3}",
                     operand.name, *bad, place, bound - 1);
  return makeError("input '{0}' holds {1} at {2}, expected at least 0 and less "
                   "than '{3}', which is {4} here",
                   operand.name, *bad, place, text, bound);
}

llvm::Error Entry::checkValues(const NpzArrays &arrays,
                               const Dimensions &dimensions) const {
  if (cache)
    if (llvm::Error error = checkStep(*this, arrays))
      return error;
  for (const Operand &operand : inputs) {
    if (!operand.below)
      continue;
    llvm::Expected<int64_t> bound = operand.below->evaluate(dimensions);
    if (!bound)
      return addContext(bound.takeError(), "input '" + operand.name + "'");
    if (llvm::Error error =
            checkIndices(operand, arrays.at(operand.name), *bound))
      return error;
  }
  return llvm::Error::success();
}
