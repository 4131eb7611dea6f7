//===- LeftOutRoundsTest.cpp - predictions that leave rounds out -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RepetitionFixture.h"
#include <random>

using namespace serrano;

namespace {

const char *const fills =
    "      v.fill signal=c1, dst=spm[0]:64:f32, imm=0.0, rows=1, cols=16\n"
    "      v.fill dst=spm[64]:64:f32, imm=0.0, rows=1, cols=16\n";

class LeftOutRoundsTest : public RepetitionFixture {};

std::string reason(const std::string &text) {
  return text.substr(text.find("p.srn: "));
}

} // namespace

// One by one, these rounds take hours.
TEST_F(LeftOutRoundsTest, ABillionRoundsTakeNoTime) {
  std::string source = loopOf(work(fills));
  auto cycles = [&](int64_t n) {
    return llvm::cantFail(predict(source, n)).cycles;
  };
  int64_t round = cycles(101) - cycles(100);
  EXPECT_GT(round, 0);
  EXPECT_EQ(cycles(1000000000), cycles(100) + (1000000000 - 100) * round);
}

TEST_F(LeftOutRoundsTest, EveryLayerHasItsCosts) {
  sim::Statistics statistics =
      same(loopOf("    mark op=1, layer=r2 + 1\n" + work(fills)), 57);
  for (int64_t layer = 1; layer <= 57; ++layer)
    EXPECT_EQ(statistics.layers.at(layer).instructions, 200) << layer;
  EXPECT_FALSE(statistics.layers.contains(58));
}

/// Slots of 2,048 bytes take no whole number of cycles on this target.
TEST_F(LeftOutRoundsTest, FractionsOfCyclesDrift) {
  const char *const multiply =
      "      mx.load signal=c2, src=pop0[0]:64:bf16, k=32, n=32\n"
      "      mx.mul signal=c2, dst=acc[0]:128:f32, src=spm[65536]:64:bf16, m=4\n";
  for (int64_t slots : {64, 100, 128})
    same(loopOf("    mark op=1, layer=r2 + 1\n    loop index=r60, count=" +
                    std::to_string(slots) + " {\n" + multiply + "    }\n",
                "  ring.setup ring=0, slots=8, base=0, slot_bytes=2048\n  s.mul "
                "rd=r3, a=r1, b=" +
                    std::to_string(slots) +
                    "\n  ring.fill ring=0, src=hbm[w], bytes=2048, count=r3, "
                    "stride=0, passes=1"),
         90);
}

/// The second order waits behind the first one until a round in the middle.
TEST_F(LeftOutRoundsTest, AnOrderBehindAnother) {
  const char *const multiply =
      "      mx.load signal=c2, src=pop0[0]:64:bf16, k=32, n=32\n"
      "      mx.mul signal=c2, dst=acc[0]:128:f32, src=spm[65536]:64:bf16, m=4\n";
  const std::string order = "\n  ring.fill ring=0, src=hbm[w], bytes=2048, count=r3, "
                           "stride=0, passes=1";
  same(loopOf("    mark op=1, layer=r2 + 1\n    loop index=r60, count=128 {\n" +
                  std::string(multiply) + "    }\n",
              "  ring.setup ring=0, slots=8, base=0, slot_bytes=2048\n"
              "  s.mul rd=r3, a=r1, b=64" +
                  order + order),
       90);
}

/// An order of its own in each round, from another place.
TEST_F(LeftOutRoundsTest, OrdersOfEachRound) {
  same(loopOf("    s.mul rd=r4, a=r2, b=1024\n"
              "    ring.fill ring=0, src=hbm[r4 + w], bytes=1024, count=100, "
              "stride=0, passes=1\n" +
                  work("      v.unary signal=c1, fn=copy, dst=spm[65536]:64:f32, "
                       "a=pop0[0]:64:f32, rows=1, cols=16\n"
                       "      v.fill dst=spm[65600]:64:f32, imm=0.0, rows=1, "
                       "cols=16"),
              "  ring.setup ring=0, slots=7, base=0, slot_bytes=1024"),
       80);
}

