//===- SizeExpressionTest.cpp - sizes over dimensions --------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Entry.h"
#include "gtest/gtest.h"

using namespace serrano;

/// The value of `text`, or what is wrong with it.
static std::string evaluate(const char *text,
                            const Dimensions &dimensions = {}) {
  llvm::Expected<SizeExpression> size = SizeExpression::parse(text);
  if (!size)
    return llvm::toString(size.takeError());
  llvm::Expected<int64_t> value = size->evaluate(dimensions);
  return value ? std::to_string(*value) : llvm::toString(value.takeError());
}

TEST(SizeExpression, SumsOfProducts) {
  Dimensions dimensions = {{"batch", 3}, {"seq.len", 5}, {"_", 7}};
  EXPECT_EQ(evaluate("12"), "12");
  EXPECT_EQ(evaluate("0"), "0");
  EXPECT_EQ(evaluate("batch", dimensions), "3");
  EXPECT_EQ(evaluate("2*batch*seq.len + 1", dimensions), "31");
  EXPECT_EQ(evaluate(" batch*2 +_* _+ 0 ", dimensions), "55");
  EXPECT_EQ(evaluate("batch*batch*batch", dimensions), "27");
}

TEST(SizeExpression, OnlyOneDimensionIsASymbol) {
  auto symbol = [](const char *text) {
    return llvm::cantFail(SizeExpression::parse(text)).symbol().str();
  };
  EXPECT_EQ(symbol("batch"), "batch");
  EXPECT_EQ(symbol(" batch "), "batch");
  for (const char *text : {"2*batch", "batch*seq", "batch + 1", "4"})
    EXPECT_EQ(symbol(text), "") << text;
}

TEST(SizeExpression, WhatIsNoSize) {
  for (const char *text :
       {"", "+", "batch +", "* batch", "batch - 1", "-1", "2 3", "3x", "a/b"})
    EXPECT_EQ(evaluate(text, {{"batch", 1}}),
              std::string("'") + text +
                  "' is not a size: expected sums of products of numbers and "
                  "names");
}

TEST(SizeExpression, UnknownDimension) {
  EXPECT_EQ(evaluate("2*seq", {{"batch", 1}}),
            "dimension 'seq' of size '2*seq' has no value: no input has it as "
            "a size of its own");
}

TEST(SizeExpression, ValuesBeyond64Bits) {
  EXPECT_EQ(evaluate("4611686018427387904*2"),
            "'4611686018427387904*2' is a size that does not fit 64 bits");
  Dimensions dimensions = {{"n", int64_t(1) << 62}};
  EXPECT_EQ(evaluate("n", dimensions), std::to_string(int64_t(1) << 62));
  EXPECT_EQ(evaluate("2*n", dimensions), "size '2*n' does not fit 64 bits");
  EXPECT_EQ(evaluate("n + n", dimensions), "size 'n + n' does not fit 64 bits");
}
