//===- TargetNumbersTest.cpp - the bundled targets' numbers ---------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The literals are those of the table in the chip's contract, written out a
// second time; nothing here is computed from a target file.

#include "ModifiedTarget.h"

using namespace serrano;

namespace {

constexpr int64_t kib = 1024, mib = 1024 * kib;
constexpr int64_t gb = 1000000000;

using enum NumberFormat;

TEST(TargetNumbers, serrano1) {
  TargetModel target = loadTarget("serrano-1");
  EXPECT_EQ(target.name(), "serrano-1");
  EXPECT_EQ(target.cores(), 32);
  EXPECT_EQ(target.clusters(), 8);
  EXPECT_EQ(target.coresPerCluster(), 4);
  EXPECT_EQ(target.clockGhz(), Ratio(12, 10));

  EXPECT_EQ(target.rows(), 128);
  EXPECT_EQ(target.columns(), 128);
  EXPECT_EQ(target.macRate(F32), Ratio(1, 4));
  EXPECT_EQ(target.macRate(BF16), Ratio(1));
  EXPECT_EQ(target.macRate(F16), Ratio(1));
  EXPECT_EQ(target.macRate(F8), Ratio(4));
  EXPECT_EQ(target.macRate(I8), Ratio(4));
  EXPECT_EQ(target.macRate(MXFP4), Ratio(8));
  EXPECT_EQ(target.shortestMatmulInterval(), 16);
  EXPECT_EQ(target.weightPortBytesPerCycle(), 2048);
  EXPECT_EQ(target.movingPortBytesPerCycle(), 512);
  EXPECT_EQ(target.accumulatorReadBytesPerCycle(), 1024);
  EXPECT_EQ(target.accumulatorWriteBytesPerCycle(), 512);

  EXPECT_EQ(target.scratchpadBytes(), 8 * mib);
  EXPECT_EQ(target.accumulatorBytes(), 1 * mib);
  EXPECT_EQ(target.scalarMemoryBytes(), 64 * kib);
  EXPECT_EQ(target.instructionMemoryBytes(), 256 * kib);

  EXPECT_EQ(target.vectorLanes(2), 512);
  EXPECT_EQ(target.vectorLanes(4), 256);
  EXPECT_EQ(target.vectorLanes(4, /*transcendental=*/true), 256);
  EXPECT_EQ(target.vectorLanes(2, /*transcendental=*/true), 256);
  EXPECT_EQ(target.vectorStartupCycles(), 16);
  EXPECT_EQ(target.vectorLatencyCycles(), 60);

  EXPECT_EQ(target.dmaPortBytesPerCycle(), 512);
  EXPECT_EQ(target.dmaStartupCycles(), 100);
  EXPECT_EQ(target.dmaLatencyNs(), Ratio(500));
  EXPECT_EQ(target.dmaInFlightBytes(), 512 * kib);

  EXPECT_EQ(target.dispatchesPerCycle(), 1);
  EXPECT_EQ(target.queueDepth(), 32);

  EXPECT_EQ(target.memoryKind(), "HBM4");
  EXPECT_EQ(target.memoryStacks(), 8);
  EXPECT_EQ(target.memoryBytes(), 288 * gb);
  EXPECT_EQ(target.memoryPinGbPerS(), Ratio(16400));
  EXPECT_EQ(target.memorySustainedFraction(), Ratio(92, 100));

  ASSERT_TRUE(target.network());
  EXPECT_EQ(target.network()->bytesPerCyclePerCore, 512);
  EXPECT_EQ(target.network()->hopCycles, 60);
  ASSERT_TRUE(target.links());
  EXPECT_EQ(target.links()->count, 12);
  // 800 Gb/s are 100 GB/s; 12 of them are 1.2 TB/s.
  EXPECT_EQ(target.links()->gbPerSEachWay, Ratio(100));
  EXPECT_EQ(target.links()->latencyNs, Ratio(400));
  EXPECT_EQ(target.maxChips(), 64);

  const EnergyNumbers &energy = target.energy();
  EXPECT_EQ(energy.macPj[BF16], Ratio(28, 100));
  EXPECT_EQ(energy.macPj[F8], Ratio(14, 100));
  EXPECT_EQ(energy.macPj[I8], Ratio(9, 100));
  EXPECT_EQ(energy.macPj[MXFP4], Ratio(7, 100));
  EXPECT_EQ(energy.scratchpadPjPerByte, Ratio(18, 10));
  EXPECT_EQ(energy.accumulatorPjPerByte, Ratio(8, 10));
  EXPECT_EQ(energy.memoryPjPerBit, Ratio(3));
  EXPECT_EQ(energy.linkPjPerBitPerEnd, Ratio(6));
  EXPECT_EQ(energy.staticWPerChip, Ratio(180));
}

TEST(TargetNumbers, serrano1WithHbm3eDiffersInItsMemory) {
  TargetModel target = loadTarget("serrano-1-hbm3e");
  EXPECT_EQ(target.name(), "serrano-1-hbm3e");
  EXPECT_EQ(target.memoryKind(), "HBM3E");
  EXPECT_EQ(target.memoryPinGbPerS(), Ratio(8600));
  EXPECT_EQ(target.memorySustainedFraction(), Ratio(92, 100));
  EXPECT_EQ(target.memoryBytes(), 288 * gb);
  EXPECT_EQ(target.energy().memoryPjPerBit, Ratio(4));
  EXPECT_EQ(target.cores(), 32);
  EXPECT_EQ(target.scratchpadBytes(), 8 * mib);
}

} // namespace

