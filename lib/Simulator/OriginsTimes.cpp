//===- OriginsTimes.cpp - a section that repeats ------------------------ -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// If every source grows by its step, so does every value that is linear in them.
// If the results of a section are then larger by the same steps, by induction
// they are each time, and what has to hold is a matter of lines.
//
//===----------------------------------------------------------------------===//

#include "Origins.h"
#include <limits>

using namespace serrano::sim;

static constexpr int64_t most = std::numeric_limits<int64_t>::max();

/// By how much sources grow each time.
class Origins::Steps {
public:
  Steps(const Origins &origins, const Values &now)
      : origins(origins), once(origins.results(now)) {
    for (auto [index, value] : once.registers)
      registers[index] = minus(value, now.registerValue(index));
    for (const Results::Word &word : once.words) {
      if (word.isKnown != now.isKnown(word.address))
        areSame = false;
      else if (word.isKnown)
        words[word.address] = int64_t(word.value) - now.word(word.address);
    }
    for (auto [index, value] : once.registers)
      areSame &= of(origins.registers[index]) == registers[index];
    for (auto [address, step] : words)
      areSame &= of(origins.words.lookup(address).form) == step;
  }

  /// Whether they are the next time what they are now.
  bool stay() const { return areSame; }

  int64_t of(const Form &form) {
    uint64_t result = 0;
    for (const Term &term : form)
      result += uint64_t(of(term.source)) * uint64_t(term.factor);
    return int64_t(result);
  }

  int64_t of(Source source) {
    if (source < firstIteration)
      return registers[source];
    // A loop that it has left and entered again is where it was.
    if (unsigned depth = source - firstIteration; source < layerSource)
      return origins.loops[depth].hasEnded ? 0 : once.rounds[depth];
    if (source == layerSource)
      return 0;
    if (source >= firstWord)
      return words.lookup(origins.loaded[source - firstWord].address);
    const Quotient &quotient = origins.quotients[source - firstQuotient];
    int64_t dividend = of(quotient.dividend);
    areSame &= dividend % quotient.divisor == 0;
    return dividend / quotient.divisor;
  }

private:
  static int64_t minus(int64_t a, int64_t b) {
    return int64_t(uint64_t(a) - uint64_t(b));
  }

  const Origins &origins;
  Results once;
  std::array<int64_t, 64> registers = {};
  llvm::DenseMap<int64_t, int64_t> words;
  bool areSame = true;
};

/// How often `value`, which lies between `least` and `most` and grows by `step`
/// each time, does so, with this time.
static int64_t timesWithin(int64_t value, int64_t step, int64_t least,
                           int64_t most) {
  if (step == 0)
    return ::most;
  __int128 room =
      step > 0 ? __int128(most) - value : __int128(value) - least;
  return int64_t(room / (step > 0 ? __int128(step) : -__int128(step))) + 1;
}

bool Origins::keepsOverlaps(llvm::ArrayRef<int64_t> grown,
                            llvm::ArrayRef<int64_t> steps,
                            int64_t times) const {
  auto sweep = [&](size_t i) {
    Span span = ranges[i];
    int64_t way = steps[i] * (times - 1);
    span.begin += grown[i] + std::min<int64_t>(way, 0);
    span.end += grown[i] + std::max<int64_t>(way, 0);
    return span;
  };
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (!ranges[i].asks())
      continue;
    Span span = sweep(i);
    auto meets = [&](const Span &other) { return span.meets(0, other, 0); };
    if ((grown[i] || steps[i]) && llvm::any_of(fixed, meets))
      return false;
    for (size_t j = i + 1; j < ranges.size(); ++j)
      if ((grown[i] != grown[j] || steps[i] != steps[j]) && meets(sweep(j)))
        return false;
  }
  return true;
}

int64_t Origins::times(const Values &now) const {
  Steps steps(*this, now);
  // Loops that it leaves it enters again, and has as many rounds left there.
  if (loopsThatGoOn() + entered.size() != loops.size())
    return 0;
  for (auto [i, count] : llvm::enumerate(entered))
    if (steps.of(count) != 0 || enteredLeft[i] + growth(now, count) !=
                                    now.roundsLeft(loopsThatGoOn() + i))
      return 0;
  int64_t times = most;
  auto limit = [&](int64_t n) { times = std::min(times, n); };
  for (unsigned source : pinned.set_bits())
    if (steps.of(source) != 0)
      return 0;
  for (unsigned source : compared.set_bits())
    limit(timesWithin(growth(now, source), steps.of(source), -mostGrowth,
                      mostGrowth));
  for (const Quotient &quotient : quotients)
    if (steps.of(quotient.dividend) % quotient.divisor)
      return 0;
  for (auto [depth, loop] : llvm::enumerate(loops)) {
    if (loop.hasEnded || loop.rounds == 0)
      continue;
    if (loop.keepsLeft)
      return 0;
    limit((now.roundsLeft(depth) - 1) / loop.rounds);
  }
  for (const Unknown &words : unknown)
    if (steps.of(words.form) != 0)
      return 0;
  for (const Bound &bound : bounds)
    limit(timesWithin(growth(now, bound.form), steps.of(bound.form),
                      bound.least, bound.most));
  if (!steps.stay() || times < 1)
    return 0;

  llvm::SmallVector<int64_t, 32> grown, moves;
  for (const Range &range : ranges) {
    int64_t offset = growth(now, range.form), step = steps.of(range.form);
    grown.push_back(offset);
    moves.push_back(step);
    if (step == 0)
      continue;
    __int128 way = __int128(step) * (times - 1);
    constexpr __int128 far = int64_t(1) << 60;
    if (way < -far || way > far ||
        (range.memory != Memory::Hbm && step % alignment))
      return 0;
    int64_t begin = range.begin + offset + std::min<int64_t>(way, 0);
    int64_t bytes = range.end - range.begin + std::abs(int64_t(way));
    if (!now.allows({range.memory, range.write, begin, bytes, 1, bytes}))
      return 0;
  }
  return steps.stay() && keepsOverlaps(grown, moves, times) ? times : 0;
}

Origins::Results Origins::results(const Values &now, int64_t times) const {
  Results results = this->results(now);
  uint64_t more = times - 1;
  for (int64_t &rounds : results.rounds)
    rounds *= times;
  for (auto &[index, value] : results.registers)
    value = int64_t(uint64_t(value) + more * (uint64_t(value) -
                                              uint64_t(now.registerValue(index))));
  for (Results::Word &word : results.words)
    if (word.isKnown)
      word.value = int32_t(int64_t(
          word.value + more * uint64_t(word.value - now.word(word.address))));
  return results;
}
