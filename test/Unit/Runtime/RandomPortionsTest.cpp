//===- RandomPortionsTest.cpp - random programs in portions ----- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomFixture.h"

using namespace serrano;

namespace {

using RandomPortionsTest = RandomFixture;

class RandomPagesTest : public RandomFixture {
protected:
  RandomPagesTest() : RandomFixture("serrano-tiny") {}
};

/// Layers in portions, of loops that are long enough for `Rounds`, in which all
/// moves by the portion (r40), the layer (r2) and the round (r27): writes and
/// reads of two queues, rings beside them, tables, sizes, branches and how many
/// rounds there are. Another ring goes on through all of them.
class RandomPortions : public RandomText {
public:
  using RandomText::RandomText;

  std::string program() {
    std::string layer = "    mark op=1, layer=" + markedLayer + "\n" + shortRounds(fill(), 40);
    for (unsigned i = 0, n = 1 + below(3); i < n; ++i)
      layer += below(3) ? loop() : shortRounds(statements(), 40 + below(60));
    layer += statements() + shortRounds(fill(), below(2) ? 40 : 1);
    std::string ordered = below(2) ? orderAndWait() : "";
    return ".hbm x, 4294967296\n.hbm w, 67108864\n.op 1, \"a\"\n.op 2, \"b\"\n"
           ".entry main\n.dim n, max=1000, smem=64\n.input x, i32, [n], hbm=x\n"
           "func main {\n  s.load rd=r1, address=64\n"
           "  s.store address=1024\n"
           "  ring.setup ring=1, slots=4, base=393216, slot_bytes=64\n"
           "  ring.fill ring=1, src=hbm[w], bytes=64, count=" +
           number(slots) + ", stride=0, "
           "passes=1\n" +
           setup(ringBase) + "  loop index=r40, count=" + number(2 + below(4)) +
           " {\n    mark op=2\n    loop index=r2, count=r1 {\n" + layer +
           "    }\n" + ordered + "  }\n  s.li rd=r51, imm=" + number(slots) +
           "\n  s.sub rd=r51, a=r51, b=r50\n  loop index=r52, count=r51 {\n" +
           pop(1) + "  }\n  halt\n}\n";
  }

private:
  static constexpr int64_t base = 524288;
  static constexpr int64_t slots = 20000; ///< of the ring that goes on
  int64_t ringBase = base + 64 * below(60) + 64;
  std::string markedLayer = below(2) ? "r2 + 1" : "1";

  static std::string fill(const std::string &rows = "1") {
    return "      v.fill signal=c1, dst=spm[65536]:64:f32, imm=0.0, rows=" + rows +
           ", cols=16\n";
  }
  static std::string setup(int64_t ringBase) {
    return "    ring.setup ring=0, slots=2, base=" + number(ringBase) +
           ", slot_bytes=64\n";
  }
  /// Some of them, or a product of two, in r7.
  std::string value(int64_t factor) {
    static const char *const names[] = {"r2", "r27", "r40", "r41"};
    auto any = [&] { return std::string(names[below(4)]); };
    std::string text = "      s.mul rd=r7, a=" + any() + ", b=" +
                       (below(3) ? number(below(3)) : any()) + "\n";
    if (below(2))
      text += "      s.mul rd=r8, a=" + any() + ", b=" + number(below(4)) +
              "\n      s." + (below(3) ? "add" : "sub") + " rd=r7, a=r7, b=r8\n";
    if (text.find("sub") != std::string::npos)
      text += "      s.max rd=r7, a=r7, b=0\n";
    if (text.find("r41") != std::string::npos || below(4) == 0)
      text += "      s.min rd=r7, a=r7, b=40\n";
    return text + "      s.mul rd=r7, a=r7, b=" + number(factor) + "\n";
  }
  static std::string place(int64_t offset = 0) {
    return "spm[r7 + " + number(base + offset) + "]";
  }
  std::string fixedPlace() { return "spm[" + number(base + 64 * below(40)) + "]"; }
  std::string anyPlace() {
    return below(3) ? place(64 * below(4)) : fixedPlace();
  }
  std::string orderAndWait() {
    return "    ring.fill ring=0, src=hbm[w], signal=c4, bytes=64, count=2, "
           "stride=0, passes=1\n    sync waiter=vector, wait0=c4\n" +
           pop() + pop();
  }
  static std::string pop(unsigned ring = 0) {
    return "      v.unary fn=copy, dst=spm[65536]:64:f32, a=pop" + number(ring) +
           "[0]:64:f32, rows=1, cols=16\n";
  }

