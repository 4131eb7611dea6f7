//===- Conversion.cpp - runs of elements to and from f32 and i32 ----------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Simulator/Kernels/Conversion.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "Conversion.h"
#include "Numerics/Formats.h"
#include "llvm/Support/ErrorHandling.h"
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace serrano::sim {
namespace HWY_NAMESPACE {

static float sameFloat(float x) { return x; }
static float integerToFloat(int32_t x) { return float(x); }
static float byteToFloat(int8_t x) { return float(x); }
static float unsignedToFloat(uint8_t x) { return float(x); }
static int32_t sameInteger(int32_t x) { return x; }
static int32_t byteToInteger(int8_t x) { return x; }
static int32_t unsignedToInteger(uint8_t x) { return x; }
static int8_t floatToI8(float x) { return saturateI8(toInteger(x)); }
static uint8_t floatToU8(float x) { return saturateU8(toInteger(x)); }
static uint16_t integerToBf16(int32_t x) {
  return narrowBf16(toFloatForNarrowing(x));
}
static uint16_t integerToF16(int32_t x) {
  return narrowF16(toFloatForNarrowing(x));
}
static uint8_t integerToF8e4m3(int32_t x) {
  return narrowF8e4m3(toFloatForNarrowing(x));
}
static uint8_t integerToF8e5m2(int32_t x) {
  return narrowF8e5m2(toFloatForNarrowing(x));
}

/// dst[i] = convert(src[i]) where src holds elements of type `Narrow`.
template <typename Narrow, typename T, T (*convert)(Narrow)>
static void read(const std::byte *HWY_RESTRICT src, T *HWY_RESTRICT dst,
                 int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    Narrow element;
    std::memcpy(&element, src + i * sizeof(Narrow), sizeof(Narrow));
    dst[i] = convert(element);
  }
}

/// dst[i] = convert(src[i]) where dst holds elements of type `Narrow`.
template <typename Narrow, typename T, Narrow (*convert)(T)>
static void write(const T *HWY_RESTRICT src, std::byte *HWY_RESTRICT dst,
                  int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    Narrow element = convert(src[i]);
    std::memcpy(dst + i * sizeof(Narrow), &element, sizeof(Narrow));
  }
}

static ReadFunction<float> chooseFloatRead(isa::DType dtype) {
  switch (dtype) {
  case isa::DType::F32:
    return read<float, float, sameFloat>;
  case isa::DType::Bf16:
    return read<uint16_t, float, widenBf16>;
  case isa::DType::F16:
    return read<uint16_t, float, widenF16>;
  case isa::DType::F8e4m3:
    return read<uint8_t, float, widenF8e4m3>;
  case isa::DType::F8e5m2:
    return read<uint8_t, float, widenF8e5m2>;
  case isa::DType::I32:
    return read<int32_t, float, integerToFloat>;
  case isa::DType::I8:
    return read<int8_t, float, byteToFloat>;
  case isa::DType::U8:
    return read<uint8_t, float, unsignedToFloat>;
  }
  llvm_unreachable("not an element type");
}

static WriteFunction<float> chooseFloatWrite(isa::DType dtype) {
  switch (dtype) {
  case isa::DType::F32:
    return write<float, float, canonical>;
  case isa::DType::Bf16:
    return write<uint16_t, float, narrowBf16>;
  case isa::DType::F16:
    return write<uint16_t, float, narrowF16>;
  case isa::DType::F8e4m3:
    return write<uint8_t, float, narrowF8e4m3>;
  case isa::DType::F8e5m2:
    return write<uint8_t, float, narrowF8e5m2>;
  case isa::DType::I32:
    return write<int32_t, float, toInteger>;
  case isa::DType::I8:
    return write<int8_t, float, floatToI8>;
  case isa::DType::U8:
    return write<uint8_t, float, floatToU8>;
  }
  llvm_unreachable("not an element type");
}

static ReadFunction<int32_t> chooseIntegerRead(isa::DType dtype) {
  switch (dtype) {
  case isa::DType::I32:
    return read<int32_t, int32_t, sameInteger>;
  case isa::DType::I8:
    return read<int8_t, int32_t, byteToInteger>;
  case isa::DType::U8:
    return read<uint8_t, int32_t, unsignedToInteger>;
  default:
    llvm_unreachable("not an integer type");
  }
}

static WriteFunction<int32_t> chooseIntegerWrite(isa::DType dtype) {
  switch (dtype) {
  case isa::DType::F32:
    return write<float, int32_t, integerToFloat>;
  case isa::DType::Bf16:
    return write<uint16_t, int32_t, integerToBf16>;
  case isa::DType::F16:
    return write<uint16_t, int32_t, integerToF16>;
  case isa::DType::F8e4m3:
    return write<uint8_t, int32_t, integerToF8e4m3>;
  case isa::DType::F8e5m2:
    return write<uint8_t, int32_t, integerToF8e5m2>;
  case isa::DType::I32:
    return write<int32_t, int32_t, sameInteger>;
  case isa::DType::I8:
    return write<int8_t, int32_t, saturateI8>;
  case isa::DType::U8:
    return write<uint8_t, int32_t, saturateU8>;
  }
  llvm_unreachable("not an element type");
}

} // namespace HWY_NAMESPACE
} // namespace serrano::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace serrano::sim {

HWY_EXPORT(chooseFloatRead);
HWY_EXPORT(chooseFloatWrite);
HWY_EXPORT(chooseIntegerRead);
HWY_EXPORT(chooseIntegerWrite);

ReadFunction<float> floatReadFunction(isa::DType dtype) {
  return HWY_DYNAMIC_DISPATCH(chooseFloatRead)(dtype);
}

WriteFunction<float> floatWriteFunction(isa::DType dtype) {
  return HWY_DYNAMIC_DISPATCH(chooseFloatWrite)(dtype);
}

ReadFunction<int32_t> integerReadFunction(isa::DType dtype) {
  return HWY_DYNAMIC_DISPATCH(chooseIntegerRead)(dtype);
}

WriteFunction<int32_t> integerWriteFunction(isa::DType dtype) {
  return HWY_DYNAMIC_DISPATCH(chooseIntegerWrite)(dtype);
}

} // namespace serrano::sim
#endif // HWY_ONCE
