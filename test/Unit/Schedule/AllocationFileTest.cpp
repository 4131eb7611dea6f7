//===- AllocationFileTest.cpp - tests of problems as text -------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Schedule/AllocationFile.h"
#include "gtest/gtest.h"

using namespace serrano;

static std::string refusal(llvm::StringRef text) {
  llvm::Expected<AllocationProblem> problem = readAllocation(text, "p.csv");
  return problem ? "" : llvm::toString(problem.takeError());
}

TEST(AllocationFile, ReadsWhatItWrites) {
  AllocationProblem problem(32768, 64);
  problem.add({"buffer 0", 100, 1, 5});
  problem.add({"ring 0", 8192, 0, 9, 4096});
  std::string text;
  llvm::raw_string_ostream os(text);
  writeAllocation(problem, os);
  EXPECT_EQ(text, "# capacity: 32768\n# alignment: 64\n"
                  "id,lower,upper,size,offset\n"
                  "buffer 0,1,5,100,\nring 0,0,9,8192,4096\n");
  llvm::Expected<AllocationProblem> read = readAllocation(text, "p.csv");
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(read->capacityBytes(), 32768);
  EXPECT_EQ(read->alignmentBytes(), 64);
  ASSERT_EQ(read->buffers().size(), 2u);
  EXPECT_EQ(read->buffers()[0].name, "buffer 0");
  EXPECT_FALSE(read->buffers()[0].address);
  EXPECT_EQ(read->buffers()[1].address, 4096);
}

TEST(AllocationFile, ReadsThePublishedForm) {
  // The example of MiniMalloc's README; 12 is its capacity.
  llvm::Expected<AllocationProblem> problem =
      readAllocation("id,lower,upper,size\r\nb1,0,3,4\nb2,3,9,4\nb3,0,9,4\n"
                     "b4,9,21,4\nb5,0,21,4",
                     "p.csv");
  ASSERT_TRUE(bool(problem)) << llvm::toString(problem.takeError());
  EXPECT_EQ(problem->buffers().size(), 5u);
  EXPECT_EQ(problem->lowerBound(), 12);
}

TEST(AllocationFile, RefusesWhatIsWrong) {
  EXPECT_EQ(refusal(""),
            "p.csv: has no heading; expected 'id,lower,upper,size'");
  EXPECT_EQ(refusal("name,from,to\n"),
            "p.csv:1: the heading is 'name,from,to'; expected "
            "'id,lower,upper,size' or 'id,lower,upper,size,offset'");
  EXPECT_EQ(refusal("# by hand\nid,lower,upper,size\na,0,1\n"),
            "p.csv:3: found 3 cells; expected 4 as in the heading");
  EXPECT_EQ(refusal("id,lower,upper,size\na,0,1,many\n"),
            "p.csv:2: size is 'many'; expected a number from 0 to "
            "281474976710656");
  EXPECT_EQ(refusal("id,lower,upper,size\na,-1,1,4\n"),
            "p.csv:2: lower is '-1'; expected a number from 0 to "
            "281474976710656");
  EXPECT_EQ(refusal("# alignment: 0\nid,lower,upper,size\n"),
            "p.csv:1: alignment is 0; expected at least 1");
  EXPECT_EQ(refusal("# capacity: 16\nid,lower,upper,size\na,0,1,32\n"),
            "p.csv: a of 32 bytes does not fit the memory's 16");
  EXPECT_EQ(refusal("id,lower,upper,size\na,2,1,4\n"),
            "p.csv: a is alive from 2 to 1; expected an end that is not before "
            "the beginning");
}
