//===- AllocationSolver.cpp - solvers of allocation problems --------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Schedule/AllocationSolver.h"
#include "CanonicalSearch.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace serrano;
using Buffer = AllocationProblem::Buffer;

static std::vector<size_t> getOpen(const AllocationProblem &problem) {
  std::vector<size_t> open;
  for (auto [index, buffer] : llvm::enumerate(problem.buffers()))
    if (!buffer.address)
      open.push_back(index);
  return open;
}

/// The lowest address that is free during a buffer's life.
static int64_t findLowest(const AllocationProblem &problem,
                          const Buffer &buffer) {
  std::vector<std::pair<int64_t, int64_t>> taken;
  for (const Buffer &other : problem.buffers())
    if (other.address && other.bytes &&
        std::max(buffer.begin, other.begin) < std::min(buffer.end, other.end))
      taken.push_back({*other.address, *other.address + other.bytes});
  llvm::sort(taken);
  int64_t address = 0;
  for (auto [begin, end] : taken) {
    if (begin - address >= buffer.bytes)
      break;
    address = std::max<int64_t>(address,
                                llvm::alignTo(end, problem.alignmentBytes()));
  }
  return address;
}

static void placeInOrder(AllocationProblem &problem,
                         llvm::ArrayRef<size_t> order) {
  for (size_t index : order)
    problem.place(index, findLowest(problem, problem.buffers()[index]));
}

/// The open buffers, those with the largest weight first.
static std::vector<size_t>
sortBy(const AllocationProblem &problem,
       llvm::function_ref<std::pair<double, double>(const Buffer &)> weight) {
  std::vector<size_t> order = getOpen(problem);
  llvm::stable_sort(order, [&](size_t a, size_t b) {
    return weight(problem.buffers()[a]) > weight(problem.buffers()[b]);
  });
  return order;
}

static std::pair<double, double> bySize(const Buffer &buffer) {
  return {buffer.bytes, 0};
}
static std::pair<double, double> byLife(const Buffer &buffer) {
  return {buffer.end - buffer.begin, buffer.bytes};
}
static std::pair<double, double> byArea(const Buffer &buffer) {
  return {double(buffer.end - buffer.begin) * buffer.bytes, buffer.bytes};
}
static std::pair<double, double> byBegin(const Buffer &buffer) {
  return {-buffer.begin, buffer.bytes};
}

llvm::Error serrano::allocateGreedily(AllocationProblem &problem) {
  if (llvm::Error error = problem.check())
    return error;
  for (size_t index : sortBy(problem, bySize)) {
    const Buffer &buffer = problem.buffers()[index];
    int64_t address = findLowest(problem, buffer);
    if (address + buffer.bytes > problem.capacityBytes())
      return makeError(
          "{0} of {1} bytes does not fit: what is alive with it takes up to "
          "{2} of the "
          "memory's {3} bytes",
          buffer.name, buffer.bytes,
          problem.mostAlive(buffer.begin, buffer.end) -
              int64_t(llvm::alignTo(buffer.bytes, problem.alignmentBytes())),
          problem.capacityBytes());
    problem.place(index, address);
  }
  return llvm::Error::success();
}

namespace {

/// The best solution of a problem so far, and what is known of all of them.
class Improvement {
public:
  Improvement(const AllocationProblem &problem, AllocationOptions options)
      : bound(problem.lowerBound()), left(options.steps), problem(problem),
        enough(options.enough) {
    for (const Buffer &buffer : problem.buffers())
      hasGiven |= buffer.address.has_value();
    if (hasGiven)
      bound = std::max(bound, problem.height());
  }

  void tryOrders();
  void trySearch();

  std::optional<AllocationProblem> best;
  int64_t bound, left;

private:
  void offer(const AllocationProblem &solution) {
    if (!best || solution.height() < best->height())
      best = solution;
  }
  bool isDone() const { return best->height() <= std::max(bound, enough); }
  CanonicalSearch::Outcome runAt(CanonicalSearch &search, int64_t units,
                                 int64_t share);

  const AllocationProblem &problem;
  int64_t enough;
  bool hasGiven = false;
};

} // namespace

