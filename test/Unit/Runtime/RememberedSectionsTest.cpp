//===- RememberedSectionsTest.cpp - predictions that know sections -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RepetitionFixture.h"

using namespace serrano;

namespace {

class RememberedSectionsTest : public RepetitionFixture {
protected:
  void SetUp() override { leastSection = 300; }
};

} // namespace

TEST_F(RememberedSectionsTest, ManyLayersTakeNoTime) {
  std::string source = loopOf(mark + shortRounds(fill, 20000));
  auto cycles = [&](int64_t n) {
    return llvm::cantFail(predict(source, n)).cycles;
  };
  int64_t layer = cycles(11) - cycles(10);
  EXPECT_GT(layer, 0);
  // They are 400 million instructions.
  expectFast(source, 20000);
  EXPECT_EQ(cycles(20000), cycles(10) + 19990 * layer);
}

TEST_F(RememberedSectionsTest, EveryLayerHasItsCosts) {
  sim::Statistics statistics = same(loopOf(mark + shortRounds(fill)), 57);
  for (int64_t layer = 1; layer <= 57; ++layer)
    EXPECT_EQ(statistics.layers.at(layer).instructions, 200) << layer;
  EXPECT_FALSE(statistics.layers.contains(58));
}

/// What is known of one loop's layers holds in the loops around it.
TEST_F(RememberedSectionsTest, LayersOfPortions) {
  same(loopOf("    loop index=r3, count=r1 {\n    mark op=1, layer=r3 + 1\n" +
              shortRounds(fill) +
              "    s.mul rd=r5, a=r2, b=4096\n"
              "    s.mul rd=r6, a=r3, b=64\n    s.add rd=r5, a=r5, b=r6\n"
              "    dma.load wait0=c1, signal=c3, src=hbm[r5 + w], "
              "dst=spm[4096], bytes=64, n1=1, n2=1, n3=1, ss1=64, ds1=64\n    }\n"),
       23);
}

TEST_F(RememberedSectionsTest, DecisionsOfLaterLayers) {
  std::set<int64_t> cycles = {same(loopOf(mark + shortRounds(fill)), 60).cycles};
  for (const char *condition :
       {"lt, a=r2, b=r5", "ge, a=r2, b=r5", "ne, a=r2, b=r5"})
    for (int at : {31, 45})
      cycles.insert(
          same(loopOf(mark + shortRounds(fill) + "    s.li rd=r5, imm=" +
                      std::to_string(at) + "\n    skip condition=" +
                      condition + " {\n" + fill + "    }\n"),
               60)
              .cycles);
  // That something is done in one of 60 layers does not depend on which.
  EXPECT_EQ(cycles.size(), 1 + 4 + 1u);
  // Counts that are a minimum of what is left, or come from a quotient.
  same(loopOf(mark + shortRounds(fill) +
              "    s.sub rd=r5, a=r1, b=r2\n    s.min rd=r5, a=r5, b=20\n"
              "    v.fill dst=spm[128]:64:f32, imm=0.0, rows=r5, cols=16\n"),
       60);
  same(loopOf(mark + shortRounds(fill) + "    s.div rd=r5, a=r2, b=7\n"
              "    v.fill dst=spm[128]:64:f32, imm=0.0, rows=r5, cols=16\n"),
       60);
}

TEST_F(RememberedSectionsTest, CursorsInScalarMemory) {
  sim::Statistics statistics = same(
      loopOf(mark + shortRounds(fill) +
                 "    s.load rd=r5, address=1024\n    s.add rd=r5, a=r5, b=1\n"
                 "    s.store a=r5, address=1024\n    s.li rd=r6, imm=40\n"
                 "    skip condition=lt, a=r5, b=r6 {\n" + fill + "    }\n",
             "  s.li rd=r5, imm=0\n  s.store a=r5, address=1024"),
      60);
  EXPECT_EQ(statistics.dispatched, 60 * 200 + 21 + 1);
  // One that does not fit in a word from a layer on.
  same(loopOf(mark + shortRounds(fill) +
                  "    s.load rd=r5, address=1024\n    s.add rd=r5, a=r5, b=r7\n"
                  "    s.store a=r5, address=1024\n    s.li rd=r6, imm=0\n"
                  "    skip condition=ge, a=r5, b=r6 {\n" + fill + "    }\n",
              "  s.li rd=r5, imm=0\n  s.store a=r5, address=1024\n"
              "  s.li rd=r7, imm=1048576\n  s.mul rd=r7, a=r7, b=200"),
       60);
}

