//===- serrano-place.cpp - solves an allocation problem ---------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Schedule/AllocationFile.h"
#include "serrano/Schedule/AllocationSolver.h"
#include "serrano/Support/AtomicFile.h"
#include "serrano/Support/CommandLine.h"
#include "serrano/Support/Error.h"
#include "serrano/Support/MappedFile.h"
#include "serrano/Support/Message.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"

using namespace llvm;
using namespace serrano;

static cl::OptionCategory category("serrano-place options");
static cl::opt<std::string> input(cl::Positional, cl::Required,
                                  cl::desc("<problem.csv>"), cl::cat(category));
static cl::opt<std::string>
    output("o",
           cl::desc("Where the addresses go ('-' for the standard output)"),
           cl::value_desc("file"), cl::init("-"), cl::cat(category));
static cl::opt<int64_t>
    steps("steps", cl::desc("Most steps of the exact search"),
          cl::value_desc("n"), cl::init(AllocationOptions().steps),
          cl::cat(category));
static cl::opt<bool>
    check("check",
          cl::desc("Only check that the offsets of the file are a solution"),
          cl::cat(category));

/// What there is to say of a solution, in one line.
static void summarise(const AllocationProblem &problem,
                      const AllocationResult &result) {
  errs() << formatv("{0}: {1} buffers in {2} bytes of {3}; no placement takes "
                    "less than {4} (gap {5:P1}, {6} steps)\n",
                    input, problem.buffers().size(), result.height,
                    problem.capacityBytes(), result.lowerBound, result.gap(),
                    result.steps);
}

static Error run() {
  if (steps < 0)
    return makeError("--steps is {0}; expected at least 0", steps.getValue());
  Expected<MappedFile> file = MappedFile::open(input);
  if (!file)
    return file.takeError();
  Expected<AllocationProblem> problem =
      readAllocation(toStringRef(file->bytes()), input);
  if (!problem)
    return problem.takeError();
  if (check) {
    if (Error error = problem->verify())
      return addContext(std::move(error), input);
    summarise(*problem, {problem->height(), problem->lowerBound(), 0});
    return Error::success();
  }
  Expected<AllocationResult> result = solve(*problem, {steps});
  if (!result)
    return addContext(result.takeError(), input);
  if (Error error = problem->verify())
    return addContext(std::move(error), input);
  summarise(*problem, *result);
  if (output == "-") {
    writeAllocation(*problem, outs());
    return flushStandardOutput();
  }
  Expected<AtomicFile> written = AtomicFile::create(output);
  if (!written)
    return written.takeError();
  writeAllocation(*problem, written->stream());
  return written->commit();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  if (!parseCommandLine(
          argc, argv, category,
          "Serrano's solver of allocation problems\n\n"
          "  Gives buffers with lifetimes addresses so that those that are "
          "alive together\n"
          "  share no byte, in as few bytes as it can, and says how few are "
          "possible.\n"
          "  Problems are CSV files as mem-export-problems writes them and as "
          "MiniMalloc's\n"
          "  benchmarks are.\n"))
    return 1;
  if (Error error = run()) {
    errs() << "serrano-place: error: " << oneLineMessage(std::move(error))
           << '\n';
    return 1;
  }
  return 0;
}
