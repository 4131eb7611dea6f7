//===- Rewriting.h - applies patterns to a model -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_PASSES_REWRITING_H
#define SERRANO_DIALECTS_LLM_PASSES_REWRITING_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace serrano::llm {

/// How greedy rewriting goes through a model: a function of the llm dialect is
/// one block, so that there are no regions to simplify, and its operations come
/// after their operands. What a rewrite changes, and who uses it, is looked at
/// again in the same iteration; another one would look at all operations. Source
/// tensors move along.
mlir::GreedyRewriteConfig getRewriteConfig();

/// Erases operations without effect whose results are not used.
void eraseDeadOperations(mlir::func::FuncOp function);

/// Applies the patterns to the functions of a model until none matches, and
/// erases what is dead. Nothing is folded; the weights around the functions are
/// not looked at.
mlir::LogicalResult rewriteFunctions(mlir::ModuleOp module,
                                     mlir::RewritePatternSet &&patterns);

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_PASSES_REWRITING_H
