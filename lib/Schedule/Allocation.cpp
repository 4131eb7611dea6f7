//===- Allocation.cpp - static addresses for buffers with lifetimes ----- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Schedule/Allocation.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace serrano;

size_t AllocationProblem::add(Buffer buffer) {
  list.push_back(std::move(buffer));
  return list.size() - 1;
}

static bool liveTogether(const AllocationProblem::Buffer &a,
                         const AllocationProblem::Buffer &b) {
  return std::max(a.begin, b.begin) < std::min(a.end, b.end);
}

/// Whether two buffers that have addresses share a byte. One of no bytes shares
/// none.
static bool overlap(const AllocationProblem::Buffer &a,
                    const AllocationProblem::Buffer &b) {
  return std::max(*a.address, *b.address) <
         std::min(*a.address + a.bytes, *b.address + b.bytes);
}

llvm::Error AllocationProblem::checkPlace(size_t index) const {
  const Buffer &buffer = list[index];
  if (*buffer.address < 0 || *buffer.address % alignment)
    return makeError("{0} is at address {1}; expected a multiple of {2}",
                     buffer.name, *buffer.address, alignment);
  if (*buffer.address + buffer.bytes > capacity)
    return makeError("{0} ends at {1}, beyond the memory's {2} bytes",
                     buffer.name, *buffer.address + buffer.bytes, capacity);
  for (const Buffer &other : llvm::ArrayRef(list).take_front(index))
    if (other.address && liveTogether(buffer, other) && overlap(buffer, other))
      return makeError(
          "{0} at {1} and {2} at {3} are alive together and overlap",
          other.name, *other.address, buffer.name, *buffer.address);
  return llvm::Error::success();
}

llvm::Error AllocationProblem::check() const {
  for (size_t i = 0; i < list.size(); ++i) {
    const Buffer &buffer = list[i];
    if (buffer.bytes < 0)
      return makeError("{0} has {1} bytes; expected at least 0", buffer.name,
                       buffer.bytes);
    if (buffer.begin > buffer.end)
      return makeError("{0} is alive from {1} to {2}; expected an end that is "
                       "not before the "
                       "beginning",
                       buffer.name, buffer.begin, buffer.end);
    if (buffer.bytes > capacity)
      return makeError("{0} of {1} bytes does not fit the memory's {2}",
                       buffer.name, buffer.bytes, capacity);
    if (!buffer.address)
      continue;
    if (llvm::Error error = checkPlace(i))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error AllocationProblem::verify() const {
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list[i].address)
      return makeError("{0} has no address", list[i].name);
    if (llvm::Error error = checkPlace(i))
      return error;
  }
  return llvm::Error::success();
}

int64_t AllocationProblem::lowerBound() const {
  int64_t begin = std::numeric_limits<int64_t>::min(),
          end = std::numeric_limits<int64_t>::max();
  return mostAlive(begin, end);
}

int64_t AllocationProblem::mostAlive(int64_t begin, int64_t end) const {
  // The sum changes only where a buffer begins or ends.
  std::vector<std::pair<int64_t, int64_t>> changes;
  for (const Buffer &buffer : list) {
    int64_t from = std::max(begin, buffer.begin),
            to = std::min(end, buffer.end);
    if (from >= to)
      continue;
    int64_t bytes = llvm::alignTo(buffer.bytes, alignment);
    changes.push_back({from, bytes});
    changes.push_back({to, -bytes});
  }
  llvm::sort(changes); // Ends come before beginnings at the same time.
  int64_t alive = 0, most = 0;
  for (auto [time, change] : changes)
    most = std::max(most, alive += change);
  return most;
}

std::vector<size_t> AllocationProblem::aliveAtPeak() const {
  // The most bytes are alive first at a time at which a buffer begins.
  std::vector<size_t> order;
  for (size_t i = 0; i < list.size(); ++i)
    if (list[i].bytes && list[i].begin < list[i].end)
      order.push_back(i);
  llvm::stable_sort(order, [&](size_t a, size_t b) {
    return list[a].begin < list[b].begin;
  });
  int64_t most = lowerBound();
  std::vector<size_t> result;
  for (size_t i : order) {
    int64_t time = list[i].begin;
    if (mostAlive(time, time + 1) != most)
      continue;
    for (size_t other = 0; other < list.size(); ++other)
      if (list[other].bytes && list[other].begin <= time &&
          time < list[other].end)
        result.push_back(other);
    break;
  }
  return result;
}

int64_t AllocationProblem::height() const {
  int64_t result = 0;
  for (const Buffer &buffer : list)
    if (buffer.address)
      result = std::max<int64_t>(
          result, *buffer.address + llvm::alignTo(buffer.bytes, alignment));
  return result;
}
