//===- RepeatedSectionsTest.cpp - sections from other values ---- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What may be different where a section is known, and sections that repeat.
//
//===----------------------------------------------------------------------===//

#include "RepetitionFixture.h"

using namespace serrano;

namespace {

class RepeatedSectionsTest : public RepetitionFixture {
protected:
  void SetUp() override { leastSection = 300; }

  /// Layers with `statements`: what is left out of few costs what they do, and of
  /// 400 million instructions hardly any is gone through.
  void expectKnown(const std::string &statements, const std::string &before = "") {
    same(loopOf(mark + shortRounds(fill) + statements, before), 60);
    expectFast(loopOf(mark + shortRounds(fill, 20000) + statements, before), 10000);
  }
};

/// r7 rows, of which there is one at least.
const char *const rows =
    "      v.fill signal=c1, dst=spm[0]:64:f32, imm=0.0, rows=r7, cols=16\n";

} // namespace

TEST_F(RepeatedSectionsTest, SumsInRegisters) {
  expectKnown("    s.add rd=r50, a=r50, b=3\n    s.add rd=r51, a=r51, b=r2\n");
  // What they have come to decides in the end.
  std::string source = loopOf(mark + shortRounds(fill) + "    s.add rd=r50, a=r50, b=3\n");
  size_t end = source.find("  halt");
  same(source.insert(end, shortRounds(fill, "r50")), 60);
}

TEST_F(RepeatedSectionsTest, DifferencesThatStay) {
  const char *const sums = "    s.load rd=r5, address=1024\n    s.mul rd=r6, a=r2, b=-3\n"
                           "    s.add rd=r7, a=r5, b=r6\n";
  std::string rest = std::string(rows) + "    s.add rd=r5, a=r5, b=3\n    s.store a=r5, address=1024\n";
  const char *const before = "  s.li rd=r5, imm=2\n  s.store a=r5, address=1024\n";
  expectKnown(sums + rest, before);
  // Nor do they stay once the layer decides.
  same(loopOf(mark + shortRounds(fill) + sums +
                  "    s.li rd=r8, imm=41\n    s.lt rd=r8, a=r8, b=r2\n"
                  "    s.add rd=r7, a=r7, b=r8\n" + rest, before),
       60);
}

TEST_F(RepeatedSectionsTest, Quotients) {
  expectKnown("    s.mul rd=r5, a=r2, b=96\n    s.add rd=r5, a=r5, b=31\n"
              "    s.div rd=r6, a=r5, b=32\n    s.mul rd=r7, a=r6, b=8\n"
              "    dma.load signal=c3, src=hbm[r7 + w], "
              "dst=spm[4096], bytes=64, n1=1, n2=1, n3=1\n"
              // What is left of it is the same.
              "    s.mul rd=r6, a=r6, b=-32\n    s.add rd=r7, a=r5, b=r6\n"
              "    s.min rd=r7, a=r7, b=7\n" +
              std::string(rows));
  for (int divisor : {2, 3, 7, -3})
    same(loopOf(mark + shortRounds(fill) + "    s.mul rd=r5, a=r2, b=5\n    s.div rd=r7, a=r5, b=" +
                std::to_string(divisor) + "\n    s.mul rd=r7, a=r7, b=r7\n    s.min rd=r7, a=r7, b=40\n"
                "    s.max rd=r7, a=r7, b=1\n" + rows),
         60);
}

TEST_F(RepeatedSectionsTest, WordsThatAreNotKnown) {
  const char *const load = "    s.mul rd=r5, a=r2, b=4\n    s.load rd=r9, address=r5 + 2048\n"
                           "    dma.load signal=c3, src=hbm[r9 + w], dst=spm[4096], bytes=64, "
                           "n1=1, n2=1, n3=1\n";
  expectKnown(load);
  // One of them is known, before or in a layer.
  std::string known = "s.li rd=r8, imm=64\n s.store a=r8, address=2216\n";
  same(loopOf(mark + shortRounds(fill) + load, known), 60);
  same(loopOf(mark + shortRounds(fill) + load + known), 60);
  std::string last = llvm::toString(
      predict(loopOf(mark + shortRounds(fill) + load), 20000).takeError());
  EXPECT_NE(last.find("leaves"), std::string::npos) << last;
}

