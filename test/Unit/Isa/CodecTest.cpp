//===- CodecTest.cpp - tests of encoding and decoding -----------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/Codec.h"
#include "RandomInstruction.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace serrano::isa;
using llvm::SmallVector;

static std::string encodeError(const Instruction &instruction) {
  SmallVector<uint64_t> words;
  return llvm::toString(encode(instruction, words));
}

static std::string decodeError(llvm::ArrayRef<uint64_t> words) {
  llvm::Expected<Instruction> instruction = decode(words);
  return instruction ? "" : llvm::toString(instruction.takeError());
}

TEST(CodecTest, EveryInstructionDecodesToItself) {
  RandomInstruction(1).forEach(200, [](const auto &instruction) {
    SmallVector<uint64_t> words;
    ASSERT_EQ(llvm::toString(encode(instruction, words)), "");
    EXPECT_EQ(words.size(), instruction.words);
    EXPECT_EQ(words[0] & 0xff, instruction.opcode);
    llvm::Expected<Instruction> decoded = decode(words);
    ASSERT_TRUE(static_cast<bool>(decoded))
        << llvm::toString(decoded.takeError());
    // Compared as words: a NaN is not equal to itself.
    SmallVector<uint64_t> again;
    ASSERT_EQ(llvm::toString(encode(*decoded, again)), "");
    EXPECT_EQ(words, again) << instruction.mnemonic;
  });
}

TEST(CodecTest, EveryBitIsAFieldsOrReserved) {
  // Flipping any one bit gives another instruction or an error, never the same.
  RandomInstruction(2).forEach(4, [](const auto &instruction) {
    SmallVector<uint64_t> words;
    ASSERT_EQ(llvm::toString(encode(instruction, words)), "");
    for (unsigned bit = 0; bit < 64 * words.size(); ++bit) {
      SmallVector<uint64_t> flipped = words;
      flipped[bit / 64] ^= uint64_t(1) << (bit % 64);
      llvm::Expected<Instruction> decoded = decode(flipped);
      if (!decoded) {
        EXPECT_NE(llvm::toString(decoded.takeError()), "");
        continue;
      }
      SmallVector<uint64_t> again;
      ASSERT_EQ(llvm::toString(encode(*decoded, again)), "");
      EXPECT_EQ(again, llvm::ArrayRef(flipped).take_front(again.size()));
    }
  });
}

TEST(CodecTest, EveryTruncationIsAnError) {
  RandomInstruction(3).forEach(1, [](const auto &instruction) {
    SmallVector<uint64_t> words;
    ASSERT_EQ(llvm::toString(encode(instruction, words)), "");
    for (unsigned size = 1; size < words.size(); ++size)
      EXPECT_THAT(decodeError(llvm::ArrayRef(words).take_front(size)),
                  testing::HasSubstr("truncated"));
  });
  EXPECT_EQ(decodeError({}), "no instruction: the program ends here");
}

TEST(CodecTest, FieldsOutOfRangeAreNamed) {
  EXPECT_EQ(encodeError(ScalarImmediate{Register{70}, 1}),
            "s.li: field 'rd' has register 70, outside 0 .. 63");
  EXPECT_EQ(encodeError(ScalarImmediate{Register{1}, int64_t(1) << 49}),
            "s.li: field 'imm' has value 562949953421312, outside "
            "-562949953421312 .. 562949953421311");
  Matmul matmul;
  matmul.m.imm = 1 << 25;
  EXPECT_EQ(encodeError(matmul),
            "mx.mul: field 'm' has immediate 33554432, outside -33554432 .. "
            "33554431; load it into a register with s.li");
  matmul = {};
  matmul.dst.ring = 3;
  EXPECT_EQ(encodeError(matmul),
            "mx.mul: field 'dst' has a ring, but is not in a ring");
  matmul = {};
  matmul.wait0.lag = 1;
  EXPECT_EQ(
      encodeError(matmul),
      "mx.mul: field 'wait0' has a counter or a lag, but is no valid wait");
  matmul = {};
  matmul.group = 1 << 14;
  EXPECT_EQ(encodeError(matmul),
            "mx.mul: field 'group' has value 16384, outside 0 .. 16383");
}

TEST(CodecTest, NothingIsAppendedOnError) {
  SmallVector<uint64_t> words = {42};
  llvm::consumeError(encode(ScalarImmediate{Register{70}, 1}, words));
  EXPECT_EQ(words.size(), 1u);
}

TEST(CodecTest, WordsWithoutAMeaningAreErrors) {
  EXPECT_EQ(decodeError({0xff}), "unknown opcode 0xff");
  EXPECT_EQ(decodeError({uint64_t(1) << 40}),
            "halt: reserved bit 40 of word 0 is set");
  EXPECT_EQ(decodeError({Skip::opcode | uint64_t(7) << 8}),
            "skip: field 'condition': Condition 7 does not exist");
}
