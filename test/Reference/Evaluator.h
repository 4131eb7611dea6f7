//===- Evaluator.h - a slow and plain interpreter of the llm dialect -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_REFERENCE_EVALUATOR_H
#define SERRANO_TEST_REFERENCE_EVALUATOR_H

#include "Tensor.h"
#include "dialects/Llm/Llm.h"
#include "mlir/IR/BuiltinOps.h"
#include "serrano/Support/MappedFile.h"
#include "llvm/ADT/StringMap.h"
#include <map>

namespace serrano::reference {

/// Computes a module's entry as the descriptions of the operations say, one
/// after the other, in f32. It is what tests compare raised modules with: it
/// shares no code with the compiler but the dialect itself.
class Evaluator {
public:
  /// `blockSize` is the number of slots in a block of the cache.
  Evaluator(mlir::ModuleOp module, int64_t blockSize)
      : module(module), blockSize(blockSize) {}

  /// Runs the entry once. Arguments are found by their `llm.role`, those
  /// without one by `llm.name`; results are named by `llm.name`. The cache
  /// keeps its contents from one run to the next.
  llvm::Expected<NpzArrays> run(const NpzArrays &inputs);

private:
  /// Values of operations and of symbols of extents in one function.
  struct Frame {
    llvm::DenseMap<mlir::Value, Tensor> values;
    llvm::DenseMap<mlir::Value, int64_t> indices;
    std::map<std::string, int64_t> symbols;
  };

  /// A position of the cache: layer, block, slot in the block.
  using Slot = std::tuple<int64_t, int64_t, int64_t>;
  struct KeyValue {
    std::vector<float> key, value;
  };

  llvm::Error bind(Frame &frame, mlir::BlockArgument argument, Tensor tensor);
  llvm::Error evaluateBody(Frame &frame, mlir::Block &block,
                           llvm::SmallVectorImpl<Tensor> &results);
  llvm::Error evaluate(Frame &frame, mlir::Operation &op);
  llvm::Error evaluateLayers(Frame &frame, llm::LayersOp op);
  llvm::Expected<const Tensor *> loadWeight(llvm::StringRef name);
  llvm::SmallVector<int64_t> shapeOf(const Frame &frame,
                                     mlir::Value value) const;
  int64_t valueOf(const Frame &frame, llm::ExtentAttr extent) const;

  Tensor attention(llm::AttentionOp op, Frame &frame);
  Tensor cachedAttention(llm::CachedAttentionOp op, Frame &frame);

  mlir::ModuleOp module;
  int64_t blockSize;
  llvm::StringMap<Tensor> weights;
  std::map<Slot, KeyValue> cache;
};

//===----------------------------------------------------------------------===//
// Operations, by topic
//===----------------------------------------------------------------------===//

/// Whether the operation was one of the file's topic; `result` is its result.
bool evaluateElementwise(mlir::Operation &op,
                         llvm::ArrayRef<const Tensor *> operands,
                         llvm::ArrayRef<int64_t> shape, Tensor &result);
bool evaluateContraction(mlir::Operation &op,
                         llvm::ArrayRef<const Tensor *> operands,
                         llvm::ArrayRef<int64_t> shape, Tensor &result);

} // namespace serrano::reference

#endif // SERRANO_TEST_REFERENCE_EVALUATOR_H
