//===- serrano-lsp-server.cpp - MLIR text in editors -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/InitAll.h"
#include "serrano/Support/CommandLine.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

/// Empty: the server registers its options itself.
static llvm::cl::OptionCategory category("serrano-lsp-server options");

static llvm::cl::extrahelp
    about("\nSpeaks the Language Server Protocol on standard input and output; "
          "an editor\n"
          "starts it for .mlir files (docs/HowTo/UseTheTools.md).\n");

int main(int argc, char **argv) {
  serrano::setUpCommandLine(category);
  mlir::DialectRegistry registry;
  serrano::registerAllDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
