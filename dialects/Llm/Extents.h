//===- Extents.h - arithmetic on extents, and the extents of types -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_EXTENTS_H
#define SERRANO_DIALECTS_LLM_EXTENTS_H

namespace serrano::llm {

ExtentAttr operator+(ExtentAttr lhs, ExtentAttr rhs);
ExtentAttr operator-(ExtentAttr lhs, ExtentAttr rhs);
ExtentAttr operator*(ExtentAttr lhs, ExtentAttr rhs);
ExtentAttr operator+(ExtentAttr lhs, int64_t rhs);
ExtentAttr operator*(ExtentAttr lhs, int64_t rhs);

/// The product of all extents; 1 if there are none.
ExtentAttr product(mlir::MLIRContext *context,
                   llvm::ArrayRef<ExtentAttr> extents);

/// Whether the product of all extents is the same.
bool haveEqualProducts(llvm::ArrayRef<ExtentAttr> lhs,
                       llvm::ArrayRef<ExtentAttr> rhs);

/// Why no tensor has this shape: an extent is none or negative, or the size of
/// the whole leaves 64 bits.
std::optional<std::string> findProblem(llvm::ArrayRef<ExtentAttr> shape);

/// The extents of all dimensions of a tensor type.
llvm::SmallVector<ExtentAttr> getExtents(mlir::RankedTensorType type);
inline llvm::SmallVector<ExtentAttr> getExtents(mlir::Value value) {
  return getExtents(llvm::cast<mlir::RankedTensorType>(value.getType()));
}

/// The tensor type with these extents: constant ones become static dimensions,
/// and the encoding is there if any is not constant.
mlir::RankedTensorType getTensorType(llvm::ArrayRef<ExtentAttr> extents,
                                     mlir::Type elementType);

/// "[batch, past + seq, 576]", as error messages write a shape.
std::string toString(llvm::ArrayRef<ExtentAttr> extents);

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_EXTENTS_H
