//===- TimelineTest.cpp - cycle counts worked out by hand
//------------------===//
//
// Part of the Serrano project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On serrano-tiny, from docs/TimingModel.md and the target's numbers:
//
//   vector       4 f32 lanes, start-up 4, latency 8
//   matrix       8 x 8, a full bf16 tile of weights loads in 4 cycles, m rows
//                take max(m, 4) cycles, results come 16 cycles later
//   DMA          start-up 20, latency 50; memory gives 7.36 bytes per cycle,
//   that
//                is 1024 / 7.36 ticks for a byte; 64-byte bursts, 4096-byte
//                grains; copies on the chip take 32 bytes per cycle
//   sequencer    1 dispatch per cycle, queues of 8
//
// The instruction after the one dispatched at cycle t is dispatched at t + 1,
// and `halt` takes a cycle too.
//
//===----------------------------------------------------------------------===//

#include "AssembledProgram.h"
#include <cmath>

using namespace serrano;

namespace {

sim::Statistics statisticsOf(const std::string &body) {
  AssembledProgram assembled;
  return llvm::cantFail(assembled.run(assembled.assembleMain(body)));
}

int64_t cyclesOf(const std::string &body) { return statisticsOf(body).cycles; }

std::string repeat(int count, const std::string &text) {
  std::string result;
  for (int i = 0; i < count; ++i)
    result += text;
  return result;
}

const sim::EngineStatistics &engine(const sim::Statistics &statistics,
                                    llvm::StringRef name) {
  for (const sim::EngineStatistics &engine : statistics.engines)
    if (engine.name == name)
      return engine;
  throw std::runtime_error("no engine " + name.str());
}

/// Ticks of `bytes` over the memory's port, as a transfer of one grain.
int64_t hbmTicks(double bytes) {
  return int64_t(std::ceil(bytes * 1024 / 7.36));
}
int64_t cycles(int64_t ticks) { return (ticks + 1023) / 1024; }

std::string load(const std::string &dst, int bytes,
                 const std::string &more = "") {
  return "dma.load dst=" + dst +
         ", src=hbm[x], bytes=" + std::to_string(bytes) + ", n1=1, n2=1, n3=1" +
         more + "\n";
}

// 16 f32 elements: 4 start-up + 16 / 4.
const char *const fillA = "v.fill dst=spm[0]:64:f32, rows=1, cols=16\n";
const char *const fillB = "v.fill dst=spm[64]:64:f32, rows=1, cols=16\n";

} // namespace

TEST(Timeline, Nothing) {
  // `halt` is dispatched in cycle 0.
  EXPECT_EQ(cyclesOf(""), 1);
  // Three scalar instructions and `halt`.
  EXPECT_EQ(cyclesOf(repeat(3, "s.li rd=r1, imm=1\n")), 4);
  // `loop` takes one cycle, going back none: 1 + 5 * 2 + 1.
  EXPECT_EQ(
      cyclesOf("loop count=5 {\n" + repeat(2, "s.li rd=r1, imm=1\n") + "}\n"),
      12);
}

TEST(Timeline, OneVectorInstruction) {
  // 0..8, results after 8 more.
  EXPECT_EQ(cyclesOf(fillA), 16);
  // Dispatched in cycle 5.
  EXPECT_EQ(cyclesOf(repeat(5, "s.li rd=r1, imm=1\n") + fillA), 21);
}

TEST(Timeline, IndependentVectorInstructions) {
  // 0..8, 8..16, results at 24.
  EXPECT_EQ(cyclesOf(std::string(fillA) + fillB), 24);
}

TEST(Timeline, DependentVectorInstructions) {
  // The second reads what is there at 16: 16..24, results at 32.
  sim::Statistics s = statisticsOf(
      std::string(fillA) +
      "v.unary fn=neg, dst=spm[64]:64:f32, a=spm[0]:64:f32, rows=1, cols=16\n");
  EXPECT_EQ(s.cycles, 32);
  EXPECT_EQ(engine(s, "vector").busyCycles, 16);
  EXPECT_EQ(engine(s, "vector").waitCycles[unsigned(sim::WaitCause::Result)],
            8);
}

