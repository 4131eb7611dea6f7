//===- Ratio.h - exact positive ratios --------------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TARGET_RATIO_H
#define SERRANO_TARGET_RATIO_H

#include <cassert>
#include <compare>
#include <cstdint>

namespace serrano {

/// numerator / denominator in lowest terms, not negative. Times are computed
/// with these, never in floating point, so that they are the same everywhere.
class Ratio {
public:
  constexpr Ratio() = default;
  constexpr Ratio(int64_t numerator, int64_t denominator = 1)
      : Ratio(reduced(numerator, denominator)) {}

  constexpr int64_t numerator() const { return top; }
  constexpr int64_t denominator() const { return bottom; }
  constexpr bool isWhole() const { return bottom == 1; }
  constexpr double toDouble() const { return double(top) / double(bottom); }

  /// The smallest whole number that is not below the ratio.
  constexpr int64_t ceil() const { return ceilOf(1); }

  /// ceil(amount * ratio).
  constexpr int64_t ceilOf(int64_t amount) const {
    return int64_t((Wide(amount) * top + bottom - 1) / bottom);
  }

  /// How long `amount` takes at this rate: ceil(amount / ratio).
  constexpr int64_t ceilQuotient(int64_t amount) const {
    assert(top > 0 && "nothing takes a finite time at a rate of 0");
    return int64_t((Wide(amount) * bottom + top - 1) / top);
  }

  friend constexpr Ratio operator*(Ratio a, Ratio b) {
    return reduced(Wide(a.top) * b.top, Wide(a.bottom) * b.bottom);
  }
  friend constexpr Ratio operator/(Ratio a, Ratio b) {
    return reduced(Wide(a.top) * b.bottom, Wide(a.bottom) * b.top);
  }
  friend constexpr bool operator==(Ratio a, Ratio b) = default;
  friend constexpr std::strong_ordering operator<=>(Ratio a, Ratio b) {
    return Wide(a.top) * b.bottom <=> Wide(b.top) * a.bottom;
  }

private:
  using Wide = __int128;

  static constexpr Ratio reduced(Wide numerator, Wide denominator) {
    assert(numerator >= 0 && denominator > 0 && "not a ratio");
    Wide a = numerator, b = denominator;
    while (b != 0) {
      Wide rest = a % b;
      a = b;
      b = rest;
    }
    Ratio ratio;
    ratio.top = int64_t(numerator / a);
    ratio.bottom = int64_t(denominator / a);
    assert(ratio.top == numerator / a && ratio.bottom == denominator / a &&
           "the ratio does not fit 64 bits");
    return ratio;
  }

  int64_t top = 0;
  int64_t bottom = 1;
};

} // namespace serrano

#endif // SERRANO_TARGET_RATIO_H
