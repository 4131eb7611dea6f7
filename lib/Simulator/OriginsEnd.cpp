//===- OriginsEnd.cpp - what holds of a section that has ended ----------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Origins.h"
#include <limits>

using namespace serrano::sim;

int64_t Origins::valueOf(const Values &now, Source source) const {
  if (source < firstIteration)
    return now.registerValue(source);
  if (source < layerSource)
    return now.iteration(source - firstIteration);
  if (source == layerSource)
    return now.layer();
  return now.word(loaded[source - firstWord].address);
}

int64_t Origins::growth(const Values &now, Source source) const {
  if (source >= firstQuotient && source < firstWord) {
    const Quotient &quotient = quotients[source - firstQuotient];
    return growth(now, quotient.dividend) / quotient.divisor;
  }
  return int64_t(uint64_t(valueOf(now, source)) - uint64_t(values[source]));
}

int64_t Origins::growth(const Values &now, const Form &form) const {
  uint64_t result = 0;
  for (const Term &term : form)
    result += uint64_t(growth(now, term.source)) * uint64_t(term.factor);
  return int64_t(result);
}

void Origins::end(const Values &now,
                  llvm::ArrayRef<std::pair<unsigned, Access>> onTheirWay) {
  for (auto [i, range] : llvm::enumerate(ranges)) {
    auto meets = [&](const Span &other) { return range.meets(0, other, 0); };
    if (llvm::any_of(fixed, meets))
      pin(range.form);
    for (const Range &other : llvm::drop_begin(ranges, i + 1))
      if (meets(other))
        pin(sum(range.form, other.form, -1));
    // The state that it ended in has their addresses.
    for (const auto &[queue, access] : onTheirWay)
      if (range.write && meets({queue, access.memory, /*write=*/true,
                                access.address, access.end()}))
        pin(range.form);
    if (range.write && moved)
      pin(range.form);
  }
  // Loops that go on have rounds left.
  for (auto [i, count] : llvm::enumerate(entered)) {
    enteredLeft.push_back(now.roundsLeft(loopsThatGoOn() + i));
    keepWithin(count, 1 - enteredLeft[i], std::numeric_limits<int64_t>::max());
  }
  for (unsigned r = 1; r < registers.size(); ++r)
    if (registers[r] != Form({Term{Source(r), 1}}) ||
        now.registerValue(r) != values[r])
      endRegisters.push_back({r, now.registerValue(r)});
  for (const auto &[address, word] : words)
    if (word.isStored)
      endWords.push_back(
          {address, int32_t(now.word(address)), now.isKnown(address)});
}

bool Origins::keepsOverlaps(llvm::ArrayRef<int64_t> grown) const {
  for (auto [i, range] : llvm::enumerate(ranges)) {
    int64_t offset = grown[i];
    if (!range.asks())
      continue;
    if (offset != 0 && llvm::any_of(fixed, [&](const Span &other) {
          return range.meets(offset, other, 0);
        }))
      return false;
    for (size_t j = i + 1; j < ranges.size(); ++j)
      if (offset != grown[j] && range.meets(offset, ranges[j], grown[j]))
        return false;
  }
  return true;
}

bool Origins::staysUnknown(const Values &now, const Unknown &words) const {
  int64_t offset = growth(now, words.form), bytes = words.end - words.begin;
  if (offset == 0)
    return true;
  if (offset % 4 || offset < -mostGrowth || offset > mostGrowth ||
      !now.allows({Memory::Scalar, /*write=*/false, words.begin + offset, bytes,
                   1, bytes}))
    return false;
  for (int64_t address = words.begin + offset; address < words.end + offset;
       address += 4)
    if (now.isKnown(address) || this->words.lookup(address).isStored)
      return false;
  return true;
}

bool Origins::holds(const Values &now) const {
  for (unsigned source : pinned.set_bits())
    if (growth(now, source) != 0)
      return false;
  for (unsigned source : compared.set_bits())
    if (int64_t grown = growth(now, source);
        grown < -mostGrowth || grown > mostGrowth)
      return false;
  for (const Quotient &quotient : quotients)
    if (growth(now, quotient.dividend) % quotient.divisor)
      return false;
  for (auto [depth, loop] : llvm::enumerate(loops)) {
    int64_t left = now.roundsLeft(depth);
    if (loop.keepsLeft ? left != loop.left : left <= loop.rounds)
      return false;
  }
  for (const Loaded &word : loaded)
    if (now.isKnown(word.address) != word.isKnown)
      return false;
  for (const Unknown &words : unknown)
    if (!staysUnknown(now, words))
      return false;
  for (const Bound &bound : bounds) {
    int64_t grown = growth(now, bound.form);
    if (grown < bound.least || grown > bound.most)
      return false;
  }
  llvm::SmallVector<int64_t, 32> grown;
  for (const Range &range : ranges) {
    constexpr int64_t far = int64_t(1) << 60;
    int64_t offset = growth(now, range.form);
    grown.push_back(offset);
    if (offset == 0)
      continue;
    if (offset < -far || offset > far ||
        (range.memory != Memory::Hbm && offset % alignment))
      return false;
    int64_t bytes = range.end - range.begin;
    if (!now.allows({range.memory, range.write, range.begin + offset, bytes, 1,
                     bytes}))
      return false;
  }
  return keepsOverlaps(grown);
}

Origins::Results Origins::results(const Values &now) const {
  Results results;
  for (const Loop &loop : loops)
    if (!loop.hasEnded)
      results.rounds.push_back(loop.rounds);
  for (const Form &count : entered)
    results.counts.push_back(growth(now, count));
  for (const Result &result : endRegisters)
    results.registers.push_back(
        {result.index, int64_t(uint64_t(result.value) +
                               uint64_t(growth(now, registers[result.index])))});
  for (Results::Word word : endWords) {
    word.value += int32_t(growth(now, words.lookup(word.address).form));
    results.words.push_back(word);
  }
  return results;
}
