//===- ThreadsTest.cpp - any number of threads gives the same -------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A run's outcome, which is what it leaves in memory and its statistics, or the
// fault it stops at, is the same with any number of threads: for the kernels of
// test/EndToEnd/Kernels, and for random programs, which nobody has put a wait
// into and many of which do what the ISA forbids.
//
//===----------------------------------------------------------------------===//

#include "KernelPrograms.h"

using namespace serrano;

namespace {

constexpr unsigned threadCounts[] = {2, 3, 8};

/// Bytes of outputs and statistics, or why there are none.
std::string outcome(AssembledProgram &assembled, const isa::Program &program,
                    const NpzArrays &inputs, unsigned threads) {
  sim::RunOptions options;
  options.threads = threads;
  llvm::Expected<Program::Result> result =
      assembled.runEntry(program, inputs, options);
  if (!result) {
    // The folder's name differs.
    std::string message = llvm::toString(result.takeError());
    return message.substr(std::min(message.find(": "), message.size()));
  }
  std::string bytes = result->statistics.toJson();
  for (const auto &[name, array] : result->outputs)
    bytes.append(array.bytes.begin(), array.bytes.end());
  return bytes;
}

void expectSame(const std::string &source, const NpzArrays &inputs) {
  AssembledProgram assembled;
  isa::Program program = assembled.assemble(source);
  std::string expected = outcome(assembled, program, inputs, 1);
  EXPECT_EQ(expected.find(": fault"), std::string::npos) << expected;
  for (unsigned threads : threadCounts)
    for (int round = 0; round < 20; ++round)
      EXPECT_TRUE(outcome(assembled, program, inputs, threads) == expected)
          << threads << " threads";
}

TEST(Threads, Projection) {
  expectSame(kernelSource("projection.s"), projectionInputs());
}

TEST(Threads, Attention) {
  expectSame(kernelSource("attention.s"), attentionInputs());
}

/// Random instructions over so little memory that most of them conflict with
/// others, in any way; one of two programs ends with a fault.
class RandomProgram {
public:
  explicit RandomProgram(unsigned seed) : random(seed) {}

  std::string source(int instructions) {
    std::string body =
        "  ring.setup ring=0, slots=4, base=0, slot_bytes=256\n"
        "  ring.setup ring=1, slots=4, base=8192, slot_bytes=512\n"
        "  mx.load src=spm[2048]:16:bf16, k=8, n=8\n";
    // A table of rows in scalar memory; what is beyond it is no row.
    for (int i = 0; i < 16; ++i)
      body += "  s.li rd=r1, imm=" + (i < 8 ? number(8, 1) : "1000") +
              "\n  s.store a=r1, address=" + std::to_string(4 * i) + "\n";
    bool faults = below(2);
    int faultAt = int(below(instructions));
    for (int i = 0; i < instructions; ++i)
      body += "  " + (faults && i == faultAt ? fault() : instruction()) + "\n";
    for (int ring = 0; ring < 2; ++ring)
      while (filled[ring])
        body += "  v.unary fn=copy, dst=spm[12288]:64:f32, a=" + pop(ring) +
                "[0]:64:f32, rows=1, cols=8\n";
    // Everything that there is, into the outputs.
    return ".hbm x, 8192\n.hbm y, 24576\n.entry main\n"
           ".input x, f32, [2048], hbm=x\n.output x2, f32, [2048], hbm=x\n"
           ".output y, f32, [6144], hbm=y\nfunc main {\n" +
           body +
           "  dma.store src=spm[0], dst=hbm[y], bytes=12288, n1=1, n2=1, n3=1\n"
           "  dma.store src=acc[0], dst=hbm[y + 12288], bytes=4096, n1=1, "
           "n2=1, n3=1\n"
           "  dma.store src=smem[0], dst=hbm[y + 16384], bytes=256, n1=1, "
           "n2=1, n3=1\n"
           "  halt\n}\n";
  }

private:
  int64_t below(int64_t n) { return int64_t(random() % uint64_t(n)); }
  std::string oneOf(std::initializer_list<std::string> texts) {
    return texts.begin()[below(int64_t(texts.size()))];
  }
  std::string number(int64_t count, int64_t scale) {
    return std::to_string(below(count) * scale);
  }

  std::string pop(int ring) {
    --filled[ring];
    return "pop" + std::to_string(ring);
  }
  /// A slot that is there, or a tile of the scratchpad.
  std::string source(const std::string &layout) {
    int ring = int(below(2));
    if (filled[ring] && below(2))
      return (below(2) ? pop(ring) : "ring" + std::to_string(ring)) + "[0]" +
             layout;
    return "spm[" + number(16, 256) + "]" + layout;
  }
  /// Up to 4 x 8 f32; tiles of `place` are the same or do not overlap.
  std::string floats(const std::string &place) {
    return place + "[" + number(16, 256) + "]:64:f32";
  }
  std::string shape() {
    return ", rows=" + std::to_string(1 + below(4)) + ", cols=8";
  }
  std::string transfer(const std::string &name, const std::string &here) {
    std::string local =
        oneOf({"spm", "acc"}) + "[" + number(64, 64) + "]";
    std::string hbm = "hbm[x + " + number(64, 64) + "]";
    bool load = here == "dst";
    return name + " " + here + "=" + local + (load ? ", src=" : ", dst=") + hbm +
           ", bytes=64, n1=" + std::to_string(1 + below(4)) +
           ", n2=1, n3=1, ss1=64, ds1=128";
  }

