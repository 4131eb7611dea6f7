//===- NumberFormat.cpp - the number formats an engine tells apart --------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Target/NumberFormat.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace serrano {

/// Elements of mxfp4 that share a scale of one byte (OCP MX v1.0).
static constexpr int64_t mxBlock = 32;

StringRef formatName(NumberFormat format) {
  static constexpr StringLiteral names[] = {"f32", "bf16", "f16",
                                            "f8",  "i8",   "mxfp4"};
  return names[size_t(format)];
}

int64_t formatBytes(NumberFormat format, int64_t elements) {
  switch (format) {
  case NumberFormat::F32:
    return 4 * elements;
  case NumberFormat::BF16:
  case NumberFormat::F16:
    return 2 * elements;
  case NumberFormat::F8:
  case NumberFormat::I8:
    return elements;
  case NumberFormat::MXFP4:
    return divideCeil(elements, 2) + divideCeil(elements, mxBlock);
  }
  llvm_unreachable("not a number format");
}

int64_t exactGroup(NumberFormat format) {
  switch (format) {
  case NumberFormat::F8:
    return 4;
  case NumberFormat::MXFP4:
    return mxBlock;
  default:
    return 1;
  }
}

} // namespace serrano
