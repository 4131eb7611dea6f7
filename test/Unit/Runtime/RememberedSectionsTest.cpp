//===- RememberedSectionsTest.cpp - predictions that know sections -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RepetitionFixture.h"
#include <chrono>
#include <random>

using namespace serrano;

namespace {

class RememberedSectionsTest : public RepetitionFixture {
protected:
  void SetUp() override { leastSection = 300; }

  void expectFast(const std::string &source, int64_t n) {
    auto begin = std::chrono::steady_clock::now();
    llvm::cantFail(predict(source, n));
    double seconds = std::chrono::duration<double>(
                         std::chrono::steady_clock::now() - begin)
                         .count();
    // One by one, they take minutes.
    EXPECT_LT(seconds, 10);
  }

  /// Programs of `Random`, whose costs are to be those of going through all of them.
  template <typename Random>
  void compareRandom(unsigned seeds) {
    for (unsigned seed = 0; seed < seeds; ++seed) {
      std::string source = Random(seed).program();
      leastSection = 40 << seed % 5;
      llvm::Expected<sim::Statistics> whole = predict(source, 25, false);
      ASSERT_TRUE(bool(whole)) << llvm::toString(whole.takeError()) << source;
      llvm::Expected<sim::Statistics> left = predict(source, 25);
      ASSERT_TRUE(bool(left)) << llvm::toString(left.takeError()) << source;
      ASSERT_EQ(left->toJson(), whole->toJson()) << "seed " << seed << "\n" << source;
    }
  }
};

const char *const fill =
    "      v.fill signal=c1, dst=spm[0]:64:f32, imm=0.0, rows=1, cols=16\n";
const char *const mark = "    mark op=1, layer=r2 + 1\n";

/// A loop of `count` rounds that `Rounds` does not look at, as they are short.
std::string shortRounds(const std::string &instructions,
                        const std::string &count) {
  return "    loop index=r60, count=" + count + " {\n" + instructions +
         "\n    }\n";
}
std::string shortRounds(const std::string &instructions, int64_t count = 200) {
  return shortRounds(instructions, std::to_string(count));
}

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

//===----------------------------------------------------------------------===//
// Random programs
//===----------------------------------------------------------------------===//

namespace {

/// Layers of random parts, in portions, whose registers are: r1 layers, r2 the
/// layer, r40 the portion.
class RandomLayers {
public:
  explicit RandomLayers(unsigned seed) : random(seed) {}

