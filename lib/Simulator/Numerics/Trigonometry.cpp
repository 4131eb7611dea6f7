//===- Trigonometry.cpp - sin and cos of large angles ---------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Trigonometry.h"

namespace serrano::sim {

/// The first 256 bits of 2/pi after the binary point.
static constexpr uint64_t twoOverPi[] = {0xa2f9836e4e441529, 0xfc2757d1f534ddc0,
                                         0xdb6295993c439041,
                                         0xfe5163abdebbc561};

/// Bits `from` to `from` + 127 of 2/pi after the binary point.
static unsigned __int128 bitsOfTwoOverPi(unsigned from) {
  unsigned word = from / 64, bit = from % 64;
  unsigned __int128 result =
      (unsigned __int128)twoOverPi[word] << 64 | twoOverPi[word + 1];
  if (bit != 0)
    result = result << bit | twoOverPi[word + 2] >> (64 - bit);
  return result;
}

/// x = m 2^e with an integer m of 24 bits. Bits of 2/pi whose product with 2^e
/// is a multiple of 4 change neither sine nor cosine. The 128 bits after them,
/// times m modulo 2^128, are x / (pi/2) / 4 modulo 1 with an error below
/// 2^-104; no f32 comes closer to a multiple of pi/2 than 2^-31.
static ReducedAngle reduceLargeAngle(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x) & 0x7fffffff;
  int exponent = int(bits >> 23) - 127 - 23;
  uint64_t mantissa = (bits & 0x7fffff) | 0x800000;
  unsigned __int128 turns =
      bitsOfTwoOverPi(unsigned(exponent - 2)) * (unsigned __int128)mantissa;
  auto quadrant = uint64_t(turns >> 126);
  // The rest as a signed fraction of a quadrant, in units of 2^-128.
  auto fraction = __int128(turns << 2);
  if (fraction < 0)
    ++quadrant;
  double r = double(fraction) * 0x1p-128 * 0x1.921fb54442d18p0;
  return std::bit_cast<int32_t>(x) < 0 ? ReducedAngle{-quadrant, -r}
                                       : ReducedAngle{quadrant, r};
}

float sinF32Large(float x) {
  if (!(std::fabs(x) < std::numeric_limits<float>::infinity()))
    return std::numeric_limits<float>::quiet_NaN();
  return sinOfReduced(reduceLargeAngle(x));
}

float cosF32Large(float x) {
  if (!(std::fabs(x) < std::numeric_limits<float>::infinity()))
    return std::numeric_limits<float>::quiet_NaN();
  ReducedAngle angle = reduceLargeAngle(x);
  ++angle.quadrant;
  return sinOfReduced(angle);
}

} // namespace serrano::sim
