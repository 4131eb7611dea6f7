//===- Races.h - what waits leave unordered -------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_RACES_H
#define SERRANO_DIALECTS_DMA_RACES_H

#include "dialects/Dma/Touches.h"

namespace serrano::dma {

/// Two operations that touch a common byte, one of them writing, and that
/// nothing is known to order.
struct Race {
  mlir::Operation *op, *other; ///< `other` may have been executed before `op`
  /// How many increments of its queue's counter surely follow `other`; -1 if it may be
  /// the last of its queue and gives none.
  int64_t age;
};

/// Whether two operations touch a common byte, one of them writing; the first two
/// touches that do.
std::optional<std::pair<Touch, Touch>> findConflict(llvm::ArrayRef<Touch> mine,
                                                    llvm::ArrayRef<Touch> theirs);

/// What the waits of `function` leave unordered on some path, with some trip
/// counts; nothing: it has no races. `touches` are those of the function.
llvm::SmallVector<Race> findRaces(mlir::func::FuncOp function, const Touches &touches);

} // namespace serrano::dma

#endif // SERRANO_DIALECTS_DMA_RACES_H
