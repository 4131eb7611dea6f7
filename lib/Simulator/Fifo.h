//===- Fifo.h - a queue that keeps its storage ---------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_FIFO_H
#define SERRANO_SIMULATOR_FIFO_H

#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cassert>
#include <vector>

namespace serrano::sim {

/// First in, first out, in a circular buffer that grows to what is needed and
/// is never given back: pushing and popping allocate nothing. Elements are
/// default-constructed once and assigned to; those within the capacity stay
/// where they are.
template <typename T>
class Fifo {
public:
  explicit Fifo(size_t capacity = 16)
      : buffer(llvm::PowerOf2Ceil(std::max<size_t>(capacity, 1))),
        mask(buffer.size() - 1) {}
  /// A copy has no more storage than it needs.
  Fifo(const Fifo &other) : Fifo(other.size()) { append(other); }
  Fifo(Fifo &&) = default;
  Fifo &operator=(Fifo &&) = default;
  /// Keeps its storage, which may be more than the other's.
  Fifo &operator=(const Fifo &other) {
    if (this == &other)
      return *this;
    head = count = 0;
    append(other);
    return *this;
  }

  bool empty() const { return count == 0; }
  size_t size() const { return count; }
  T &operator[](size_t i) {
    assert(i < count && "beyond the end");
    return buffer[(head + i) & mask];
  }
  const T &operator[](size_t i) const {
    assert(i < count && "beyond the end");
    return buffer[(head + i) & mask];
  }
  T &front() { return (*this)[0]; }
  const T &front() const { return (*this)[0]; }

  /// A new last element, which has what an earlier one left in it.
  T &extend() {
    if (count == buffer.size())
      grow();
    return buffer[(head + count++) & mask];
  }
  T &push_back(T value) { return extend() = std::move(value); }
  void pop_front() {
    assert(count && "nothing to pop");
    head = (head + 1) & mask;
    --count;
  }

private:
  void append(const Fifo &other) {
    for (size_t i = 0; i < other.size(); ++i)
      extend() = other[i];
  }
  void grow() {
    std::vector<T> larger(2 * buffer.size());
    for (size_t i = 0; i < count; ++i)
      larger[i] = std::move(buffer[(head + i) & mask]);
    buffer = std::move(larger);
    mask = buffer.size() - 1;
    head = 0;
  }

  std::vector<T> buffer; ///< of a power of two elements
  size_t mask, head = 0, count = 0;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_FIFO_H