/// Both registers grow as much, but from the 48th layer on one is negative.
TEST_F(RememberedSectionsTest, ValuesThatWrapAround) {
  sim::Statistics statistics =
      same(loopOf(mark + shortRounds(fill) +
                      "    s.add rd=r10, a=r7, b=r2\n    s.add rd=r11, a=r8, "
                      "b=r2\n    skip condition=lt, a=r10, b=r11 {\n" +
                      fill + "    }\n",
                  "  s.li rd=r7, imm=1\n  s.shl rd=r7, a=r7, b=63\n"
                  "  s.sub rd=r8, a=r7, b=47\n  s.sub rd=r7, a=r7, b=57"),
           54);
  // The lesser one is skipped, until the greater one wraps around.
  EXPECT_EQ(statistics.dispatched, 54 * 200 + 7 + 1);
}

/// In a section rounds are left out that add as much as the layer says.
TEST_F(RememberedSectionsTest, StridesOfTheLayer) {
  sim::Statistics statistics = same(
      loopOf(mark + ("    s.li rd=r10, imm=0\n    loop index=r61, count=40 {\n" +
                     shortRounds(fill) + "    s.add rd=r10, a=r10, b=r2\n    }\n") +
             "    s.li rd=r6, imm=1200\n    skip condition=lt, a=r10, b=r6 {\n" +
             fill + "    }\n"),
      60);
  EXPECT_EQ(statistics.dispatched, 60 * 40 * 200 + 30 + 1);
}

/// In one layer it reads what has just been written, and waits for it.
TEST_F(RememberedSectionsTest, ReadsThatMoveIntoWrites) {
  auto source = [](int64_t start) {
    return loopOf(mark + shortRounds(fill) +
                  "    s.mul rd=r5, a=r2, b=64\n"
                  "    v.fill dst=spm[65536]:64:f32, imm=0.0, rows=1, cols=16\n"
                  "    v.unary fn=copy, dst=spm[131072]:64:f32, a=spm[r5 + " +
                  std::to_string(start) + "]:64:f32, rows=1, cols=16\n");
  };
  int64_t apart = same(source(0), 60).cycles;
  EXPECT_GT(same(source(65536 - 47 * 64), 60).cycles, apart);
}

/// A section reads what the section before has just written, which moves.
TEST_F(RememberedSectionsTest, WritesOnTheirWayThatMove) {
  auto source = [](int64_t start) {
    return loopOf(mark + shortRounds(fill, 400) +
                  "    s.mul rd=r5, a=r2, b=64\n"
                  "    v.fill dst=spm[r5 + 262144]:64:f32, imm=0.0, rows=1, "
                  "cols=16\n" +
                  mark + "    v.unary fn=copy, dst=spm[131072]:64:f32, a=spm[" +
                  std::to_string(start + 47 * 64) +
                  "]:64:f32, rows=1, cols=16\n" + shortRounds(fill, 400));
  };
  int64_t apart = same(source(0), 60).cycles;
  EXPECT_GT(same(source(262144), 60).cycles, apart);
}

/// A write moves to where a ring is for a while.
TEST_F(RememberedSectionsTest, RingsThatMove) {
  auto setup = [](int64_t base) {
    return "    ring.setup ring=0, slots=2, base=" + std::to_string(base) +
           ", slot_bytes=64\n";
  };
  auto source = [&](int64_t start) {
    return loopOf(mark + setup(start + 47 * 64) +
                  "    ring.fill ring=0, src=hbm[w], signal=c2, bytes=64, "
                  "count=1, stride=0, passes=1\n"
                  "    sync waiter=vector, wait0=c2\n"
                  "    s.mul rd=r5, a=r2, b=64\n"
                  "    v.fill dst=spm[r5 + 262144]:64:f32, imm=0.0, rows=1, "
                  "cols=16\n"
                  "    v.unary fn=copy, dst=spm[131072]:64:f32, a=pop0[0]:64:f32, "
                  "rows=1, cols=16\n" +
                  setup(1048576) + shortRounds(fill, 400));
  };
  int64_t apart = same(source(524288), 60).cycles;
  EXPECT_GT(same(source(262144), 60).cycles, apart);
}

