//===- TargetModel.h - answers for a target's capabilities ------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TARGET_TARGETMODEL_H
#define SERRANO_TARGET_TARGETMODEL_H

#include "serrano/Target/TargetNumbers.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace serrano {

/// A chip, read from a target file and checked. This is the only place that
/// knows a hardware number; what an instruction costs is TimingModel's answer.
/// Cycles are core clock cycles. A value type: copy it freely.
class TargetModel {
public:
  /// Reads a bundled target ("serrano-1") or, if `nameOrFile` contains a slash
  /// or ends in ".json", a file. A faulty file gives one error that lists every
  /// problem, each as "file: key: expected ..., found ...; remedy".
  ///
  /// Bundled targets are searched for in the folder that the environment
  /// variable SERRANO_TARGETS names, and nowhere else if it is set; otherwise
  /// in share/serrano/targets beside the executable's folder, then in the
  /// source tree that the library was built from.
  static llvm::Expected<TargetModel> load(llvm::StringRef nameOrFile);

  /// Reads a target from JSON text; `source` stands for the file's name in
  /// errors.
  static llvm::Expected<TargetModel> fromJson(llvm::StringRef json,
                                              llvm::StringRef source);

  /// The bundled targets, sorted.
  static std::vector<std::string> bundledNames();

  /// The whole target as JSON text that `fromJson` reads back to the same
  /// target. The same target gives the same bytes, however its file was
  /// written; a variant is written out in full.
  std::string toJson() const;

  llvm::StringRef name() const { return numbers.name; }
  llvm::StringRef description() const { return numbers.description; }

  //===--- Chip ---===//

  int64_t cores() const { return numbers.chip.cores; }
  int64_t coresPerCluster() const { return numbers.chip.coresPerCluster; }
  int64_t clusters() const { return cores() / coresPerCluster(); }
  Ratio clockGhz() const { return numbers.chip.clockGhz; }
  /// `nanoseconds` in cycles, rounded up.
  int64_t cyclesOf(Ratio nanoseconds) const {
    return (nanoseconds * clockGhz()).ceil();
  }

  //===--- Matrix engine ---===//

  /// Rows of the array: positions of K.
  int64_t rows() const { return numbers.matrix.rows; }
  /// Columns of the array: the largest N of a weight tile.
  int64_t columns() const { return numbers.matrix.columns; }
  /// Whether the array multiplies this format at all.
  bool canMultiply(NumberFormat format) const {
    return macRate(format) != Ratio(0);
  }
  /// Multiply-accumulates of one array element in one cycle: a whole number,
  /// or one over a whole number, or 0 if the array lacks the format.
  Ratio macRate(NumberFormat format) const {
    return numbers.matrix.macsPerElementPerCycle[format];
  }
  /// Consecutive K that share one row of the array: the MAC rate if it is above
  /// 1, otherwise 1.
  int64_t elementsPerPosition(NumberFormat format) const;
  /// The largest K of a weight tile: rows times elements per position.
  int64_t largestK(NumberFormat format) const {
    return rows() * elementsPerPosition(format);
  }
  /// A matmul of fewer rows takes as long as one of this many.
  int64_t shortestMatmulInterval() const {
    return numbers.matrix.shortestIntervalCycles;
  }
  int64_t weightPortBytesPerCycle() const {
    return numbers.matrix.weightPortBytesPerCycle;
  }
  int64_t movingPortBytesPerCycle() const {
    return numbers.matrix.movingPortBytesPerCycle;
  }
  int64_t accumulatorReadBytesPerCycle() const {
    return numbers.matrix.accumulatorReadBytesPerCycle;
  }
  int64_t accumulatorWriteBytesPerCycle() const {
    return numbers.matrix.accumulatorWriteBytesPerCycle;
  }

  //===--- Vector engine ---===//

  /// Elements per cycle, a power of two, of an instruction whose widest operand
  /// has elements of `widestBytes` (1, 2 or 4) bytes. Types of 8 bits go at the
  /// rate of 16; a transcendental function goes no faster than exp.
  int64_t vectorLanes(int64_t widestBytes, bool transcendental = false) const;
  int64_t vectorStartupCycles() const { return numbers.vector.startupCycles; }
  /// From the end of an instruction to the start of one that reads its result.
  int64_t vectorLatencyCycles() const { return numbers.vector.latencyCycles; }

  //===--- Memories of a core ---===//

  int64_t scratchpadBytes() const { return numbers.storage.scratchpadBytes; }
  int64_t accumulatorBytes() const { return numbers.storage.accumulatorBytes; }
  int64_t scalarMemoryBytes() const {
    return numbers.storage.scalarMemoryBytes;
  }
  /// A longer program streams from memory, page by page.
  int64_t instructionMemoryBytes() const {
    return numbers.storage.instructionMemoryBytes;
  }
  int64_t instructionPageBytes() const {
    return numbers.storage.instructionPageBytes;
  }

  //===--- Sequencer ---===//

  int64_t dispatchesPerCycle() const {
    return numbers.sequencer.dispatchesPerCycle;
  }
  /// Instructions that each engine's queue holds.
  int64_t queueDepth() const { return numbers.sequencer.queueDepth; }
  int64_t rings() const { return numbers.sequencer.rings; }
  int64_t localCounters() const { return numbers.sequencer.localCounters; }
  int64_t inboundCounters() const { return numbers.sequencer.inboundCounters; }

  //===--- DMA and memory ---===//

  int64_t dmaPortBytesPerCycle() const { return numbers.dma.portBytesPerCycle; }
  int64_t dmaStartupCycles() const { return numbers.dma.startupCycles; }
  Ratio dmaLatencyNs() const { return numbers.dma.latencyNs; }
  int64_t dmaInFlightBytes() const { return numbers.dma.inFlightBytes; }
  /// The grain at which DMA queues take turns at the port and at the memory, a
  /// multiple of the burst.
  int64_t dmaArbitrationBytes() const { return numbers.dma.arbitrationBytes; }

  /// "HBM4", "LPDDR5X", ...
  llvm::StringRef memoryKind() const { return numbers.memory.kind; }
  int64_t memoryStacks() const { return numbers.memory.stacks; }
  int64_t memoryBytes() const;
  /// Of the whole chip, at its pins.
  Ratio memoryPinGbPerS() const { return numbers.memory.pinGbPerS; }
  Ratio memorySustainedFraction() const {
    return numbers.memory.sustainedFraction;
  }
  /// Of the whole chip: what all cores together can really move.
  Ratio memorySustainedBytesPerCycle() const;
  /// The smallest number of bytes that the memory moves, a power of two.
  int64_t memoryBurstBytes() const { return numbers.memory.burstBytes; }

  //===--- Between cores, between chips, energy ---===//

  /// Null if the chip has one core.
  const NetworkNumbers *network() const {
    return numbers.network ? &*numbers.network : nullptr;
  }
  /// Null if the chip cannot be connected to another.
  const LinkNumbers *links() const {
    return numbers.links ? &*numbers.links : nullptr;
  }
  int64_t maxChips() const { return links() ? links()->maxChips : 1; }
  const EnergyNumbers &energy() const { return numbers.energy; }

private:
  explicit TargetModel(TargetNumbers numbers) : numbers(std::move(numbers)) {}

  TargetNumbers numbers;
};

} // namespace serrano

#endif // SERRANO_TARGET_TARGETMODEL_H