/// An order of the first loop, from another place in each round, waits through
/// the second one.
TEST_F(LeftOutRoundsTest, OrdersOfAnotherLoop) {
  const std::string pop =
      "      v.unary signal=c1, fn=copy, dst=spm[65536]:64:f32, "
      "a=pop0[0]:64:f32, rows=1, cols=16\n";
  auto order = [](const std::string &count) {
    return "    ring.fill ring=0, src=hbm[r4 + x], bytes=1024, count=" + count +
           ", stride=0, passes=1\n";
  };
  same(loopOf(work(fills) +
                  "    s.sub rd=r5, a=r1, b=r2\n    s.li rd=r6, imm=1\n"
                  "    skip condition=ne, a=r5, b=r6 {\n"
                  "    loop index=r60, count=350 {\n" + pop + "    }\n    }\n",
              "  ring.setup ring=0, slots=7, base=0, slot_bytes=1024\n"
              "  s.li rd=r4, imm=0\n" + order("350") +
                  "  s.li rd=r7, imm=1048576\n  s.mul rd=r7, a=r7, b=32\n"
                  "  loop index=r3, count=60 {\n    s.mul rd=r4, a=r3, b=r7\n" +
                  order("100") + work(pop +
                                      "      v.fill dst=spm[65600]:64:f32, "
                                      "imm=0.0, rows=1, cols=16\n") +
                  "  }\n"),
       1000);
}

/// Fractions of cycles come round after 64 rounds, and orders wait through
/// several of them.
TEST_F(LeftOutRoundsTest, ABillionRoundsOfOrdersAhead) {
  const std::string order = "    ring.fill ring=0, src=hbm[w], bytes=2048, "
                            "count=100, stride=0, passes=1\n"
                            "    ring.fill ring=0, src=hbm[w], bytes=2048, "
                            "count=0, stride=0, passes=1\n";
  std::string source = loopOf(
      order +
          "    dma.load signal=c3, src=hbm[w], dst=spm[4096], bytes=64, n1=2, "
          "n2=1, n3=1, ss1=64, ds1=64\n" +
          work("      mx.load signal=c2, src=pop0[0]:64:bf16, k=32, n=32\n"
                   "      mx.mul signal=c2, dst=acc[0]:128:f32, "
                   "src=spm[65536]:64:bf16, m=4\n"),
      "  ring.setup ring=0, slots=128, base=1048576, slot_bytes=2048\n" + order +
          order + order);
  // What was ordered ahead is popped at last.
  source.insert(source.find("  halt"),
                "  loop index=r60, count=300 {\n"
                "    v.unary fn=copy, dst=spm[65536]:64:f32, "
                "a=pop0[0]:64:f32, rows=1, cols=16\n  }\n");
  auto cycles = [&](int64_t n) {
    return llvm::cantFail(predict(source, n)).cycles;
  };
  int64_t rounds = cycles(1064) - cycles(1000);
  EXPECT_EQ(cycles(1000 + 15624984 * 64), cycles(1000) + 15624984 * rounds);
  same(source, 300);
}

namespace {

/// Rounds with orders of several rings, transfers and waits, at random.
class RandomRounds {
public:
  explicit RandomRounds(unsigned seed) : random(seed) {}

