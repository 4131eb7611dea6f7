//===- Encode.h - a module of isa to a program ------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_ISA_ENCODE_H
#define SERRANO_DIALECTS_ISA_ENCODE_H

#include "mlir/IR/BuiltinOps.h"
#include "serrano/Isa/Program.h"
#include "llvm/ADT/StringRef.h"

namespace serrano {
class TargetModel;
} // namespace serrano

namespace serrano::isa::ir {

/// On the module: the names of source operators, those of `mark` from 1 on.
inline constexpr llvm::StringLiteral operatorsAttr = "isa.operators";

/// The program that `module` describes: its functions, entries, zeroes and
/// operators. Lays out the functions in their order and resolves calls and
/// blocks; then checks the program (`isa::verify`). Errors are reported at the
/// operations that cause them.
mlir::FailureOr<Program> encode(mlir::ModuleOp module,
                                const TargetModel *target = nullptr);

} // namespace serrano::isa::ir

#endif // SERRANO_DIALECTS_ISA_ENCODE_H
