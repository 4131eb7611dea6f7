//===- KernelsRowsTest.cpp - v.reduce, v.softmax, v.rope, v.gather, v.topk ===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelsFixture.h"
#include "Numerics/Arithmetic.h"
#include "Numerics/Exponential.h"
#include <functional>

using serrano::isa::ReduceFunction;

namespace serrano::sim {
/// The ISA's order: 32 strided chains, then a tree.
template <typename T>
static T reduceInOrder(const std::vector<T> &a, T identity,
                       const std::function<T(T, T)> &step,
                       const std::function<T(T, T)> &combine) {
  std::vector<T> chains(32, identity);
  for (size_t i = 0; i < a.size(); ++i)
    chains[i % 32] = step(chains[i % 32], a[i]);
  while (chains.size() > 1) {
    std::vector<T> halved;
    for (size_t j = 0; j < chains.size() / 2; ++j)
      halved.push_back(combine(chains[j], chains[j + chains.size() / 2]));
    chains = halved;
  }
  return chains.front();
}

static float plus(float a, float b) { return a + b; }

static float referenceReduce(ReduceFunction fn, const std::vector<float> &a) {
  switch (fn) {
  case ReduceFunction::Sum:
    return reduceInOrder<float>(a, 0, plus, plus);
  case ReduceFunction::Sumsq:
    return reduceInOrder<float>(
        a, 0, [](float chain, float x) { return std::fma(x, x, chain); }, plus);
  case ReduceFunction::Max:
    return reduceInOrder<float>(a, -INFINITY, maximum, maximum);
  case ReduceFunction::Min:
    return reduceInOrder<float>(a, INFINITY, minimum, minimum);
  }
  return 0;
}

static int32_t referenceReduce(ReduceFunction fn,
                               const std::vector<int32_t> &a) {
  uint32_t sum = 0, squares = 0;
  int32_t most = INT32_MIN, least = INT32_MAX;
  for (int32_t x : a) {
    sum += uint32_t(x);
    squares += uint32_t(x) * uint32_t(x);
    most = std::max(most, x);
    least = std::min(least, x);
  }
  switch (fn) {
  case ReduceFunction::Sum:
    return int32_t(sum);
  case ReduceFunction::Sumsq:
    return int32_t(squares);
  case ReduceFunction::Max:
    return most;
  case ReduceFunction::Min:
    return least;
  }
  return 0;
}

static void referenceSoftmax(const SoftmaxArgs &args, const TestTile &a,
                             TestTile &dst, TestTile &state) {
  for (int64_t r = 0; r < args.rows; ++r) {
    int64_t hi = args.limit + r / args.group;
    int64_t lo = args.window ? std::max<int64_t>(hi - args.window, 0) : 0;
    float m = state.value(r, 0), highest = m;
    auto valid = [&](int64_t c) { return lo <= c && c < hi; };
    for (int64_t c = 0; c < args.cols; ++c)
      if (valid(c))
        highest = maximum(highest, a.value(r, c) * args.scale);
    bool any = false;
    std::vector<float> p;
    for (int64_t c = 0; c < args.cols; ++c) {
      p.push_back(valid(c) ? expF32(a.value(r, c) * args.scale - highest) : 0);
      any |= valid(c);
      dst.store(r, c, p.back());
    }
    float correction = any ? expF32(m - highest) : 1;
    float sum = referenceReduce(ReduceFunction::Sum, p);
    state.store(r, 0, highest);
    if (any)
      state.store(r, 1, std::fma(state.value(r, 1), correction, sum));
    state.store(r, 2, correction);
  }
}

namespace {

struct Ranked {
  float value;
  int32_t index;
};

} // namespace

/// Sorts all candidates by the ISA's rule.
static std::vector<Ranked> rank(std::vector<Ranked> all, size_t k) {
  std::ranges::sort(all, [](Ranked a, Ranked b) {
    bool nanA = std::isnan(a.value), nanB = std::isnan(b.value);
    if (nanA != nanB)
      return nanA;
    if (!nanA && a.value != b.value)
      return a.value > b.value;
    return a.index < b.index;
  });
  all.resize(k, {-INFINITY, -1});
  return all;
}

namespace {

class RowsTest : public SimdTest {};

TEST_P(RowsTest, ReduceFloats) {
  for (isa::DType dtype :
       {isa::DType::F32, isa::DType::Bf16, isa::DType::F8e4m3})
    for (ReduceFunction fn : {ReduceFunction::Sum, ReduceFunction::Sumsq,
                              ReduceFunction::Max, ReduceFunction::Min})
      for (int64_t cols : {0, 1, 5, 31, 32, 33, 64, 127, 512, 513, 1500})
        for (bool accumulate : {false, true}) {
          TestTile a(dtype, 4, cols), dst(isa::DType::F32, 4, 1);
          a.fillOrdinary(random, 100);
          dst.fillOrdinary(random);
          // One row with whatever bits.
          for (int64_t c = 0; c < cols; ++c)
            a.setCode(3, c, uint32_t(random()));
          TestTile expected = dst;
          for (int64_t r = 0; r < 4; ++r) {
            std::vector<float> row;
            for (int64_t c = 0; c < cols; ++c)
              row.push_back(a.value(r, c));
            float result = referenceReduce(fn, row), held = dst.value(r, 0);
            if (accumulate)
              result = fn == ReduceFunction::Max   ? maximum(held, result)
                       : fn == ReduceFunction::Min ? minimum(held, result)
                                                   : held + result;
            expected.store(r, 0, result);
          }
          reduce(fn, accumulate, dst.view(), a.view(), 4, cols);
          expectSame(dst, expected);
        }
}

TEST_P(RowsTest, ReduceIntegersModulo32Bits) {
  for (isa::DType dtype : {isa::DType::I32, isa::DType::I8, isa::DType::U8})
    for (ReduceFunction fn : {ReduceFunction::Sum, ReduceFunction::Sumsq,
                              ReduceFunction::Max, ReduceFunction::Min})
      for (int64_t cols : {0, 1, 33, 700}) {
        TestTile a(dtype, 2, cols), dst(isa::DType::I32, 2, 1);
        a.fillExtreme(random);
        TestTile expected = dst;
        for (int64_t r = 0; r < 2; ++r) {
          std::vector<int32_t> row;
          for (int64_t c = 0; c < cols; ++c)
            row.push_back(a.integer(r, c));
          expected.store(r, 0, referenceReduce(fn, row));
        }
        reduce(fn, false, dst.view(), a.view(), 2, cols);
        expectSame(dst, expected);
      }
}

/// 2^24 + 1 as an integer sum is exact before it becomes f32 and is added.
TEST_P(RowsTest, ReduceIntegersOntoAFloat) {
  TestTile a(isa::DType::I32, 1, 2), dst(isa::DType::F32, 1, 1);
  a.store(0, 0, 1 << 24);
  a.store(0, 1, 3);
  dst.store(0, 0, 0.5L);
  reduce(ReduceFunction::Sum, true, dst.view(), a.view(), 1, 2);
  EXPECT_EQ(dst.value(0, 0), 16777220.0f);
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

TEST_P(RowsTest, SoftmaxOfSeveralBlocks) {
  for (isa::DType dtype : {isa::DType::F32, isa::DType::Bf16})
    for (int64_t cols : {1, 40, 128, 600})
      for (int64_t window : {0, 7, 100})
        for (int64_t group : {1, 3}) {
          int64_t rows = 9;
          TestTile state(isa::DType::F32, rows, 3, 0);
          for (int64_t r = 0; r < rows; ++r) {
            state.store(r, 0, std::numeric_limits<float>::lowest());
            state.store(r, 1, 0);
          }
          for (int64_t limit : {-3, 2, 30, 125, 595, 10000}) {
            TestTile a(isa::DType::F32, rows, cols), dst(dtype, rows, cols);
            a.fillOrdinary(random, 30);
            if (limit == 30)
              for (int64_t c = 0; c < cols; ++c)
                a.store(4, c, -INFINITY);
            TestTile expected = dst, expectedState = state;
            SoftmaxArgs args = {.dst = dst.view(),
                                .a = a.view(),
                                .state = state.view(),
                                .scale = 0.125f,
                                .limit = limit,
                                .group = group,
                                .window = window,
                                .rows = rows,
                                .cols = cols};
            referenceSoftmax(args, a, expected, expectedState);
            softmax(args);
            expectSame(dst, expected);
            expectSame(state, expectedState);
          }
        }
}

/// What lies in columns that are not valid has no influence, not even NaN.
TEST_P(RowsTest, SoftmaxNeverReadsInvalidColumns) {
  TestTile a(isa::DType::F32, 1, 64), dst(isa::DType::F32, 1, 64),
      state(isa::DType::F32, 1, 3);
  a.storeAll(NAN);
  for (int64_t c = 20; c < 30; ++c)
    a.store(0, c, 5);
  state.store(0, 0, std::numeric_limits<float>::lowest());
  state.store(0, 1, 0);
  softmax({.dst = dst.view(),
           .a = a.view(),
           .state = state.view(),
           .scale = 1,
           .limit = 30,
           .group = 1,
           .window = 10,
           .rows = 1,
           .cols = 64});
  EXPECT_EQ(state.value(0, 0), 5.0f);
  EXPECT_EQ(state.value(0, 1), 10.0f);
  EXPECT_EQ(state.value(0, 2), 0.0f);
  for (int64_t c = 0; c < 64; ++c)
    EXPECT_EQ(dst.code(0, c), c >= 20 && c < 30 ? 0x3f800000u : 0u);
}

TEST_P(RowsTest, SoftmaxInPlace) {
  TestTile a(isa::DType::F32, 2, 700), state(isa::DType::F32, 2, 3);
  a.fillOrdinary(random);
  state.storeAll(0);
  TestTile dst(isa::DType::F32, 2, 700), otherState = state, inPlace = a;
  SoftmaxArgs args = {.dst = dst.view(),
                      .a = a.view(),
                      .state = state.view(),
                      .scale = 1,
                      .limit = 650,
                      .group = 1,
                      .window = 0,
                      .rows = 2,
                      .cols = 700};
  softmax(args);
  args.dst = args.a = inPlace.view();
  args.state = otherState.view();
  softmax(args);
  for (int64_t r = 0; r < 2; ++r)
    for (int64_t c = 0; c < 700; ++c)
      ASSERT_EQ(inPlace.code(r, c), dst.code(r, c));
  expectSame(otherState, state);
}

//===----------------------------------------------------------------------===//
// Rope
//===----------------------------------------------------------------------===//

TEST_P(RowsTest, Rope) {
  for (bool interleaved : {false, true})
    for (int64_t rotary : {0, 2, 34, 64})
      for (isa::DType from : {isa::DType::F32, isa::DType::Bf16})
        for (isa::DType to : {isa::DType::F32, isa::DType::Bf16}) {
          int64_t rows = 3, heads = 4, cols = 64, half = rotary / 2;
          TestTile a(from, rows, heads * cols),
              cos(isa::DType::F32, rows, half),
              sin(isa::DType::F32, rows, half);
          a.fillOrdinary(random);
          cos.fillOrdinary(random);
          sin.fillOrdinary(random);
          // Heads are one behind the other in dst: rows x cols each.
          TestTile dst(to, rows * heads, cols, 0), expected = dst;
          TileView view = dst.view();
          int64_t headStride = rows * view.stride;
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t h = 0; h < heads; ++h) {
              int64_t out = h * rows + r;
              for (int64_t c = rotary; c < cols; ++c)
                expected.store(out, c, a.value(r, h * cols + c));
              for (int64_t i = 0; i < half; ++i) {
                int64_t first = interleaved ? 2 * i : i;
                int64_t second = interleaved ? 2 * i + 1 : i + half;
                float x = a.value(r, h * cols + first);
                float y = a.value(r, h * cols + second);
                float xc = x * cos.value(r, i), ys = y * sin.value(r, i);
                float yc = y * cos.value(r, i), xs = x * sin.value(r, i);
                expected.store(out, first, xc - ys);
                expected.store(out, second, yc + xs);
              }
            }
          rope({.dst = view,
                .a = a.view(),
                .cos = cos.view(),
                .sin = sin.view(),
                .rotary = rotary,
                .heads = heads,
                .headStride = headStride,
                .interleaved = interleaved,
                .rows = rows,
                .cols = cols});
          expectSame(dst, expected);
        }
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

TEST_P(RowsTest, Gather) {
  for (isa::DType dtype : allTypes) {
    TestTile a(dtype, 10, 530), index(isa::DType::I32, 4, 1);
    TestTile dst(dtype, 4, 530), expected = dst;
    a.fillExtreme(random);
    int64_t rows[] = {9, 0, 3, 3};
    for (int64_t r = 0; r < 4; ++r) {
      index.store(r, 0, rows[r]);
      for (int64_t c = 0; c < 530; ++c)
        expected.store(r, c,
                       isa::isInteger(dtype)
                           ? (long double)a.integer(rows[r], c)
                           : a.value(rows[r], c));
    }
    EXPECT_EQ(gather(dst.view(), a.view(), index.view(), 10, 4, 530),
              std::nullopt);
    expectSame(dst, expected);
  }
}

TEST_P(RowsTest, GatherReportsTheFirstBadIndexAndWritesNothing) {
  TestTile a(isa::DType::F32, 10, 5), index(isa::DType::I32, 3, 1);
  TestTile dst(isa::DType::F32, 3, 5), before = dst;
  index.store(0, 0, 1);
  index.store(1, 0, 10);
  index.store(2, 0, -1);
  EXPECT_EQ(gather(dst.view(), a.view(), index.view(), 10, 3, 5), 10);
  EXPECT_EQ(gather(dst.view(), a.view(), index.view(), 11, 3, 5), -1);
  expectSame(dst, before);
}

//===----------------------------------------------------------------------===//
// Top k
//===----------------------------------------------------------------------===//

TEST_P(RowsTest, TopKOverSeveralBlocks) {
  for (isa::DType dtype : {isa::DType::F32, isa::DType::Bf16, isa::DType::F16})
    for (int64_t k : {1, 8, 63})
      for (int64_t cols : {1, 40, 1000}) {
        int64_t rows = 3;
        TestTile values(dtype, rows, k), indices(isa::DType::I32, rows, k);
        std::vector<std::vector<Ranked>> all(rows);
        for (int64_t block = 0; block < 3; ++block) {
          TestTile a(dtype, rows, cols);
          // Few different numbers in row 1, any bits in row 2.
          a.fillOrdinary(random, 1000);
          for (int64_t c = 0; c < cols; ++c) {
            a.store(1, c, int(random() % 5) - 2);
            a.setCode(2, c, uint32_t(random()));
          }
          int64_t first = 5000 - block * cols;
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < cols; ++c)
              all[r].push_back({a.value(r, c), int32_t(first + c)});
          topk({.dst = values.view(),
                .index = indices.view(),
                .a = a.view(),
                .first = first,
                .k = k,
                .accumulate = block > 0,
                .rows = rows,
                .cols = cols});
          TestTile expected = values, expectedIndices = indices;
          for (int64_t r = 0; r < rows; ++r) {
            std::vector<Ranked> best = rank(all[r], k);
            for (int64_t i = 0; i < k; ++i) {
              expected.store(r, i, best[i].value);
              expectedIndices.store(r, i, best[i].index);
            }
          }
          expectSame(values, expected);
          expectSame(indices, expectedIndices);
        }
      }
}

TEST_P(RowsTest, TopKOfIntegersKeepsAllBits) {
  TestTile a(isa::DType::I32, 1, 3), values(isa::DType::I32, 1, 4),
      indices(isa::DType::I32, 1, 4);
  a.store(0, 0, (1 << 24) + 1);
  a.store(0, 1, (1 << 24) + 2);
  a.store(0, 2, INT32_MIN);
  topk({.dst = values.view(),
        .index = indices.view(),
        .a = a.view(),
        .first = 7,
        .k = 4,
        .accumulate = false,
        .rows = 1,
        .cols = 3});
  EXPECT_EQ(values.integer(0, 0), (1 << 24) + 2);
  EXPECT_EQ(values.integer(0, 1), (1 << 24) + 1);
  EXPECT_EQ(indices.integer(0, 2), 9);
  EXPECT_EQ(values.integer(0, 3), INT32_MIN);
  EXPECT_EQ(indices.integer(0, 3), -1);
}

SERRANO_INSTANTIATE_SIMD_TEST(RowsTest);

} // namespace
} // namespace serrano::sim
