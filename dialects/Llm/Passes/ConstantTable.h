//===- ConstantTable.h - the values of a constant tensor -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_PASSES_CONSTANTTABLE_H
#define SERRANO_DIALECTS_LLM_PASSES_CONSTANTTABLE_H

#include "dialects/Llm/Llm.h"
#include "serrano/Support/MappedFile.h"

namespace serrano::llm {

/// The elements of a small constant: of an `arith.constant`, or of a weight, in
/// its mapped file. Elements are compared as bits; nothing is copied.
///
/// Masks and tables of angles are constants like weights are, but what they are
/// shows in their values only.
class ConstantTable {
public:
  /// Nothing, and why, if `value` is no constant of one view, is larger than any
  /// mask is, or its file cannot be read.
  static std::optional<ConstantTable> open(mlir::Value value,
                                           std::string &problem);

  llvm::ArrayRef<int64_t> getShape() const { return type.getShape(); }
  uint64_t getBits(llvm::ArrayRef<int64_t> index) const;
  double getNumber(uint64_t bits) const;

private:
  explicit ConstantTable(mlir::RankedTensorType type) : type(type) {}

  mlir::RankedTensorType type;
  llvm::SmallVector<int64_t> strides;
  std::optional<MappedFile> file;
  const uint8_t *base = nullptr; ///< of the weight's first element
  mlir::DenseElementsAttr elements;
};

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_PASSES_CONSTANTTABLE_H
