//===- Arrays.h - the callers' arrays ------------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_RUNTIME_ARRAYS_H
#define SERRANO_RUNTIME_ARRAYS_H

#include "serrano/Runtime/Entry.h"

namespace serrano {

/// Whether arrays of `type` can be read as integers.
bool isInteger(NpyType type);

/// The elements of an array of integers, the largest that there is for those
/// beyond 64 bits with a sign.
std::vector<int64_t> toIntegers(const NpyArray &array);

/// An array of integers of `type`, which they have to fit, and one dimension.
NpyArray fromIntegers(NpyType type, llvm::ArrayRef<int64_t> elements);

/// A shape in messages: "[2, 5]", "[batch, 2*seq]".
std::string shapeText(llvm::ArrayRef<uint64_t> shape);
std::string shapeText(llvm::ArrayRef<SizeExpression> shape);

/// Where element `flat` of an array of `shape` is, as a caller writes it:
/// "[2, 5]".
std::string placeText(llvm::ArrayRef<uint64_t> shape, size_t flat);

} // namespace serrano

#endif // SERRANO_RUNTIME_ARRAYS_H
