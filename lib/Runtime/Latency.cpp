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

/// Lengths of a function that are predicted: no piece is cut once there are so many.
static constexpr size_t mostPredictions = 40;
/// With fewer, a line may fit only what was looked at: the widest pieces are cut too.
static constexpr size_t fewestPredictions = 20;
/// A piece that a line fits this well is not cut: less of an error is not looked for.
static constexpr double goodError = 0.0025;
/// What an error is said to be, times what was seen: where time jumps between two lengths that
/// were looked at, a line is off by more than at these.
static constexpr double errorMargin = 2;
/// From one of the first lengths that are predicted to the next.
static constexpr int64_t lengthsFactor = 8;
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
    // The tokens before them are those before a whole step that begins there too.
    cycles += (promptStep.cyclesAt(prompt - rest + stepTokens) - promptStep.cyclesAt(stepTokens)) *
              double(rest) / double(stepTokens);
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

/// Finds the knots of a function: predicts lengths inside of its pieces, and cuts the one that
/// a line fits worst.
class Fitting {
public:
  using Cycles = std::function<llvm::Expected<int64_t>(int64_t length)>;

  /// Time jumps from one to the other of lengths at these distances from multiples of `block`. If
  /// it is known at multiples only, no others are looked at.
  Fitting(Cycles cycles, int64_t block, llvm::ArrayRef<int64_t> edges)
      : cycles(std::move(cycles)), block(block), edges(edges.begin(), edges.end()) {}

  llvm::Error run(LatencyFunction &function, int64_t shortest, int64_t longest);

private:
  struct Piece {
    int64_t from, to;
    double error = 0;                ///< the largest of the lengths inside
    llvm::SmallVector<int64_t> cuts; ///< where it would be cut
  };
  llvm::Error predict(int64_t length);
  llvm::Expected<Piece> look(int64_t from, int64_t to);
  /// A length in the middle of a piece; 0 if there is none inside.
  int64_t getMiddle(const Piece &piece) const;
  bool onlyMultiples() const { return llvm::equal(edges, llvm::ArrayRef<int64_t>{0}); }

  Cycles cycles;
  int64_t block;
  llvm::SmallVector<int64_t> edges;
  std::map<int64_t, int64_t> known; ///< cycles of each length that was predicted
};

} // namespace

llvm::Error Fitting::predict(int64_t length) {
  if (known.count(length))
    return llvm::Error::success();
  llvm::Expected<int64_t> exact = cycles(length);
  if (!exact)
    return exact.takeError();
  known[length] = *exact;
  return llvm::Error::success();
}

/// The multiple of `block` in the middle half of a piece that is a multiple of the highest
/// power of two of them: steps of the softmax are several blocks. 0 if there is none.
static int64_t getRoundest(int64_t from, int64_t to, int64_t block) {
  int64_t first = from + (to - from) / 4, last = to - (to - from) / 4, roundest = 0;
  for (int64_t step = block; int64_t(llvm::alignTo(first, step)) <= last; step *= 2)
    roundest = int64_t(llvm::alignTo(first, step));
  return roundest;
}

llvm::Expected<Fitting::Piece> Fitting::look(int64_t from, int64_t to) {
  Piece piece{from, to, 0, {}};
  int64_t middle = getRoundest(from, to, block);
  std::set<int64_t> lengths, beside;
  auto add = [&](int64_t length) {
    if (length > from && length < to)
      lengths.insert(length);
  };
  for (int64_t edge : edges) {
    if (middle && middle + edge > from && middle + edge < to)
      beside.insert(middle + edge);
    // A knot is an edge too.
    for (int64_t end : {from, to})
      if (end % block == 0)
        add(end + edge);
  }
  // At other parts of pieces in pieces: what comes round as often as they do would not be seen.
  if (!onlyMultiples())
    for (int64_t percent : {38, 76})
      add(from + (to - from) * percent / 100);
  lengths.insert(beside.begin(), beside.end());
  for (int64_t length : lengths)
    if (llvm::Error error = predict(length))
      return std::move(error);

  double slope = double(known[to] - known[from]) / double(to - from);
  int64_t worst = 0;
  for (auto it = known.upper_bound(from); it->first < to; ++it) {
    double line = double(known[from]) + slope * double(it->first - from);
    double error = std::abs(line - double(it->second)) / double(it->second);
    if (worst && error <= piece.error)
      continue;
    worst = it->first;
    piece.error = error;
  }
  if (beside.count(worst))
    piece.cuts.assign(beside.begin(), beside.end());
  else if (worst)
    piece.cuts = {worst};
  return piece;
}

int64_t Fitting::getMiddle(const Piece &piece) const {
  int64_t half = (piece.to - piece.from) / 2;
  if (onlyMultiples())
    half = int64_t(llvm::alignDown(half, block));
  return half ? piece.from + half : 0;
}

llvm::Error Fitting::run(LatencyFunction &function, int64_t shortest, int64_t longest) {
  // Short lengths are as interesting as long ones.
  Piece whole{shortest, longest, 0, {}};
  for (int64_t length = shortest * lengthsFactor; length < longest; length *= lengthsFactor)
    whole.cuts.push_back(length);
  std::vector<Piece> pieces;
  auto cut = [&](const Piece &piece) -> llvm::Error {
    llvm::SmallVector<int64_t> ends(piece.cuts);
    ends.push_back(piece.to);
    for (int64_t from = piece.from; int64_t to : ends) {
      for (int64_t end : {from, to})
        if (llvm::Error error = predict(end))
          return error;
      llvm::Expected<Piece> part = look(from, to);
      if (!part)
        return part.takeError();
      pieces.push_back(*part);
      from = to;
    }
    return llvm::Error::success();
  };
  if (shortest == longest) {
    if (llvm::Error error = predict(longest))
      return error;
  } else if (llvm::Error error = cut(whole)) {
    return error;
  }
  auto isBetter = [](const Piece &a, const Piece &b) { return a.error < b.error; };
  auto isNarrower = [&](const Piece &a, const Piece &b) {
    double wide = getMiddle(a) ? double(a.to) / double(a.from) : 0;
    return wide < (getMiddle(b) ? double(b.to) / double(b.from) : 0);
  };
  while (!pieces.empty()) {
    auto worst = llvm::max_element(pieces, isBetter);
    function.largestError = errorMargin * std::max(worst->error, goodError);
    if (known.size() >= mostPredictions)
      break;
    if (worst->error <= goodError) {
      worst = llvm::max_element(pieces, isNarrower);
      if (known.size() >= fewestPredictions || !getMiddle(*worst))
        break;
      worst->cuts = {getMiddle(*worst)};
    }
    Piece piece = *worst;
    pieces.erase(worst);
    if (llvm::Error error = cut(piece))
      return error;
  }
  for (auto [length, exact] : known)
    function.knots.push_back({length, exact});
  return llvm::Error::success();
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
  // The array takes whole tiles of rows another way. Of a token after others, its keys or those
  // before it begin a block.
  constexpr int64_t ofRows[] = {-1, 0, 2}, ofKeys[] = {0, 2}, multiples[] = {0};
  if (llvm::Error error =
          Fitting(prompt, cache.block, ofRows).run(latency.firstToken, 1, latency.stepTokens))
    return std::move(error);
  if (latency.stepTokens < cache.context) {
    auto step = [&](int64_t context) {
      return steps.getCycles(1, {latency.stepTokens, context});
    };
    if (llvm::Error error = Fitting(step, latency.stepTokens, multiples)
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
    if (llvm::Error error = Fitting(decode, cache.block, ofKeys).run(function, 1, longest))
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