/// What serrano-edge and serrano-tiny have in common.
static void expectSmallCore(const TargetModel &target) {
  EXPECT_EQ(target.cores(), 1);
  EXPECT_EQ(target.clusters(), 1);
  EXPECT_EQ(target.clockGhz(), Ratio(1));
  EXPECT_EQ(target.macRate(F32), Ratio(1, 4));
  EXPECT_EQ(target.macRate(BF16), Ratio(1));
  EXPECT_EQ(target.macRate(F16), Ratio(1));
  EXPECT_EQ(target.macRate(F8), Ratio(2));
  EXPECT_EQ(target.macRate(I8), Ratio(2));
  EXPECT_EQ(target.macRate(MXFP4), Ratio(4));
  EXPECT_EQ(target.dispatchesPerCycle(), 1);
  EXPECT_EQ(target.memorySustainedFraction(), Ratio(92, 100));
  EXPECT_FALSE(target.network());

  const EnergyNumbers &energy = target.energy();
  EXPECT_EQ(energy.macPj[BF16], Ratio(5, 10));
  EXPECT_EQ(energy.macPj[F8], Ratio(25, 100));
  EXPECT_EQ(energy.macPj[I8], Ratio(25, 100));
  EXPECT_EQ(energy.macPj[MXFP4], Ratio(13, 100));
  EXPECT_EQ(energy.scratchpadPjPerByte, Ratio(25, 10));
  EXPECT_EQ(energy.memoryPjPerBit, Ratio(5));
  EXPECT_EQ(energy.staticWPerChip, Ratio(1));
}

