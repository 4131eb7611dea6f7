//===- TargetNumbers.h - what a target file says ----------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The numbers of a target, group by group as they stand in its JSON file. A
// field has the name of its key; lib/Target/TargetSchema.h says for each key
// what it means and which values are possible. Ask TargetModel, not these.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TARGET_TARGETNUMBERS_H
#define SERRANO_TARGET_TARGETNUMBERS_H

#include "serrano/Target/NumberFormat.h"
#include "serrano/Target/Ratio.h"
#include <optional>
#include <string>

namespace serrano {

/// Where the numbers of a group come from, and which were chosen by us.
struct TargetGroup {
  std::string provenance;
};

struct ChipNumbers : TargetGroup {
  int64_t cores = 0;
  int64_t coresPerCluster = 0;
  Ratio clockGhz;
};

struct MatrixNumbers : TargetGroup {
  int64_t rows = 0;
  int64_t columns = 0;
  PerFormat<Ratio> macsPerElementPerCycle;
  int64_t shortestIntervalCycles = 0;
  int64_t weightPortBytesPerCycle = 0;
  int64_t movingPortBytesPerCycle = 0;
  int64_t accumulatorReadBytesPerCycle = 0;
  int64_t accumulatorWriteBytesPerCycle = 0;
};

struct VectorNumbers : TargetGroup {
  int64_t elementsPerCycle16Bit = 0;
  int64_t elementsPerCycle32Bit = 0;
  int64_t elementsPerCycleExp = 0;
  int64_t startupCycles = 0;
  int64_t latencyCycles = 0;
};

struct StorageNumbers : TargetGroup {
  int64_t scratchpadBytes = 0;
  int64_t accumulatorBytes = 0;
  int64_t scalarMemoryBytes = 0;
  int64_t instructionMemoryBytes = 0;
  int64_t instructionPageBytes = 0;
};

struct SequencerNumbers : TargetGroup {
  int64_t dispatchesPerCycle = 0;
  int64_t queueDepth = 0;
  int64_t rings = 0;
  int64_t localCounters = 0;
  int64_t inboundCounters = 0;
};

struct DmaNumbers : TargetGroup {
  int64_t portBytesPerCycle = 0;
  int64_t startupCycles = 0;
  Ratio latencyNs;
  int64_t inFlightBytes = 0;
  int64_t arbitrationBytes = 0;
};

struct MemoryNumbers : TargetGroup {
  std::string kind;
  int64_t stacks = 0;
  Ratio capacityGb;
  Ratio pinGbPerS;
  Ratio sustainedFraction;
  int64_t burstBytes = 0;
};

struct NetworkNumbers : TargetGroup {
  int64_t bytesPerCyclePerCore = 0;
  int64_t hopCycles = 0;
};

struct LinkNumbers : TargetGroup {
  int64_t count = 0;
  Ratio gbPerSEachWay;
  Ratio latencyNs;
  int64_t maxChips = 0;
};

struct EnergyNumbers : TargetGroup {
  PerFormat<Ratio> macPj;
  Ratio scratchpadPjPerByte;
  Ratio accumulatorPjPerByte;
  Ratio memoryPjPerBit;
  /// At each of a link's two ends; 0 without links.
  Ratio linkPjPerBitPerEnd;
  Ratio staticWPerChip;
};

struct TargetNumbers {
  std::string name;
  std::string description;
  ChipNumbers chip;
  MatrixNumbers matrix;
  VectorNumbers vector;
  StorageNumbers storage;
  SequencerNumbers sequencer;
  DmaNumbers dma;
  MemoryNumbers memory;
  /// Nothing if the chip has one core.
  std::optional<NetworkNumbers> network;
  /// Nothing if the chip cannot be connected to another.
  std::optional<LinkNumbers> links;
  EnergyNumbers energy;
};

} // namespace serrano

#endif // SERRANO_TARGET_TARGETNUMBERS_H