  std::string instruction() {
    std::string place = oneOf({"spm", "acc"});
    switch (below(15)) {
    case 0:
      return "v.fill dst=" + floats(place) + ", imm=" + number(9, 1) + ".25" +
             shape();
    case 1:
      return "v.unary fn=" + oneOf({"copy", "exp", "tanh", "neg"}) +
             ", dst=" + floats(place) + ", a=" + floats(place) + shape();
    case 2:
    case 3:
      return "v.binary fn=" + oneOf({"add", "sub", "mul", "max"}) +
             ", dst=" + floats(place) + ", a=" + floats(oneOf({"spm", "acc"})) +
             ", b=" + floats(place) + shape();
    case 4:
      return "v.unary fn=copy, dst=spm[" + number(64, 64) +
             "]:16:bf16, a=" + floats("acc") + shape();
    case 5:
    case 6:
      return "mx.load src=" + source(":16:bf16") + ", k=8, n=8";
    case 7:
    case 8:
      return std::string("mx.mul") + oneOf({" accumulate,", ""}) + " dst=acc[" +
             number(32, 64) + "]:32:f32, src=spm[" + number(64, 64) +
             "]:16:bf16, m=" + std::to_string(1 + below(32));
    case 9:
      return transfer("dma.load", "dst");
    case 10:
      return transfer("dma.store", "src");
    case 11:
      if (filled[0] > 2)
        return "v.unary fn=copy, dst=acc[0]:64:f32, a=" + pop(0) +
               "[0]:64:f32" + shape();
      filled[0] += 2;
      return "ring.fill ring=0, src=hbm[x + " + number(16, 256) +
             "], count=2, bytes=256, stride=256, passes=1";
    case 12:
      if (filled[1] > 2)
        return "v.unary fn=copy, dst=acc[0]:64:f32, a=" + pop(1) +
               "[0]:64:f32" + shape();
      filled[1] += 2;
      return "ring.table ring=1, src=hbm[x], table=" + number(4, 4) +
             ", count=2, bytes=512, tail_bytes=256, stride=512, bound=8, "
             "passes=1";
    case 13:
      return oneOf({"dma.gather dst=spm[" + number(64, 64) + "], src=hbm[x]",
                    "dma.scatter src=spm[" + number(64, 64) +
                        "], dst=hbm[x]"}) +
             ", table=" + number(4, 4) +
             ", n=4, bytes=64, stride=64, bound=8, local_stride=64";
    default:
      // Through scalar memory: the sequencer reads what engines wrote.
      return oneOf(
          {"dma.copy dst=smem[" + number(4, 4) + "], src=smem[" +
               std::to_string(16 + 4 * below(4)) +
               "], bytes=4, n1=1, n2=1, n3=1",
           "s.load rd=r2, address=" + number(8, 4) +
               "\n  s.shl rd=r3, a=r2, b=6\n  v.fill dst=spm[r3]:64:f32, "
               "imm=3.5, rows=1, cols=8",
           "s.load rd=r2, address=" + number(8, 4) +
               "\n  s.store a=r2, address=" + number(8, 4)});
    }
  }

  /// Found in operands, in a table that the sequencer reads, in one that an
  /// engine wrote, and in the scratchpad.
  std::string fault() {
    return oneOf(
        {"v.fill dst=spm[32736]:64:f32, imm=1.0, rows=1, cols=16",
         "dma.gather dst=spm[0], src=hbm[x], table=32, n=4, bytes=64, "
         "stride=64, bound=8, local_stride=64",
         "dma.copy dst=smem[0], src=smem[32], bytes=4, n1=1, n2=1, n3=1\n"
         "  dma.scatter src=spm[0], dst=hbm[x], table=0, n=4, bytes=64, "
         "stride=64, bound=8, local_stride=64",
         "v.fill dst=spm[128]:4:i32, imm=9.0, rows=1, cols=1\n"
         "  v.gather dst=spm[256]:4:f32, a=spm[64]:4:f32, "
         "index=spm[128]:4:i32, bound=4, rows=1, cols=1"});
  }

  std::mt19937 random;
  int filled[2] = {};
};

TEST(Threads, RandomPrograms) {
  AssembledProgram assembled;
  NpzArrays inputs;
  addFloats(inputs, "x", {2048});
  unsigned faults = 0, programs = 100;
  for (unsigned seed = 0; seed < programs; ++seed) {
    std::string source = RandomProgram(seed).source(seed % 2 ? 20 : 300);
    isa::Program program = assembled.assemble(source);
    std::string expected = outcome(assembled, program, inputs, 1);
    faults += llvm::StringRef(expected).contains("fault at");
    for (unsigned threads : threadCounts)
      EXPECT_TRUE(outcome(assembled, program, inputs, threads) == expected)
          << "seed " << seed << ", " << threads << " threads";
  }
  // Both kinds of outcome are there.
  EXPECT_GT(faults, programs / 4);
  EXPECT_LT(faults, programs * 3 / 4);
}

/// Random instructions on many rows, which threads share: tiles with and
/// without gaps between their rows, operands of one row for all, rows that
/// begin within a piece of the scoreboard, limits that differ from row to row.
class RandomLargeProgram {
public:
  explicit RandomLargeProgram(unsigned seed) : random(seed) {}

