//===- serrano-objdump.cpp - shows what is in a program file ----*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/Assembly.h"
#include "serrano/Isa/ProgramFile.h"
#include "serrano/Support/AtomicFile.h"
#include "serrano/Support/CommandLine.h"
#include "serrano/Support/Message.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include <nlohmann/json.hpp>

using namespace llvm;
using namespace serrano;

static cl::OptionCategory category("serrano-objdump options");
static cl::opt<std::string> input(cl::Positional, cl::Required,
                                  cl::desc("<program file>"),
                                  cl::cat(category));
static cl::opt<bool> showEntries("entries",
                                 cl::desc("List the entries with their "
                                          "dimensions, inputs and outputs"),
                                 cl::cat(category));
static cl::opt<bool> showFunctions("functions", cl::desc("List the functions"),
                                   cl::cat(category));
static cl::opt<bool>
    showSections("sections",
                 cl::desc("List the ranges of HBM: weights and "
                          "what starts out as zeroes"),
                 cl::cat(category));
static cl::opt<bool> showManifest("manifest",
                                  cl::desc("Print the manifest, which is JSON"),
                                  cl::cat(category));

static void printOperand(StringRef kind, const isa::Operand &operand) {
  std::string type =
      formatv("{0}[{1}]", operand.dtype, join(operand.shape, ", "));
  if (operand.stored != operand.dtype)
    type += " as " + operand.stored;
  outs() << formatv("  {0,-10} {1,-24} {2,-32} at {3:x} of {4}\n", kind,
                    operand.name, type, operand.address,
                    operand.isInScalarMemory ? "scalar memory" : "hbm");
}

static void printEntries(const isa::Program &program) {
  for (const isa::Entry &entry : program.entries) {
    outs() << formatv("entry {0}, function {1}\n", entry.name, entry.function);
    for (const isa::Dimension &dimension : entry.dimensions)
      outs() << formatv("  {0,-10} {1,-24} {2,-32} at {3:x} of scalar memory\n",
                        "dimension", dimension.name,
                        formatv("0 .. {0}", dimension.max).str(),
                        dimension.smem);
    for (const isa::Operand &operand : entry.inputs)
      printOperand("input", operand);
    for (const isa::Operand &operand : entry.outputs)
      printOperand("output", operand);
  }
}

static void printFunctions(const isa::Program &program) {
  outs() << formatv("{0,-32} {1,16} {2,16}\n", "function", "address", "bytes");
  for (const isa::Function &function : program.functions)
    outs() << formatv("{0,-32} {1,16} {2,16}\n", function.name,
                      formatv("{0:x}", function.word * sizeof(uint64_t)).str(),
                      function.words * sizeof(uint64_t));
}

static void printSections(const isa::ProgramFile &file) {
  outs() << formatv("{0,-32} {1,16} {2,16} {3}\n", "section", "address",
                    "bytes", "contents");
  for (const isa::Section &section : file.sections())
    outs() << formatv(
        "{0,-32} {1,16} {2,16} {3}\n", section.name,
        formatv("{0:x}", section.address).str(), section.memorySize,
        section.fileSize
            ? formatv("at {0:x} of the file", section.fileOffset).str()
            : "zeroes");
  outs() << formatv("{0} bytes of hbm, {1} bytes of instructions\n",
                    file.hbmBytes(), file.text().size() * sizeof(uint64_t));
}

static Error print() {
  Expected<isa::ProgramFile> file = isa::ProgramFile::open(input);
  if (!file)
    return file.takeError();
  if (showEntries)
    printEntries(file->program());
  if (showFunctions)
    printFunctions(file->program());
  if (showSections)
    printSections(*file);
  if (showManifest)
    outs() << file->manifest().dump(/*indent=*/2) << '\n';
  if (showEntries || showFunctions || showSections || showManifest)
    return Error::success();
  std::vector<isa::WeightRange> weights;
  for (const isa::Section &section : file->sections())
    if (section.fileSize)
      weights.push_back({section.name, section.address, section.memorySize});
  return isa::disassemble(file->program(), outs(), weights);
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  if (!parseCommandLine(argc, argv, category,
                        "Serrano's disassembler\n\n"
                        "  Prints a program's instructions in the syntax "
                        "of serrano-as, with the\n"
                        "  source operators beside them, or what is asked for "
                        "instead.\n"))
    return 1;
  if (Error error = joinErrors(print(), flushStandardOutput())) {
    errs() << "serrano-objdump: error: " << oneLineMessage(std::move(error))
           << '\n';
    return 1;
  }
  return 0;
}
