//===- SourceTensors.h - the model's tensors while it runs ---- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_RUNTIME_SOURCETENSORS_H
#define SERRANO_RUNTIME_SOURCETENSORS_H

#include "serrano/Runtime/Entry.h"
#include "serrano/Simulator/Machine.h"
#include <functional>
#include <unordered_map>

namespace serrano {

/// A tensor of the source model that a program says it has computed.
struct SourceTensor {
  uint32_t word;                  ///< the instruction before which it is there
  std::vector<std::string> names; ///< one, or one of each layer
  int64_t layer;                  ///< of the first name; 0 outside of layers
  uint32_t op;                    ///< source operator
  Operand operand; ///< name, types, shape and, unless in HBM, its place
  bool inHbm;      ///< instead of the scratchpad
  /// A loop nest over the elements, the last loop innermost: rounds, and how
  /// far apart in elements. Empty if they are dense.
  std::vector<SizeExpression> extents, strides;

  /// Understands one of a program's.
  static llvm::Expected<SourceTensor> create(const isa::SourceTensor &source);
};

/// Which tensors are to be read: by name, name of the source operator, and
/// layer.
using TensorFilter = std::function<bool(
    llvm::StringRef tensor, llvm::StringRef op, int64_t layer)>;

/// A tensor that was read while a program ran.
struct ReadTensor {
  std::string name, op;
  int64_t layer;
  NpyArray array;
};

/// Reads tensors when they are complete, and hands everything on to another
/// debugger if there is one.
class TensorReader final : public sim::Debugger {
public:
  /// `tensors`, `operators`: the program's.
  TensorReader(const sim::Machine &machine,
               llvm::ArrayRef<SourceTensor> tensors,
               llvm::ArrayRef<std::string> operators,
               const Dimensions &dimensions, TensorFilter filter,
               sim::Debugger *next);

  bool before(const sim::Site &site) override;
  void accessed(const sim::WatchedAccess &access) override;

  /// In the order in which they were complete; of a name the first. An error
  /// if one could not be read.
  llvm::Expected<std::vector<ReadTensor>> take();

private:
  llvm::Expected<NpyArray> read(const SourceTensor &tensor) const;

  const sim::Machine &machine;
  llvm::ArrayRef<std::string> operators;
  const Dimensions &dimensions;
  TensorFilter filter;
  sim::Debugger *next;
  std::unordered_multimap<uint32_t, const SourceTensor *> byWord;
  std::vector<ReadTensor> found;
  llvm::Error problem = llvm::Error::success();
};

} // namespace serrano

#endif // SERRANO_RUNTIME_SOURCETENSORS_H