  std::string program() {
    std::string before = "  mx.load signal=c2, src=spm[65536]:64:bf16, k=32, "
                         "n=32\n",
                ordered, rest;
    std::string round = "    s.mul rd=r5, a=r2, b=64\n" +
                        work(part() + (below(2) ? part() : "")) + movingRead();
    for (unsigned r = 0, n = 1 + below(2); r < n; ++r) {
      std::string ring = number(r), orders;
      int64_t slots = 0;
      for (unsigned i = 0, m = 1 + below(2); i < m; ++i) {
        int64_t count = below(3) ? below(9) : 0;
        slots += count;
        orders += "    ring.fill " + wait() + "ring=" + ring +
                  ", src=hbm[w], bytes=" + number(64 * (1 + below(32))) +
                  ", count=" + number(count) + ", stride=0, passes=1\n";
      }
      before += "  ring.setup ring=" + ring + ", slots=" + number(2 + below(8)) +
                ", base=" + number(2097152 + 32768 * r) +
                ", slot_bytes=2048\n";
      std::string pops =
          slots ? "    loop index=r61, count=" + number(slots) +
                      " {\n      v.unary signal=c1, fn=copy, dst=" + tile(65536) +
                      ", a=pop" + ring +
                      "[0]:64:f32, rows=1, cols=16\n    }\n"
                : "";
      round += pops;
      round += orders;
      for (unsigned i = 0, ahead = 1 + below(4); i < ahead; ++i) {
        ordered += orders;
        rest += pops;
      }
    }
    std::string source = loopOf(round, before + ordered);
    source.insert(source.find("  halt"), rest);
    return source;
  }

private:
  unsigned below(unsigned n) { return random() % n; }
  static std::string number(int64_t n) { return std::to_string(n); }
  static std::string tile(int64_t address) {
    return "spm[" + number(address) + "]:64:f32";
  }
  std::string wait() {
    return below(3) ? "" : "wait0=c1-" + number(below(40)) + ", ";
  }
  /// Of what may be written by then, or not.
  std::string movingRead() {
    return below(2) ? ""
                    : "    v.fill dst=" + tile(64) + ", imm=0.0, rows=" +
                          number(20 + below(24)) +
                          ", cols=16\n    v.unary fn=copy, dst=" + tile(65536) +
                          ", a=spm[r5 + " + number(64 * below(40)) +
                          "]:64:f32, rows=1, cols=16\n";
  }
  std::string part() {
    std::string text = "      v.fill signal=c1, dst=" + tile(64 * below(4)) +
                       ", imm=0.0, rows=" + number(1 + below(4)) +
                       ", cols=16\n";
    switch (below(4)) {
    case 0:
      return text + "      dma.load " + wait() + "signal=c3, src=hbm[w], " +
             "dst=spm[4096], bytes=64, n1=" + number(1 + below(20)) +
             ", n2=1, n3=1, ss1=64, ds1=64\n";
    case 1:
      return text + "      dma.store " + wait() + "signal=c4, src=spm[0], " +
             "dst=hbm[x], bytes=64, n1=" + number(1 + below(20)) +
             ", n2=1, n3=1, ss1=64, ds1=64\n";
    case 2:
      return text + "      mx.mul signal=c2, dst=acc[0]:128:f32, "
                    "src=spm[65536]:64:bf16, m=" +
             number(1 + below(40)) + "\n";
    default:
      return text + text;
    }
  }

  std::mt19937 random;
};

} // namespace

TEST_F(LeftOutRoundsTest, RandomRounds) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    std::string source = RandomRounds(seed).program();
    for (int64_t n : {30, 90}) {
      llvm::Expected<sim::Statistics> whole = predict(source, n, false);
      ASSERT_TRUE(bool(whole)) << llvm::toString(whole.takeError()) << source;
      llvm::Expected<sim::Statistics> left = predict(source, n);
      ASSERT_TRUE(bool(left)) << llvm::toString(left.takeError()) << source;
      ASSERT_EQ(left->toJson(), whole->toJson())
          << "seed " << seed << "\n" << source;
    }
  }
}

TEST_F(LeftOutRoundsTest, DecisionsOfLaterRounds) {
  sim::Statistics plain = same(loopOf(work(fills)), 90);
  const std::string more =
      "      v.fill dst=spm[128]:64:f32, imm=0.0, rows=16, cols=16\n";
  std::set<int64_t> cycles = {plain.cycles};
  for (const char *condition :
       {"s.li rd=r5, imm=71\n skip condition=lt, a=r2, b=r5",
        "s.li rd=r5, imm=33\n skip condition=ge, a=r2, b=r5",
        "s.li rd=r5, imm=88\n skip condition=ne, a=r2, b=r5"}) {
    std::string round =
        work(fills) + "    " + condition + " {\n" + more + "    }\n";
    cycles.insert(same(loopOf(round), 90).cycles);
  }
  // A count that is cut by what is left.
  cycles.insert(same(loopOf(work(fills) +
                            "    s.sub rd=r5, a=r1, b=r2\n"
                            "    s.min rd=r5, a=r5, b=40\n"
                            "    v.fill dst=spm[128]:64:f32, imm=0.0, rows=r5, "
                            "cols=16\n"),
                     90)
                    .cycles);
  EXPECT_EQ(cycles.size(), 5u);
}