namespace {

TEST(TargetNumbers, serranoEdge) {
  TargetModel target = loadTarget("serrano-edge");
  expectSmallCore(target);
  EXPECT_EQ(target.rows(), 32);
  EXPECT_EQ(target.columns(), 32);
  EXPECT_EQ(target.shortestMatmulInterval(), 8);
  EXPECT_EQ(target.weightPortBytesPerCycle(), 256);
  EXPECT_EQ(target.movingPortBytesPerCycle(), 128);
  EXPECT_EQ(target.accumulatorReadBytesPerCycle(), 256);
  EXPECT_EQ(target.accumulatorWriteBytesPerCycle(), 128);
  EXPECT_EQ(target.scratchpadBytes(), 4 * mib);
  EXPECT_EQ(target.accumulatorBytes(), 256 * kib);
  EXPECT_EQ(target.scalarMemoryBytes(), 64 * kib);
  EXPECT_EQ(target.instructionMemoryBytes(), 128 * kib);
  EXPECT_EQ(target.vectorLanes(2), 64);
  EXPECT_EQ(target.vectorLanes(4), 32);
  EXPECT_EQ(target.vectorLanes(4, /*transcendental=*/true), 32);
  EXPECT_EQ(target.vectorStartupCycles(), 16);
  EXPECT_EQ(target.vectorLatencyCycles(), 40);
  EXPECT_EQ(target.dmaPortBytesPerCycle(), 128);
  EXPECT_EQ(target.dmaStartupCycles(), 100);
  EXPECT_EQ(target.dmaLatencyNs(), Ratio(120));
  EXPECT_EQ(target.dmaInFlightBytes(), 32 * kib);
  EXPECT_EQ(target.queueDepth(), 32);
  EXPECT_EQ(target.memoryKind(), "LPDDR5X");
  EXPECT_EQ(target.memoryBytes(), 32 * gb);
  EXPECT_EQ(target.memoryPinGbPerS(), Ratio(68));
  EXPECT_FALSE(target.links());
  EXPECT_EQ(target.maxChips(), 1);
}

TEST(TargetNumbers, serranoTiny) {
  TargetModel target = loadTarget("serrano-tiny");
  expectSmallCore(target);
  EXPECT_EQ(target.rows(), 8);
  EXPECT_EQ(target.columns(), 8);
  EXPECT_EQ(target.shortestMatmulInterval(), 4);
  EXPECT_EQ(target.weightPortBytesPerCycle(), 32);
  EXPECT_EQ(target.movingPortBytesPerCycle(), 32);
  EXPECT_EQ(target.accumulatorReadBytesPerCycle(), 64);
  EXPECT_EQ(target.accumulatorWriteBytesPerCycle(), 32);
  EXPECT_EQ(target.scratchpadBytes(), 32 * kib);
  EXPECT_EQ(target.accumulatorBytes(), 8 * kib);
  EXPECT_EQ(target.scalarMemoryBytes(), 8 * kib);
  EXPECT_EQ(target.instructionMemoryBytes(), 16 * kib);
  EXPECT_EQ(target.vectorLanes(2), 8);
  EXPECT_EQ(target.vectorLanes(4), 4);
  EXPECT_EQ(target.vectorLanes(4, /*transcendental=*/true), 4);
  EXPECT_EQ(target.vectorStartupCycles(), 4);
  EXPECT_EQ(target.vectorLatencyCycles(), 8);
  EXPECT_EQ(target.dmaPortBytesPerCycle(), 32);
  EXPECT_EQ(target.dmaStartupCycles(), 20);
  EXPECT_EQ(target.dmaLatencyNs(), Ratio(50));
  EXPECT_EQ(target.dmaInFlightBytes(), 4 * kib);
  EXPECT_EQ(target.queueDepth(), 8);
  EXPECT_EQ(target.memoryBytes(), 1 * gb);
  EXPECT_EQ(target.memoryPinGbPerS(), Ratio(8));
  ASSERT_TRUE(target.links());
  EXPECT_EQ(target.maxChips(), 2);
}

TEST(TargetNumbers, whatEveryTargetHas) {
  for (const std::string &name : TargetModel::bundledNames()) {
    SCOPED_TRACE(name);
    TargetModel target = loadTarget(name);
    EXPECT_EQ(target.name(), name);
    EXPECT_EQ(target.rings(), 16);
    EXPECT_EQ(target.localCounters(), 64);
    EXPECT_EQ(target.inboundCounters(), 256);
    EXPECT_EQ(target.memoryBurstBytes(), 64);
    EXPECT_EQ(target.dmaArbitrationBytes(), 4096);
    EXPECT_EQ(target.instructionPageBytes(), 4096);
  }
}

TEST(TargetModel, aFastFormatMakesTheTileDeeper) {
  TargetModel target = loadTarget("serrano-1");
  EXPECT_EQ(target.elementsPerPosition(F32), 1);
  EXPECT_EQ(target.largestK(F32), 128);
  EXPECT_EQ(target.largestK(BF16), 128);
  EXPECT_EQ(target.elementsPerPosition(F8), 4);
  EXPECT_EQ(target.largestK(F8), 512);
  EXPECT_EQ(target.largestK(MXFP4), 1024);
}

TEST(TargetModel, aFormatCanBeMissing) {
  TargetModel target = ModifiedTarget("serrano-edge")
                           .set("/matrix/macs_per_element_per_cycle/f8", 0)
                           .set("/energy/mac_pj/f8", 0)
                           .model();
  EXPECT_FALSE(target.canMultiply(F8));
  EXPECT_EQ(target.elementsPerPosition(F8), 1);
  EXPECT_TRUE(target.canMultiply(I8));
}

TEST(TargetModel, aPublishedMachineFitsTheSchema) {
  // NeuronCore-v3: eight cores of 128x128, intervals of at least 64, fp8 at
  // 256x128, 28 MiB and 2 MiB on a core, 2.9 TB/s; no mx formats.
  TargetModel target = ModifiedTarget("serrano-1")
                           .set("/chip/cores", 8)
                           .set("/chip/clock_ghz", 2.8)
                           .set("/matrix/shortest_interval_cycles", 64)
                           .set("/matrix/macs_per_element_per_cycle/f8", 2)
                           .set("/matrix/macs_per_element_per_cycle/i8", 0)
                           .set("/matrix/macs_per_element_per_cycle/mxfp4", 0)
                           .set("/energy/mac_pj/i8", 0)
                           .set("/energy/mac_pj/mxfp4", 0)
                           .set("/storage/scratchpad_bytes", 28 * mib)
                           .set("/storage/accumulator_bytes", 2 * mib)
                           .set("/memory/hbm_pin_gb_per_s", 2900)
                           .model();
  EXPECT_EQ(target.largestK(F8), 256);
  EXPECT_FALSE(target.canMultiply(MXFP4));
}

TEST(TargetModel, sustainedBandwidthInBytesPerCycle) {
  // 16400 GB/s * 0.92 / 1.2 GHz = 12573 1/3; 8600 * 0.92 / 1.2 = 6593 1/3.
  EXPECT_EQ(loadTarget("serrano-1").memorySustainedBytesPerCycle(),
            Ratio(37720, 3));
  EXPECT_EQ(loadTarget("serrano-1-hbm3e").memorySustainedBytesPerCycle(),
            Ratio(19780, 3));
  // 8 * 0.92 / 1 = 7.36.
  EXPECT_EQ(loadTarget("serrano-tiny").memorySustainedBytesPerCycle(),
            Ratio(736, 100));
}

TEST(NumberFormat, bytes) {
  EXPECT_EQ(formatBytes(F32, 3), 12);
  EXPECT_EQ(formatBytes(BF16, 3), 6);
  EXPECT_EQ(formatBytes(F16, 3), 6);
  EXPECT_EQ(formatBytes(F8, 3), 3);
  EXPECT_EQ(formatBytes(I8, 3), 3);
  // 33 half bytes are 17, and they have two scales.
  EXPECT_EQ(formatBytes(MXFP4, 33), 19);
  EXPECT_EQ(formatBytes(MXFP4, 0), 0);
}

TEST(Ratio, isExactAndInLowestTerms) {
  EXPECT_EQ(Ratio(12, 10), Ratio(6, 5));
  EXPECT_EQ(Ratio(1, 3) * Ratio(3), Ratio(1));
  EXPECT_EQ(Ratio(1) / Ratio(4, 3), Ratio(3, 4));
  EXPECT_LT(Ratio(1, 3), Ratio(34, 100));
  EXPECT_EQ(Ratio(7, 3).ceil(), 3);
  EXPECT_EQ(Ratio(6, 3).ceil(), 2);
  EXPECT_EQ(Ratio(2, 3).ceilOf(4), 3);       // 8/3
  EXPECT_EQ(Ratio(2, 3).ceilQuotient(4), 6); // 12/2
  EXPECT_EQ(Ratio(2, 3).ceilQuotient(5), 8); // 15/2
  EXPECT_EQ(Ratio(0), Ratio());
}

} // namespace