  std::string statements() {
    std::string text;
    for (unsigned i = 0, n = 1 + below(3); i < n; ++i)
      text += statement();
    return text;
  }
  std::string statement() {
    switch (below(13)) {
    case 0: // A write, and a read that may meet it.
      return value(64) + "      v.fill dst=" + place() +
             ":64:f32, imm=0.0, rows=1, cols=16\n" + (below(2) ? value(64) : "") +
             "      v.unary fn=copy, dst=spm[65536]:64:f32, a=" + anyPlace() +
             ":64:f32, rows=1, cols=16\n";
    case 1: // A copy from one that moves to another.
      return value(64) + "      v.unary fn=copy, dst=" + anyPlace() +
             ":64:f32, a=spm[" + number(base + 8192 + 64 * below(40)) +
             "]:64:f32, rows=1, cols=16\n" + value(64) +
             "      v.unary fn=copy, dst=spm[65536]:64:f32, a=" + anyPlace() +
             ":64:f32, rows=1, cols=16\n";
    case 2: // The same of transfers.
      return value(64) + "      dma.load signal=c3, src=hbm[w], dst=" + place() +
             ", bytes=64, n1=1, n2=1, n3=1\n" + (below(2) ? value(64) : "") +
             "      dma.copy signal=c3, src=" + anyPlace() +
             ", dst=spm[1048576], bytes=64, n1=1, n2=1, n3=1\n";
    case 3: // A size that values bound.
      return value(1) + "      s.min rd=r7, a=r7, b=" + number(below(6)) +
             "\n      s.max rd=r7, a=r7, b=1\n" + fill("r7");
    case 4: // A branch.
      return value(1) + "      s.li rd=r8, imm=" + number(below(30)) +
             "\n      skip condition=" + condition() + ", a=r7, b=r8 {\n" +
             fill("7") + "      }\n";
    case 5: // A comparison.
      return value(1) + "      s.lt rd=r7, a=r7, b=" + number(below(30)) +
             "\n      s.add rd=r7, a=r7, b=1\n" + fill("r7");
    case 6: // What a round or a layer leaves for the next.
      return "      s.load rd=r41, address=1024\n" + value(1) +
             "      s.store a=r7, address=1024\n";
    case 7: // A ring beside what is written, which may be somewhere else.
      return (below(2) ? setup(ringBase + 64 * (below(2) ? below(4) : 0)) : "") +
             value(64) + "      v.fill dst=" + place() +
             ":64:f32, imm=0.0, rows=1, cols=16\n"
             "      ring.fill ring=0, src=hbm[w], bytes=64, count=1, stride=0, "
             "passes=1\n" +
             pop();
    case 8: // A quotient that decides, or by which something moves.
      return value(1 + below(5)) + "      s.div rd=r7, a=r7, b=" +
             number(2 + below(4)) + "\n" +
             (below(2) ? "      s.min rd=r7, a=r7, b=4\n" + fill("r7")
                       : "      s.mul rd=r7, a=r7, b=64\n      v.fill dst=" + place() +
                             ":64:f32, imm=0.0, rows=1, cols=16\n");
    case 9: // A word that nobody knows, or one that is known.
      return value(4) + "      s.load rd=r9, address=r7 + " +
             number(1280 + 4 * below(100)) +
             "\n      dma.load signal=c3, src=hbm[r9 + w], dst=spm[1048640], "
             "bytes=64, n1=1, n2=1, n3=1\n" +
             (below(4) ? "" : "      s.store a=r2, address=1536\n");
    case 10: // Rows by a table.
      return value(4) + "      dma.gather signal=c3, src=hbm[w], "
             "dst=spm[1048704], table=r7 + 1280, n=2, bytes=64, stride=64, "
             "bound=1000000, local_stride=64\n";
    case 11: // A ring that has rested.
      return pop(1) + "      s.add rd=r50, a=r50, b=1\n";
    default: // What 32 bits may not hold.
      return value(1) + "      s.shl rd=r8, a=r7, b=" + number(24 + below(8)) +
             "\n      s.store a=r8, address=1032\n";
    }
  }
  /// Rounds that may be left out.
  std::string loop() {
    std::string count = number(6 + below(30)), text;
    if (below(3) == 0) {
      text = value(1) + "    s.min rd=r7, a=r7, b=30\n    s.add rd=r10, a=r7, b=5\n";
      count = "r10";
    }
    text += "    loop index=r27, count=" + count + " {\n" +
            (below(3) ? "      mark op=2, layer=" + markedLayer + "\n" : "") +
            shortRounds(fill(), 130) + statements();
    // Another one inside, that may be entered or not.
    if (below(2))
      text += value(1) + "      s.min rd=r7, a=r7, b=" + number(1 + below(4)) +
              "\n      loop index=r29, count=r7 {\n" + statement() +
              shortRounds(fill(), below(2) ? 40 : 200) +
              (below(2) ? "      mark op=1, layer=" + markedLayer + "\n" : "") + "      }\n";
    return text + "    }\n    s.li rd=r27, imm=0\n";
  }
};

/// Layers of parts that fill the instruction memory of 16 KiB, of which each goes
/// through some.
class RandomPages : public RandomText {
public:
  using RandomText::RandomText;

  std::string program() {
    std::string layer = "    mark op=1, layer=r2 + 1\n";
    for (unsigned i = 0, n = 3 + below(4); i < n; ++i)
      layer += part();
    return ".hbm x, 4294967296\n.op 1, \"a\"\n.op 2, \"b\"\n"
           ".entry main\n.dim n, max=1000, smem=64\n.input x, i32, [n], hbm=x\n"
           "func main {\n  s.load rd=r1, address=64\n"
           "  loop index=r40, count=" + number(2 + below(4)) +
           " {\n    mark op=2\n" + (below(2) ? part() : "") +
           "    loop index=r2, count=r1 {\n" + layer + "    }\n  }\n  halt\n}\n";
  }

private:
  std::string part() {
    std::string text = "    mark op=" + number(1 + below(2)) + "\n";
    text += shortRounds("      v.fill signal=c1, dst=spm[0]:64:f32, imm=0.0, "
                        "rows=1, cols=16\n",
                        below(2) ? 60 : 4);
    for (unsigned i = 0, n = 100 + below(900); i < n; ++i)
      text += "    s.li rd=r9, imm=1\n";
    if (below(3) == 0)
      return text;
    static const char *const names[] = {"r2", "r40"};
    return std::string("    s.mod rd=r5, a=") + names[below(2)] + ", b=" +
           number(2 + below(3)) + "\n    s.li rd=r6, imm=" + number(below(3)) +
           "\n    skip condition=" + condition() + ", a=r5, b=r6 {\n" + text +
           "    }\n";
  }
};

} // namespace

TEST_F(RandomPortionsTest, RandomPrograms) {
  compareRandom<RandomPortions>(150, 8);
}

TEST_F(RandomPagesTest, RandomPrograms) {
  compareRandom<RandomPages>(60, 8);
}
