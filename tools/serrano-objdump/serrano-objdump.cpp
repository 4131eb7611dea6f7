//===- serrano-objdump.cpp - shows what is in a program file ----*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/Assembly.h"
#include "serrano/Isa/ProgramFile.h"
#include "serrano/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include <nlohmann/json.hpp>

using namespace llvm;
using namespace serrano;

static cl::OptionCategory category("serrano-objdump options");
static cl::opt<std::string> input(cl::Positional, cl::Required,
                                  cl::desc("<program file>"),
                                  cl::cat(category));
static cl::opt<bool> showSections("sections",
                                  cl::desc("List the ranges of HBM instead of "
                                           "the instructions"),
                                  cl::cat(category));
static cl::opt<bool> showManifest("manifest",
                                  cl::desc("Print the manifest instead of the "
                                           "instructions"),
                                  cl::cat(category));

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

static Error run() {
  Expected<isa::ProgramFile> file = isa::ProgramFile::open(input);
  if (!file)
    return file.takeError();
  if (showSections)
    printSections(*file);
  if (showManifest)
    outs() << file->manifest().dump(/*indent=*/2) << '\n';
  if (showSections || showManifest)
    return Error::success();
  return isa::disassemble(file->program(), outs());
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  if (!parseCommandLine(argc, argv, category,
                        "Serrano's disassembler\n\n"
                        "  Prints a program's instructions in the syntax "
                        "of serrano-as, with the\n"
                        "  source operators beside them.\n"))
    return 1;
  if (Error error = run()) {
    errs() << "serrano-objdump: error: " << toString(std::move(error)) << '\n';
    return 1;
  }
  return 0;
}
