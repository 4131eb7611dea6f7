//===- NumberFormat.h - the number formats an engine tells apart -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TARGET_NUMBERFORMAT_H
#define SERRANO_TARGET_NUMBERFORMAT_H

#include "llvm/ADT/StringRef.h"
#include <array>
#include <cstdint>

namespace serrano {

/// The formats that differ in what an engine costs. They are coarser than the
/// ISA's element types, which lie above this library: both fp8 types are F8,
/// signed and unsigned 8-bit integers are I8.
enum class NumberFormat : uint8_t { F32, BF16, F16, F8, I8, MXFP4 };

inline constexpr std::array<NumberFormat, 6> numberFormats = {
    NumberFormat::F32, NumberFormat::BF16, NumberFormat::F16,
    NumberFormat::F8,  NumberFormat::I8,   NumberFormat::MXFP4};

/// One value for each format.
template <typename T>
class PerFormat {
public:
  T &operator[](NumberFormat format) { return values[size_t(format)]; }
  const T &operator[](NumberFormat format) const {
    return values[size_t(format)];
  }
  bool operator==(const PerFormat &) const = default;

private:
  std::array<T, numberFormats.size()> values = {};
};

/// "f32", "bf16", "f16", "f8", "i8", "mxfp4".
llvm::StringRef formatName(NumberFormat format);

/// Bytes of `elements` elements. An mxfp4 element takes half a byte, and each
/// 32 of them one more byte for their common scale.
int64_t formatBytes(NumberFormat format, int64_t elements);

/// How many consecutive K the array sums exactly before it rounds once: 4 for
/// f8, 32 for mxfp4, 1 otherwise.
int64_t exactGroup(NumberFormat format);

} // namespace serrano

#endif // SERRANO_TARGET_NUMBERFORMAT_H