TEST_F(RepeatedSectionsTest, TablesThatMove) {
  const char *const gather = "dma.gather signal=c3, src=hbm[w], dst=spm[4096], table=r5 + 2048, "
                             "n=2, bytes=64, stride=64, bound=100, local_stride=64\n";
  expectKnown(std::string("    s.mul rd=r5, a=r2, b=4\n    ") + gather);
  std::string source = loopOf(mark + shortRounds(fill) + "    s.mul rd=r5, a=r2, b=2\n    " + gather);
  std::string misaligned = llvm::toString(predict(source, 60).takeError());
  EXPECT_NE(misaligned.find("misaligned"), std::string::npos) << misaligned;
}

/// Time moves on between two slots that a ring brings, in each layer by more.
TEST_F(RepeatedSectionsTest, RingsThatHaveRested) {
  std::string before = "  ring.setup ring=0, slots=2, base=65536, slot_bytes=64\n"
                       "  ring.fill ring=0, src=hbm[w], bytes=64, count=100000, stride=0, passes=1\n";
  std::string pop = "      v.unary fn=copy, dst=spm[0]:64:f32, a=pop0[0]:64:f32, rows=1, cols=16\n";
  std::string body = mark + shortRounds(fill) + "    s.min rd=r7, a=r2, b=30\n" +
                     shortRounds(fill, "r7") + "    sync waiter=vector, wait0=c1\n" +
                     "    mark op=1, layer=r2 + 1\n" + shortRounds(fill, 60) + pop + shortRounds(fill);
  std::string source = loopOf(body, before);
  size_t end = source.find("  halt");
  source.insert(end, "  s.li rd=r7, imm=100000\n  s.sub rd=r7, a=r7, b=r1\n"
                     "  loop index=r5, count=r7 {\n" + pop + "  }\n");
  same(source, 60);
}

/// Loops of many rounds, of which each layer has another number, and that begin
/// or end in other sections than they.
TEST_F(RepeatedSectionsTest, PeriodsOfRounds) {
  auto source = [&](int64_t rounds, const std::string &statements) {
    return loopOf(mark + shortRounds(fill, 400) + "    s.mul rd=r5, a=r2, b=2\n    s.add rd=r5, a=r5, b=" +
                  std::to_string(rounds) +
                  "\n    loop index=r27, count=r5 {\n      mark op=1, layer=r2 + 1\n" +
                  shortRounds(fill, 140) + statements + "    }\n" + shortRounds(fill, 400));
  };
  const char *const moves = "      s.mul rd=r6, a=r27, b=64\n      dma.load signal=c3, src=hbm[r6 + w], "
                            "dst=spm[4096], bytes=64, n1=1, n2=1, n3=1\n";
  for (const char *statements : {"", moves})
    same(source(20, statements), 40);
  // Fewer from layer to layer, in the end none.
  std::string fewer = source(60, "");
  fewer.replace(fewer.find("b=2\n"), 4, "b=-2\n");
  same(fewer, 40);
  // At first none.
  same(source(-40, ""), 40);
  // How many there are in a layer is told by its costs.
  auto cycles = [&](int64_t rounds, int64_t layers) {
    return llvm::cantFail(predict(source(rounds, ""), layers)).cycles;
  };
  int64_t perRound = cycles(21, 40) - cycles(20, 40);
  EXPECT_EQ(perRound % 40, 0);
  EXPECT_EQ(cycles(10000000, 40) - cycles(20, 40), (10000000 - 20) * perRound);
  expectFast(source(10000000, ""), 400);
}

