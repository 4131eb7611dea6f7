//===- Emit.h - from instructions to a program file ----------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_EMIT_EMIT_H
#define SERRANO_EMIT_EMIT_H

#include "serrano/Isa/Program.h"
#include "serrano/Target/TargetModel.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace serrano {

/// Writes `program`, which `module` in the `isa` dialect was encoded to, to `path`, with
/// the weights that its `tile.packed`, `tile.vectors` and constant `tile.tensor`
/// name. Weights go from their mapped files to the output a block of columns at a
/// time. The file appears when it is complete. Progress is shown on standard error,
/// with `quiet` on a terminal only.
llvm::Error emitProgram(mlir::ModuleOp module, const isa::Program &program,
                        const TargetModel &target, llvm::StringRef path,
                        bool quiet = false);

} // namespace serrano

#endif // SERRANO_EMIT_EMIT_H