TEST(Timeline, WeightsLoadBehindTheMatmulBefore) {
  std::string step = "mx.load src=spm[0]:16:bf16, k=8, n=8\n"
                     "mx.mul dst=acc[0]:32:f32, src=spm[0]:16:bf16, m=16\n";
  // Load 0..4, multiply 4..20, results at 36.
  EXPECT_EQ(cyclesOf(step), 36);
  // Load 0..4, multiply 4..20; load 4..8, multiply 20..36; the third load needs
  // the set that the first multiply used and issues after the second
  // one: 20..24, multiply 36..52, results at 68.
  sim::Statistics s = statisticsOf(repeat(3, step));
  EXPECT_EQ(s.cycles, 68);
  EXPECT_EQ(engine(s, "matrix").busyCycles, 48);
  EXPECT_EQ(engine(s, "weight port").busyCycles, 12);
  EXPECT_EQ(s.multiplies, 3 * 16 * 8 * 8);
  // One row takes the shortest interval, 4: load 0..4, multiply 4..8 and 8..12
  // and 12..16, with the loads behind them at 4..8 and 8..12. Results at 32.
  EXPECT_EQ(cyclesOf(repeat(
                3, "mx.load src=spm[0]:16:bf16, k=8, n=8\n"
                   "mx.mul dst=acc[0]:32:f32, src=spm[0]:16:bf16, m=1\n")),
            32);
}

TEST(Timeline, OneTransfer) {
  // 20 start-up, 128 bytes, 50 latency.
  EXPECT_EQ(cyclesOf(load("spm[0]", 128)), cycles(70 * 1024 + hbmTicks(128)));
  // 1 byte counts for a burst of 64.
  EXPECT_EQ(cyclesOf(load("spm[0]", 1)), cycles(70 * 1024 + hbmTicks(64)));
  // A copy on the chip: 20 start-up, 128 / 32, no latency.
  EXPECT_EQ(
      cyclesOf(
          "dma.copy dst=spm[1024], src=spm[0], bytes=128, n1=1, n2=1, n3=1\n"),
      24);
}

TEST(Timeline, StartupOverlapsWithTheTransferBefore) {
  // 1024 bytes take 139 cycles, longer than a start-up: bytes follow bytes.
  EXPECT_EQ(cyclesOf(load("spm[0]", 1024) + load("spm[1024]", 1024)),
            cycles(70 * 1024 + 2 * hbmTicks(1024)));
  // 64 bytes take 9 cycles, shorter than a start-up: the second start-up begins
  // when the first one ends, its bytes at 40.
  EXPECT_EQ(cyclesOf(load("spm[0]", 64) + load("spm[1024]", 64)),
            cycles(90 * 1024 + hbmTicks(64)));
}

TEST(Timeline, QueuesShareThePortInGrains) {
  // 8192 bytes in and 8192 out, from cycle 20 and 21. Grain after grain in
  // turns, so that both end one grain apart, and 4 grains take 4 times one.
  int64_t grain = hbmTicks(4096);
  std::string in = load("spm[0]", 8192);
  std::string out = "dma.store src=spm[8192], dst=hbm[x + 16384], bytes=8192, "
                    "n1=1, n2=1, n3=1\n";
  sim::Statistics s = statisticsOf(in + out);
  EXPECT_EQ(s.cycles, cycles(70 * 1024 + 4 * grain));
  // In has the first and the third turn, out the second and the fourth.
  EXPECT_NEAR(engine(s, "dma in").busyCycles, 3 * grain / 1024.0, 1);
  EXPECT_NEAR(engine(s, "dma out").busyCycles, 3 * grain / 1024.0, 1);
  EXPECT_EQ(s.hbmReadBytes, 8192);
  EXPECT_EQ(s.hbmWriteBytes, 8192);
}

