//===- serrano-opt.cpp - runs passes on MLIR text -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/InitAll.h"
#include "serrano/Support/CommandLine.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

/// Empty: the driver registers its options itself.
static llvm::cl::OptionCategory category("serrano-opt options");

int main(int argc, char **argv) {
  serrano::setUpCommandLine(category);
  mlir::DialectRegistry registry;
  serrano::registerAllDialects(registry);
  serrano::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Serrano optimizer driver\n", registry));
}
