//===- Dma.h - the dma dialect -------------------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_DMA_H
#define SERRANO_DIALECTS_DMA_DMA_H

#include "dialects/Mem/Mem.h"

#include "dialects/Dma/DmaDialect.h.inc"
#include "dialects/Dma/DmaEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Dma/DmaAttributes.h.inc"

#define GET_OP_CLASSES
#include "dialects/Dma/DmaOps.h.inc"

namespace serrano::dma {

/// The largest lag of a wait, and the most waits of an operation and of
/// `dma.sync`, as the instruction set has them.
inline constexpr int64_t maxLag = 63;
inline constexpr unsigned maxWaits = 2, maxSyncWaits = 6;

/// The queue that an operation runs on; none for what the sequencer does by
/// itself and for orders of weights, which wait for nothing. Orders of blocks
/// are on `ring`, which waits for others and which nobody waits for.
std::optional<Queue> getQueue(mlir::Operation *op);

/// The counter that a queue's operations increment: one for each queue.
inline int64_t getCounter(Queue queue) { return int64_t(queue); }

} // namespace serrano::dma

#endif // SERRANO_DIALECTS_DMA_DMA_H