TEST_F(LeftOutRoundsTest, CursorsInScalarMemory) {
  // Grows from round to round, and decides at last.
  std::string grows = "    s.load rd=r5, address=1024\n"
                      "    s.add rd=r5, a=r5, b=1\n"
                      "    s.store a=r5, address=1024\n"
                      "    s.li rd=r6, imm=60\n"
                      "    skip condition=lt, a=r5, b=r6 {\n" +
                      work(fills) + "    }\n";
  sim::Statistics statistics =
      same(loopOf(work(fills) + grows, "  s.li rd=r5, imm=0\n"
                                      "  s.store a=r5, address=1024"),
           80);
  EXPECT_EQ(statistics.dispatched, 80 * 200 + 21 * 200 + 1);
  // Grows faster and faster, until it decides.
  statistics = same(
      loopOf(work(fills) + "    s.load rd=r5, address=1024\n"
                          "    s.add rd=r5, a=r5, b=r5\n"
                          "    s.store a=r5, address=1024\n"
                          "    s.li rd=r6, imm=1048576\n"
                          "    skip condition=lt, a=r5, b=r6 {\n" +
                 work(fills) + "    }\n",
             "  s.li rd=r5, imm=1\n  s.store a=r5, address=1024"),
      28);
  EXPECT_EQ(statistics.dispatched, 28 * 200 + 9 * 200 + 1);
  // Is unknown from a round on, and of no use then.
  same(loopOf(work(fills) + "    s.load rd=r5, address=1024\n"
                           "    s.add rd=r5, a=r5, b=1\n"
                           "    s.store a=r5, address=1024\n"
                           "    s.sub rd=r7, a=r2, b=39\n"
                           "    s.max rd=r7, a=r7, b=0\n"
                           "    s.min rd=r7, a=r7, b=1\n"
                           "    dma.load src=hbm[x], dst=smem[1024], bytes=4, "
                           "n1=r7, n2=1, n3=1, ss1=4, ds1=4\n",
              "  s.li rd=r5, imm=1\n  s.store a=r5, address=1024"),
       60);
  // Holds what another was, which begins to grow in some round.
  for (int64_t begin = 1; begin < 10; ++begin)
    same(loopOf(work(fills) + "    s.load rd=r5, address=1024\n    s.li rd=r6, imm=" +
                    std::to_string(begin + 9) +
                    "\n    skip condition=ne, a=r5, b=r6 {\n" + fills +
                    "    }\n    s.max rd=r5, a=r2, b=" + std::to_string(begin) +
                    "\n    s.store a=r5, address=1024\n    s.li rd=r5, imm=0\n",
                "  s.li rd=r5, imm=" + std::to_string(begin) +
                    "\n  s.store a=r5, address=1024"),
         40);
  // Set anew in each round, for an inner loop.
  same(loopOf("    s.store a=r2, address=1024\n" + work(fills) +
              "    s.load rd=r5, address=1024\n    mark op=1, layer=r5 + 1\n" +
              work(fills)),
       80);
}

