//===- Program.cpp - a program in memory and its manifest -------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/Program.h"
#include "OperandTypes.h"
#include "serrano/Isa/Operands.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <nlohmann/json.hpp>

using namespace llvm;
using nlohmann::json;

namespace serrano::isa {

ArrayRef<StringRef> numpyTypes() {
  static constexpr StringRef types[] = {"f32", "f16", "f64", "i8",
                                        "i16", "i32", "i64", "u8",
                                        "u16", "u32", "u64", "bool"};
  return types;
}

ArrayRef<StringRef> chipTypes() {
  static const SmallVector<StringRef> types(
      map_range(EnumTraits<DType>::cases,
                [](std::string_view name) { return StringRef(name); }));
  return types;
}

ArrayRef<StringRef> limitKinds() {
  static constexpr StringRef kinds[] = {"tokens", "sequences", "row_tokens"};
  return kinds;
}

const Function *Program::findFunction(const std::string &name) const {
  auto it =
      find_if(functions, [&](const Function &f) { return f.name == name; });
  return it == functions.end() ? nullptr : &*it;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// A number where it is one, else the expression.
static json sizeToJson(const std::string &size) {
  int64_t number;
  return StringRef(size).getAsInteger(10, number) ? json(size) : json(number);
}

static json operandToJson(const Operand &operand) {
  json shape = json::array();
  for (const std::string &size : operand.shape)
    shape.push_back(sizeToJson(size));
  json result = {{"name", operand.name},
                 {"dtype", operand.dtype},
                 {"stored", operand.stored},
                 {"shape", std::move(shape)},
                 {"space", operand.isInScalarMemory ? "smem" : "hbm"},
                 {"address", operand.address}};
  if (!operand.below.empty())
    result["below"] = sizeToJson(operand.below);
  return result;
}

static json entryToJson(const Entry &entry) {
  json dimensions = json::array();
  for (const Dimension &dimension : entry.dimensions)
    dimensions.push_back({{"name", dimension.name},
                          {"max", dimension.max},
                          {"smem", dimension.smem}});
  json inputs = json::array(), outputs = json::array();
  for (const Operand &operand : entry.inputs)
    inputs.push_back(operandToJson(operand));
  for (const Operand &operand : entry.outputs)
    outputs.push_back(operandToJson(operand));
  json result = {{"name", entry.name},
                 {"function", entry.function},
                 {"dims", std::move(dimensions)},
                 {"inputs", std::move(inputs)},
                 {"outputs", std::move(outputs)}};
  for (const Limit &limit : entry.limits)
    result["limits"].push_back({{"of", limit.of},
                                {"size", sizeToJson(limit.size)},
                                {"max", limit.max}});
  if (entry.cache)
    result["cache"] = {{"block", entry.cache->block},
                       {"blocks", entry.cache->blocks},
                       {"context", entry.cache->context}};
  return result;
}

static json tensorToJson(const SourceTensor &tensor) {
  auto sizes = [](const std::vector<std::string> &list) {
    json result = json::array();
    for (const std::string &size : list)
      result.push_back(sizeToJson(size));
    return result;
  };
  json result = {{"at", uint64_t(tensor.word) * 8},
                 {"names", tensor.names},
                 {"operator", tensor.sourceOperator},
                 {"dtype", tensor.dtype},
                 {"stored", tensor.stored},
                 {"shape", sizes(tensor.shape)},
                 {"space", tensor.isInHbm ? "hbm" : "spm"},
                 {"address", tensor.address}};
  if (tensor.layer)
    result["layer"] = tensor.layer;
  if (!tensor.extents.empty()) {
    result["extents"] = sizes(tensor.extents);
    result["strides"] = sizes(tensor.strides);
  }
  return result;
}

json manifestOf(const Program &program) {
  json operators = json::array(), functions = json::array(),
       entries = json::array();
  for (const std::string &name : program.operators)
    operators.push_back({{"name", name}});
  for (const Function &function : program.functions)
    functions.push_back({{"name", function.name},
                         {"address", uint64_t(function.word) * 8},
                         {"words", function.words}});
  for (const Entry &entry : program.entries)
    entries.push_back(entryToJson(entry));
  json result = {{"operators", std::move(operators)},
                 {"functions", std::move(functions)},
                 {"entries", std::move(entries)},
                 {"hbm_bytes", program.hbmBytes}};
  for (const SourceTensor &tensor : program.tensors)
    result["tensors"].push_back(tensorToJson(tensor));
  return result;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {
/// A manifest that does not say what it should; caught in `readManifest`.
struct BadManifest {
  std::string message;
};
} // namespace

template <typename... Args>
[[noreturn]] static void reject(const char *format, Args &&...args) {
  throw BadManifest{formatv(format, std::forward<Args>(args)...).str()};
}

/// The number `key` of `object`, in 0 .. max.
static uint64_t numberAt(const json &object, const char *key, uint64_t max) {
  const json &value = object.at(key);
  if (!value.is_number_unsigned() || value.get<uint64_t>() > max)
    reject("'{0}' is {1}, expected a number in 0 .. {2}", key, value.dump(),
           max);
  return value.get<uint64_t>();
}

static std::string stringAt(const json &object, const char *key) {
  return object.at(key).get<std::string>();
}

static const json &listAt(const json &object, const char *key) {
  const json &value = object.at(key);
  if (!value.is_array())
    reject("'{0}' is not a list", key);
  return value;
}

/// The end of what an address in HBM can name.
static constexpr uint64_t maxHbmBytes = uint64_t(1) << 48;

static std::string sizeFromJson(const json &size) {
  return size.is_string() ? size.get<std::string>()
                          : std::to_string(size.get<uint64_t>());
}

static Operand operandFromJson(const json &object) {
  Operand operand;
  operand.name = stringAt(object, "name");
  operand.dtype = stringAt(object, "dtype");
  operand.stored = stringAt(object, "stored");
  if (!is_contained(numpyTypes(), operand.dtype))
    reject("'{0}' has the unknown dtype '{1}'", operand.name, operand.dtype);
  if (!is_contained(chipTypes(), operand.stored))
    reject("'{0}' is stored as the unknown type '{1}'", operand.name,
           operand.stored);
  for (const json &size : listAt(object, "shape"))
    operand.shape.push_back(sizeFromJson(size));
  std::string space = stringAt(object, "space");
  if (space != "hbm" && space != "smem")
    reject("'{0}' is in the unknown space '{1}'", operand.name, space);
  operand.isInScalarMemory = space == "smem";
  operand.address = numberAt(object, "address", maxHbmBytes);
  if (object.contains("below"))
    operand.below = sizeFromJson(object.at("below"));
  return operand;
}

static Limit limitFromJson(const json &object) {
  std::string of = stringAt(object, "of");
  if (!is_contained(limitKinds(), of))
    reject("'{0}' is no limit: expected one of {1}", of,
           join(limitKinds(), ", "));
  return {of, sizeFromJson(object.at("size")),
          static_cast<int64_t>(numberAt(object, "max", INT32_MAX))};
}

static PagedCache cacheFromJson(const json &object) {
  PagedCache cache;
  for (auto [key, value] :
       {std::pair{"block", &cache.block}, std::pair{"blocks", &cache.blocks},
        std::pair{"context", &cache.context}}) {
    *value = static_cast<int64_t>(numberAt(object, key, INT32_MAX));
    if (*value == 0)
      reject("'{0}' of the cache is 0, expected at least 1", key);
  }
  return cache;
}

static Entry entryFromJson(const json &object) {
  Entry entry;
  entry.name = stringAt(object, "name");
  entry.function = stringAt(object, "function");
  for (const json &dimension : listAt(object, "dims"))
    entry.dimensions.push_back(
        {stringAt(dimension, "name"),
         static_cast<int64_t>(numberAt(dimension, "max", INT32_MAX)),
         numberAt(dimension, "smem", INT32_MAX)});
  for (const json &operand : listAt(object, "inputs"))
    entry.inputs.push_back(operandFromJson(operand));
  for (const json &operand : listAt(object, "outputs"))
    entry.outputs.push_back(operandFromJson(operand));
  if (object.contains("limits"))
    for (const json &limit : listAt(object, "limits"))
      entry.limits.push_back(limitFromJson(limit));
  if (object.contains("cache"))
    entry.cache = cacheFromJson(object.at("cache"));
  return entry;
}

static SourceTensor tensorFromJson(const json &object) {
  SourceTensor tensor;
  for (const json &name : listAt(object, "names"))
    tensor.names.push_back(name.get<std::string>());
  if (tensor.names.empty())
    reject("a tensor has no names");
  const std::string &name = tensor.names.front();
  uint64_t at = numberAt(object, "at", uint64_t(UINT32_MAX) * 8);
  if (at % 8)
    reject("'{0}' is complete at {1:x}, where no instruction starts", name, at);
  tensor.word = static_cast<uint32_t>(at / 8);
  tensor.sourceOperator =
      static_cast<uint32_t>(numberAt(object, "operator", UINT16_MAX));
  if (object.contains("layer"))
    tensor.layer = static_cast<uint32_t>(numberAt(object, "layer", INT32_MAX));
  if (tensor.names.size() > 1 && !tensor.layer)
    reject("'{0}' has {1} names but no layer", name, tensor.names.size());
  tensor.dtype = stringAt(object, "dtype");
  tensor.stored = stringAt(object, "stored");
  if (!is_contained(numpyTypes(), tensor.dtype))
    reject("'{0}' has the unknown dtype '{1}'", name, tensor.dtype);
  if (!is_contained(chipTypes(), tensor.stored))
    reject("'{0}' is stored as the unknown type '{1}'", name, tensor.stored);
  std::string space = stringAt(object, "space");
  if (space != "hbm" && space != "spm")
    reject("'{0}' is in the unknown space '{1}'", name, space);
  tensor.isInHbm = space == "hbm";
  tensor.address = numberAt(object, "address", maxHbmBytes);
  auto sizes = [&](const char *key, std::vector<std::string> &list) {
    for (const json &size : listAt(object, key))
      list.push_back(sizeFromJson(size));
  };
  sizes("shape", tensor.shape);
  if (object.contains("extents")) {
    sizes("extents", tensor.extents);
    sizes("strides", tensor.strides);
  }
  if (tensor.extents.size() != tensor.strides.size())
    reject("'{0}' has {1} extents and {2} strides", name,
           tensor.extents.size(), tensor.strides.size());
  return tensor;
}

/// What `read` makes of `object`.
template <typename T>
static Expected<T> readFrom(const json &object, T (*read)(const json &)) {
  try {
    return read(object);
  } catch (const BadManifest &bad) {
    return createStringError(bad.message);
  } catch (const json::exception &exception) {
    return createStringError(exception.what());
  }
}

Expected<Entry> readEntry(const json &entry) {
  return readFrom(entry, entryFromJson);
}

Expected<SourceTensor> readTensor(const json &tensor) {
  return readFrom(tensor, tensorFromJson);
}

Error readManifest(const json &manifest, Program &program) {
  program.operators.clear();
  program.functions.clear();
  program.entries.clear();
  program.tensors.clear();
  try {
    for (const json &entry : listAt(manifest, "operators"))
      program.operators.push_back(stringAt(entry, "name"));
    uint64_t bytes = program.text.size() * sizeof(uint64_t);
    uint64_t next = 0;
    for (const json &object : listAt(manifest, "functions")) {
      std::string name = stringAt(object, "name");
      uint64_t address = numberAt(object, "address", bytes);
      uint64_t words = numberAt(object, "words", (bytes - address) / 8);
      if (address != next)
        reject("function '{0}' is at {1:x}, but the one before it ends at "
               "{2:x}",
               name, address, next);
      next = address + words * 8;
      program.functions.push_back({std::move(name),
                                   static_cast<uint32_t>(address / 8),
                                   static_cast<uint32_t>(words)});
    }
    if (next != bytes)
      reject("the functions end at {0:x}, the instructions at {1:x}", next,
             bytes);
    for (const json &entry : listAt(manifest, "entries"))
      program.entries.push_back(entryFromJson(entry));
    for (const Entry &entry : program.entries)
      if (!program.findFunction(entry.function))
        reject("entry '{0}' names the function '{1}', which does not exist",
               entry.name, entry.function);
    program.hbmBytes = numberAt(manifest, "hbm_bytes", maxHbmBytes);
    if (manifest.contains("tensors"))
      for (const json &object : listAt(manifest, "tensors")) {
        SourceTensor tensor = tensorFromJson(object);
        if (tensor.word >= program.text.size())
          reject("'{0}' is complete at {1:x}, after the last instruction",
                 tensor.names.front(), uint64_t(tensor.word) * 8);
        if (tensor.sourceOperator >= program.operators.size())
          reject("'{0}' is of operator {1}, but there are {2}",
                 tensor.names.front(), tensor.sourceOperator,
                 program.operators.size());
        program.tensors.push_back(std::move(tensor));
      }
  } catch (const BadManifest &bad) {
    return makeError("manifest: {0}", bad.message);
  } catch (const json::exception &exception) {
    return makeError("manifest: {0}", exception.what());
  }
  return Error::success();
}

} // namespace serrano::isa
