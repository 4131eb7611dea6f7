//===- Windows.h - which columns of a buffer are touched ------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_MEM_WINDOWS_H
#define SERRANO_DIALECTS_MEM_WINDOWS_H

#include "dialects/Mem/Mem.h"

namespace serrano::mem {

/// Columns [begin, end) of a buffer, in all of the rows that an operation
/// counts.
struct Columns {
  int64_t begin, end;
};

/// Appends the columns of its buffer that `view`, an operand of `op`, spans in
/// each execution of `op` in one execution of `block`. Fails if they are not
/// known: the view has to begin in the first row and keep rows and columns in
/// their order, and the loops between have to have constant bounds.
mlir::LogicalResult appendColumns(mlir::Operation *op, mlir::Value view,
                                  mlir::Block *block,
                                  llvm::SmallVectorImpl<Columns> &columns);

/// Whether two operands are views of the same elements of two buffers of the
/// same type.
bool areSameWindow(mlir::Value a, mlir::Value b);

} // namespace serrano::mem

#endif // SERRANO_DIALECTS_MEM_WINDOWS_H
