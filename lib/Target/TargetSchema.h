//===- TargetSchema.h - the keys of a target file ---------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one list of what a target file holds: each key, the field it belongs to,
// the values that are possible and what it means. Reading and writing are
// visitors over it. Limits keep products of numbers within 64 bits.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_TARGET_TARGETSCHEMA_H
#define SERRANO_LIB_TARGET_TARGETSCHEMA_H

#include "serrano/Target/TargetNumbers.h"

namespace serrano {

/// Version of the schema; a file names the one it was written for.
inline constexpr int64_t targetSchemaVersion = 1;

/// What the ISA's encoding has room for.
inline constexpr int64_t isaRings = 16;
inline constexpr int64_t isaLocalCounters = 64;
inline constexpr int64_t isaInboundCounters = 256;
/// Alignment of ring slots in scratchpad.
inline constexpr int64_t isaSlotAlignment = 64;

/// The possible values of a whole number.
struct WholeRange {
  int64_t least;
  int64_t most;
  int64_t multipleOf = 1;
  bool powerOfTwo = false;
};

/// The possible values of a decimal number: above 0 (or 0 itself, if `zero`)
/// and at most `most`, with at most four decimals.
struct DecimalRange {
  int64_t most;
  bool zero = false;
};
inline constexpr int64_t decimalScale = 10000;

inline constexpr int64_t maxBytes = int64_t(1) << 40;
inline constexpr WholeRange anyCount{1, 1 << 20};
inline constexpr WholeRange anyPort{1, 1 << 20};
inline constexpr WholeRange anyCycles{1, 1 << 20};

/// Calls `visitor` for every key in the order of the file:
///   whole(key, int64_t &, WholeRange, meaning)
///   decimal(key, Ratio &, DecimalRange, meaning)
///   text(key, std::string &, meaning)
///   perFormat(key, PerFormat<Ratio> &, DecimalRange, meaning)
///   group(key, Group &, members)            members(visitor, group)
///   optionalGroup(key, std::optional<Group> &, members, when it is null)
template <typename Visitor>
void visitTargetSchema(Visitor &visitor, TargetNumbers &target) {
  int64_t version = targetSchemaVersion;
  visitor.whole("schema", version, {targetSchemaVersion, targetSchemaVersion},
                "version of this file's schema");
  visitor.text("name", target.name, "what the target is called");
  visitor.text("description", target.description, "one line for people");

  visitor.group("chip", target.chip, [](auto &v, ChipNumbers &chip) {
    v.whole("cores", chip.cores, {1, 4096}, "cores of the chip");
    v.whole("cores_per_cluster", chip.coresPerCluster, {1, 4096},
            "cores that share a cluster");
    v.decimal("clock_ghz", chip.clockGhz, {100}, "clock of the cores");
  });

  visitor.group("matrix", target.matrix, [](auto &v, MatrixNumbers &matrix) {
    v.whole("rows", matrix.rows, {1, 4096}, "rows of the array, along K");
    v.whole("columns", matrix.columns, {1, 4096},
            "columns of the array, along N");
    v.perFormat("macs_per_element_per_cycle", matrix.macsPerElementPerCycle,
                {64, /*zero=*/true},
                "multiply-accumulates of one array element per cycle");
    v.whole("shortest_interval_cycles", matrix.shortestIntervalCycles,
            anyCycles, "interval of a matmul of few rows");
    v.whole("weight_port_bytes_per_cycle", matrix.weightPortBytesPerCycle,
            anyPort, "weights into the array");
    v.whole("moving_port_bytes_per_cycle", matrix.movingPortBytesPerCycle,
            anyPort, "moving operand into the array");
    v.whole("accumulator_read_bytes_per_cycle",
            matrix.accumulatorReadBytesPerCycle, anyPort,
            "partial sums into the array");
    v.whole("accumulator_write_bytes_per_cycle",
            matrix.accumulatorWriteBytesPerCycle, anyPort,
            "partial sums out of the array");
  });

  visitor.group("vector", target.vector, [](auto &v, VectorNumbers &vector) {
    WholeRange lanes{1, 1 << 16, 1, /*powerOfTwo=*/true};
    v.whole("elements_per_cycle_16_bit", vector.elementsPerCycle16Bit, lanes,
            "elements of 16 or 8 bits");
    v.whole("elements_per_cycle_32_bit", vector.elementsPerCycle32Bit, lanes,
            "elements of 32 bits");
    v.whole("elements_per_cycle_exp", vector.elementsPerCycleExp, lanes,
            "elements of exp and other transcendental functions");
    v.whole("startup_cycles", vector.startupCycles, anyCycles,
            "cost of an instruction of no elements");
    v.whole("latency_cycles", vector.latencyCycles, anyCycles,
            "to a dependent instruction");
  });

  visitor.group(
      "storage", target.storage, [](auto &v, StorageNumbers &storage) {
        v.whole("scratchpad_bytes", storage.scratchpadBytes,
                {isaSlotAlignment, maxBytes, isaSlotAlignment}, "scratchpad");
        v.whole("accumulator_bytes", storage.accumulatorBytes,
                {isaSlotAlignment, maxBytes, isaSlotAlignment}, "accumulators");
        v.whole("scalar_memory_bytes", storage.scalarMemoryBytes,
                {4, maxBytes, 4}, "scalar memory, in words of 4 bytes");
        v.whole("instruction_memory_bytes", storage.instructionMemoryBytes,
                {8, maxBytes, 8}, "instruction memory, in words of 8 bytes");
        v.whole("instruction_page_bytes", storage.instructionPageBytes,
                {64, 1 << 20, 1, /*powerOfTwo=*/true},
                "what is fetched at once of a program too long for the "
                "instruction memory");
      });

  visitor.group(
      "sequencer", target.sequencer, [](auto &v, SequencerNumbers &sequencer) {
        v.whole("dispatches_per_cycle", sequencer.dispatchesPerCycle, {1, 64},
                "instructions that the sequencer dispatches per cycle");
        v.whole("queue_depth", sequencer.queueDepth, anyCount,
                "instructions that each engine's queue holds");
        v.whole("rings", sequencer.rings, {1, isaRings}, "DMA rings");
        v.whole("local_counters", sequencer.localCounters,
                {1, isaLocalCounters}, "counters that a core's queues raise");
        v.whole("inbound_counters", sequencer.inboundCounters,
                {1, isaInboundCounters}, "counters that remote cores raise");
      });

  visitor.group("dma", target.dma, [](auto &v, DmaNumbers &dma) {
    WholeRange grain{1, 1 << 20, 1, /*powerOfTwo=*/true};
    v.whole("dma_port_bytes_per_cycle", dma.portBytesPerCycle, anyPort,
            "all DMA of a core");
    v.whole("dma_startup_cycles", dma.startupCycles, anyCycles,
            "from issue to the first byte");
    v.decimal("dma_latency_ns", dma.latencyNs, {1000000},
              "from the last byte to completion");
    v.whole("dma_in_flight_bytes", dma.inFlightBytes, {1, maxBytes},
            "bytes under way at once, per core");
    v.whole("dma_arbitration_bytes", dma.arbitrationBytes, grain,
            "grain at which queues share the port and the memory");
  });

  visitor.group("memory", target.memory, [](auto &v, MemoryNumbers &memory) {
    v.text("kind", memory.kind, "kind of memory");
    v.whole("stacks", memory.stacks, anyCount, "stacks or packages");
    v.decimal("hbm_capacity_gb", memory.capacityGb, {100000},
              "capacity of the chip's memory, 1 GB = 10^9 bytes");
    v.decimal("hbm_pin_gb_per_s", memory.pinGbPerS, {1000000},
              "bandwidth of the chip at its memory's pins");
    v.decimal("hbm_sustained_fraction", memory.sustainedFraction, {1},
              "part of the pin bandwidth that can be kept up");
    v.whole("hbm_burst_bytes", memory.burstBytes,
            {1, 1 << 16, 1, /*powerOfTwo=*/true}, "smallest transfer");
  });

  visitor.optionalGroup(
      "network", target.network,
      [](auto &v, NetworkNumbers &network) {
        v.whole("network_bytes_per_cycle_per_core",
                network.bytesPerCyclePerCore, anyPort,
                "one core into the on-chip network");
        v.whole("network_hop_cycles", network.hopCycles, anyCycles,
                "between neighbouring clusters");
      },
      "null for a chip of one core");

  visitor.optionalGroup(
      "links", target.links,
      [](auto &v, LinkNumbers &links) {
        v.whole("link_count", links.count, anyCount, "links of a chip");
        v.decimal("link_gb_per_s_each_way", links.gbPerSEachWay, {1000000},
                  "bandwidth of one link in one direction");
        v.decimal("link_latency_ns", links.latencyNs, {1000000},
                  "from chip to chip");
        v.whole("max_chips", links.maxChips, {2, 1 << 20},
                "chips within one hop");
      },
      "null for a chip without links");

  visitor.group("energy", target.energy, [](auto &v, EnergyNumbers &energy) {
    DecimalRange energyRange{1000000};
    v.perFormat("mac_pj", energy.macPj, {1000000, /*zero=*/true},
                "one multiply-accumulate");
    v.decimal("scratchpad_pj_per_byte", energy.scratchpadPjPerByte, energyRange,
              "scratchpad access");
    v.decimal("accumulator_pj_per_byte", energy.accumulatorPjPerByte,
              energyRange, "accumulator access");
    v.decimal("hbm_pj_per_bit", energy.memoryPjPerBit, energyRange,
              "memory access");
    v.decimal("link_pj_per_bit_per_end", energy.linkPjPerBitPerEnd,
              {1000000, /*zero=*/true}, "links, at each end");
    v.decimal("static_w_per_chip", energy.staticWPerChip, energyRange,
              "static power, pro rata to the cores in use");
  });
}

} // namespace serrano

#endif // SERRANO_LIB_TARGET_TARGETSCHEMA_H
