//===- Latency.cpp - time to first token and per output token ----------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Latency.h"
#include "serrano/Support/Error.h"
#include "serrano/Target/TargetModel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

using namespace serrano;

/// Knots of a function, at most.
static constexpr size_t mostKnots = 16;
/// Between knots that a line joins this well no more are put.
static constexpr double goodError = 0.005;
/// From one of the first lengths that are tried to the next.
static constexpr int64_t lengthsFactor = 4;
/// From one number of sequences to the next.
static constexpr int64_t sequencesFactor = 4;

double LatencyFunction::cyclesAt(int64_t length) const {
  auto after = llvm::upper_bound(
      knots, length, [](int64_t length, const Knot &knot) { return length < knot.length; });
  if (after == knots.end())
    return double(knots.back().cycles);
  const Knot &left = *std::prev(after), &right = *after;
  return double(left.cycles) + double(right.cycles - left.cycles) *
                                   double(length - left.length) /
                                   double(right.length - left.length);
}

double Latency::firstTokenCycles(int64_t prompt) const {
  double cycles = 0;
  int64_t rest = (prompt - 1) % stepTokens + 1;
  for (int64_t done = stepTokens; done <= prompt - rest; done += stepTokens)
    cycles += promptStep.cyclesAt(done);
  cycles += firstToken.cyclesAt(rest);
  if (prompt > stepTokens)
    cycles += (promptStep.cyclesAt(prompt) - promptStep.cyclesAt(stepTokens)) * double(rest) /
              double(stepTokens);
  return cycles;
}

namespace {

/// Predictions of one entry's steps, each made once.
class Steps {
public:
  Steps(Program &program, const Entry &entry) : program(program), entry(entry) {}

  /// Cycles of a step of `count` sequences.
  llvm::Expected<int64_t> getCycles(int64_t count, SequenceLengths lengths) {
    auto [it, isNew] = known.try_emplace({count, lengths.added, lengths.context});
    if (!isNew)
      return it->second;
    Lengths all;
    all.sequences.assign(count, lengths);
    llvm::Expected<sim::Statistics> statistics = program.predict(entry, all);
    if (!statistics)
      return statistics.takeError();
    return it->second = statistics->cycles;
  }

private:
  Program &program;
  const Entry &entry;
  std::map<std::tuple<int64_t, int64_t, int64_t>, int64_t> known;
};

/// Finds the knots of a function: halves the piece that a line fits worst.
class Fitting {
public:
  using Cycles = std::function<llvm::Expected<int64_t>(int64_t length)>;

  /// Looks at lengths beside multiples of `block` or, with `multiples`, at those only.
  Fitting(Cycles cycles, int64_t block, bool multiples = false)
      : cycles(std::move(cycles)), block(block), multiples(multiples) {}

  llvm::Error run(LatencyFunction &function, int64_t shortest, int64_t longest);

private:
  /// The worst of the lengths that were looked at between two knots.
  struct Piece {
    int64_t length = 0;
    double error = 0;
  };
  llvm::Expected<Piece> look(const LatencyFunction &function, int64_t from, int64_t to);

  Cycles cycles;
  int64_t block;
  bool multiples;
};

} // namespace

llvm::Expected<Fitting::Piece> Fitting::look(const LatencyFunction &function, int64_t from,
                                             int64_t to) {
  Piece worst;
  // There are steps where a token or its next one begins a block of the cache, at a knot
  // perhaps.
  constexpr int64_t behind = 2;
  std::set<int64_t> lengths = {from + behind};
  for (int64_t part : {1, 2, 3}) {
    int64_t length = from + (to - from) * part / 4, end = length / block * block;
    lengths.insert({end, length, end + behind});
  }
  for (int64_t length : lengths) {
    if (length <= from || length >= to || (multiples && length % block))
      continue;
    llvm::Expected<int64_t> exact = cycles(length);
    if (!exact)
      return exact.takeError();
    double error = std::abs(function.cyclesAt(length) - double(*exact)) / double(*exact);
    if (worst.length == 0 || error > worst.error)
      worst = {length, error};
  }
  return worst;
}