/// What a round makes of values is not always by as much more.
TEST_F(RepeatedSectionsTest, PeriodsThatEnd) {
  auto expectSame = [&](const std::string &statements) {
    same(loopOf(mark + shortRounds(fill, 400) +
                "    s.li rd=r5, imm=1\n    s.li rd=r6, imm=1\n    s.store a=r5, address=1024\n    s.store a=r5, address=1028\n"
                "    loop index=r27, count=90 {\n      mark op=1, layer=r2 + 1\n" +
                shortRounds(fill, 140) + statements + "    }\n"),
         12);
  };
  // Values that double, two that take turns, one that a bound stops.
  expectSame("    s.load rd=r5, address=1024\n    s.add rd=r5, a=r5, b=r5\n    s.min rd=r5, a=r5, "
             "b=1000000\n    s.store a=r5, address=1024\n    s.div rd=r7, a=r5, b=524288\n"
             "    s.add rd=r7, a=r7, b=1\n" + std::string(rows));
  expectSame("    s.add rd=r7, a=r5, b=0\n    s.add rd=r5, a=r6, b=0\n    s.add rd=r6, a=r7, b=1\n"
             "    s.min rd=r7, a=r7, b=17\n    s.div rd=r7, a=r7, b=17\n    s.add rd=r7, a=r7, b=1\n" +
             std::string(rows));
  expectSame("    s.add rd=r7, a=r5, b=0\n    s.add rd=r5, a=r6, b=0\n    s.add rd=r6, a=r7, b=1\n"
             "    s.min rd=r7, a=r7, b=17\n    s.max rd=r7, a=r7, b=16\n    s.sub rd=r7, a=r7, b=15\n" +
             std::string(rows));
  expectSame("    s.load rd=r7, address=1024\n    s.load rd=r5, address=1028\n    s.add rd=r6, a=r7, b=1\n"
             "    s.store a=r5, address=1024\n    s.store a=r6, address=1028\n"
             "    s.min rd=r7, a=r7, b=17\n    s.max rd=r7, a=r7, b=16\n    s.sub rd=r7, a=r7, b=15\n" +
             std::string(rows));
  expectSame("    s.add rd=r5, a=r5, b=1\n    s.min rd=r7, a=r5, b=70\n    s.sub rd=r7, a=r7, b=40\n"
             "    s.max rd=r7, a=r7, b=1\n    s.min rd=r7, a=r7, b=2\n" + std::string(rows));
  // Something that moves only after what it depends on has, in all layers but the first.
  expectSame("    s.min rd=r9, a=r2, b=1\n    s.add rd=r10, a=r10, b=r11\n    s.add rd=r11, a=r9, b=0\n"
             "    s.add rd=r7, a=r10, b=1\n" + std::string(rows) +
             "    s.li rd=r7, imm=88\n    skip condition=lt, a=r27, b=r7 {\n    s.li rd=r10, imm=0\n"
             "    s.li rd=r11, imm=0\n    }\n");
  // A loop inside, whose rounds are as many or not.
  expectSame("    loop index=r28, count=3 {\n      mark op=1, layer=r2 + 1\n" + std::string(fill) +
             "    }\n");
  expectSame("    s.add rd=r5, a=r5, b=1\n    s.div rd=r7, a=r5, b=60\n    s.add rd=r7, a=r7, b=2\n"
             "    loop index=r28, count=r7 {\n      mark op=1, layer=r2 + 1\n" + std::string(fill) +
             "    }\n");
  // Reads that come to meet writes.
  expectSame("    s.mul rd=r7, a=r27, b=64\n    v.fill dst=spm[r7 + 8192]:64:f32, imm=0.0, rows=1, cols=16\n"
             "    v.unary fn=copy, dst=spm[0]:64:f32, a=spm[12288]:64:f32, rows=1, cols=16\n");
}

/// A section that leaves a loop and enters it again, with as many rounds or others.
TEST_F(RepeatedSectionsTest, LoopsThatAreEnteredAgain) {
  auto source = [&](int64_t rounds) {
    return loopOf("    s.add rd=r10, a=r10, b=1\n    s.li rd=r11, imm=20\n"
                  "    skip condition=lt, a=r10, b=r11 {\n    s.li rd=r10, imm=0\n    }\n"
                  "    skip condition=ne, a=r10, b=r0 {\n    s.li rd=r7, imm=1\n    }\n"
                  "    loop index=r28, count=r7 {\n"
                  "    skip condition=eq, a=r10, b=r0 {\n    s.li rd=r7, imm=" +
                      std::to_string(rounds) + "\n    }\n" + shortRounds(fill, 400) +
                      "    mark op=1, layer=1\n    }\n",
                  "  s.li rd=r7, imm=2");
  };
  for (int64_t rounds : {1, 2, 3})
    same(source(rounds), 90);
}
