//===- ElementsTest.cpp - elements on their way to the device - -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Elements.h"
#include "MakeArray.h"
#include "lib/Runtime/Arrays.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace serrano;
using isa::DType;

namespace {

constexpr int64_t largest32 = std::numeric_limits<int32_t>::max();

/// The elements of `array` on the device.
template <typename T>
std::vector<T> onDevice(const NpyArray &array, DType stored) {
  std::vector<uint8_t> bytes = llvm::cantFail(toDevice("x", array, stored));
  std::vector<T> elements(bytes.size() / sizeof(T));
  std::memcpy(elements.data(), bytes.data(), bytes.size());
  return elements;
}

/// The device's elements as the caller's.
template <typename To, typename From>
std::vector<To> fromElements(const std::vector<From> &elements, DType stored,
                             NpyType type) {
  std::vector<uint8_t> bytes(elements.size() * sizeof(From));
  std::memcpy(bytes.data(), elements.data(), bytes.size());
  NpyArray array = fromDevice(bytes, stored, type, {elements.size()});
  EXPECT_EQ(array.type, type);
  EXPECT_EQ(array.shape, std::vector<uint64_t>{elements.size()});
  return array.as<To>().vec();
}

} // namespace

TEST(Elements, SameTypeKeepsItsBytes) {
  float nan = std::nanf("5");
  NpyArray array = makeArray<float>(NpyType::f4, {3}, {-0.0f, 1e-45f, nan});
  EXPECT_EQ(llvm::cantFail(toDevice("x", array, DType::F32)), array.bytes);
  EXPECT_EQ(fromDevice(array.bytes, DType::F32, NpyType::f4, {3}).bytes,
            array.bytes);
}

TEST(Elements, FloatsAreRoundedToNearestEven) {
  // bf16 has 8 bits of fraction with the leading one: 1 + 2^-8 lies between 1
  // and 1 + 2^-7, 1 + 3 * 2^-8 between 1 + 2^-7 and 1 + 2^-6.
  NpyArray array =
      makeArray<float>(NpyType::f4, {3}, {1 + 0x1p-8f, 1 + 3 * 0x1p-8f, -2.5f});
  EXPECT_EQ(onDevice<uint16_t>(array, DType::Bf16),
            (std::vector<uint16_t>{0x3f80, 0x3f82, 0xc020}));
}

TEST(Elements, WideTypesGoThroughNarrowOnes) {
  EXPECT_EQ(onDevice<float>(makeArray<double>(NpyType::f8, {2}, {0.1, 1e300}),
                            DType::F32),
            (std::vector<float>{0.1f, INFINITY}));
  EXPECT_EQ(
      onDevice<int32_t>(
          makeArray<int64_t>(NpyType::i8, {3}, {-largest32 - 1, 0, largest32}),
          DType::I32),
      (std::vector<int32_t>{int32_t(-largest32 - 1), 0, int32_t(largest32)}));
  EXPECT_EQ(onDevice<int32_t>(makeArray<int16_t>(NpyType::i2, {2}, {-5, 7}),
                              DType::I32),
            (std::vector<int32_t>{-5, 7}));
  EXPECT_EQ(onDevice<int32_t>(makeArray<uint16_t>(NpyType::u2, {1}, {65535}),
                              DType::I32),
            (std::vector<int32_t>{65535}));
  EXPECT_EQ(onDevice<float>(makeArray<int64_t>(NpyType::i8, {2}, {-3, 4}),
                            DType::F32),
            (std::vector<float>{-3, 4}));
  EXPECT_EQ(
      onDevice<float>(makeArray<uint8_t>(NpyType::b1, {2}, {0, 1}), DType::F32),
      (std::vector<float>{0, 1}));
}

TEST(Elements, IntegersBeyond32BitsAreNamed) {
  auto failure = [](const NpyArray &array) {
    llvm::Expected<std::vector<uint8_t>> bytes =
        toDevice("x", array, DType::I32);
    return bytes ? "" : llvm::toString(bytes.takeError());
  };
  EXPECT_EQ(
      failure(makeArray<int64_t>(NpyType::i8, {3}, {1, largest32 + 1, 0})),
      "'x' holds 2147483648 at flat index 1, which does not fit the "
      "device's 32-bit integers");
  EXPECT_EQ(failure(makeArray<int64_t>(NpyType::i8, {1}, {-largest32 - 2})),
            "'x' holds -2147483649 at flat index 0, which does not fit the "
            "device's 32-bit integers");
  EXPECT_EQ(failure(makeArray<uint64_t>(NpyType::u8, {1}, {~uint64_t(0)})),
            "'x' holds 18446744073709551615 at flat index 0, which does not "
            "fit the device's 32-bit integers");
  EXPECT_EQ(failure(makeArray<uint32_t>(NpyType::u4, {1}, {0x80000000u})),
            "'x' holds 2147483648 at flat index 0, which does not fit the "
            "device's 32-bit integers");
}

TEST(Elements, DeviceElementsAreWidened) {
  EXPECT_EQ((fromElements<float>(std::vector<uint16_t>{0x3f81, 0xff80},
                                 DType::Bf16, NpyType::f4)),
            (std::vector<float>{1 + 0x1p-7f, -INFINITY}));
  EXPECT_EQ(
      (fromElements<double>(std::vector<float>{0.1f}, DType::F32, NpyType::f8)),
      std::vector<double>{0.1f});
  EXPECT_EQ((fromElements<int64_t>(std::vector<int32_t>{-7, 5}, DType::I32,
                                   NpyType::i8)),
            (std::vector<int64_t>{-7, 5}));
  EXPECT_EQ((fromElements<int16_t>(std::vector<int32_t>{-7, 5}, DType::I32,
                                   NpyType::i2)),
            (std::vector<int16_t>{-7, 5}));
}

TEST(Elements, AnyIntegersAreReadAsIndices) {
  EXPECT_EQ(toIntegers(makeArray<int8_t>(NpyType::i1, {2}, {-1, 127})),
            (std::vector<int64_t>{-1, 127}));
  EXPECT_EQ(toIntegers(makeArray<uint8_t>(NpyType::u1, {1}, {255})),
            std::vector<int64_t>{255});
  EXPECT_EQ(toIntegers(makeArray<int16_t>(NpyType::i2, {1}, {-300})),
            std::vector<int64_t>{-300});
  EXPECT_EQ(toIntegers(makeArray<uint16_t>(NpyType::u2, {1}, {65535})),
            std::vector<int64_t>{65535});
  EXPECT_EQ(toIntegers(makeArray<uint32_t>(NpyType::u4, {1}, {~0u})),
            std::vector<int64_t>{4294967295});
  EXPECT_EQ(toIntegers(makeArray<int64_t>(NpyType::i8, {1}, {INT64_MIN})),
            std::vector<int64_t>{INT64_MIN});
  EXPECT_EQ(toIntegers(makeArray<uint64_t>(NpyType::u8, {2}, {9, ~0ull})),
            (std::vector<int64_t>{9, INT64_MAX}));
  for (NpyType type : {NpyType::f2, NpyType::f4, NpyType::f8})
    EXPECT_FALSE(isInteger(type));
}

TEST(Elements, PlacesAreWrittenAsIndices) {
  EXPECT_EQ(placeText({7}, 3), "[3]");
  EXPECT_EQ(placeText({2, 3, 4}, 23), "[1, 2, 3]");
  EXPECT_EQ(placeText({2, 3, 4}, 5), "[0, 1, 1]");
  EXPECT_EQ(placeText({}, 0), "[]");
}
