//===- ExtentSolver.h - what is known about symbolic extents -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_IMPORT_ONNX_EXTENTSOLVER_H
#define SERRANO_LIB_IMPORT_ONNX_EXTENTSOLVER_H

#include "dialects/Llm/Llm.h"
#include "llvm/ADT/DenseMap.h"

namespace serrano::onnx_import {

/// Collects equations between extents. Exporters name one size differently in
/// different places ("s53" for past + seq); where the model needs two extents
/// to be equal, one symbol is from then on an abbreviation of the other extent.
class ExtentSolver {
public:
  /// Makes the two equal if that is possible. Of two symbols the one first
  /// seen is kept.
  bool equate(llm::ExtentAttr lhs, llm::ExtentAttr rhs);

  /// `extent` without abbreviations.
  llm::ExtentAttr resolve(llm::ExtentAttr extent) const;
  llvm::SmallVector<llm::ExtentAttr>
  resolve(llvm::ArrayRef<llm::ExtentAttr> extents) const;

  /// Registers the symbols of an input of the graph, in order.
  void declare(llm::ExtentAttr extent);

  /// Replaces abbreviations in all types and attributes below `root`.
  void applyTo(mlir::Operation *root) const;

private:
  llvm::DenseMap<mlir::StringAttr, llm::ExtentAttr> abbreviations;
  llvm::DenseMap<mlir::StringAttr, unsigned> order;
};

} // namespace serrano::onnx_import

#endif // SERRANO_LIB_IMPORT_ONNX_EXTENTSOLVER_H