  std::string program() {
    std::string body, outer = part();
    mayHaveWeights = true;
    std::string inner = part();
    for (unsigned i = 0, n = 2 + below(4); i < n; ++i)
      body += "    mark op=" + number(1 + below(3)) +
              (below(6) ? ", layer=r2 + 1\n" : "\n") + part();
    std::string slots = number(slotsOfLayer);
    std::string order =
        oneOrder ? "  s.mul rd=r3, a=r1, b=" + number(slotsOfLayer * portions) +
                       "\n  ring.fill ring=0, src=hbm[w], bytes=2048, count=r3, "
                       "stride=0, passes=1\n"
                 : "";
    std::string eachOrder =
        oneOrder ? ""
                 : "    s.mul rd=r3, a=r2, b=2048\n    ring.fill ring=0, "
                   "src=hbm[r3 + w], signal=c4, bytes=2048, count=" +
                       slots + ", stride=0, passes=1\n";
    if (slotsOfLayer == 0)
      order = eachOrder = "";
    // Blocks of the first layer, and in each layer of the next one, as many as
    // the portion says.
    std::string setup, first, next;
    if (below(2)) {
      std::string wait =
          below(3) ? "" : "wait0=c1-" + number(below(12)) + ", ";
      auto blocks = [&](const std::string &source) {
        return "    ring.table " + wait + "ring=1, src=hbm[" + source +
               "], table=2048, count=r20, bytes=1024, tail_bytes=512, "
               "stride=1024, bound=16, passes=1\n";
      };
      setup = "  ring.setup ring=1, slots=" + number(2 + below(12)) +
              ", base=786432, slot_bytes=1024\n";
      first = "    s.mul rd=r20, a=r40, b=" + number(below(6)) +
              "\n    s.add rd=r20, a=r20, b=" + number(1 + below(8)) + "\n" +
              blocks("w");
      next = shortRounds("      v.unary signal=c1, fn=copy, dst=" +
                             tile("131072") + ", a=pop1[0]:64:f32, rows=1, "
                                              "cols=16\n",
                         "r20") +
             "    s.mul rd=r23, a=r2, b=4096\n    s.sub rd=r21, a=r1, b=r2\n"
             "    s.li rd=r22, imm=1\n    skip condition=eq, a=r21, b=r22 {\n" +
             blocks("r23 + w") + "    }\n";
    }
    return ".hbm x, 4294967296\n.hbm w, 67108864\n.op 1, \"a\"\n.op 2, \"b\"\n"
           ".op 3, \"c\"\n.entry main\n.dim n, max=1000, smem=64\n"
           ".input x, i32, [n], hbm=x\nfunc main {\n"
           "  s.load rd=r1, address=64\n  s.li rd=r5, imm=" +
           number(below(50)) +
           "\n  s.store a=r5, address=1024\n"
           "  s.store a=r5, address=1028\n"
           "  ring.setup ring=0, slots=" +
           number(3 + below(12)) + ", base=0, slot_bytes=2048\n" + order +
           setup +
           "  loop index=r40, count=" + number(portions) +
           " {\n    mark op=1\n" + first + outer +
           "    loop index=r2, count=r1 {\n    mark op=1, layer=r2 + 1\n" +
           eachOrder + inner + next + body + "    }\n  }\n  halt\n}\n";
  }

private:
  unsigned below(unsigned n) { return random() % n; }
  static std::string number(int64_t n) { return std::to_string(n); }
  static std::string tile(const std::string &address) {
    return "spm[" + address + "]:64:f32";
  }
  static std::string fillAt(const std::string &address, const std::string &rows,
                            const std::string &more = "") {
    return "    v.fill " + more + "dst=" + tile(address) +
           ", imm=0.0, rows=" + rows + ", cols=16\n";
  }
  static std::string copy(const std::string &to, const std::string &from) {
    return "    v.unary fn=copy, dst=" + tile(to) + ", a=" + tile(from) +
           ", rows=1, cols=16\n";
  }
  std::string condition() {
    static const char *const names[] = {"lt", "ge", "ne", "eq"};
    return names[below(4)];
  }
  /// Of the layer, the portion, or both, in r7.
  std::string position(int64_t factor) {
    std::string text = "    s.mul rd=r7, a=r2, b=" + number(factor) + "\n";
    if (below(2))
      text += "    s.mul rd=r8, a=r40, b=" + number(factor * below(5)) +
              "\n    s.add rd=r7, a=r7, b=r8\n";
    return text;
  }

  std::string part() {
    std::string inside;
    for (unsigned i = 0, n = 1 + below(3); i < n; ++i)
      inside += below(3) ? fillAt(number(65536 + 64 * below(8)), "1", "signal=c1, ")
                         : copy(number(65536 + 64 * below(8)),
                                number(65536 + 64 * below(8)));
    std::string text = shortRounds(inside, 20 + below(150));
    switch (below(9)) {
    case 0: // A vector of the layer.
      return text + position(64) +
             copy(number(131072), "r7 + " + number(65536 - 64 * below(40)));
    case 1: // A transfer from where the layer's is.
      return text + position(4096) +
             "    dma.load wait0=c1, signal=c3, src=hbm[r7 + w], dst=spm[" +
             number(262144) + "], bytes=64, n1=" + number(1 + below(9)) +
             ", n2=1, n3=1, ss1=64, ds1=64\n" +
             (below(2) ? "    sync waiter=vector, wait0=c3-" + number(below(3)) +
                             "\n"
                       : "");
    case 2: // A cursor that moves, and decides at last.
      return text + "    s.load rd=r5, address=1024\n    s.add rd=r5, a=r5, b=" +
             number(below(4)) +
             "\n    s.store a=r5, address=1024\n    s.li rd=r6, imm=" +
             number(below(120)) + "\n    skip condition=" + condition() +
             ", a=r5, b=r6 {\n" + fillAt("65536", "3") + "    }\n";
    case 3: // Something that not all layers do.
      return text + "    s.li rd=r5, imm=" + number(below(30)) +
             "\n    skip condition=" + condition() + ", a=r2, b=r5 {\n" +
             fillAt("65600", "5") + "    }\n";
    case 4: // A size of the portion.
      return text + "    s.mul rd=r5, a=r40, b=" + number(below(3)) +
             "\n    s.min rd=r5, a=r5, b=" + number(below(9)) +
             "\n    s.add rd=r5, a=r5, b=1\n" + fillAt("131072", "r5");
    case 5: // The remainder of a layer.
      return text + "    s.mod rd=r5, a=r2, b=" + number(1 + below(5)) + "\n" +
             fillAt("131072", "r5");
    case 6: // What the layer before left.
      return text + "    s.load rd=r5, address=1028\n    s.store a=r2, "
                    "address=1028\n    s.sub rd=r5, a=r2, b=r5\n"
                    "    s.max rd=r5, a=r5, b=0\n    s.min rd=r5, a=r5, b=3\n" +
             fillAt("131072", "r5");
    case 7: // A write that moves.
      return text + position(64) + fillAt("r7 + 524288", "1") +
             copy("131072", number(524288 + 64 * below(30)));
    default: // Weights, of which a layer has one row at most.
      if (!std::exchange(mayHaveWeights, false))
        return text;
      slotsOfLayer = 10 + below(60);
      return text +
             shortRounds("      mx.load wait0=c1-" + number(below(8)) +
                             ", signal=c2, src=pop0[0]:64:bf16, k=32, n=32\n"
                             "      mx.mul signal=c2, dst=acc[0]:128:f32, "
                             "src=spm[65536]:64:bf16, m=" +
                             number(1 + below(40)) + "\n",
                         slotsOfLayer) +
             (oneOrder ? "" : "    sync waiter=vector, wait0=c4\n");
    }
  }

