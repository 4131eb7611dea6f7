//===- CanonicalSearch.cpp - exact search for an allocation ---------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CanonicalSearch.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <array>
#include <numeric>

using namespace serrano;

CanonicalSearch::CanonicalSearch(const AllocationProblem &problem)
    : found(problem.buffers().size(), 0) {
  for (auto [index, buffer] : llvm::enumerate(problem.buffers()))
    if (buffer.bytes && buffer.begin < buffer.end)
      items.push_back(
          {index,
           int64_t(llvm::divideCeil(buffer.bytes, problem.alignmentBytes())),
           buffer.begin, buffer.end, 0, 0, {}});
  llvm::stable_sort(
      items, [](const Item &a, const Item &b) { return a.begin < b.begin; });

  // Sections are the times at which a set of buffers is alive that no other
  // time's contains: where an end follows a beginning.
  struct Event {
    int64_t time;
    bool begins; ///< ends come first
    unsigned item;
  };
  std::vector<Event> events;
  for (auto [i, item] : llvm::enumerate(items)) {
    events.push_back({item.begin, true, unsigned(i)});
    events.push_back({item.end, false, unsigned(i)});
  }
  llvm::stable_sort(events, [](const Event &a, const Event &b) {
    return std::pair(a.time, a.begins) < std::pair(b.time, b.begins);
  });
  bool begun = false;
  for (const Event &event : events) {
    if (event.begins) {
      items[event.item].first = numSections;
    } else {
      numSections += begun;
      items[event.item].last = numSections;
    }
    begun = event.begins;
  }

  for (unsigned a = 0; a < items.size(); ++a)
    for (unsigned b = a + 1;
         b < items.size() && items[b].first < items[a].last; ++b) {
      items[a].neighbours.push_back(b);
      items[b].neighbours.push_back(a);
    }
  load.resize(numSections);
}

void CanonicalSearch::rankItems(llvm::ArrayRef<unsigned> open) {
  std::fill(load.begin(), load.end(), 0);
  for (unsigned item : open)
    for (unsigned s = items[item].first; s < items[item].last; ++s)
      load[s] += items[item].size;
  // Knuth's generator, as in MMIX; the upper bits are the random ones.
  auto raise = [&](double weight) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    return weight * (1 + 0.2 * double(random >> 40) / double(1 << 24));
  };
  std::vector<std::pair<std::array<double, 3>, unsigned>> weights;
  for (unsigned i : open) {
    const Item &item = items[i];
    double size = item.size, life = item.end - item.begin;
    double sections = item.last - item.first;
    double most = *std::max_element(load.begin() + item.first,
                                    load.begin() + item.last);
    std::array<double, 3> weight;
    switch (order.by) {
    case Order::LoadThenLife:
      weight = {most, life, size};
      break;
    case Order::LoadThenArea:
      weight = {most, life * size, life};
      break;
    case Order::Life:
      weight = {life, size, most};
      break;
    case Order::Sections:
      weight = {sections, size, most};
      break;
    }
    if (order.seed)
      llvm::transform(weight, weight.begin(), raise);
    weights.push_back({weight, i});
  }
  llvm::stable_sort(weights, [](const auto &a, const auto &b) {
    return a.first > b.first;
  });
  for (auto [i, weight] : llvm::enumerate(weights))
    rank[weight.second] = int64_t(i);
}

CanonicalSearch::Outcome CanonicalSearch::run(int64_t limit, Order byOrder,
                                              int64_t &steps) {
  height = limit;
  order = byOrder;
  random = order.seed;
  rank.resize(items.size());
  lowest.assign(items.size(), 0);
  address.assign(items.size(), 0);
  trail.clear();

  std::vector<unsigned> all(items.size());
  std::iota(all.begin(), all.end(), 0);
  rankItems(all);
  Outcome outcome = search(std::move(all), 0, -1, steps);
  if (outcome == Outcome::Found)
    for (auto [i, item] : llvm::enumerate(items))
      found[item.buffer] = address[i];
  return outcome;
}

