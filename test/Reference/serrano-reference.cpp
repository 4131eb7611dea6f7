//===- serrano-reference.cpp - runs a module of the llm dialect -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "serrano/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"

using namespace llvm;
using namespace serrano;

static cl::opt<std::string> modulePath(cl::Positional, cl::Required,
                                       cl::desc("MODULE.mlir"));
static cl::list<std::string> inputPaths(
    "inputs", cl::desc("Archive with the arguments of a run; one for each run"),
    cl::OneOrMore);
static cl::list<std::string>
    outputPaths("outputs",
                cl::desc("Archive for the results of a run; as many"),
                cl::OneOrMore);
static cl::opt<int64_t> blockSize("block-size",
                                  cl::desc("Slots in a block of the cache"),
                                  cl::init(16));

static Error run() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(modulePath, &context);
  if (!module || inputPaths.size() != outputPaths.size())
    return createStringError("no module, or not as many outputs as inputs");
  reference::Evaluator evaluator(*module, blockSize);
  for (auto [inputs, outputs] : zip(inputPaths, outputPaths)) {
    Expected<NpzArrays> arguments = readNpz(inputs);
    if (!arguments)
      return arguments.takeError();
    Expected<NpzArrays> results = evaluator.run(*arguments);
    if (!results)
      return results.takeError();
    if (Error error = writeNpz(outputs, *results))
      return error;
  }
  return Error::success();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv,
                              "reference evaluator of the llm dialect\n");
  if (Error error = run()) {
    errs() << "serrano-reference: error: " << toString(std::move(error))
           << "\n";
    return 1;
  }
  return 0;
}