  std::mt19937 random;
  int64_t portions = 1 + below(4), slotsOfLayer = 0;
  bool oneOrder = below(2), mayHaveWeights = false;
};

} // namespace

TEST_F(RememberedSectionsTest, RandomPrograms) {
  compareRandom<RandomLayers>(150);
}

namespace {

/// Layers that hand over transfers a few cycles earlier or later, before the
/// sequencer waits for the vector engine: all is as in another layer then, but
/// for how long transfers have waited.
class RandomTransfers {
public:
  explicit RandomTransfers(unsigned seed) : random(seed) {}

  std::string program() {
    std::string round = mark + shortRounds(fill);
    for (unsigned i = 0, n = 1 + below(4); i < n; ++i) {
      if (below(2))
        round += vector(1 + below(400));
      round += "    s.mod rd=r5, a=r2, b=" + number(1 + below(4)) +
               "\n    s.mul rd=r5, a=r5, b=" + number(below(30)) +
               "\n    loop index=r60, count=r5 {\n      s.add rd=r6, a=r6, "
               "b=1\n    }\n" +
               transfer();
    }
    for (unsigned i = 0, n = below(40); i < n; ++i)
      round += vector(1);
    round += mark + shortRounds(fill);
    if (slots)
      round += shortRounds("      v.unary fn=copy, dst=spm[131072]:64:f32, "
                           "a=pop0[0]:64:f32, rows=1, cols=16\n",
                           slots);
    return loopOf(round, "  ring.setup ring=0, slots=" + number(2 + below(9)) +
                             ", base=1048576, slot_bytes=2048\n" + vector(1));
  }

private:
  unsigned below(unsigned n) { return random() % n; }
  static std::string number(int64_t n) { return std::to_string(n); }
  static std::string vector(int64_t rows) {
    return "    v.fill signal=c1, dst=spm[65536]:64:f32, imm=0.0, rows=" +
           number(rows) + ", cols=16\n";
  }
  std::string wait() {
    return below(3) ? "wait0=c1-" + number(below(3)) + ", " : "";
  }
  std::string transfer() {
    std::string rows = ", bytes=64, n1=" + number(1 + below(300)) +
                       ", n2=1, n3=1, ss1=64, ds1=64\n";
    switch (below(4)) {
    case 0:
      return "    dma.load " + wait() + "signal=c3, src=hbm[w], dst=spm[262144]" +
             rows;
    case 1:
      return "    dma.store " + wait() +
             "signal=c4, src=spm[262144], dst=hbm[x]" + rows;
    case 2:
      return "    sync waiter=dma_in, wait0=c1-" + number(below(3)) + "\n";
    default:
      int64_t count = below(2) ? below(12) : 0;
      slots += count;
      return "    ring.fill " + wait() + "ring=0, src=hbm[w], bytes=2048, count=" +
             number(count) + ", stride=0, passes=1\n";
    }
  }

  std::mt19937 random;
  int64_t slots = 0;
};

} // namespace

TEST_F(RememberedSectionsTest, RandomTransfers) {
  compareRandom<RandomTransfers>(200);
}
