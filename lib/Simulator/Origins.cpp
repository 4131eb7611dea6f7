//===- Origins.cpp - where the sequencer's values come from ------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Origins.h"
#include "llvm/ADT/STLExtras.h"

using namespace serrano::sim;

/// More than this is not worth following: values stay the same then.
static constexpr size_t mostTerms = 8, mostBounds = 512, mostRanges = 128,
                        mostFixed = 64, mostWords = 4096, mostUnknown = 16;
/// Values that are compared are no larger than this and grow by no more, as a sum
/// of `mostTerms` sources that grow by `mostGrowth` times `mostFactor`: registers
/// wrap around.
static constexpr int64_t mostCompared = int64_t(1) << 61,
                         mostFactor = int64_t(1) << 18;

Origins::Origins(const Values &now, unsigned numLoops)
    : values(firstWord), pinned(firstWord), compared(firstWord) {
  for (unsigned r = 0; r < registers.size(); ++r) {
    values[r] = now.registerValue(r);
    if (r)
      registers[r] = {{Source(r), 1}};
  }
  for (unsigned depth = 0; depth < numLoops; ++depth) {
    values[firstIteration + depth] = now.iteration(depth);
    loops.push_back({now.roundsLeft(depth)});
  }
  values[layerSource] = now.layer();
}

//===----------------------------------------------------------------------===//
// While the section executes
//===----------------------------------------------------------------------===//

void Origins::enterLoop(Value count) {
  const Form none;
  keepLess({0, none}, count);
  if (count.value <= 0)
    return;
  // In how many rounds periods are left out depends on it.
  if (count.slope)
    pin(count.form);
  entered.push_back(sum(count.form, {}));
}

void Origins::endLoop(unsigned depth) {
  if (beganIn(depth)) {
    loops[depth].hasEnded = loops[depth].keepsLeft = true;
  } else if (!entered.empty()) {
    pin(sum(entered.pop_back_val(), {}));
  }
}

Origins::Form Origins::nextRound(unsigned depth) {
  if (!beganIn(depth))
    return {};
  ++loops[depth].rounds;
  return sum({}, {{Source(firstIteration + depth), 1}});
}

Origins::Form Origins::load(int64_t address, int64_t value, bool isKnown) {
  auto it = words.find(address);
  if (it != words.end())
    return it->second.form;
  if (loaded.size() == mostWords) {
    fail();
    return {};
  }
  Form form;
  if (isKnown)
    form = {{Source(values.size()), 1}};
  values.push_back(value);
  pinned.resize(values.size());
  compared.resize(values.size());
  loaded.push_back({address, isKnown});
  words[address] = {form, /*isStored=*/false};
  return form;
}

void Origins::loadUnknown(int64_t address, const Form &form) {
  Form free = sum(form, {});
  if (free.empty())
    return;
  auto it = llvm::find_if(
      unknown, [&](const Unknown &words) { return words.form == free; });
  if (free.size() > mostTerms ||
      (it == unknown.end() && unknown.size() == mostUnknown))
    return pin(free);
  if (it == unknown.end())
    it = unknown.insert(it, {std::move(free), address, address});
  it->begin = std::min(it->begin, address);
  it->end = std::max(it->end, address + 4);
}

void Origins::store(int64_t address, Form form) {
  if (words.size() == 2 * mostWords)
    return fail();
  words[address] = {std::move(form), /*isStored=*/true};
}

void Origins::forget(int64_t address, int64_t bytes) {
  if (bytes > int64_t(mostWords))
    return fail();
  for (int64_t word = address & ~3; word < address + bytes; word += 4)
    store(word, {});
}

Origins::Form Origins::sum(const Form &a, const Form &b,
                           int64_t factorOfB) const {
  Form result;
  // Most values depend on one source, or on none.
  if (a.size() + b.size() <= 1) {
    for (const Term &term : a)
      if (!isPinned(term.source))
        result.push_back(term);
    for (const Term &term : b)
      if (int64_t factor = int64_t(uint64_t(factorOfB) * uint64_t(term.factor));
          factor && !isPinned(term.source))
        result.push_back({term.source, factor});
    return result;
  }
  // Both are sorted by their sources.
  for (auto i = a.begin(), j = b.begin(); i != a.end() || j != b.end();) {
    Source source = j == b.end() || (i != a.end() && i->source < j->source)
                        ? i->source
                        : j->source;
    uint64_t factor = 0;
    if (i != a.end() && i->source == source)
      factor += uint64_t((i++)->factor);
    if (j != b.end() && j->source == source)
      factor += uint64_t(factorOfB) * uint64_t((j++)->factor);
    if (factor && !isPinned(source))
      result.push_back({source, int64_t(factor)});
  }
  return result;
}

Origins::Form Origins::scaled(const Form &a, int64_t factor) const {
  return sum({}, a, factor);
}

/// The first after the one at `last`, in a circle, of which `matches` is true;
/// null if there is none. Rounds of loops ask for the same ones in turn.
template <typename T, typename Matches>
static T *findAfter(llvm::SmallVectorImpl<T> &all, size_t last,
                    Matches matches) {
  for (size_t n = all.size(), i = 1; i <= n; ++i)
    if (T &candidate = all[(last + i) % n]; matches(candidate))
      return &candidate;
  return nullptr;
}