void Improvement::tryOrders() {
  for (auto *weight : {bySize, byArea, byLife, byBegin}) {
    AllocationProblem solution = problem;
    placeInOrder(solution, sortBy(problem, weight));
    offer(solution);
    if (isDone())
      return;
  }
}

/// Runs with few steps in many orders, then with twice as many steps: what has
/// not found a solution soon is not likely to.
CanonicalSearch::Outcome Improvement::runAt(CanonicalSearch &search,
                                            int64_t units, int64_t share) {
  using Order = CanonicalSearch::Order;
  constexpr int64_t runsOfEqualLength = 2 * Order::numPlain;
  int64_t end = left - share, length = 4 * int64_t(problem.buffers().size());
  for (int64_t run = 0; left > end; ++run) {
    if (run && run % runsOfEqualLength == 0)
      length *= 2;
    int64_t steps = std::min(left - end, length), before = steps;
    CanonicalSearch::Outcome outcome =
        search.run(units, Order::number(run), steps);
    left -= before - steps;
    if (outcome == CanonicalSearch::Outcome::GaveUp)
      continue;
    if (outcome == CanonicalSearch::Outcome::Found) {
      AllocationProblem solution = problem;
      for (auto [index, address] : llvm::enumerate(search.addresses()))
        solution.place(index, address * problem.alignmentBytes());
      offer(solution);
    }
    return outcome;
  }
  return CanonicalSearch::Outcome::GaveUp;
}

/// Half of the steps go to the bound itself, which most problems reach; the
/// others halve what is between the bound and the best solution.
void Improvement::trySearch() {
  if (hasGiven || isDone())
    return;
  int64_t unit = problem.alignmentBytes();
  CanonicalSearch search(problem);
  // Heights below `low` are impossible or were given up.
  int64_t low = bound / unit, target = low;
  while (left > 0) {
    CanonicalSearch::Outcome outcome =
        runAt(search, target, std::max<int64_t>(left / 2, 1));
    if (outcome != CanonicalSearch::Outcome::Found)
      low = target + 1;
    if (outcome == CanonicalSearch::Outcome::Impossible)
      bound = std::max(bound, low * unit);
    int64_t high = best->height() / unit;
    if (low >= high || isDone())
      return;
    target = low + (high - 1 - low) / 2;
  }
}

llvm::Expected<AllocationResult> serrano::solve(AllocationProblem &problem,
                                                AllocationOptions options) {
  if (llvm::Error error = problem.check())
    return error;
  Improvement improvement(problem, options);
  improvement.tryOrders();
  improvement.trySearch();
  // Placing the largest first was among what was tried, so it does not fit
  // either, and says what.
  if (llvm::Error error = improvement.best->verify()) {
    llvm::Error reason = allocateGreedily(problem);
    assert(reason && "the best solution is worse than the first");
    llvm::consumeError(std::move(error));
    return reason;
  }
  problem = std::move(*improvement.best);
  return AllocationResult{problem.height(), improvement.bound,
                          options.steps - improvement.left};
}

llvm::Error serrano::divideRest(int64_t bytes,
                                llvm::MutableArrayRef<RingShare> rings) {
  // Those that need the least until they are full come first, so that what
  // they leave goes to the others.
  std::vector<RingShare *> order;
  for (RingShare &ring : rings)
    order.push_back(&ring);
  llvm::stable_sort(order, [](const RingShare *a, const RingShare *b) {
    return a->most * a->slotBytes < b->most * b->slotBytes;
  });
  for (size_t i = 0; i < order.size(); ++i) {
    RingShare &ring = *order[i];
    int64_t share = bytes / int64_t(order.size() - i);
    ring.slots = std::min(ring.most, share / ring.slotBytes);
    if (ring.slots < ring.fewest)
      return makeError("{0} has room for {1} slots of {2} bytes; expected at "
                       "least {3}",
                       ring.name, ring.slots, ring.slotBytes, ring.fewest);
    bytes -= ring.slots * ring.slotBytes;
  }
  return llvm::Error::success();
}