llvm::Error Fitting::run(LatencyFunction &function, int64_t shortest, int64_t longest) {
  auto add = [&](int64_t length) -> llvm::Error {
    llvm::Expected<int64_t> exact = cycles(length);
    if (!exact)
      return exact.takeError();
    auto place = llvm::upper_bound(
        function.knots, length,
        [](int64_t length, const LatencyFunction::Knot &knot) { return length < knot.length; });
    function.knots.insert(place, {length, *exact});
    return llvm::Error::success();
  };
  // Short lengths are as interesting as long ones.
  for (int64_t length = shortest; length < longest; length *= lengthsFactor)
    if (llvm::Error error = add(length))
      return error;
  if (llvm::Error error = add(longest))
    return error;
  std::map<int64_t, Piece> pieces; // By the knot that they begin with.
  while (true) {
    for (auto [left, right] : llvm::zip(function.knots, llvm::drop_begin(function.knots)))
      if (!pieces.contains(left.length)) {
        llvm::Expected<Piece> piece = look(function, left.length, right.length);
        if (!piece)
          return piece.takeError();
        pieces[left.length] = *piece;
      }
    auto worst = llvm::max_element(
        pieces, [](auto &a, auto &b) { return a.second.error < b.second.error; });
    if (worst == pieces.end())
      return llvm::Error::success();
    if (worst->second.error <= goodError || function.knots.size() >= mostKnots) {
      function.largestError = worst->second.error;
      return llvm::Error::success();
    }
    int64_t length = worst->second.length;
    pieces.erase(worst);
    if (llvm::Error error = add(length))
      return error;
  }
}

llvm::Expected<Latency> serrano::measureLatency(Program &program, const Entry &entry) {
  if (!entry.cache)
    return makeError("entry '{0}' has no cache, and so no first token; its time is a function of "
                     "its dimensions that a prediction gives",
                     entry.name);
  const isa::PagedCache &cache = *entry.cache;
  Latency latency;
  llvm::Expected<TargetModel> target =
      TargetModel::fromJson(program.file().targetJson(), program.file().path());
  if (!target)
    return target.takeError();
  latency.cyclesPerSecond = target->clockGhz().toDouble() * 1e9;
  int64_t mostSequences = 1;
  latency.stepTokens = cache.context;
  for (const Limit &limit : entry.limits) {
    if (limit.of == "tokens")
      latency.stepTokens = std::min(latency.stepTokens, limit.max);
    else if (limit.of == "sequences")
      mostSequences = std::max(mostSequences, limit.max);
  }
  Steps steps(program, entry);

  latency.longest = cache.context;
  auto prompt = [&](int64_t tokens) { return steps.getCycles(1, {tokens, tokens}); };
  if (llvm::Error error =
          Fitting(prompt, cache.block).run(latency.firstToken, 1, latency.stepTokens))
    return std::move(error);
  if (latency.stepTokens < cache.context) {
    auto step = [&](int64_t context) {
      return steps.getCycles(1, {latency.stepTokens, context});
    };
    if (llvm::Error error = Fitting(step, latency.stepTokens, /*multiples=*/true)
                                .run(latency.promptStep, latency.stepTokens, cache.context))
      return std::move(error);
  }

  mostSequences = std::min(mostSequences, latency.stepTokens);
  for (int64_t count = 1;; count = std::min(count * sequencesFactor, mostSequences)) {
    LatencyFunction &function = latency.outputToken.emplace_back();
    function.sequences = count;
    auto decode = [&](int64_t context) { return steps.getCycles(count, {1, context}); };
    // As far as all of them have room.
    int64_t longest = std::min<int64_t>(cache.context, cache.blocks / count * cache.block);
    if (llvm::Error error = Fitting(decode, cache.block).run(function, 1, longest))
      return std::move(error);
    if (count == mostSequences)
      return latency;
  }
}

static nlohmann::ordered_json toJsonObject(const LatencyFunction &function,
                                           llvm::StringRef length) {
  nlohmann::ordered_json object = {{"sequences", function.sequences}, {"length", length.str()}};
  for (const LatencyFunction::Knot &knot : function.knots)
    object["knots"].push_back({knot.length, knot.cycles});
  object["largest_error"] = function.largestError;
  return object;
}

std::string Latency::toJson() const {
  nlohmann::ordered_json object = {{"cycles_per_second", cyclesPerSecond},
                                   {"step_tokens", stepTokens},
                                   {"longest", longest},
                                   {"first_token", toJsonObject(firstToken, "prompt")}};
  if (!promptStep.knots.empty())
    object["prompt_step"] = toJsonObject(promptStep, "context");
  for (const LatencyFunction &function : outputToken)
    object["output_token"].push_back(toJsonObject(function, "context"));
  return object.dump();
}
