//===- Isa.h - the isa dialect ----------------------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `serrano::isa::Matmul` is an instruction, `serrano::isa::ir::Matmul` the
// operation that stands for one. Inside namespace `serrano`, write
// `mlir::isa<...>`: there, `isa` alone is this namespace.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_ISA_ISA_H
#define SERRANO_DIALECTS_ISA_ISA_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "serrano/Isa/Instructions.h"

#include "dialects/Isa/IsaDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Isa/IsaAttributes.h.inc"

#define GET_OP_CLASSES
#include "dialects/Isa/IsaOps.h.inc"

namespace serrano::isa::ir {

/// The instruction that `operation` stands for. The length of a block and the
/// address of a callee are not known yet and left at 0.
isa::Instruction toInstruction(mlir::Operation *operation);

/// Creates the operation for `instruction`: with an empty block if it has one,
/// with `callee` if it is a call. Fields that assembly leaves out get no
/// attribute.
mlir::Operation *createInstruction(mlir::OpBuilder &builder,
                                   mlir::Location location,
                                   const isa::Instruction &instruction,
                                   llvm::StringRef callee = "");

} // namespace serrano::isa::ir

#endif // SERRANO_DIALECTS_ISA_ISA_H
