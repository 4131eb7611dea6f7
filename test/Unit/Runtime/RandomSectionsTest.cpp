//===- RandomSectionsTest.cpp - random programs of sections ----- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomFixture.h"

using namespace serrano;

namespace {

using RandomSectionsTest = RandomFixture;

const char *const fill =
    "      v.fill signal=c1, dst=spm[0]:64:f32, imm=0.0, rows=1, cols=16\n";

/// Layers of random parts, in portions, whose registers are: r1 layers, r2 the
/// layer, r40 the portion.
class RandomLayers : public RandomText {
public:
  using RandomText::RandomText;

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
    switch (below(11)) {
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
    case 8: { // One, and a read of it or beside it that moves as it does or not.
      std::string write = position(64 * below(3)) + fillAt("r7 + 524288", "1");
      for (unsigned i = 0, n = below(12); i < n; ++i)
        write += fillAt("131072", "1");
      std::string read = below(2) ? position(64 * below(3)) : "";
      return text + write + read +
             copy("r7 + " + number(532480 + 64 * below(20)),
                  "r7 + " + number(524288 + 64 * below(8)));
    }
    case 9: // A transfer to where the layer's is, and a read of it in its queue.
      return text + position(64 * below(3)) +
             "    dma.load signal=c3, src=hbm[w], dst=spm[r7 + 540672], bytes=" +
             number(64 * (1 + below(3))) +
             ", n1=1, n2=1, n3=1\n" + (below(2) ? position(64 * below(3)) : "") +
             "    dma.copy signal=c3, src=spm[r7 + " +
             number(540672 + 64 * below(6)) +
             "], dst=spm[1048576], bytes=64, n1=1, n2=1, n3=1\n";
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

  int64_t portions = 1 + below(4), slotsOfLayer = 0;
  bool oneOrder = below(2), mayHaveWeights = false;
};

} // namespace

TEST_F(RandomSectionsTest, RandomPrograms) {
  compareRandom<RandomLayers>(150);
}

namespace {

/// Layers that hand over transfers a few cycles earlier or later, before the
/// sequencer waits for the vector engine: all is as in another layer then, but
/// for how long transfers have waited.
class RandomTransfers : public RandomText {
public:
  using RandomText::RandomText;

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

  int64_t slots = 0;
};

} // namespace

TEST_F(RandomSectionsTest, RandomTransfers) {
  compareRandom<RandomTransfers>(200);
}