TEST(Timeline, PopsThrottleARing) {
  // Two slots of 64 bytes. Their first bytes go at 21 (ordered in cycle 1), and
  // they are filled one latency after their last: at 21 + b + 50 and 21 + 2b +
  // 50, where b is 64 bytes. The first pop takes 4 cycles of weight port from
  // the next whole cycle on; then the third slot's bytes go, which are there b
  // + 50 later.
  std::string fill =
      "ring.setup ring=0, slots=2, base=0, slot_bytes=64\n"
      "ring.fill ring=0, src=hbm[x], count=3, bytes=64, stride=64, passes=1\n";
  std::string pop =
      "mx.load src=pop0[0]:16:bf16, k=4, n=8\n"; // 64 bytes: 2 cycles
  int64_t b = hbmTicks(64);
  int64_t firstPop = cycles(71 * 1024 + b) + 2;
  int64_t third = cycles(firstPop * 1024 + b + 50 * 1024);
  EXPECT_EQ(cyclesOf(fill + repeat(3, pop)), third + 2);
  // With three slots nothing holds the third one back.
  fill.replace(fill.find("slots=2"), 7, "slots=3");
  EXPECT_EQ(cyclesOf(fill + repeat(3, pop)), cycles(71 * 1024 + 3 * b) + 2);
}

TEST(Timeline, EveryPassOverATableHasItsTail) {
  // Two passes of a slot of 128 bytes and one of 64, one after the other: the
  // last is there one latency after the bytes of all four.
  sim::Statistics s = statisticsOf(
      "ring.setup ring=0, slots=4, base=0, slot_bytes=128\n"
      "ring.table ring=0, src=hbm[x], table=0, count=2, bytes=128, "
      "tail_bytes=64, stride=128, bound=1, passes=2, pass_stride=256\n" +
      repeat(4, "mx.load src=pop0[0]:16:bf16, k=4, n=8\n"));
  int64_t bytes = 2 * hbmTicks(128) + 2 * hbmTicks(64);
  EXPECT_EQ(s.cycles, cycles(71 * 1024 + bytes) + 2);
  EXPECT_EQ(engine(s, "ring 0").bytes, 2 * (128 + 64));
}

TEST(Timeline, AFullQueueStallsDispatch) {
  // Twelve of 8 cycles each: they start at 0, 8, 16, ... whatever dispatch
  // does. Of those dispatched in cycles 0 to 9 the first two have left the
  // queue, so it is full: the eleventh waits from 10 until the third starts at
  // 16, the twelfth from 17 until the fourth starts at 24.
  sim::Statistics s = statisticsOf(repeat(6, std::string(fillA) + fillB));
  EXPECT_EQ(s.cycles, 12 * 8 + 8);
  EXPECT_EQ(s.dispatchStallCycles, 6 + 7);
}

TEST(Timeline, ALaggedWaitDoesNotWaitForTheLast) {
  // The vector instruction starts when the first load is complete.
  std::string loads = load("spm[0]", 64, ", signal=c0") +
                      load("spm[2048]", 4096, ", signal=c0");
  std::string use = "v.unary wait0=c0-1, fn=neg, dst=spm[64]:64:f32, "
                    "a=spm[0]:64:f32, rows=1, "
                    "cols=16, signal=c1\n"
                    "sync waiter=sequencer, wait0=c1\n";
  int64_t first = cycles(70 * 1024 + hbmTicks(64));
  sim::Statistics s = statisticsOf(loads + use);
  // Engines start on whole cycles.
  EXPECT_NEAR(engine(s, "vector").waitCycles[unsigned(sim::WaitCause::Counter)],
              first - 2, 1);
  // The sync in cycle 3 waits for the result.
  EXPECT_EQ(s.dispatchStallCycles, first + 8 + 8 - 3);
  EXPECT_EQ(s.cycles, cycles(90 * 1024 + hbmTicks(4096)));
}

