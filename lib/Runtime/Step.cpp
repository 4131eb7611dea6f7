//===- Step.cpp - what goes into a step over a paged cache -------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The device trusts these arrays: it takes lengths for loop counts and block
// ids for addresses, and writes keys and values where they say. What would read
// or overwrite another sequence's cache is refused here.
//
//===----------------------------------------------------------------------===//

#include "Step.h"
#include "Arrays.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace serrano;

llvm::Error serrano::checkStepInputs(const Entry &entry) {
  static const std::pair<llvm::StringRef, size_t> roles[] = {
      {"token_ids", 1},  {"positions", 1},    {"query_starts", 1},
      {"kv_lengths", 1}, {"block_tables", 2}, {"logit_rows", 1}};
  for (auto [name, rank] : roles) {
    auto it = llvm::find_if(entry.inputs,
                            [&](const Operand &o) { return o.name == name; });
    if (it == entry.inputs.end())
      return makeError("has a cache, but no input '{0}'", name);
    if (it->shape.size() != rank || !isInteger(it->type))
      return makeError("input '{0}' has the shape {1} and elements of type "
                       "{2}; a step needs {3} dimension{4} of integers",
                       name, shapeText(it->shape), npyTypeName(it->type), rank,
                       rank == 1 ? "" : "s");
  }
  return llvm::Error::success();
}

namespace {

/// The arrays of one step.
class Step {
public:
  Step(const Entry &entry, const NpzArrays &arrays)
      : entry(entry), cache(*entry.cache),
        queryStarts(get(arrays, "query_starts")),
        kvLengths(get(arrays, "kv_lengths")),
        positions(get(arrays, "positions")),
        blockTables(get(arrays, "block_tables")),
        tokens(get(arrays, "token_ids").size()),
        tableWidth(arrays.at("block_tables").shape[1]),
        tableRows(arrays.at("block_tables").shape[0]) {}

  llvm::Error check() const;

private:
  static std::vector<int64_t> get(const NpzArrays &arrays, const char *name) {
    return toIntegers(arrays.at(name));
  }
  int64_t sequences() const { return int64_t(kvLengths.size()); }
  int64_t added(int64_t s) const { return queryStarts[s + 1] - queryStarts[s]; }
  /// How many tokens sequence `s` has before the step.
  int64_t past(int64_t s) const { return kvLengths[s] - added(s); }
  int64_t blocksOf(int64_t s) const {
    return llvm::divideCeil(kvLengths[s], cache.block);
  }

  llvm::Error checkSizes() const;
  llvm::Error checkStarts() const;
  llvm::Error checkLength(int64_t s) const;
  llvm::Error checkPositions(int64_t s) const;
  llvm::Error checkBlockIds(int64_t s) const;
  llvm::Error checkSharing() const;

  const Entry &entry;
  const isa::PagedCache &cache;
  std::vector<int64_t> queryStarts, kvLengths, positions, blockTables;
  size_t tokens, tableWidth, tableRows;
};

} // namespace

/// A manifest that was written by hand may give these sizes independently.
llvm::Error Step::checkSizes() const {
  if (positions.size() != tokens)
    return makeError("input 'positions' has {0} elements, but there are {1} "
                     "tokens in 'token_ids'",
                     positions.size(), tokens);
  if (queryStarts.size() != kvLengths.size() + 1 ||
      tableRows != kvLengths.size())
    return makeError("inputs 'query_starts' of {0} elements and 'block_tables' "
                     "of {1} rows do not fit the {2} sequences of "
                     "'kv_lengths'; expected {3} and {2}",
                     queryStarts.size(), tableRows, kvLengths.size(),
                     kvLengths.size() + 1);
  return llvm::Error::success();
}

