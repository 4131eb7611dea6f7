//===- Reductions.h - how serrano-reduce simplifies operations -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TOOLS_REDUCE_REDUCTIONS_H
#define SERRANO_TOOLS_REDUCE_REDUCTIONS_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace serrano {

/// Lets `reduction-tree` simplify operations of the llm dialect, not only erase
/// those without uses: what an operation computes is replaced by one of its
/// operands, or by zeroes.
void registerReductions(mlir::DialectRegistry &registry);

} // namespace serrano

#endif // SERRANO_TOOLS_REDUCE_REDUCTIONS_H