  std::string source(int instructions) {
    std::string body =
        "  dma.load signal=c0, src=hbm[x], dst=spm[0], bytes=262144, n1=4, n2=1, "
        "n3=1, ss1=0, ds1=" + std::to_string(regionBytes) +
        "\n  mx.load wait0=c0, src=spm[0]:256:bf16, k=128, n=128\n";
    for (int i = 0; i < instructions; ++i)
      body += "  " + instruction() + "\n";
    for (int i = 0; i < 4; ++i)
      body += "  dma.store src=spm[" + std::to_string(i * regionBytes) +
              "], dst=hbm[y + " + std::to_string(i * 262144) +
              "], bytes=262144, n1=1, n2=1, n3=1\n"
              "  dma.store src=acc[" + std::to_string(i * accRegionBytes) +
              "], dst=hbm[y + " + std::to_string(1048576 + i * 65536) +
              "], bytes=65536, n1=1, n2=1, n3=1\n";
    return ".hbm x, 262144\n.hbm y, 1310720\n.entry main\n"
           ".input x, f32, [65536], hbm=x\n"
           ".output y, f32, [327680], hbm=y\nfunc main {\n" +
           body + "  halt\n}\n";
  }

private:
  static constexpr int64_t regionBytes = 393216, accRegionBytes = 131072;

  int64_t below(int64_t n) { return int64_t(random() % uint64_t(n)); }
  std::string oneOf(std::initializer_list<std::string> texts) {
    return texts.begin()[below(int64_t(texts.size()))];
  }
  /// A tile of up to 200 rows of 128 f32 in a region, or one row of them.
  std::string tile(int64_t region, bool read) {
    if (region >= 4)
      return "acc[" + std::to_string((region - 4) * accRegionBytes) +
             "]:512:f32";
    return "spm[" + std::to_string(region * regionBytes + 256 * below(4)) +
           "]:" + oneOf({"512", "768", "1536", read ? "0" : "512"}) + ":f32";
  }

  std::string instruction() {
    std::string rows = std::to_string(10 + below(190));
    std::string shape = ", rows=" + rows + ", cols=128";
    // Operands lie in other regions than the result, or are the same tile.
    int64_t region = below(8);
    std::string dst = tile(region, false);
    auto operand = [&] {
      return below(3) ? tile((region + 1 + below(7)) % 8, true) : dst;
    };
    std::string bf16 = std::to_string(below(4) * regionBytes + 256 * below(4));
    switch (below(8)) {
    case 0:
      return "v.unary fn=" + oneOf({"copy", "exp", "gelu", "neg"}) +
             ", dst=" + dst + ", a=" + operand() + shape;
    case 1:
      return "v.binary fn=" + oneOf({"add", "sub", "mul", "max"}) +
             ", dst=" + dst + ", a=" + operand() + ", b=" + operand() + shape;
    case 2:
      return "v.scalar fn=mul, dst=" + dst + ", a=" + operand() +
             ", imm=0.5" + shape;
    case 3:
      return "v.ternary fn=fma, dst=" + dst + ", a=" + operand() +
             ", b=" + operand() + ", c=" + operand() + shape;
    case 4:
      return "mx.load" + oneOf({"", " transpose,"}) + " src=spm[" + bf16 +
             "]:256:bf16, k=128, n=128";
    default:
      return "mx.mul" + oneOf({"", " accumulate,"}) + oneOf({"", limits()}) +
             " dst=acc[" + std::to_string(below(4) * accRegionBytes) +
             "]:512:f32, src=spm[" + bf16 + "]:" + oneOf({"256", "768"}) +
             ":bf16, m=" + rows;
    }
  }
  std::string limits() {
    return " row_limit, limit=" + std::to_string(below(140) - 20) +
           ", group=" + std::to_string(1 + below(9)) + ",";
  }

  std::mt19937 random;
};

TEST(Threads, ShareLargeInstructions) {
  AssembledProgram assembled("serrano-1");
  NpzArrays inputs;
  addFloats(inputs, "x", {65536});
  for (unsigned seed = 0; seed < 8; ++seed) {
    isa::Program program =
        assembled.assemble(RandomLargeProgram(seed).source(60));
    std::string expected = outcome(assembled, program, inputs, 1);
    EXPECT_FALSE(llvm::StringRef(expected).contains("fault")) << expected;
    for (unsigned threads : threadCounts)
      EXPECT_TRUE(outcome(assembled, program, inputs, threads) == expected)
          << "seed " << seed << ", " << threads << " threads";
  }
}

} // namespace
