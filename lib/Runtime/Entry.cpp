//===- Entry.cpp - what an entry takes and gives ------------------------ -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Entry.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <nlohmann/json.hpp>
#include <optional>

using namespace serrano;

static std::optional<NpyType> parseNpyType(llvm::StringRef name) {
  static const std::pair<llvm::StringRef, NpyType> types[] = {
      {"bool", NpyType::b1}, {"i8", NpyType::i1},  {"i16", NpyType::i2}, {"i32", NpyType::i4},
      {"i64", NpyType::i8},  {"u8", NpyType::u1},  {"u16", NpyType::u2}, {"u32", NpyType::u4},
      {"u64", NpyType::u8},  {"f16", NpyType::f2}, {"f32", NpyType::f4}, {"f64", NpyType::f8}};
  for (auto [known, type] : types)
    if (known == name)
      return type;
  return std::nullopt;
}

static llvm::Expected<Operand> parseOperand(const nlohmann::json &json) {
  Operand operand;
  operand.name = json.at("name").get<std::string>();
  std::string type = json.at("dtype").get<std::string>();
  std::optional<NpyType> npyType = parseNpyType(type);
  if (!npyType)
    return makeError("operand '{0}' has the unknown type '{1}'", operand.name, type);
  operand.type = *npyType;
  std::string stored = json.value("stored", type);
  std::optional<isa::DType> dtype = isa::parseEnum<isa::DType>(stored);
  if (!dtype)
    return makeError("operand '{0}' is stored as the unknown type '{1}'", operand.name, stored);
  operand.stored = *dtype;
  for (const nlohmann::json &size : json.at("shape")) {
    auto expression = SizeExpression::parse(
        size.is_string() ? size.get<std::string>() : std::to_string(size.get<int64_t>()));
    if (!expression)
      return expression.takeError();
    operand.shape.push_back(std::move(*expression));
  }
  std::string space = json.at("space").get<std::string>();
  if (space != "hbm" && space != "smem")
    return makeError("operand '{0}' is in the unknown space '{1}'", operand.name, space);
  operand.scalarMemory = space == "smem";
  operand.address = json.at("address").get<int64_t>();
  return operand;
}

llvm::Expected<Entry> Entry::fromManifest(const nlohmann::json &json,
                                          const nlohmann::json &functions) {
  Entry entry;
  try {
    entry.name = json.at("name").get<std::string>();
    std::string function = json.at("function").get<std::string>();
    entry.word = -1;
    for (const nlohmann::json &candidate : functions)
      if (candidate.at("name").get<std::string>() == function)
        entry.word = candidate.at("address").get<int64_t>() / 8;
    if (entry.word < 0)
      return makeError("entry '{0}' names the function '{1}', which the program does not have",
                       entry.name, function);
    for (const nlohmann::json &dim : json.at("dims"))
      entry.dimensions.push_back({dim.at("name").get<std::string>(), dim.at("max").get<int64_t>(),
                                  dim.at("smem").get<int64_t>()});
    for (const char *list : {"inputs", "outputs"})
      for (const nlohmann::json &operand : json.at(list)) {
        llvm::Expected<Operand> parsed = parseOperand(operand);
        if (!parsed)
          return addContext(parsed.takeError(), "entry '" + entry.name + "'");
        (list[0] == 'i' ? entry.inputs : entry.outputs).push_back(std::move(*parsed));
      }
  } catch (const nlohmann::json::exception &error) {
    return makeError("the manifest's entry '{0}' is malformed: {1}", entry.name, error.what());
  }
  return entry;
}

llvm::Expected<std::vector<uint64_t>> Operand::shapeFor(const Dimensions &dimensions) const {
  std::vector<uint64_t> result;
  for (const SizeExpression &size : shape) {
    llvm::Expected<int64_t> value = size.evaluate(dimensions);
    if (!value)
      return addContext(value.takeError(), "'" + name + "'");
    result.push_back(*value);
  }
  return result;
}

static std::string shapeText(llvm::ArrayRef<uint64_t> shape) {
  return "[" + llvm::join(llvm::map_range(shape, [](uint64_t n) { return std::to_string(n); }), ", ") +
         "]";
}

static std::string shapeText(llvm::ArrayRef<SizeExpression> shape) {
  return "[" + llvm::join(llvm::map_range(shape, [](auto &e) { return e.text().str(); }), ", ") + "]";
}

/// The name among `names` nearest to `wanted`, or "".
static llvm::StringRef nearest(llvm::StringRef wanted, llvm::ArrayRef<llvm::StringRef> names) {
  llvm::StringRef best;
  unsigned bestDistance = wanted.size() / 2 + 1;
  for (llvm::StringRef name : names) {
    unsigned distance = wanted.edit_distance(name, true, bestDistance);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

llvm::Expected<Dimensions> Entry::bind(const NpzArrays &arrays) const {
  for (const auto &[name, array] : arrays) {
    if (llvm::any_of(inputs, [&](const Operand &o) { return o.name == name; }))
      continue;
    llvm::SmallVector<llvm::StringRef> names;
    for (const Operand &operand : inputs)
      names.push_back(operand.name);
    llvm::StringRef guess = nearest(name, names);
    return makeError("'{0}' is not an input of entry '{1}'; {2}", name, this->name,
                     guess.empty() ? "its inputs are " + llvm::join(names, ", ")
                                   : ("did you mean '" + guess + "'?").str());
  }
  Dimensions result;
  for (const Operand &operand : inputs) {
    auto it = arrays.find(operand.name);
    if (it == arrays.end())
      return makeError("input '{0}' of entry '{1}' is missing; expected {2} {3}", operand.name,
                       name, npyTypeName(operand.type), shapeText(operand.shape));
    const NpyArray &array = it->second;
    if (array.type != operand.type)
      return makeError("input '{0}' has elements of type {1}, expected {2}; convert the array",
                       operand.name, npyTypeName(array.type), npyTypeName(operand.type));
    if (array.shape.size() != operand.shape.size())
      return makeError("input '{0}' has shape {1}, expected {2} dimensions: {3}", operand.name,
                       shapeText(array.shape), operand.shape.size(), shapeText(operand.shape));
    for (auto [found, expression] : llvm::zip_equal(array.shape, operand.shape)) {
      llvm::StringRef symbol = expression.symbol();
      if (symbol.empty())
        continue;
      auto [bound, fresh] = result.try_emplace(symbol.str(), int64_t(found));
      if (!fresh && bound->second != int64_t(found))
        return makeError("input '{0}' has shape {1}, expected {2} with {3} = {4} as in the inputs "
                         "before it",
                         operand.name, shapeText(array.shape), shapeText(operand.shape), symbol,
                         bound->second);
    }
  }
  for (const Dimension &dimension : dimensions) {
    auto it = result.find(dimension.name);
    if (it == result.end())
      return makeError("no input of entry '{0}' gives the size of '{1}'", name, dimension.name);
    if (it->second > dimension.max)
      return makeError("'{0}' is {1}, but the program was compiled for at most {2}; compile it with "
                       "a larger limit",
                       dimension.name, it->second, dimension.max);
  }
  for (const Operand &operand : inputs) {
    const NpyArray &array = arrays.find(operand.name)->second;
    llvm::Expected<std::vector<uint64_t>> expected = operand.shapeFor(result);
    if (!expected)
      return expected.takeError();
    if (*expected != array.shape)
      return makeError("input '{0}' has shape {1}, expected {2}, which is {3} here", operand.name,
                       shapeText(array.shape), shapeText(operand.shape), shapeText(*expected));
  }
  return result;
}
