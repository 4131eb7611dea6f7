//===- CacheGraph.h - a decoder graph with a functional cache -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_PASSES_CACHEGRAPH_H
#define SERRANO_DIALECTS_LLM_PASSES_CACHEGRAPH_H

#include "dialects/Llm/Llm.h"

#include "llvm/ADT/SetVector.h"

namespace serrano::llm {

/// An attention that appends its keys and values to past ones.
struct CachedLayer {
  mutable AttentionOp attention;
  /// [batch, positions, kv_heads, size], without the past ones.
  mlir::Value newKey, newValue;
};

/// The parts of a decoder graph as exporters write it: past keys and values are
/// arguments, the appended ones results.
class CacheGraph {
public:
  /// Finds the parts. Without an attention that appends, the graph has no cache
  /// and hasCache() is false. Fails with a remark if it has one that cannot be
  /// promoted.
  static mlir::FailureOr<CacheGraph> analyze(mlir::func::FuncOp function);

  bool hasCache() const { return !layers.empty(); }
  llvm::ArrayRef<CachedLayer> getLayers() const { return layers; }
  /// Results of the function that are no keys or values.
  llvm::ArrayRef<unsigned> getOutputs() const { return outputs; }

  ExtentAttr batch, length, past;

private:
  std::optional<CachedLayer> matchLayer(AttentionOp op);
  mlir::LogicalResult checkLayers();

  llvm::SmallVector<CachedLayer> layers;
  llvm::SmallVector<unsigned> outputs;
  llvm::SetVector<mlir::Value> presents;
};

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_PASSES_CACHEGRAPH_H