/// One by one, these rounds take hours too. Limits take no time.
TEST_F(LeftOutRoundsTest, ABillionRoundsOfACursor) {
  std::string source =
      loopOf("    s.load rd=r5, address=1024\n    s.add rd=r5, a=r5, b=2\n"
             "    s.store a=r5, address=1024\n" +
                 work(fills) +
                 "      v.softmax dst=spm[4096]:64:f32, a=spm[0]:64:f32, "
                 "state=spm[8192]:64:f32, scale=1.0, group=1, limit=r5, "
                 "rows=1, cols=16\n",
             "  s.li rd=r5, imm=7\n  s.store a=r5, address=1024");
  auto cycles = [&](int64_t n) {
    return llvm::cantFail(predict(source, n)).cycles;
  };
  int64_t round = cycles(101) - cycles(100);
  EXPECT_EQ(cycles(1000000000), cycles(100) + (1000000000 - 100) * round);
  same(source, 60);
}

/// Blocks that a part of a table names, another in each round.
TEST_F(LeftOutRoundsTest, TablesOfEachRound) {
  auto source = [](const std::string &stride) {
    return loopOf(
        "    s.load rd=r5, address=1024\n    s.add rd=r5, a=r5, b=" + stride +
            "\n    s.store a=r5, address=1024\n"
            "    ring.table ring=0, src=hbm[w], table=r5, count=100, "
            "bytes=1024, tail_bytes=512, stride=1024, bound=16, passes=1\n" +
            work("      v.unary signal=c1, fn=copy, dst=spm[65536]:64:f32, "
                 "a=pop0[0]:64:f32, rows=1, cols=16\n"
                 "      v.fill dst=spm[65600]:64:f32, imm=0.0, rows=1, "
                 "cols=16"),
        "  ring.setup ring=0, slots=7, base=0, slot_bytes=1024\n"
        "  s.li rd=r5, imm=2048\n  s.store a=r5, address=1024");
  };
  same(source("4"), 80);
  // From round 61 on they lie behind the end of scalar memory, or not at
  // multiples of 4.
  for (const char *stride : {"1024", "r2"}) {
    std::string whole =
        llvm::toString(predict(source(stride), 80, false).takeError());
    std::string left = llvm::toString(predict(source(stride), 80).takeError());
    EXPECT_EQ(reason(left), reason(whole));
    EXPECT_THAT(whole, testing::HasSubstr("table"));
  }
}

/// From round 60 on it reads what has just been written, and waits for it.
TEST_F(LeftOutRoundsTest, ReadsThatMoveIntoWrites) {
  auto source = [](int64_t start) {
    return loopOf("    s.mul rd=r5, a=r2, b=64\n" +
                  work("      v.fill dst=spm[65536]:64:f32, imm=0.0, rows=1, "
                       "cols=16\n"
                       "      v.unary fn=copy, dst=spm[131072]:64:f32, a=spm[r5 + " +
                       std::to_string(start) + "]:64:f32, rows=1, cols=16"));
  };
  int64_t apart = same(source(0), 80).cycles;
  EXPECT_GT(same(source(65536 - 60 * 64), 80).cycles, apart);
}

/// The last read that waits for a write is on its way when a period begins.
TEST_F(LeftOutRoundsTest, ReadsThatMoveOutOfWrites) {
  for (int64_t rows : {33, 36, 39, 40, 42})
    same(loopOf("    s.mul rd=r5, a=r2, b=64\n    loop index=r60, count=150 {\n"
                "      v.fill dst=spm[64]:64:f32, imm=0.0, rows=" +
                std::to_string(rows) +
                ", cols=16\n    }\n"
                "    v.unary fn=copy, dst=spm[65536]:64:f32, a=spm[r5 + "
                "1984]:64:f32, rows=1, cols=16\n"),
         90);
}

/// Slots lie in the places of their ring, however many have been left out: a
/// write that many before these is not read.
TEST_F(LeftOutRoundsTest, SlotsStayInTheirRing) {
  for (int64_t places = 2; places < 40; ++places)
    same(loopOf(work(fills) +
                    "    v.fill dst=spm[524288]:64:f32, imm=0.0, rows=1, cols=16\n"
                    "    ring.fill ring=0, src=hbm[w], bytes=64, count=1, stride=0, "
                    "passes=1\n"
                    "    v.unary fn=copy, dst=spm[65536]:64:f32, a=pop0[0]:64:f32, "
                    "rows=1, cols=16\n",
                "    ring.setup ring=0, slots=2, base=" +
                    std::to_string(524288 + 64 * places) + ", slot_bytes=64\n"),
         40);
}

