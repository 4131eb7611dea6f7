//===- LengthsTest.cpp - the lengths of a run ----------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Lengths.h"
#include "gtest/gtest.h"

using namespace serrano;

static std::string failure(llvm::StringRef text) {
  llvm::Expected<Lengths> lengths = Lengths::parse(text);
  return lengths ? "" : llvm::toString(lengths.takeError());
}

TEST(LengthsTest, Sequences) {
  Lengths lengths = llvm::cantFail(Lengths::parse("2x1@1024, 256@300"));
  ASSERT_EQ(lengths.sequences.size(), 3u);
  EXPECT_EQ(lengths.sequences[1].added, 1);
  EXPECT_EQ(lengths.sequences[1].context, 1024);
  EXPECT_EQ(lengths.sequences[2].added, 256);
  EXPECT_EQ(lengths.sequences[2].context, 300);
  EXPECT_TRUE(lengths.dimensions.empty());
}

TEST(LengthsTest, Dimensions) {
  Lengths lengths = llvm::cantFail(Lengths::parse("batch=32,seq.0=128"));
  EXPECT_EQ(lengths.dimensions,
            (Dimensions{{"batch", 32}, {"seq.0", 128}}));
  EXPECT_TRUE(lengths.sequences.empty());
}

TEST(LengthsTest, Faults) {
  EXPECT_EQ(failure("128"), "'128' is neither NEW@CONTEXT, for example 1@128, "
                            "nor NAME=SIZE, for example batch=32");
  EXPECT_EQ(failure(""), "'' is neither NEW@CONTEXT, for example 1@128, nor "
                         "NAME=SIZE, for example batch=32");
  EXPECT_EQ(failure("=3"), "'=3' is neither NEW@CONTEXT, for example 1@128, nor "
                           "NAME=SIZE, for example batch=32");
  EXPECT_EQ(failure("1@128,"), "'' is neither NEW@CONTEXT, for example 1@128, "
                               "nor NAME=SIZE, for example batch=32");
  EXPECT_EQ(failure("9@8"), "'9@8': 9 new tokens in a context of 8; the context "
                            "counts the new tokens too");
  EXPECT_EQ(failure("0@8"), "'0@8': '0' is no length; expected 1 to 2147483647");
  EXPECT_EQ(failure("1@"), "'1@': '' is no length; expected 1 to 2147483647");
  EXPECT_EQ(failure("-1@8"),
            "'-1@8': '-1' is no length; expected 1 to 2147483647");
  EXPECT_EQ(failure("x1@8"), "'x1@8': '' is no length; expected 1 to 2147483647");
  EXPECT_EQ(failure("1@2147483648"), "'1@2147483648': '2147483648' is no "
                                     "length; expected 1 to 2147483647");
  EXPECT_EQ(failure("2000000x1@8"),
            "'2000000x1@8': more than 1048576 sequences");
  EXPECT_EQ(failure("n=x"), "'n=x': 'x' is no length; expected 1 to 2147483647");
  EXPECT_EQ(failure("n=1,n=2"), "'n' is given twice");
  EXPECT_EQ(failure("n=1,1@8"), "sequences (NEW@CONTEXT) and dimensions "
                                "(NAME=SIZE) exclude each other");
}
