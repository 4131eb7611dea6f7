//===- serrano-opt.cpp - runs passes on MLIR text -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/InitAll.h"
#include "serrano/Support/AtomicFile.h"
#include "serrano/Support/CommandLine.h"
#include "serrano/Support/Error.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"

/// Empty: the driver registers its options itself.
static llvm::cl::OptionCategory category("serrano-opt options");

/// Writes the file when it is complete, or says what kept it from being.
static llvm::Error writeFile(llvm::StringRef inputPath,
                             llvm::StringRef outputPath,
                             mlir::DialectRegistry &registry, bool &succeeded) {
  std::string problem;
  std::unique_ptr<llvm::MemoryBuffer> input =
      mlir::openInputFile(inputPath, &problem);
  if (!input)
    return serrano::makeError("{0}", problem);
  auto output = serrano::AtomicFile::create(outputPath);
  if (!output)
    return output.takeError();
  auto config = mlir::MlirOptMainConfig::createFromCLOptions();
  succeeded = mlir::succeeded(
      mlir::MlirOptMain(output->stream(), std::move(input), registry, config));
  return succeeded ? output->commit() : llvm::Error::success();
}

int main(int argc, char **argv) {
  serrano::setUpCommandLine(category);
  mlir::DialectRegistry registry;
  serrano::registerAllDialects(registry);
  serrano::registerAllPasses();
  auto [input, output] = mlir::registerAndParseCLIOptions(
      argc, argv, "Serrano optimizer driver\n", registry);
  bool isFile = output != "-" && (!llvm::sys::fs::exists(output) ||
                                  llvm::sys::fs::is_regular_file(output));
  bool succeeded = false;
  llvm::Error error = llvm::Error::success();
  if (isFile) {
    llvm::InitLLVM init(argc, argv);
    error = llvm::joinErrors(std::move(error),
                             writeFile(input, output, registry, succeeded));
  } else {
    succeeded =
        mlir::succeeded(mlir::MlirOptMain(argc, argv, input, output, registry));
    error = llvm::joinErrors(std::move(error), serrano::flushStandardOutput());
  }
  if (!error)
    return succeeded ? 0 : 1;
  llvm::errs() << "serrano-opt: error: " << llvm::toString(std::move(error))
               << '\n';
  return 1;
}
