//===- Prediction.cpp - what a run would cost --------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The lengths of a run become the integers that the host would write. What is
// data, token ids for instance, is not given to the machine, which refuses to
// read it.
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "serrano/Runtime/Elements.h"
#include "serrano/Runtime/Program.h"
#include "serrano/Support/Error.h"
#include "serrano/Support/NearestName.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace serrano;

static std::string dimensionNames(const Entry &entry) {
  return llvm::join(llvm::map_range(entry.dimensions,
                                    [](const Dimension &d) { return d.name; }),
                    ", ");
}

/// Checks that each dimension of an entry without a cache has a size.
static llvm::Error checkDimensions(const Entry &entry, const Lengths &lengths) {
  if (!lengths.sequences.empty())
    return makeError("entry '{0}' has no cache, and so no sequences; give the "
                     "sizes of its dimensions: {1}",
                     entry.name, dimensionNames(entry));
  for (const auto &[name, size] : lengths.dimensions) {
    llvm::SmallVector<llvm::StringRef> names;
    for (const Dimension &dimension : entry.dimensions)
      names.push_back(dimension.name);
    if (llvm::is_contained(names, llvm::StringRef(name)))
      continue;
    std::string guess = didYouMean(name, names);
    return makeError("'{0}' is not a dimension of entry '{1}'{2}", name,
                     entry.name,
                     guess.empty() ? "; its dimensions are " +
                                         dimensionNames(entry)
                                   : guess);
  }
  for (const Dimension &dimension : entry.dimensions)
    if (!lengths.dimensions.contains(dimension.name))
      return makeError("the size of dimension '{0}' of entry '{1}' is missing; "
                       "its dimensions are {2}",
                       dimension.name, entry.name, dimensionNames(entry));
  return entry.checkLimits(lengths.dimensions);
}

/// The arrays of a step; which tokens and which blocks does not matter.
static llvm::Expected<NpzArrays> stepArrays(const Entry &entry,
                                            const Lengths &lengths) {
  if (!lengths.dimensions.empty() || lengths.sequences.empty())
    return makeError("entry '{0}' is a step over a cache; give its sequences "
                     "as NEW@CONTEXT, for example 1@128",
                     entry.name);
  const isa::PagedCache &cache = *entry.cache;
  int64_t width = llvm::divideCeil(cache.context, cache.block), blocks = 0;
  std::vector<int64_t> starts = {0}, contexts, positions, rows, tables;
  for (const SequenceLengths &sequence : lengths.sequences) {
    if (sequence.context > cache.context)
      return makeError("a sequence of {0} tokens, but the program was compiled "
                       "for {1}; {2}",
                       sequence.context, cache.context,
                       entry.getContextRemedy());
    starts.push_back(starts.back() + sequence.added);
    contexts.push_back(sequence.context);
    rows.push_back(starts.back() - 1);
    for (int64_t i = sequence.context - sequence.added; i < sequence.context;
         ++i)
      positions.push_back(i);
    int64_t used = llvm::divideCeil(sequence.context, cache.block);
    for (int64_t i = 0; i < width; ++i)
      tables.push_back(i < used ? blocks++ : 0);
  }
  if (blocks > cache.blocks)
    return makeError("the sequences take {0} blocks of {1} tokens, but the "
                     "program's cache has {2}",
                     blocks, cache.block, cache.blocks);
  const std::pair<llvm::StringRef, std::vector<int64_t>> inputs[] = {
      {"token_ids", std::vector<int64_t>(positions.size())},
      {"positions", positions},
      {"query_starts", starts},
      {"kv_lengths", contexts},
      {"block_tables", tables},
      {"logit_rows", rows}};
  NpzArrays arrays;
  for (const Operand &operand : entry.inputs)
    for (const auto &[name, elements] : inputs)
      if (operand.name == name)
        arrays.emplace(operand.name, fromIntegers(operand.type, elements));
  auto table = arrays.find("block_tables");
  table->second.shape = {lengths.sequences.size(), uint64_t(width)};
  return arrays;
}

/// Whether an input of a step follows from lengths.
static bool isOfLengths(llvm::StringRef input) {
  return input != "token_ids" && input != "block_tables";
}

llvm::Expected<sim::Statistics>
Program::predict(const Entry &entry, const Lengths &lengths,
                 const sim::RunOptions &options) {
  Dimensions dimensions = lengths.dimensions;
  std::vector<sim::ScalarBytes> known;
  if (!entry.cache) {
    if (llvm::Error error = checkDimensions(entry, lengths))
      return std::move(error);
  } else {
    llvm::Expected<NpzArrays> arrays = stepArrays(entry, lengths);
    if (!arrays)
      return arrays.takeError();
    llvm::Expected<Dimensions> bound = entry.bind(*arrays);
    if (!bound)
      return bound.takeError();
    if (llvm::Error error = entry.checkValues(*arrays, *bound))
      return std::move(error);
    dimensions = std::move(*bound);
    for (const Operand &operand : entry.inputs) {
      if (!operand.scalarMemory || !isOfLengths(operand.name))
        continue;
      llvm::Expected<std::vector<uint8_t>> bytes =
          toDevice(operand.name, arrays->at(operand.name), operand.stored);
      if (!bytes)
        return bytes.takeError();
      known.push_back({operand.address, std::move(*bytes)});
    }
  }
  for (const Dimension &dimension : entry.dimensions) {
    int32_t value = int32_t(dimensions.at(dimension.name));
    std::vector<uint8_t> bytes(sizeof(value));
    std::memcpy(bytes.data(), &value, sizeof(value));
    known.push_back({dimension.scalarAddress, std::move(bytes)});
  }
  return core->predict(entry.word, known, options);
}
