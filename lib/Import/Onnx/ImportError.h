//===- ImportError.h - errors inside the importer -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_IMPORT_ONNX_IMPORTERROR_H
#define SERRANO_LIB_IMPORT_ONNX_IMPORTERROR_H

#include "llvm/Support/FormatVariadic.h"
#include <stdexcept>

namespace serrano::onnx_import {

/// Thrown by everything in this folder and caught in importOnnx, which adds the
/// file: ONNX's own library throws, so the importer does too. It never passes
/// through a function of MLIR.
class ImportError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

template <typename... Args>
[[noreturn]] void fail(const char *format, Args &&...args) {
  throw ImportError(llvm::formatv(format, std::forward<Args>(args)...).str());
}

} // namespace serrano::onnx_import

#endif // SERRANO_LIB_IMPORT_ONNX_IMPORTERROR_H