llvm::Error Step::checkStarts() const {
  if (queryStarts[0] != 0)
    return makeError("input 'query_starts' holds {0} at [0], expected 0, where "
                     "the tokens of the first sequence start",
                     queryStarts[0]);
  for (int64_t s = 0; s < sequences(); ++s)
    if (queryStarts[s + 1] <= queryStarts[s])
      return makeError("input 'query_starts' holds {0} at [{1}], expected more "
                       "than the {2} before it: every sequence of a step has a "
                       "new token",
                       queryStarts[s + 1], s + 1, queryStarts[s]);
  if (queryStarts.back() != int64_t(tokens))
    return makeError("input 'query_starts' holds {0} at [{1}], expected {2}, "
                     "the number of tokens in 'token_ids'",
                     queryStarts.back(), sequences(), tokens);
  return llvm::Error::success();
}

llvm::Error Step::checkLength(int64_t s) const {
  int64_t length = kvLengths[s];
  if (length < added(s))
    return makeError("input 'kv_lengths' holds {0} at [{1}], expected at least "
                     "{2}: the sequence's new tokens of this step count",
                     length, s, added(s));
  if (length > cache.context)
    return makeError("input 'kv_lengths' holds {0} at [{1}], but the program "
                     "was compiled for sequences of at most {2} tokens; {3}",
                     length, s, cache.context, entry.getContextRemedy());
  if (blocksOf(s) > int64_t(tableWidth))
    return makeError("input 'block_tables' has {0} columns, but the {1} tokens "
                     "of sequence {2} take {3} blocks of {4}",
                     tableWidth, length, s, blocksOf(s), cache.block);
  return llvm::Error::success();
}

llvm::Error Step::checkPositions(int64_t s) const {
  for (int64_t t = queryStarts[s]; t < queryStarts[s + 1]; ++t)
    if (int64_t expected = past(s) + t - queryStarts[s];
        positions[t] != expected)
      return makeError("input 'positions' holds {0} at [{1}], expected {2}: "
                       "after the step sequence {3} has {4} tokens "
                       "('kv_lengths'), of which token {1} is number {2}",
                       positions[t], t, expected, s, kvLengths[s]);
  return llvm::Error::success();
}

llvm::Error Step::checkBlockIds(int64_t s) const {
  for (int64_t i = 0; i < blocksOf(s); ++i)
    if (int64_t id = blockTables[s * tableWidth + i];
        id < 0 || id >= cache.blocks)
      return makeError("input 'block_tables' holds {0} at [{1}, {2}], outside "
                       "the {3} blocks of the cache; expected 0 to {4}",
                       id, s, i, cache.blocks, cache.blocks - 1);
  return llvm::Error::success();
}

/// Blocks that were full before the step can belong to several sequences: a
/// common beginning. Those that the step writes to cannot.
llvm::Error Step::checkSharing() const {
  struct Use {
    int64_t sequence, index;
    bool written;
  };
  llvm::DenseMap<int64_t, Use> uses;
  for (int64_t s = 0; s < sequences(); ++s)
    for (int64_t i = 0; i < blocksOf(s); ++i) {
      Use use{s, i, i >= past(s) / cache.block};
      int64_t id = blockTables[s * tableWidth + i];
      auto [it, fresh] = uses.try_emplace(id, use);
      if (fresh)
        continue;
      Use other = it->second;
      if (use.written || other.written)
        return makeError(
            "input 'block_tables' holds {0} at [{1}, {2}] and [{3}, {4}], but "
            "the step writes to this block for sequence {5}; only blocks that "
            "were full before it can be in two places",
            id, other.sequence, other.index, s, i,
            other.written ? other.sequence : s);
    }
  return llvm::Error::success();
}

llvm::Error Step::check() const {
  if (llvm::Error error = checkSizes())
    return error;
  if (llvm::Error error = checkStarts())
    return error;
  for (int64_t s = 0; s < sequences(); ++s) {
    if (llvm::Error error = checkLength(s))
      return error;
    if (llvm::Error error = checkPositions(s))
      return error;
    if (llvm::Error error = checkBlockIds(s))
      return error;
  }
  return checkSharing();
}

llvm::Error serrano::checkStep(const Entry &entry, const NpzArrays &arrays) {
  return Step(entry, arrays).check();
}