/// A ring's slots have the places that they would have had, however many were
/// popped in layers, or rounds, that were not gone through, since the ring was
/// set up: some layers of later portions write to one of them.
TEST_F(RememberedSectionsTest, PlacesOfRings) {
  const std::string setup =
      "  ring.setup ring=0, slots=2, base=525376, slot_bytes=64\n";
  auto source = [&](int64_t first, const std::string &before,
                    const std::string &inside) {
    std::string number = std::to_string(first);
    return loopOf(
        before + "    s.sub rd=r5, a=r2, b=" + number +
            "\n    s.max rd=r5, a=r5, b=0\n    s.li rd=r6, imm=" + number +
            "\n    s.sub rd=r6, a=r6, b=1\n    loop index=r3, count=5 {\n" +
            mark + "    skip condition=ne, a=r2, b=r6 {\n" + fill + "    }\n" +
            "    s.sub rd=r8, a=r3, b=2\n    s.max rd=r8, a=r8, b=0\n"
            "    s.mul rd=r8, a=r5, b=r8\n    loop index=r27, count=23 {\n" +
            inside + "    s.mul rd=r7, a=r8, b=r27\n    s.mul rd=r7, a=r7, b=64\n"
            "    v.fill dst=spm[r7 + 524288]:64:f32, imm=0.0, rows=1, cols=16\n"
            "    ring.fill ring=0, src=hbm[w], bytes=64, count=1, stride=0, "
            "passes=1\n"
            "    v.unary fn=copy, dst=spm[65536]:64:f32, a=pop0[0]:64:f32, rows=1, "
            "cols=16\n    }\n" +
            shortRounds(fill, 300) + "    }\n",
        setup);
  };
  for (const std::string &before : {std::string(), setup})
    for (const std::string &inside : {std::string(), shortRounds(fill, 130)})
      for (int64_t first : {5, 6})
        same(source(first, before, inside), 9);
}

/// Reads that move by the layer in each of some rounds, most of which are left
/// out, come to what is written.
TEST_F(RememberedSectionsTest, RoundsWithSlopesOfTheLayer) {
  for (const char *factors : {"a=r27, b=r2", "a=r2, b=r27"}) {
    auto source = [&](int64_t start) {
      return loopOf(mark + shortRounds(fill) + "    loop index=r27, count=40 {\n" +
                    shortRounds(fill) + "    s.mul rd=r7, " + factors +
                    "\n    s.mul rd=r7, a=r7, b=64\n"
                    "    v.fill dst=spm[65536]:64:f32, imm=0.0, rows=1, cols=16\n"
                    "    v.unary fn=copy, dst=spm[131072]:64:f32, a=spm[r7 + " +
                    std::to_string(start) +
                    "]:64:f32, rows=1, cols=16\n    s.li rd=r7, imm=0\n    }\n");
    };
    int64_t apart = same(source(262144), 12).cycles;
    for (int64_t rows : {143, 170, 198, 209})
      EXPECT_GT(same(source(65536 - rows * 64), 12).cycles, apart);
  }
}

/// One order of slots for all layers, and one for each.
TEST_F(RememberedSectionsTest, Rings) {
  const std::string setup =
      "  ring.setup ring=0, slots=8, base=0, slot_bytes=2048\n";
  const std::string multiply =
      "      mx.load signal=c2, src=pop0[0]:64:bf16, k=32, n=32\n"
      "      mx.mul signal=c2, dst=acc[0]:128:f32, src=spm[65536]:64:bf16, "
      "m=16\n";
  for (int64_t slots : {150, 211}) {
    same(loopOf(mark + shortRounds(multiply, slots),
                setup + "  s.mul rd=r3, a=r1, b=" + std::to_string(slots) +
                    "\n  ring.fill ring=0, src=hbm[w], bytes=2048, count=r3, "
                    "stride=0, passes=1"),
         40);
    same(loopOf(mark +
                    ("    s.mul rd=r3, a=r2, b=2048\n"
                     "    ring.fill ring=0, src=hbm[r3 + w], bytes=2048, count=" +
                     std::to_string(slots)) +
                    ", stride=0, passes=1\n" + shortRounds(multiply, slots),
                setup),
         40);
  }
}

/// An order of more slots than the ring has is dispatched while what uses those of
/// the order before it waits.
TEST_F(RememberedSectionsTest, OrdersThatAreAhead) {
  leastSection = 40;
  const std::string layer =
      "    ring.fill ring=0, src=hbm[w], signal=c4, bytes=2048, count=13, "
      "stride=0, passes=1\n    mark op=1, layer=r3 + 1\n" +
      shortRounds(fill, 128) + "    mark op=1\n" + shortRounds(fill, 84) +
      shortRounds("      mx.load wait0=c1-4, signal=c2, "
                  "src=pop0[0]:64:bf16, k=32, n=32\n",
                  13);
  for (int64_t n = 2; n < 8; ++n)
    same(loopOf("    loop index=r3, count=2 {\n" + layer + "    }\n",
                "  ring.setup ring=0, slots=6, base=131072, slot_bytes=2048\n"),
         n);
}

