//===- Mem.h - the mem dialect -------------------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_MEM_MEM_H
#define SERRANO_DIALECTS_MEM_MEM_H

#include "dialects/Tile/Tile.h"

#include "dialects/Mem/MemDialect.h.inc"
#include "dialects/Mem/MemEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Mem/MemAttributes.h.inc"

#define GET_OP_CLASSES
#include "dialects/Mem/MemOps.h.inc"

namespace serrano::mem {

/// Addresses in the core's memories are multiples of this many bytes.
inline constexpr int64_t bufferAlignment = 64;

/// Rings that the instruction set has numbers for.
inline constexpr int64_t numRings = 16;

/// The operation that gave the slot behind `value`: looks through views and
/// casts. Null for a block argument.
mlir::Operation *getSlotOf(mlir::Value value);

/// The operations that use the slot of `op`, through views and casts.
llvm::SmallVector<mlir::Operation *> getSlotUsers(mlir::Operation *op);

} // namespace serrano::mem

#endif // SERRANO_DIALECTS_MEM_MEM_H
