//===- serrano-reduce.cpp - makes failing MLIR text smaller -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reductions.h"
#include "serrano/InitAll.h"
#include "serrano/Support/CommandLine.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/InitLLVM.h"

/// Empty: the reducer registers its options itself.
static llvm::cl::OptionCategory category("serrano-reduce options");

static llvm::cl::extrahelp
    about("\nMakes a file smaller as long as a script finds it interesting, "
          "that is, ends\n"
          "with exit code 1 when it is called with the file:\n"
          "  serrano-reduce big.mlir --reduction-tree='traversal-mode=0 "
          "test=./check.sh'\n"
          "  serrano-reduce big.mlir --opt-reduction-pass='opt-pass=symbol-dce "
          "test=./check.sh'\n");

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  serrano::setUpCommandLine(category);
  mlir::DialectRegistry registry;
  serrano::registerAllDialects(registry);
  serrano::registerReductions(registry);
  serrano::registerAllPasses();
  mlir::MLIRContext context(registry);

  // MLIR's own handler is silent about a file that is not interesting.
  context.getDiagEngine().registerHandler([](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Warning)
      return mlir::failure();
    llvm::errs() << "serrano-reduce: warning: " << diagnostic << '\n';
    return mlir::success();
  });

  // MLIR 22's reduction-tree crashes if folding and removing what is not used,
  // which it does first, makes the file uninteresting.
  llvm::CrashRecoveryContext::Enable();
  bool isReduced = false;
  if (!llvm::CrashRecoveryContext().RunSafely([&] {
        isReduced = mlir::succeeded(mlir::mlirReduceMain(argc, argv, context));
      }))
    llvm::errs()
        << "serrano-reduce: error: MLIR's reducer crashed; is the file still "
           "interesting "
           "after serrano-opt --canonicalize? Else use --opt-reduction-pass\n";
  return !isReduced;
}
