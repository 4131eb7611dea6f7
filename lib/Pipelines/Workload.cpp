//===- Workload.cpp - runs that a choice is judged by ------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workload.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace serrano;

/// No run has more than these.
static constexpr int64_t mostStepTokens = 512, mostSequences = 16, longestContext = 8192;
static constexpr int64_t mostRows = 2048;
/// A short context or row is this part of the longest one.
static constexpr int64_t shortContextShare = 8, shortRowShare = 4;
/// A chunk of a prompt is such a part of it, behind such a part of the longest context.
static constexpr int64_t chunkShare = 8, chunkContextShare = 4;

static std::vector<std::string> getSteps(const TileOptions &limits) {
  int64_t tokens = std::min<int64_t>(limits.maxTokens, mostStepTokens);
  int64_t sequences = std::min({int64_t(limits.maxSequences), tokens, mostSequences});
  int64_t longest = std::min<int64_t>(limits.maxContext, longestContext);
  int64_t medium = std::max<int64_t>(longest / shortContextShare, 1);
  int64_t prompt = std::min(tokens, longest);
  auto lengths = [](int64_t count, int64_t context) {
    return llvm::formatv("{0}x1@{1}", count, context).str();
  };
  auto promptOf = [](int64_t count) { return llvm::formatv("{0}@{0}", count).str(); };
  // Behind a long context each tile of queries reads all of it.
  int64_t chunk = llvm::divideCeil(prompt, chunkShare);
  std::string laterChunk =
      llvm::formatv("{0}@{1}", chunk, std::max(longest / chunkContextShare, chunk)).str();
  std::vector<std::string> steps = {lengths(1, medium),         lengths(1, longest),
                                    lengths(sequences, medium), promptOf(prompt), laterChunk};
  if (sequences > 1)
    steps.push_back(lengths(sequences / 2, medium) + "," +
                    promptOf(std::max<int64_t>(prompt / 2, 1)));
  return steps;
}

/// All dimensions 1 but the last two.
static std::string getSizes(const Entry &entry, int64_t count, int64_t length) {
  std::string sizes;
  for (const Dimension &dimension : entry.dimensions) {
    size_t after = &entry.dimensions.back() - &dimension;
    sizes += llvm::formatv("{0}{1}={2}", sizes.empty() ? "" : ",", dimension.name,
                           after == 0   ? length
                           : after == 1 ? count
                                        : 1);
  }
  return sizes;
}

static std::vector<std::string> getRuns(const Entry &entry, const TileOptions &limits) {
  // It has one run.
  if (entry.dimensions.empty())
    return {""};
  int64_t rows = std::min<int64_t>(limits.maxTokens, mostRows);
  int64_t longest = std::min(entry.dimensions.back().max, rows);
  // A row may have to fit a portion of the rows.
  for (const Limit &limit : entry.limits)
    if (limit.size.symbol() == entry.dimensions.back().name)
      longest = std::min(longest, limit.max);
  std::vector<std::string> runs = {getSizes(entry, 1, longest)};
  int64_t length = std::max<int64_t>(longest / shortRowShare, 1);
  if (entry.dimensions.size() < 2)
    runs.push_back(getSizes(entry, 1, length));
  else
    runs.push_back(getSizes(
        entry, std::min(entry.dimensions[entry.dimensions.size() - 2].max, rows / length), length));
  return runs;
}

std::vector<std::string> serrano::getWorkload(const Entry &entry, const TileOptions &limits) {
  std::vector<std::string> all = entry.cache ? getSteps(limits) : getRuns(entry, limits), result;
  for (std::string &lengths : all)
    if (!llvm::is_contained(result, lengths))
      result.push_back(std::move(lengths));
  return result;
}
