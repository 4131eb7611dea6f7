//===- ResultVerification.h - compares inferred results with written ones -*-
//C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_RESULTVERIFICATION_H
#define SERRANO_DIALECTS_LLM_RESULTVERIFICATION_H

#include "dialects/Llm/ShapeInference.h"

namespace serrano::llm {

/// Whether the one result of `op` has these extents and this element type.
inline mlir::LogicalResult
verifyResult(mlir::Operation *op, const ShapeInference &inference,
             const mlir::FailureOr<Extents> &expected, mlir::Type elementType) {
  if (mlir::failed(expected))
    return op->emitOpError() << inference.getError();
  mlir::RankedTensorType type = getTensorType(*expected, elementType);
  if (op->getResult(0).getType() == type)
    return mlir::success();
  return op->emitOpError() << "has result type " << op->getResult(0).getType()
                           << "; expected " << type;
}

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_RESULTVERIFICATION_H
