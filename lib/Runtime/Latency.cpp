//===- Latency.cpp - time to first token and per output token ----------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Latency.h"
#include "serrano/Support/Error.h"
#include "serrano/Target/TargetModel.h"
#include <map>
#include <nlohmann/json.hpp>

using namespace serrano;

/// From one number of sequences to the next.
static constexpr int64_t sequencesFactor = 4;

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

} // namespace

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
  // The array takes whole tiles of rows another way.
  llvm::Expected<LatencyFunction> firstToken =
      fitLatency(prompt, {1, latency.stepTokens, 1, cache.block, {-1, 0, 2}});
  if (!firstToken)
    return firstToken.takeError();
  latency.firstToken = std::move(*firstToken);
  if (latency.stepTokens < cache.context) {
    auto step = [&](int64_t context) {
      return steps.getCycles(1, {latency.stepTokens, context});
    };
    // The step's own keys begin a block, or those before them do.
    llvm::Expected<LatencyFunction> promptStep =
        fitLatency(step, {latency.stepTokens, cache.context, latency.stepTokens, cache.block,
                          {0, 1, 1 + latency.stepTokens}});
    if (!promptStep)
      return promptStep.takeError();
    latency.promptStep = std::move(*promptStep);
  }

  mostSequences = std::min(mostSequences, latency.stepTokens);
  for (int64_t count = 1;; count = std::min(count * sequencesFactor, mostSequences)) {
    auto decode = [&](int64_t context) { return steps.getCycles(count, {1, context}); };
    // As far as all of them have room.
    int64_t longest = std::min<int64_t>(cache.context, cache.blocks / count * cache.block);
    // The token's own key begins a block, or those before it do.
    llvm::Expected<LatencyFunction> function =
        fitLatency(decode, {1, longest, 1, cache.block, {0, 1, 2}});
    if (!function)
      return function.takeError();
    function->sequences = count;
    latency.outputToken.push_back(std::move(*function));
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
