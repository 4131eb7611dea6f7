//===- Target.h - the target of a module ----------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_TARGET_H
#define SERRANO_DIALECTS_TILE_TARGET_H

#include "dialects/Tile/Tile.h"
#include "serrano/Target/TargetModel.h"

namespace serrano::tile {

/// The target that `name` means, or the module's own if it is empty; an error
/// is emitted on the module.
mlir::FailureOr<TargetModel> getTarget(mlir::ModuleOp module,
                                       llvm::StringRef name);

} // namespace serrano::tile

#endif // SERRANO_DIALECTS_TILE_TARGET_H
