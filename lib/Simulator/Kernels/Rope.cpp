//===- Rope.cpp - v.rope --------------------------------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Simulator/Kernels/Rope.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "Rows.h"
#include <memory>

HWY_BEFORE_NAMESPACE();
namespace serrano::sim {
namespace HWY_NAMESPACE {

/// Elements i and i + half are a pair.
static void rotateHalves(const float *HWY_RESTRICT a,
                         const float *HWY_RESTRICT cos,
                         const float *HWY_RESTRICT sin, float *HWY_RESTRICT out,
                         int64_t half) {
  for (int64_t i = 0; i < half; ++i) {
    float x = a[i], y = a[i + half];
    out[i] = x * cos[i] - y * sin[i];
    out[i + half] = y * cos[i] + x * sin[i];
  }
}

/// Elements 2i and 2i + 1 are a pair.
static void rotatePairs(const float *HWY_RESTRICT a,
                        const float *HWY_RESTRICT cos,
                        const float *HWY_RESTRICT sin, float *HWY_RESTRICT out,
                        int64_t half) {
  for (int64_t i = 0; i < half; ++i) {
    float x = a[2 * i], y = a[2 * i + 1];
    out[2 * i] = x * cos[i] - y * sin[i];
    out[2 * i + 1] = y * cos[i] + x * sin[i];
  }
}

} // namespace HWY_NAMESPACE
} // namespace serrano::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace serrano::sim {

HWY_EXPORT(rotateHalves);
HWY_EXPORT(rotatePairs);

void rope(const RopeArgs &args) {
  int64_t half = args.rotary / 2, cols = args.cols;
  RowReader<float> reader(args.a), cosReader(args.cos), sinReader(args.sin);
  auto buffer = std::make_unique_for_overwrite<float[]>(size_t(4 * cols));
  float *head = buffer.get(), *out = head + cols;
  float *cosBuffer = out + cols, *sinBuffer = cosBuffer + half;
  for (int64_t r = 0; r < args.rows; ++r) {
    const float *cos = cosReader.read(r, 0, half, cosBuffer);
    const float *sin = sinReader.read(r, 0, half, sinBuffer);
    for (int64_t h = 0; h < args.heads; ++h) {
      const float *a = reader.read(r, h * cols, cols, head);
      if (args.interleaved)
        HWY_DYNAMIC_DISPATCH(rotatePairs)(a, cos, sin, out, half);
      else
        HWY_DYNAMIC_DISPATCH(rotateHalves)(a, cos, sin, out, half);
      std::copy(a + 2 * half, a + cols, out + 2 * half);
      TileView dst = args.dst;
      dst.data += h * args.headStride;
      RowWriter<float>(dst).write(r, 0, cols, out);
    }
  }
}

} // namespace serrano::sim
#endif // HWY_ONCE