bool CanonicalSearch::mayFit(llvm::ArrayRef<unsigned> open,
                             int64_t lastAddress) {
  // The latest to be released first: what comes after an item's lowest address
  // is itself and those that were added before it.
  std::vector<std::pair<int64_t, unsigned>> released;
  for (unsigned item : open)
    released.push_back({std::max(lowest[item], lastAddress), item});
  llvm::sort(released, std::greater<>());
  unsigned begin = items[open.front()].first, end = begin;
  for (unsigned item : open)
    end = std::max(end, items[item].last);
  std::fill(load.begin() + begin, load.begin() + end, 0);
  for (auto [from, item] : released)
    for (unsigned s = items[item].first; s < items[item].last; ++s)
      if (from + (load[s] += items[item].size) > height)
        return false;
  return true;
}

void CanonicalSearch::place(unsigned item, int64_t at) {
  address[item] = at;
  int64_t top = at + items[item].size;
  for (unsigned other : items[item].neighbours)
    if (lowest[other] < top) {
      trail.push_back({other, lowest[other]});
      lowest[other] = top;
    }
}

void CanonicalSearch::undo(size_t mark) {
  while (trail.size() > mark) {
    auto [item, before] = trail.back();
    lowest[item] = before;
    trail.pop_back();
  }
}

CanonicalSearch::Outcome CanonicalSearch::search(std::vector<unsigned> open,
                                                 int64_t lastAddress,
                                                 int64_t lastRank,
                                                 int64_t &steps) {
  size_t mark = trail.size();
  // `open` is in the order of first sections: a gap between lives is where the
  // next one begins after all before it have ended.
  for (size_t from = 0; from < open.size();) {
    size_t to = from;
    for (unsigned reach = items[open[from]].last;
         to < open.size() && items[open[to]].first < reach; ++to)
      reach = std::max(reach, items[open[to]].last);
    llvm::ArrayRef<unsigned> part(open.data() + from, to - from);
    std::vector<int64_t> ranks;
    bool isPart = order.perPart && part.size() < open.size();
    if (isPart) {
      for (unsigned item : part)
        ranks.push_back(rank[item]);
      rankItems(part);
    }
    Outcome outcome =
        mayFit(part, lastAddress)
            ? branch(part, lastAddress, isPart ? -1 : lastRank, steps)
            : Outcome::Impossible;
    if (isPart)
      for (auto [item, before] : llvm::zip_equal(part, ranks))
        rank[item] = before;
    if (outcome != Outcome::Found) {
      undo(mark);
      return outcome;
    }
    from = to;
  }
  return Outcome::Found;
}

CanonicalSearch::Outcome CanonicalSearch::branch(llvm::ArrayRef<unsigned> open,
                                                 int64_t lastAddress,
                                                 int64_t lastRank,
                                                 int64_t &steps) {
  int64_t lowestTop = std::numeric_limits<int64_t>::max();
  for (unsigned item : open)
    lowestTop = std::min(lowestTop, lowest[item] + items[item].size);
  std::vector<std::tuple<int64_t, int64_t, unsigned>> choices;
  for (unsigned item : open) {
    std::pair<int64_t, int64_t> key(lowest[item], rank[item]);
    if (lowest[item] < lowestTop && key > std::pair(lastAddress, lastRank))
      choices.push_back({lowest[item], rank[item], item});
  }
  llvm::sort(choices);

  size_t mark = trail.size();
  for (auto [at, itsRank, item] : choices) {
    if (steps == 0)
      return Outcome::GaveUp;
    --steps;
    place(item, at);
    std::vector<unsigned> rest;
    for (unsigned other : open)
      if (other != item)
        rest.push_back(other);
    Outcome outcome = search(std::move(rest), at, itsRank, steps);
    if (outcome != Outcome::Impossible)
      return outcome;
    undo(mark);
  }
  return Outcome::Impossible;
}
