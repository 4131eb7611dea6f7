//===- InitAll.h - registers all dialects and passes -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_INITALL_H
#define SERRANO_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace serrano {

/// Our dialects and those of MLIR that our pipelines use.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Our passes and pipelines and those passes of MLIR that are useful between
/// them.
void registerAllPasses();

} // namespace serrano

#endif // SERRANO_INITALL_H
