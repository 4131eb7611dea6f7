//===- TargetConstants.cpp - the target's numbers by name -------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/Assembly.h"
#include "serrano/Target/TargetModel.h"

namespace serrano::isa {

llvm::StringMap<int64_t> targetConstants(const TargetModel &target) {
  return {
      {"rows", target.rows()},
      {"columns", target.columns()},
      {"scratchpad_bytes", target.scratchpadBytes()},
      {"accumulator_bytes", target.accumulatorBytes()},
      {"scalar_memory_bytes", target.scalarMemoryBytes()},
      {"instruction_memory_bytes", target.instructionMemoryBytes()},
      {"memory_bytes", target.memoryBytes()},
      {"memory_burst_bytes", target.memoryBurstBytes()},
      {"rings", target.rings()},
      {"local_counters", target.localCounters()},
      {"inbound_counters", target.inboundCounters()},
      {"queue_depth", target.queueDepth()},
      {"shortest_matmul", target.shortestMatmulInterval()},
      {"lanes_f32", target.vectorLanes(/*widestBytes=*/4)},
      {"lanes_bf16", target.vectorLanes(/*widestBytes=*/2)},
      {"cores", target.cores()},
  };
}

} // namespace serrano::isa
