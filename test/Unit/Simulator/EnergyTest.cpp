//===- EnergyTest.cpp - joules and costs worked out by hand ---------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On serrano-tiny, whose file says: bf16 0.5 pJ a multiply-accumulate, scratchpad
// 2.5 and accumulators 1.1 pJ a byte, memory 5 pJ a bit, 1 W of static power.
//
//===----------------------------------------------------------------------===//

#include "AssembledProgram.h"

using namespace serrano;
using testing::DoubleEq;

namespace {

constexpr double pJ = 1e-12;
constexpr double scratchpadPj = 2.5, accumulatorPj = 1.1, hbmPj = 8 * 5;

sim::Statistics statisticsOf(const std::string &body) {
  AssembledProgram assembled;
  return llvm::cantFail(assembled.run(assembled.assembleMain(body)));
}

TEST(Energy, OfATransferCountsBursts) {
  // 3 rows of 40 bytes are 3 bursts of 64 from memory, and 40 bytes each here.
  sim::Statistics s = statisticsOf(
      "dma.load dst=spm[0], src=hbm[x], bytes=40, n1=3, n2=1, n3=1, ss1=128, "
      "ds1=64\n");
  EXPECT_NEAR(s.energy.hbm, 3 * 64 * hbmPj * pJ, 1e-20);
  EXPECT_NEAR(s.energy.scratchpad, 3 * 40 * scratchpadPj * pJ, 1e-20);
  EXPECT_EQ(s.energy.multiplies, 0);
  EXPECT_EQ(s.energy.accumulators, 0);
  // 1 W for the cycles at 1 GHz.
  EXPECT_NEAR(s.energy.fixed, double(s.cycles) * 1e-9, 1e-20);
}

TEST(Energy, OfAMatmulAndOfARingsSlot) {
  // A slot of 8 x 8 bf16 weights goes to the scratchpad and from there to the
  // array; 4 rows of 8 come from the scratchpad. The second product reads the
  // sums of the first, too.
  sim::Statistics s = statisticsOf(
      "ring.setup ring=0, slots=1, base=0, slot_bytes=128\n"
      "ring.fill ring=0, src=hbm[x], count=1, bytes=128, passes=1\n"
      "v.fill signal=c0, dst=spm[1024]:16:bf16, rows=4, cols=8\n"
      "mx.load src=pop0[0]:16:bf16, k=8, n=8\n"
      "mx.mul wait0=c0, dst=acc[0]:32:f32, src=spm[1024]:16:bf16, m=4\n"
      "mx.mul accumulate, dst=acc[0]:32:f32, src=spm[1024]:16:bf16, m=4\n");
  EXPECT_NEAR(s.energy.multiplies, 2 * 4 * 8 * 8 * 0.5 * pJ, 1e-20);
  EXPECT_NEAR(s.energy.hbm, 128 * hbmPj * pJ, 1e-20);
  // Filled, loaded; filled by the vector engine, read twice.
  EXPECT_NEAR(s.energy.scratchpad, (128 + 128 + 64 + 2 * 64) * scratchpadPj * pJ,
              1e-20);
  EXPECT_NEAR(s.energy.accumulators, 3 * 128 * accumulatorPj * pJ, 1e-20);
}

TEST(Energy, OfOperatorsAndLayersAddsUp) {
  AssembledProgram assembled;
  isa::Program program = assembled.assemble(
      ".hbm x, 4096\n.op 1, \"a\"\n.op 2, \"b\"\n.entry main\nfunc main {\n"
      "loop index=r1, count=3 {\n"
      "  mark op=1, layer=r1 + 1\n"
      "  dma.load signal=c0, dst=spm[0], src=hbm[x], bytes=64, n1=1, n2=1, n3=1\n"
      "  mark op=2, layer=r1 + 1\n"
      "  v.unary wait0=c0, fn=copy, dst=spm[64]:64:f32, a=spm[0]:64:f32, "
      "rows=1, cols=16\n"
      "}\nmark op=1\n"
      "v.fill dst=spm[128]:64:f32, rows=1, cols=16\n"
      "halt\n}\n");
  sim::Statistics s = llvm::cantFail(assembled.run(program));
  double load = (64 * hbmPj + 64 * scratchpadPj) * pJ;
  double copy = 2 * 64 * scratchpadPj * pJ, fill = 64 * scratchpadPj * pJ;
  ASSERT_EQ(s.operators.size(), 3u);
  EXPECT_NEAR(s.operators[1].joules, 3 * load + fill, 1e-20);
  EXPECT_NEAR(s.operators[2].joules, 3 * copy, 1e-20);
  ASSERT_EQ(s.layers.size(), 4u);
  EXPECT_NEAR(s.layers[0].joules, fill, 1e-20);
  for (int64_t layer : {1, 2, 3})
    EXPECT_NEAR(s.layers[layer].joules, load + copy, 1e-20);
  // The time is shared out without a rest: the last completion is the end but
  // for the dispatch of `halt`.
  double operators = 0, layers = 0;
  for (const sim::OperatorStatistics &op : s.operators)
    operators += op.criticalCycles;
  for (const auto &[layer, costs] : s.layers)
    layers += costs.criticalCycles;
  EXPECT_THAT(operators, DoubleEq(layers));
  EXPECT_LE(operators, double(s.cycles));
  EXPECT_GE(operators, double(s.cycles) - 1);
}

TEST(Roof, IsTheLongerOfMemoryAndArray) {
  // 4096 bytes at 7.36 bytes a cycle; 8 rows of 64 weights are 8 x 64 products
  // at 64 a cycle.
  sim::Statistics s = statisticsOf(
      "dma.load signal=c0, dst=spm[0], src=hbm[x], bytes=4096, n1=1, n2=1, n3=1\n"
      "mx.load wait0=c0, src=spm[0]:16:bf16, k=8, n=8\n"
      "mx.mul dst=acc[0]:32:f32, src=spm[1024]:16:bf16, m=8\n");
  EXPECT_NEAR(s.roof.memorySeconds, 4096 / 7.36 * 1e-9, 1e-12);
  EXPECT_NEAR(s.roof.computeSeconds, 8e-9, 1e-15);
  EXPECT_EQ(s.roof.seconds(), s.roof.memorySeconds);
  EXPECT_LT(s.roof.seconds(), s.seconds);
}

TEST(Roof, LeavesOutInstructionsThatAreFetchedBesideTransfers) {
  // 8 transfers are under way while a program of 5 pages, one more than the instruction
  // memory has, is fetched: 53248 bytes in less time than the memory takes for them one
  // after the other.
  std::string body;
  for (int i = 0; i < 8; ++i)
    body += "dma.load dst=spm[0], src=hbm[x], bytes=4096, n1=1, n2=1, n3=1\n";
  for (int i = 0; i < 2000; ++i)
    body += "s.li rd=r1, imm=1\n";
  sim::Statistics s = statisticsOf(body);
  EXPECT_EQ(s.hbmReadBytes, 8 * 4096);
  EXPECT_EQ(s.fetchBytes, 5 * 4096);
  EXPECT_LT(s.seconds, (8 + 5) * 4096 / 7.36 * 1e-9);
  EXPECT_NEAR(s.roof.memorySeconds, 8 * 4096 / 7.36 * 1e-9, 1e-12);
  EXPECT_LT(s.roof.seconds(), s.seconds);
}

} // namespace
