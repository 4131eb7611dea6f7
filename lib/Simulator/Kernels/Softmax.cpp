//===- Softmax.cpp - v.softmax --------------------------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Simulator/Kernels/Softmax.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "Numerics/Arithmetic.h"
#include "Numerics/Exponential.h"
#include "Numerics/Formats.h"
#include "Reduction.h"
#include "Rows.h"

HWY_BEFORE_NAMESPACE();
namespace serrano::sim {
namespace HWY_NAMESPACE {

/// The maximum of `start` and all a[i] * scale. It does not depend on the
/// order, so that there can be as many running maxima as vectorise well.
static float scaledMaximum(const float *HWY_RESTRICT a, float scale, int64_t n,
                           float start) {
  constexpr int64_t width = 32;
  float running[width];
  for (float &m : running)
    m = start;
  int64_t i = 0;
  for (; i + width <= n; i += width)
#pragma clang loop unroll(full)
    for (int64_t j = 0; j < width; ++j)
      running[j] = maximum(running[j], a[i + j] * scale);
  for (int64_t j = 0; i + j < n; ++j)
    running[j] = maximum(running[j], a[i + j] * scale);
  for (int64_t half = width / 2; half > 0; half /= 2)
    for (int64_t j = 0; j < half; ++j)
      running[j] = maximum(running[j], running[j + half]);
  return running[0];
}

/// p[i] = exp(a[i] * scale - highest).
static void scaledExp(const float *HWY_RESTRICT a, float scale, float highest,
                      float *HWY_RESTRICT p, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    p[i] = expF32(a[i] * scale - highest);
}

} // namespace HWY_NAMESPACE
} // namespace serrano::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace serrano::sim {

HWY_EXPORT(scaledMaximum);
HWY_EXPORT(scaledExp);

void softmax(const SoftmaxArgs &args) {
  RowReader<float> reader(args.a);
  RowWriter<float> writer(args.dst);
  Reduction<float> sum = floatReduction(isa::ReduceFunction::Sum);
  float buffer[chunkSize], p[chunkSize];
  for (int64_t r = 0; r < args.rows; ++r) {
    int64_t limit = args.limit + r / args.group;
    int64_t high = std::min(limit, args.cols);
    int64_t low =
        args.window > 0 ? std::max<int64_t>(limit - args.window, 0) : 0;
    auto *state =
        reinterpret_cast<float *>(args.state.data + r * args.state.stride);
    float before = state[0], highest = before;
    for (int64_t c = low; c < high; c += chunkSize) {
      int64_t n = std::min(chunkSize, high - c);
      highest = HWY_DYNAMIC_DISPATCH(scaledMaximum)(
          reader.read(r, c, n, buffer), args.scale, n, highest);
    }
    RowReduction<float> row(sum);
    for (int64_t c = 0; c < args.cols; c += chunkSize) {
      int64_t n = std::min(chunkSize, args.cols - c);
      int64_t first = std::clamp<int64_t>(low - c, 0, n);
      int64_t last = std::clamp<int64_t>(high - c, first, n);
      std::fill(p, p + first, 0.0f);
      HWY_DYNAMIC_DISPATCH(scaledExp)(
          reader.read(r, c + first, last - first, buffer), args.scale, highest,
          p + first, last - first);
      std::fill(p + last, p + n, 0.0f);
      writer.write(r, c, n, p);
      // Columns that are not valid add +0, which changes no chain.
      row.extend(p, n);
    }
    float correction = low < high ? expF32(before - highest) : 1.0f;
    state[0] = canonical(highest);
    state[1] = canonical(
        low < high ? std::fma(state[1], correction, row.result()) : state[1]);
    state[2] = canonical(correction);
  }
}

} // namespace serrano::sim
#endif // HWY_ONCE
