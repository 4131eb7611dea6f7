//===- OperandTypes.h - names that a manifest can hold ----------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_ISA_OPERANDTYPES_H
#define SERRANO_LIB_ISA_OPERANDTYPES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace serrano::isa {

/// The element types that the caller's arrays can have.
llvm::ArrayRef<llvm::StringRef> numpyTypes();

/// The element types that arrays on the device can have.
llvm::ArrayRef<llvm::StringRef> chipTypes();

/// What limits can be of.
llvm::ArrayRef<llvm::StringRef> limitKinds();

} // namespace serrano::isa

#endif // SERRANO_LIB_ISA_OPERANDTYPES_H
