//===- TimingModelTest.cpp - what one instruction costs -------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Target/TimingModel.h"
#include "ModifiedTarget.h"

using namespace serrano;

using enum NumberFormat;

static TimingModel timing(llvm::StringRef name) {
  return TimingModel(loadTarget(name));
}

namespace {

TEST(TimingModel, ticks) {
  EXPECT_EQ(TimingModel::ticksOf(3), 3072);
  EXPECT_EQ(TimingModel::cyclesOf(3072), 3);
  EXPECT_EQ(TimingModel::cyclesOf(3073), 4);
  EXPECT_EQ(TimingModel::cyclesOf(0), 0);
}

//===----------------------------------------------------------------------===//
// Matrix engine
//===----------------------------------------------------------------------===//

TEST(TimingModel, loadWeights) {
  TimingModel big = timing("serrano-1");          // 2048 bytes per cycle
  EXPECT_EQ(big.loadWeights(128, 128, BF16), 16); // 32768 / 2048
  EXPECT_EQ(big.loadWeights(128, 128, F32), 32);  // 65536 / 2048
  EXPECT_EQ(big.loadWeights(512, 128, F8), 32);   // 65536 / 2048
  EXPECT_EQ(big.loadWeights(128, 9, BF16), 2);    // 2304 / 2048 = 1.1
  EXPECT_EQ(big.loadWeights(1, 1, I8), 1);
  // 131072 / 2 of weights and 131072 / 32 of scales: 69632 / 2048.
  EXPECT_EQ(big.loadWeights(1024, 128, MXFP4), 34);
  EXPECT_EQ(timing("serrano-edge").loadWeights(32, 32, BF16), 8); // 2048 / 256
  EXPECT_EQ(timing("serrano-tiny").loadWeights(8, 8, BF16), 4);   // 128 / 32
}

TEST(TimingModel, loadingNoWeightsIsFree) {
  EXPECT_EQ(timing("serrano-1").loadWeights(0, 128, BF16), 0);
  EXPECT_EQ(timing("serrano-1").loadWeights(128, 0, BF16), 0);
}

TEST(TimingModel, matmulOfFewRowsTakesTheShortestInterval) {
  EXPECT_EQ(timing("serrano-1").matmulInterval(1, 128, 128, BF16, false), 16);
  EXPECT_EQ(timing("serrano-1").matmulInterval(16, 128, 128, BF16, false), 16);
  EXPECT_EQ(timing("serrano-edge").matmulInterval(7, 32, 32, BF16, false), 8);
  EXPECT_EQ(timing("serrano-tiny").matmulInterval(3, 8, 8, BF16, false), 4);
}

TEST(TimingModel, matmulTakesOneRowPerCycle) {
  // Moving operand 100 * 256 / 512 = 50, results 100 * 512 / 512 = 100.
  EXPECT_EQ(timing("serrano-1").matmulInterval(100, 128, 128, BF16, false),
            100);
  EXPECT_EQ(timing("serrano-1").matmulInterval(100, 128, 128, BF16, true), 100);
  // Moving operand 100 * 512 / 512 = 100: K is four times as deep.
  EXPECT_EQ(timing("serrano-1").matmulInterval(100, 512, 128, F8, false), 100);
  EXPECT_EQ(timing("serrano-tiny").matmulInterval(9, 16, 8, I8, true), 9);
}

TEST(TimingModel, matmulOfASlowFormatTakesLonger) {
  // One MAC in four cycles: 100 / (1/4), and 16 / (1/4) for the shortest.
  EXPECT_EQ(timing("serrano-1").matmulInterval(100, 128, 128, F32, false), 400);
  EXPECT_EQ(timing("serrano-1").matmulInterval(1, 128, 128, F32, false), 64);
}

TEST(TimingModel, matmulWaitsForTheMovingOperandsPort) {
  // A row of 1024 mxfp4 takes 512 + 32 bytes: 100 * 544 / 512 = 106.25.
  EXPECT_EQ(timing("serrano-1").matmulInterval(100, 1024, 128, MXFP4, false),
            107);
  // 40 * 16 / 4 = 160 where the rows alone take 40.
  TimingModel narrow(ModifiedTarget("serrano-tiny")
                         .set("/matrix/moving_port_bytes_per_cycle", 4)
                         .model());
  EXPECT_EQ(narrow.matmulInterval(40, 8, 8, BF16, false), 160);
}

TEST(TimingModel, matmulWaitsForTheAccumulatorsPorts) {
  // Results of 40 rows of 8: 40 * 32 = 1280 bytes.
  TimingModel narrow(ModifiedTarget("serrano-tiny")
                         .set("/matrix/accumulator_write_bytes_per_cycle", 16)
                         .set("/matrix/accumulator_read_bytes_per_cycle", 8)
                         .model());
  EXPECT_EQ(narrow.matmulInterval(40, 8, 8, BF16, false), 80); // 1280 / 16
  EXPECT_EQ(narrow.matmulInterval(40, 8, 8, BF16, true), 160); // 1280 / 8
}

TEST(TimingModel, matmulOfNoRowsIsFree) {
  EXPECT_EQ(timing("serrano-1").matmulInterval(0, 128, 128, BF16, true), 0);
}

TEST(TimingModel, matmulOfNoDepthStillWritesItsResults) {
  EXPECT_EQ(timing("serrano-1").matmulInterval(100, 0, 128, BF16, false), 100);
}

TEST(TimingModel, matmulLatencyIsFillAndDrain) {
  EXPECT_EQ(timing("serrano-1").matmulLatency(), 256);   // 128 + 128
  EXPECT_EQ(timing("serrano-edge").matmulLatency(), 64); // 32 + 32
  EXPECT_EQ(timing("serrano-tiny").matmulLatency(), 16); // 8 + 8
}

//===----------------------------------------------------------------------===//
// Vector engine
//===----------------------------------------------------------------------===//

TEST(TimingModel, vectorRowsThatFillTheEngine) {
  TimingModel big = timing("serrano-1");          // start-up 16
  EXPECT_EQ(big.vectorInterval(1, 512, 2), 17);   // 16 + 1
  EXPECT_EQ(big.vectorInterval(1, 512, 1), 17);   // 8 bits go as 16
  EXPECT_EQ(big.vectorInterval(1, 512, 4), 18);   // 16 + 512 / 256
  EXPECT_EQ(big.vectorInterval(10, 1024, 2), 36); // 16 + 10 * 2
  EXPECT_EQ(big.vectorInterval(1, 512, 2, /*transcendental=*/true), 18);
  EXPECT_EQ(big.vectorInterval(10, 1024, 2, false, /*passes=*/3), 76);
}

TEST(TimingModel, vectorRowsShorterThanTheEngineArePacked) {
  TimingModel big = timing("serrano-1");
  // 100 columns take 128 lanes: 100 * 128 / 512 = 25, and 50 with 256 lanes.
  EXPECT_EQ(big.vectorInterval(100, 100, 2), 41);
  EXPECT_EQ(big.vectorInterval(100, 100, 4), 66);
  // 128 is a power of two already.
  EXPECT_EQ(big.vectorInterval(100, 128, 2), 41);
  // One element a row: ceil(100 / 512) = 1.
  EXPECT_EQ(big.vectorInterval(100, 1, 2), 17);
  // The tail of a long row is packed too: 4 * 1, and ceil(4 * 1 / 512) = 1.
  EXPECT_EQ(big.vectorInterval(4, 513, 2), 21);

  TimingModel tiny = timing("serrano-tiny");  // start-up 4, lanes 8 and 4
  EXPECT_EQ(tiny.vectorInterval(3, 5, 4), 8); // 4 + 3 + ceil(3 * 1 / 4)
  EXPECT_EQ(tiny.vectorInterval(3, 3, 4), 7); // 4 + ceil(3 * 4 / 4)
  EXPECT_EQ(tiny.vectorInterval(3, 3, 2), 6); // 4 + ceil(3 * 4 / 8)
}

TEST(TimingModel, vectorInstructionOfNoElementsTakesItsStartup) {
  EXPECT_EQ(timing("serrano-1").vectorInterval(0, 512, 2), 16);
  EXPECT_EQ(timing("serrano-1").vectorInterval(512, 0, 2), 16);
  EXPECT_EQ(timing("serrano-tiny").vectorInterval(0, 0, 4), 4);
}

TEST(TimingModel, vectorLatency) {
  EXPECT_EQ(timing("serrano-1").vectorLatency(), 60);
  EXPECT_EQ(timing("serrano-edge").vectorLatency(), 40);
  EXPECT_EQ(timing("serrano-tiny").vectorLatency(), 8);
}

//===----------------------------------------------------------------------===//
// DMA
//===----------------------------------------------------------------------===//

TEST(TimingModel, dmaStartupAndLatency) {
  EXPECT_EQ(timing("serrano-1").dmaStartup(), 100);
  EXPECT_EQ(timing("serrano-tiny").dmaStartup(), 20);
  EXPECT_EQ(timing("serrano-1").dmaLatency(), 600); // 500 ns * 1.2 GHz
  EXPECT_EQ(timing("serrano-edge").dmaLatency(), 120);
  EXPECT_EQ(timing("serrano-tiny").dmaLatency(), 50);
  // 50.5 ns at 1 GHz: rounded up.
  EXPECT_EQ(TimingModel(ModifiedTarget("serrano-tiny")
                            .set("/dma/dma_latency_ns", 50.5)
                            .model())
                .dmaLatency(),
            51);
}

TEST(TimingModel, rowsCountInWholeBursts) {
  TimingModel tiny = timing("serrano-tiny");
  EXPECT_EQ(tiny.burstBytes(0), 0);
  EXPECT_EQ(tiny.burstBytes(1), 64);
  EXPECT_EQ(tiny.burstBytes(64), 64);
  EXPECT_EQ(tiny.burstBytes(65), 128);
  EXPECT_EQ(tiny.grainBytes(), 4096);
}

TEST(TimingModel, oneCoreIsLimitedByItsPortOrByTheMemory) {
  // serrano-1: the port's 512 bytes a cycle: 4096 * 1024 / 512.
  EXPECT_EQ(timing("serrano-1").hbmTicks(4096), 8192);
  EXPECT_EQ(timing("serrano-1-hbm3e").hbmTicks(4096), 8192);
  // 68 * 0.92 = 62.56: 4194304 / 62.56 = 67044.5.
  EXPECT_EQ(timing("serrano-edge").hbmTicks(4096), 67045);
  // 8 * 0.92 = 7.36: 4194304 / 7.36 = 569878.3.
  EXPECT_EQ(timing("serrano-tiny").hbmTicks(4096), 569879);
  EXPECT_EQ(timing("serrano-tiny").hbmTicks(0), 0);
}

TEST(TimingModel, oneCoreIsLimitedByItsBytesInFlight) {
  // 256 bytes per 50 cycles are 5.12 a cycle: 4194304 / 5.12.
  TimingModel shallow(ModifiedTarget("serrano-tiny")
                          .set("/dma/dma_in_flight_bytes", 256)
                          .model());
  EXPECT_EQ(shallow.hbmTicks(4096), 819200);
}

TEST(TimingModel, grainsTakeTicksOfFewBits) {
  // 67,045 has 17 bits, of which the last 5 become 0: 2,096 * 32.
  EXPECT_EQ(timing("serrano-edge").grainTicks(4096), 67072);
  // 569,879 has 20 bits: 2,227 * 256.
  EXPECT_EQ(timing("serrano-tiny").grainTicks(4096), 570112);
  // 8,192 has 14 bits, of which the last 2 are 0.
  EXPECT_EQ(timing("serrano-1").grainTicks(4096), 8192);
  // 1,048 ticks, but nothing ends between multiples of 32: 33 * 32.
  EXPECT_EQ(timing("serrano-edge").grainTicks(64), 1056);
  EXPECT_EQ(timing("serrano-edge").grainTicks(0), 0);
  TimingModel edge = timing("serrano-edge");
  for (int64_t bytes = 1; bytes <= 4096; ++bytes) {
    int64_t exact = edge.hbmTicks(bytes), ticks = edge.grainTicks(bytes);
    EXPECT_GE(ticks, exact) << bytes;
    EXPECT_LT(ticks - exact, 32) << bytes;
    EXPECT_EQ(ticks % 32, 0) << bytes;
  }
}

TEST(TimingModel, manyCoresShareTheMemory) {
  TimingModel big = timing("serrano-1");
  // 24 cores: 12573.3 / 24 = 523.9, still more than the port's 512.
  EXPECT_EQ(big.hbmTicks(4096, 24), 8192);
  // 25 cores: 502.93; 4194304 / 502.93 = 8339.7.
  EXPECT_EQ(big.hbmTicks(4096, 25), 8340);
  // 32 cores: 392.917; 4194304 / 392.917 = 10674.8.
  EXPECT_EQ(big.hbmTicks(4096, 32), 10675);
  // HBM3E: 206.042; 4194304 / 206.042 = 20356.6.
  EXPECT_EQ(timing("serrano-1-hbm3e").hbmTicks(4096, 32), 20357);
  // The memory itself: 4194304 / 12573.3 = 333.6.
  EXPECT_EQ(big.memoryTicks(4096), 334);
}

TEST(TimingModel, copiesInsideACoreTakeThePortOnly) {
  EXPECT_EQ(timing("serrano-1").localTicks(4096), 8192);      // / 512
  EXPECT_EQ(timing("serrano-tiny").localTicks(4096), 131072); // / 32
  EXPECT_EQ(timing("serrano-tiny").localTicks(1), 32);
  EXPECT_EQ(timing("serrano-tiny").localTicks(0), 0);
}

TEST(TimingModel, transfersOfAWholeMemoryDoNotOverflow) {
  // 288e9 * 1024 / 512.
  EXPECT_EQ(timing("serrano-1").hbmTicks(288000000000), 576000000000);
  // 1e9 * 1024 / 7.36 = 139130434782.6.
  EXPECT_EQ(timing("serrano-tiny").hbmTicks(1000000000), 139130434783);
}

TEST(TimingModel, instructionPages) {
  EXPECT_EQ(timing("serrano-1").instructionPageBytes(), 4096);
  EXPECT_EQ(timing("serrano-1").instructionPageTicks(), 8192);
  EXPECT_EQ(timing("serrano-tiny").instructionPageTicks(), 569879);
}

} // namespace