/// Slots are ordered before a section and used behind it, other numbers of them
/// in each of a thousand layers, all of which fit in the ring or not.
TEST_F(RememberedSectionsTest, RingsThatDoNothing) {
  auto source = [](int64_t rounds) {
    std::string setup, orders, uses;
    for (int64_t ring : {1, 2, 3}) {
      std::string number = std::to_string(ring), count = "r2" + number;
      setup += "  ring.setup ring=" + number + ", slots=8, base=" +
               std::to_string(524288 + 65536 * ring) + ", slot_bytes=1024\n";
      orders += "    s.mod rd=" + count + ", a=r2, b=" +
                std::to_string(15 - 2 * ring * (ring + 1) / 3) +
                "\n    s.add rd=" + count + ", a=" + count +
                ", b=1\n    ring.fill ring=" + number +
                ", src=hbm[r3 + w], bytes=1024, count=" + count +
                ", stride=0, passes=1\n";
      uses += "    loop index=r61, count=" + count +
              " {\n      v.unary fn=copy, dst=spm[65536]:64:f32, a=pop" +
              number + "[0]:64:f32, rows=1, cols=16\n    }\n";
    }
    return loopOf("    s.mul rd=r3, a=r2, b=64\n" + orders +
                      shortRounds(fill, 1000) + mark +
                      shortRounds(fill, rounds) + mark + uses,
                  setup);
  };
  same(source(200), 25);
  expectFast(source(60000), 900);
}

/// Behind what fills the ring an order waits for a counter, not for a slot.
TEST_F(RememberedSectionsTest, OrdersThatWaitForACounter) {
  auto order = [](const std::string &count, const std::string &wait) {
    return "    ring.fill " + wait + "ring=1, src=hbm[w], bytes=1024, count=" +
           count + ", stride=0, passes=1\n";
  };
  same(loopOf(order("12", "") + shortRounds(fill, 400) +
                  order("1", "wait0=c1, ") + mark + shortRounds(fill) + mark +
                  shortRounds("      v.unary fn=copy, dst=spm[65536]:64:f32, "
                              "a=pop1[0]:64:f32, rows=1, cols=16\n",
                              13),
              "  ring.setup ring=1, slots=8, base=786432, slot_bytes=1024\n"),
       25);
}

/// The row of the 50th layer lies behind the end of the scratchpad, or of hbm.
TEST_F(RememberedSectionsTest, FaultsOfLaterLayers) {
  auto reason = [](const std::string &text) {
    return text.substr(text.find("p.srn: "));
  };
  for (const char *access :
       {"v.unary fn=copy, dst=spm[0]:64:f32, a=spm[r5]:64:f32, rows=1, "
        "cols=16\n",
        "dma.load signal=c3, src=hbm[r6], dst=spm[4096], bytes=64, n1=1, n2=1, "
        "n3=1, ss1=64, ds1=64\n",
        // After the 50th layer it is not known any more how many rows.
        "s.load rd=r5, address=1032\n"
        "v.fill dst=spm[131072]:64:f32, imm=0.0, rows=r5, cols=16\n"
        "s.sub rd=r5, a=r2, b=48\n s.max rd=r5, a=r5, b=0\n"
        "s.min rd=r5, a=r5, b=1\n s.mul rd=r5, a=r5, b=4\n"
        "s.li rd=r6, imm=1036\n s.sub rd=r6, a=r6, b=r5\n"
        "dma.load signal=c3, src=hbm[x], dst=smem[r6], bytes=4, n1=1, n2=1, "
        "n3=1, ss1=4, ds1=4\n loop index=r60, count=99 {\n"
        "v.fill dst=spm[0]:64:f32, imm=0.0, rows=1, cols=16\n}\n"}) {
    std::string source =
        loopOf(mark + shortRounds(fill) +
               "    s.mul rd=r5, a=r2, b=64\n    s.add rd=r5, a=r5, b=r7\n"
               "    s.mul rd=r6, a=r2, b=r8\n    " + access,
               "  s.li rd=r7, imm=1047776\n  s.mul rd=r7, a=r7, b=4\n"
               "  s.li rd=r8, imm=1000000\n  s.mul rd=r8, a=r8, b=100\n"
               "  s.store address=1032");
    same(source, 40);
    std::string whole = llvm::toString(predict(source, 80, false).takeError());
    std::string left = llvm::toString(predict(source, 80).takeError());
    EXPECT_EQ(reason(left), reason(whole));
    EXPECT_THAT(whole, testing::AnyOf(testing::HasSubstr("leaves"),
                                      testing::HasSubstr("comes from")));
  }
}
