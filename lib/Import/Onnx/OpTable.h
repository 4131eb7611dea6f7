//===- OpTable.h - from ONNX op to builder -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_IMPORT_ONNX_OPTABLE_H
#define SERRANO_LIB_IMPORT_ONNX_OPTABLE_H

#include "Node.h"

namespace serrano::onnx_import {

using OpBuilderFn = void (*)(Node &);

/// The builder of an op, or null. `domain` is "" for ONNX's own.
OpBuilderFn findOpBuilder(llvm::StringRef domain, llvm::StringRef op);

/// Entries of the table; each file in Ops/ has one family.
struct OpEntry {
  llvm::StringLiteral domain;
  llvm::StringLiteral name;
  OpBuilderFn build;
};
llvm::ArrayRef<OpEntry> getAttentionOps();
llvm::ArrayRef<OpEntry> getElementwiseOps();
llvm::ArrayRef<OpEntry> getLinearOps();
llvm::ArrayRef<OpEntry> getMovementOps();
llvm::ArrayRef<OpEntry> getNormalizationOps();
llvm::ArrayRef<OpEntry> getReductionOps();
llvm::ArrayRef<OpEntry> getShapeOps();

} // namespace serrano::onnx_import

#endif // SERRANO_LIB_IMPORT_ONNX_OPTABLE_H
