//===- TopK.cpp - v.topk --------------------------------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rows.h"
#include <bit>
#include <limits>

namespace serrano::sim {

static int32_t keyOf(int32_t value) { return value; }

/// Integers in the order of floating-point numbers: both zeros are equal, NaN
/// is above everything.
static int32_t keyOf(float value) {
  auto bits = std::bit_cast<int32_t>(value + 0.0f); // -0 becomes +0
  int32_t ordered = bits < 0 ? bits ^ INT32_MAX : bits;
  return value != value ? INT32_MAX : ordered;
}

static int32_t lowest(int32_t) { return std::numeric_limits<int32_t>::min(); }
static float lowest(float) { return -std::numeric_limits<float>::infinity(); }

namespace {

/// One of the largest so far. A key orders values as the ISA does; an index
/// breaks ties.
template <typename T>
struct Candidate {
  int32_t key;
  int32_t index;
  T value;

  bool ranksBefore(const Candidate &other) const {
    return key != other.key ? key > other.key : index < other.index;
  }
};

/// The best k of what it was offered, in order.
template <typename T>
class Ranking {
public:
  explicit Ranking(int64_t k) : k(k) {}

  void offer(const Candidate<T> &candidate) {
    if (count == k && !candidate.ranksBefore(best[k - 1]))
      return;
    int64_t place = count < k ? count++ : k - 1;
    for (; place > 0 && candidate.ranksBefore(best[place - 1]); --place)
      best[place] = best[place - 1];
    best[place] = candidate;
  }

  /// Offers elements whose index is `first` and up.
  void offer(const T *values, int64_t n, int32_t first) {
    for (int64_t i = 0; i < n; i += block) {
      int64_t size = std::min(block, n - i);
      if (count < k || anyKeyFrom(values + i, size, best[k - 1].key))
        for (int64_t j = i; j < i + size; ++j)
          offer({keyOf(values[j]), int32_t(uint32_t(first) + uint32_t(j)),
                 values[j]});
    }
  }

  T value(int64_t i) const { return i < count ? best[i].value : lowest(T()); }
  int32_t index(int64_t i) const { return i < count ? best[i].index : -1; }

private:
  /// Elements that are compared with the least of the ranking together.
  static constexpr int64_t block = 64;

  static bool anyKeyFrom(const T *values, int64_t n, int32_t key) {
    bool any = false;
    for (int64_t i = 0; i < n; ++i)
      any |= keyOf(values[i]) >= key;
    return any;
  }

  int64_t k, count = 0;
  Candidate<T> best[64];
};

} // namespace

template <typename T>
static void topkIn(const TopKArgs &args) {
  RowReader<T> reader(args.a), heldReader(args.dst);
  RowReader<int32_t> indexReader(args.index);
  RowWriter<T> writer(args.dst);
  RowWriter<int32_t> indexWriter(args.index);
  T buffer[chunkSize];
  int32_t indices[chunkSize];
  for (int64_t r = 0; r < args.rows; ++r) {
    Ranking<T> ranking(args.k);
    if (args.accumulate) {
      heldReader.readInto(r, 0, args.k, buffer);
      indexReader.readInto(r, 0, args.k, indices);
      for (int64_t i = 0; i < args.k; ++i)
        if (indices[i] != -1)
          ranking.offer({keyOf(buffer[i]), indices[i], buffer[i]});
    }
    for (int64_t c = 0; c < args.cols; c += chunkSize) {
      int64_t n = std::min(chunkSize, args.cols - c);
      ranking.offer(reader.read(r, c, n, buffer), n, int32_t(args.first + c));
    }
    for (int64_t i = 0; i < args.k; ++i) {
      buffer[i] = ranking.value(i);
      indices[i] = ranking.index(i);
    }
    writer.write(r, 0, args.k, buffer);
    indexWriter.write(r, 0, args.k, indices);
  }
}

void topk(const TopKArgs &args) {
  if (isa::isInteger(args.a.dtype) && isa::isInteger(args.dst.dtype))
    topkIn<int32_t>(args);
  else
    topkIn<float>(args);
}

} // namespace serrano::sim
