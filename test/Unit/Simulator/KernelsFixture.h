//===- KernelsFixture.h - tiles and SIMD targets for kernel tests -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every kernel test runs on each SIMD target of the host and compares all bytes
// of the result, gaps between rows included, with a scalar reference.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_SIMULATOR_KERNELSFIXTURE_H
#define SERRANO_TEST_UNIT_SIMULATOR_KERNELSFIXTURE_H

#include "Kernels/Kernels.h"
#include "Kernels/SimdTargets.h"
#include "NumericsReference.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

namespace serrano::sim {

inline constexpr isa::DType allTypes[] = {
    isa::DType::F32,    isa::DType::Bf16, isa::DType::F16, isa::DType::F8e4m3,
    isa::DType::F8e5m2, isa::DType::I32,  isa::DType::I8,  isa::DType::U8};

/// A tile in memory of its own. Rows are `gap` elements further apart than they
/// are long.
class TestTile {
public:
  TestTile(isa::DType dtype, int64_t rows, int64_t cols, int64_t gap = 3,
           bool broadcast = false)
      : rows(rows), cols(cols), dtype(dtype), broadcast(broadcast),
        stride(((broadcast ? 1 : cols) + gap) * isa::sizeOf(dtype)),
        bytes(size_t(rows * stride + 64), std::byte(0xa5)) {}

  TileView view() { return {bytes.data(), stride, dtype, broadcast}; }

  uint32_t code(int64_t r, int64_t c) const {
    uint32_t result = 0;
    std::memcpy(&result, bytes.data() + offset(r, c), isa::sizeOf(dtype));
    return result;
  }

  void setCode(int64_t r, int64_t c, uint32_t code) {
    std::memcpy(bytes.data() + offset(r, c), &code, isa::sizeOf(dtype));
  }

  int32_t integer(int64_t r, int64_t c) const {
    uint32_t bits = code(r, c);
    return dtype == isa::DType::I8 ? int8_t(bits) : int32_t(bits);
  }

  float value(int64_t r, int64_t c) const {
    return isa::isInteger(dtype) ? float(integer(r, c))
                                 : float(reference::decode(
                                       reference::formatOf(dtype), code(r, c)));
  }

  /// Writes a number as the ISA rounds it to this type.
  void store(int64_t r, int64_t c, long double x) {
    if (!isa::isInteger(dtype))
      return setCode(r, c, reference::encode(reference::formatOf(dtype), x));
    long double least = dtype == isa::DType::I32  ? INT32_MIN
                        : dtype == isa::DType::I8 ? -128
                                                  : 0;
    long double most = dtype == isa::DType::I32  ? INT32_MAX
                       : dtype == isa::DType::I8 ? 127
                                                 : 255;
    x = std::isnan(x) ? 0 : std::clamp(std::trunc(x), least, most);
    setCode(r, c, uint32_t(int32_t(x)));
  }

  void storeAll(long double x) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c)
        store(r, c, x);
  }

  /// Numbers around zero of ordinary size.
  TestTile &fillOrdinary(std::mt19937 &random, float size = 2) {
    std::uniform_real_distribution<float> numbers(-size, size);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c)
        store(r, c,
              isa::isInteger(dtype) ? 50 * numbers(random) : numbers(random));
    return *this;
  }

  /// Any bits, and as many numbers at which something changes.
  TestTile &fillExtreme(std::mt19937 &random) {
    static const std::vector<float> edges = reference::edgeValues();
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c)
        if (random() % 2)
          setCode(r, c, uint32_t(random()));
        else
          store(r, c, edges[random() % edges.size()]);
    return *this;
  }

  bool operator==(const TestTile &other) const { return bytes == other.bytes; }

  int64_t rows, cols;
  isa::DType dtype;
  bool broadcast;
  int64_t stride;

private:
  int64_t offset(int64_t r, int64_t c) const {
    return r * stride + (broadcast ? 0 : c * isa::sizeOf(dtype));
  }

  std::vector<std::byte> bytes;
};

/// Fails with the first element that differs.
inline void expectSame(const TestTile &actual, const TestTile &expected) {
  if (actual == expected)
    return;
  for (int64_t r = 0; r < actual.rows; ++r)
    for (int64_t c = 0; c < actual.cols; ++c)
      ASSERT_EQ(actual.code(r, c), expected.code(r, c))
          << "row " << r << ", column " << c << ": " << std::hexfloat
          << actual.value(r, c) << " instead of " << expected.value(r, c);
  FAIL() << "bytes between rows or beyond the tile changed";
}

/// Parameterised by the SIMD target that kernels use.
class SimdTest : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override { useSimdTarget(GetParam()); }
  void TearDown() override { useSimdTarget(""); }

  std::mt19937 random{7};
};

#define SERRANO_INSTANTIATE_SIMD_TEST(fixture)                                 \
  INSTANTIATE_TEST_SUITE_P(                                                    \
      Simd, fixture, testing::ValuesIn(simdTargets()),                         \
      [](const testing::TestParamInfo<std::string> &info) {                    \
        return info.param;                                                     \
      })

} // namespace serrano::sim

#endif // SERRANO_TEST_UNIT_SIMULATOR_KERNELSFIXTURE_H