/// Periods that are followed are the last ones of their tiles 20 times, then
/// tiles are long.
TEST_F(LeftOutRoundsTest, ABillionRoundsAfterShortTiles) {
  std::string source = loopOf(
      "    s.sub rd=r4, a=r4, b=1\n    s.li rd=r5, imm=0\n"
      "    skip condition=ne, a=r4, b=r5 {\n      s.li rd=r4, imm=3\n"
      "      s.sub rd=r6, a=r2, b=60\n      s.max rd=r6, a=r6, b=0\n"
      "      s.mul rd=r6, a=r6, b=30000000\n      s.add rd=r4, a=r4, b=r6\n"
      "    }\n" + work(fills),
      "  s.li rd=r4, imm=4\n");
  auto cycles = [&](int64_t n) {
    return llvm::cantFail(predict(source, n)).cycles;
  };
  same(source, 100);
  EXPECT_EQ(cycles(1000000000) - cycles(1000),
            (1000000000 - 1000) * (cycles(1001) - cycles(1000)));
}

TEST_F(LeftOutRoundsTest, FaultsOfLaterRounds) {
  std::string source = loopOf(
      "    s.mul rd=r5, a=r2, b=65536\n" + work(fills) +
      "    v.fill dst=spm[r5]:64:f32, imm=0.0, rows=1, cols=16\n");
  same(source, 60);
  std::string whole = llvm::toString(predict(source, 80, false).takeError());
  std::string left = llvm::toString(predict(source, 80).takeError());
  EXPECT_EQ(reason(left), reason(whole));
  EXPECT_NE(whole.find("leaves the scratchpad"), std::string::npos);
}

/// Words go on from one to the next, and the last one is not known.
TEST_F(LeftOutRoundsTest, WordsThatBecomeUnknown) {
  std::string before = "  s.li rd=r5, imm=7\n", round = work(fills);
  for (int64_t word = 1024; word < 1060; word += 4)
    before += "  s.store a=r5, address=" + std::to_string(word) + "\n";
  for (int64_t word = 1024; word < 1060; word += 4)
    round += "    s.load rd=r5, address=" + std::to_string(word + 4) +
             "\n    s.store a=r5, address=" + std::to_string(word) + "\n";
  std::string source =
      loopOf("    s.load rd=r5, address=1024\n    s.max rd=r6, a=r5, b=0\n"
             "    loop index=r7, count=r6 {\n" +
                 std::string(fills) + "    }\n" + round + "    s.li rd=r5, imm=0\n",
             before);
  same(source, 8);
  std::string whole = llvm::toString(predict(source, 80, false).takeError());
  std::string left = llvm::toString(predict(source, 80).takeError());
  EXPECT_EQ(reason(left), reason(whole));
  EXPECT_THAT(whole, testing::HasSubstr("comes from"));
}

namespace {

/// Of a target with 16 KiB of instruction memory.
class LeftOutPagesTest : public RepetitionFixture {
protected:
  LeftOutPagesTest() : RepetitionFixture("serrano-tiny") {}
};

} // namespace

/// Rounds go another way from one on: its instructions are fetched in that one.
TEST_F(LeftOutPagesTest, PagesOfLaterRounds) {
  auto code = [](int instructions) {
    std::string text;
    for (int i = 0; i < instructions; ++i)
      text += "    s.li rd=r9, imm=1\n";
    return text;
  };
  for (int64_t first = 1; first < 12; ++first)
    same(loopOf("    s.mul rd=r5, a=r2, b=2\n    s.li rd=r6, imm=" +
                    std::to_string(2 * first - 1) +
                    "\n    skip condition=lt, a=r5, b=r6 {\n" + code(1400) +
                    "    }\n" + work(fills) + work(fills),
                code(1600)),
         40);
}
