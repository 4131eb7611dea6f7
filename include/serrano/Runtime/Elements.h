//===- Elements.h - elements of arrays and of the device ------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_RUNTIME_ELEMENTS_H
#define SERRANO_RUNTIME_ELEMENTS_H

#include "serrano/Isa/Instructions.h"
#include "serrano/Support/Npz.h"

namespace serrano {

/// The elements of `array` as the device stores them, rounded to nearest even
/// where the type is narrower. 64-bit integers must fit in 32 bits; an error
/// names the first that does not. `name` is the array's.
llvm::Expected<std::vector<uint8_t>>
toDevice(llvm::StringRef name, const NpyArray &array, isa::DType stored);

/// Stored elements as an array of `type`.
NpyArray fromDevice(llvm::ArrayRef<uint8_t> bytes, isa::DType stored,
                    NpyType type, std::vector<uint64_t> shape);

} // namespace serrano

#endif // SERRANO_RUNTIME_ELEMENTS_H