TEST(Timeline, QueuesRetireInOrder) {
  // The copy's own bytes are there at 45, but the load before it completes
  // later.
  std::string copy =
      "dma.copy dst=spm[1024], src=spm[2048], bytes=32, n1=1, n2=1, n3=1, "
      "signal=c0\n";
  std::string use = "v.fill wait0=c0, dst=spm[4096]:64:f32, rows=1, cols=16\n";
  EXPECT_EQ(cyclesOf(load("spm[0]", 64) + copy + use),
            cycles(70 * 1024 + hbmTicks(64)) + 16);
}

TEST(Timeline, ASyncHoldsItsQueueBack) {
  int64_t loaded = cycles(70 * 1024 + hbmTicks(64));
  std::string first = load("spm[64]", 64, ", signal=c0");
  EXPECT_EQ(cyclesOf(first + "sync waiter=vector, wait0=c0\n" + fillA),
            loaded + 16);
  EXPECT_EQ(cyclesOf(first + "sync waiter=matrix, wait0=c0\n" +
                     "mx.load src=spm[0]:16:bf16, k=8, n=8\n"),
            loaded + 4);
  // A store after a sync begins its start-up then.
  EXPECT_EQ(cyclesOf(first + "sync waiter=dma_out, wait0=c0\n" +
                     "dma.store src=spm[1024], dst=hbm[x + 64], bytes=64, "
                     "n1=1, n2=1, n3=1\n"),
            cycles(2 * (70 * 1024 + hbmTicks(64))));
  // Other queues go on.
  EXPECT_EQ(cyclesOf(first + "sync waiter=matrix, wait0=c0\n" + fillA), loaded);
}

TEST(Timeline, AnOrderOfNothingEndsAfterThoseBefore) {
  // The vector instruction waits for the second order, which has no slots.
  std::string body =
      "ring.setup ring=0, slots=2, base=0, slot_bytes=64\n"
      "ring.fill ring=0, src=hbm[x], count=2, bytes=64, stride=64, passes=1\n"
      "ring.fill signal=c0, ring=0, src=hbm[x], bytes=64, passes=1\n"
      "v.fill wait0=c0, dst=spm[4096]:64:f32, rows=1, cols=16\n";
  EXPECT_EQ(cyclesOf(body), cycles(71 * 1024 + 2 * hbmTicks(64)) + 16);
}

TEST(Timeline, LongProgramsStream) {
  // 2048 words fit the instruction memory, pages have 512.
  EXPECT_EQ(cyclesOf(repeat(2047, "s.li rd=r1, imm=1\n")), 2048);
  // 2560 words are 5 pages; dispatch stops for each.
  sim::Statistics s = statisticsOf(repeat(2559, "s.li rd=r1, imm=1\n"));
  int64_t page = cycles(hbmTicks(4096)) + 50;
  EXPECT_EQ(s.fetchBytes, 5 * 4096);
  EXPECT_EQ(s.cycles, 2560 + 5 * page);
}

TEST(Timeline, EnginesAddUp) {
  // For each engine, busy + waiting does not exceed the run.
  sim::Statistics s = statisticsOf(
      "ring.setup ring=0, slots=2, base=0, slot_bytes=128\n"
      "ring.fill ring=0, src=hbm[x], count=6, bytes=128, stride=128, "
      "passes=1\n" +
      load("spm[1024]", 1024, ", signal=c0") +
      repeat(6, "mx.load src=pop0[0]:16:bf16, k=8, n=8\n"
                "mx.mul wait0=c0, wait1=c2-1, signal=c1, dst=acc[0]:32:f32, "
                "src=spm[1024]:16:bf16, m=16\n"
                "v.unary wait0=c1, fn=copy, signal=c2, dst=spm[4096]:32:f32, "
                "a=acc[0]:32:f32, "
                "rows=16, cols=8\n"));
  for (const sim::EngineStatistics &engine : s.engines) {
    double used = engine.busyCycles;
    for (double wait : engine.waitCycles)
      used += wait;
    EXPECT_LE(used, s.cycles) << engine.name;
  }
  EXPECT_EQ(engine(s, "matrix").instructions, 6);
  EXPECT_EQ(engine(s, "weight port").instructions, 6);
  EXPECT_EQ(engine(s, "ring 0").bytes, 6 * 128);
}
