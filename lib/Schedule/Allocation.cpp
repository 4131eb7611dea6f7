//===- Allocation.cpp - static addresses for buffers with lifetimes ----- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Schedule/Allocation.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace serrano;

size_t AllocationProblem::add(Buffer buffer) {
  list.push_back(std::move(buffer));
  return list.size() - 1;
}

llvm::Error AllocationProblem::check() const {
  for (const Buffer &buffer : list) {
    if (buffer.bytes < 0)
      return makeError("buffer '{0}' has {1} bytes", buffer.name, buffer.bytes);
    if (buffer.begin > buffer.end)
      return makeError("buffer '{0}' is alive from {1} to {2}", buffer.name, buffer.begin,
                       buffer.end);
    if (buffer.bytes > capacity)
      return makeError("buffer '{0}' of {1} bytes does not fit the memory's {2}", buffer.name,
                       buffer.bytes, capacity);
    if (buffer.address && (*buffer.address < 0 || *buffer.address % alignment))
      return makeError("buffer '{0}' is given address {1}; expected a multiple of {2}", buffer.name,
                       *buffer.address, alignment);
  }
  return llvm::Error::success();
}

static bool liveTogether(const AllocationProblem::Buffer &a, const AllocationProblem::Buffer &b) {
  return a.begin < b.end && b.begin < a.end;
}

llvm::Error AllocationProblem::verify() const {
  for (size_t i = 0; i < list.size(); ++i) {
    const Buffer &a = list[i];
    if (!a.address)
      return makeError("buffer '{0}' has no address", a.name);
    if (*a.address < 0 || *a.address % alignment)
      return makeError("buffer '{0}' is at {1}; expected a multiple of {2}", a.name, *a.address,
                       alignment);
    if (*a.address + a.bytes > capacity)
      return makeError("buffer '{0}' ends at {1}, beyond the memory's {2} bytes", a.name,
                       *a.address + a.bytes, capacity);
    for (size_t j = 0; j < i; ++j) {
      const Buffer &b = list[j];
      if (liveTogether(a, b) && *a.address < *b.address + b.bytes &&
          *b.address < *a.address + a.bytes)
        return makeError("buffers '{0}' at {1} and '{2}' at {3} are alive together and overlap",
                         b.name, *b.address, a.name, *a.address);
    }
  }
  return llvm::Error::success();
}

int64_t AllocationProblem::lowerBound() const {
  // The sum changes only where a buffer begins or ends.
  std::vector<std::pair<int64_t, int64_t>> changes;
  for (const Buffer &buffer : list) {
    if (buffer.begin == buffer.end)
      continue;
    int64_t bytes = llvm::alignTo(buffer.bytes, alignment);
    changes.push_back({buffer.begin, bytes});
    changes.push_back({buffer.end, -bytes});
  }
  llvm::sort(changes); // Ends come before beginnings at the same time.
  int64_t alive = 0, most = 0;
  for (auto [time, change] : changes)
    most = std::max(most, alive += change);
  return most;
}

int64_t AllocationProblem::height() const {
  int64_t result = 0;
  for (const Buffer &buffer : list)
    if (buffer.address)
      result = std::max(result, *buffer.address + buffer.bytes);
  return result;
}

llvm::Error serrano::allocateGreedily(AllocationProblem &problem) {
  if (llvm::Error error = problem.check())
    return error;
  const auto &buffers = problem.buffers();
  std::vector<size_t> order, placed;
  for (size_t i = 0; i < buffers.size(); ++i)
    (buffers[i].address ? placed : order).push_back(i);
  llvm::stable_sort(order, [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });

  for (size_t index : order) {
    const auto &buffer = buffers[index];
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (size_t other : placed)
      if (liveTogether(buffer, buffers[other]))
        taken.push_back({*buffers[other].address, *buffers[other].address + buffers[other].bytes});
    llvm::sort(taken);
    int64_t address = 0;
    for (auto [begin, end] : taken) {
      if (begin - address >= buffer.bytes)
        break;
      address = std::max<int64_t>(address, llvm::alignTo(end, problem.alignmentBytes()));
    }
    if (address + buffer.bytes > problem.capacityBytes())
      return makeError("buffer '{0}' of {1} bytes does not fit: {2} of {3} bytes are needed by what "
                       "is alive with it",
                       buffer.name, buffer.bytes, problem.lowerBound(), problem.capacityBytes());
    problem.place(index, address);
    placed.push_back(index);
  }
  return llvm::Error::success();
}