void Origins::keepWithin(const Form &form, __int128 least, __int128 most) {
  if (form.empty())
    return;
  Form free = sum(form, {});
  if (free.empty())
    return;
  constexpr __int128 far = int64_t(1) << 62;
  if (free.size() > mostTerms)
    return pinSources(free);
  int64_t lower = int64_t(std::max(least, -far)),
          upper = int64_t(std::min(most, far));
  uint64_t key = 0;
  for (const Term &term : free)
    key = (key ^ term.source) * 0x9E3779B97F4A7C15 + uint64_t(term.factor);
  // Two that share a key, or are too many, stay.
  auto [it, isNew] = boundsByKey.try_emplace(key >> 1, bounds.size());
  if (isNew && bounds.size() < mostBounds)
    bounds.push_back({free, lower, upper});
  if (it->second >= bounds.size() || bounds[it->second].form != free)
    return pinSources(free);
  Bound &bound = bounds[it->second];
  bound.least = std::max(bound.least, lower);
  bound.most = std::min(bound.most, upper);
}

void Origins::keepFromWrapping(Value a) {
  Form free = sum(a.form, {});
  auto isLarge = [](const Term &term) {
    return term.factor < -mostFactor || term.factor > mostFactor;
  };
  if (a.value < -mostCompared || a.value > mostCompared ||
      free.size() > mostTerms || llvm::any_of(free, isLarge))
    return pin(free);
  for (const Term &term : free)
    compared.set(term.source);
}

Origins::Form Origins::quotient(Value a, int64_t divisor) {
  keepFromWrapping(a);
  Form free = sum(a.form, {});
  auto it = llvm::find_if(quotients, [&](const Quotient &q) {
    return q.divisor == divisor && q.dividend == free;
  });
  if (free.empty() || a.slope || divisor <= 0 || free.size() > mostTerms ||
      (it == quotients.end() && quotients.size() == mostQuotients)) {
    pin(free);
    return {};
  }
  Source source = firstQuotient + (it - quotients.begin());
  if (it == quotients.end())
    quotients.push_back({std::move(free), divisor});
  return sum({}, {{source, 1}});
}

void Origins::keepDifference(Value a, Value b, int gap) {
  keepFromWrapping(a);
  keepFromWrapping(b);
  constexpr __int128 far = __int128(1) << 100;
  Form form = sum(a.form, b.form, -1);
  __int128 difference = __int128(b.value) - a.value;
  // For how many periods it comes out the same depends on it.
  if (a.slope != b.slope)
    pin(form);
  else if (difference > 0)
    keepWithin(form, -far, difference - gap);
  else
    keepWithin(form, difference, far);
}

void Origins::keepOrder(Value a, Value b) {
  keepLess(a, b);
  keepLess(b, a);
}

void Origins::keepInt32(Value a) {
  if (a.slope || a.value < INT32_MIN || a.value > INT32_MAX)
    return pin(a.form);
  keepWithin(a.form, __int128(INT32_MIN) - a.value,
             __int128(INT32_MAX) - a.value);
}

void Origins::keepLayer(const Form &form) {
  if (lastLayer == form)
    return;
  lastLayer = form;
  Form difference = sum(form, {{layerSource, 1}}, -1);
  if (difference.size() > mostTerms || bounds.size() == mostBounds)
    return pin(difference);
  // All that is executed once stands for layers that differ by as much.
  keepWithin(difference, 0, 0);
}

void Origins::touch(unsigned queue, const Form &form, const Access &swept) {
  bool isLocal = swept.memory != Memory::Hbm;
  bool asks = isLocal && (queue == VectorId || queue == DmaInId);
  Form free = form.empty() ? Form() : sum(form, {});
  // What becomes of words of scalar memory is told by their addresses.
  bool isFixed = free.size() > mostTerms ||
                 (swept.write && swept.memory == Memory::Scalar);
  unsigned asking = asks ? queue : numQueues;
  Range *range = nullptr;
  if (!isFixed && !free.empty()) {
    range = findAfter(ranges, lastRange, [&](const Range &r) {
      return r.form == free && r.memory == swept.memory &&
             r.write == swept.write && r.queue == asking;
    });
    isFixed = !range && ranges.size() == mostRanges;
  }
  if (isFixed || free.empty()) {
    pin(free);
    if (asks)
      touchFixed(queue, swept);
    return;
  }
  if (!range)
    range = &ranges.emplace_back(
        Range{{asking, swept.memory, swept.write, swept.address, swept.end()},
              free});
  lastRange = range - ranges.data();
  range->begin = std::min(range->begin, swept.address);
  range->end = std::max(range->end, swept.end());
}

void Origins::touchFixed(unsigned queue, const Access &access) {
  Span *last = nullptr;
  for (Span &other : fixed) {
    if (other.queue != queue || other.memory != access.memory ||
        other.write != access.write)
      continue;
    last = &other;
    if (access.address <= other.end && access.end() >= other.begin)
      break;
    if (fixed.size() < mostFixed)
      last = nullptr;
  }
  if (!last) {
    fixed.push_back(
        {queue, access.memory, access.write, access.address, access.end()});
    return;
  }
  last->begin = std::min(last->begin, access.address);
  last->end = std::max(last->end, access.end());
}

Origins::Forms Origins::forms() const {
  Forms result;
  result.registers = registers;
  for (const auto &[address, word] : words)
    result.words[address] = word.form;
  return result;
}

void Origins::repeat(const Forms &before, unsigned depth, int64_t rounds) {
  // How many there are depends on how many are left.
  if (beganIn(depth)) {
    loops[depth].rounds += rounds;
    loops[depth].keepsLeft = true;
  } else {
    pin(sum(entered.back(), {}));
  }
  for (unsigned r = 1; r < registers.size(); ++r)
    pin(sum(registers[r], before.registers[r], -1));
  for (const auto &[address, word] : words) {
    auto old = before.words.find(address);
    // What it was in the period before is not told.
    if (old == before.words.end())
      return fail();
    pin(sum(word.form, old->second, -1));
  }
}
