//===- serrano-as.cpp - the assembler ---------------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/Assembly.h"
#include "serrano/Isa/ProgramWriter.h"
#include "serrano/Isa/Verify.h"
#include "serrano/Support/CommandLine.h"
#include "serrano/Support/Error.h"
#include "serrano/Support/Message.h"
#include "serrano/Target/TargetModel.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace serrano;

static cl::OptionCategory category("serrano-as options");
static cl::opt<std::string> input(cl::Positional, cl::Required,
                                  cl::desc("<source, or - for standard input>"),
                                  cl::cat(category));
static cl::opt<std::string> output("o", cl::value_desc("file"),
                                   cl::desc("The program file to write"),
                                   cl::cat(category));
static cl::opt<std::string>
    targetName("target", cl::value_desc("name or file"),
               cl::desc("The target: a bundled one, or a JSON file"),
               cl::cat(category));
static cl::list<std::string>
    defines("D", cl::Prefix, cl::value_desc("NAME=VALUE"),
            cl::desc("Define a constant, in place of the source's .equ"),
            cl::cat(category));

/// Reads the `-D` options.
static Error addDefinitions(StringMap<int64_t> &defined) {
  for (StringRef define : defines) {
    auto [name, text] = define.split('=');
    int64_t value;
    if (name.empty() || text.getAsInteger(/*Radix=*/0, value))
      return makeError("-D{0}: expected -DNAME=VALUE with a whole number",
                       define);
    defined[name] = value;
  }
  return Error::success();
}

static Error run() {
  if (output.empty())
    return makeError("no program file to write; name it with -o");
  if (targetName.empty())
    return makeError("no target to assemble for; name one with --target");
  Expected<TargetModel> target = TargetModel::load(targetName);
  if (!target)
    return target.takeError();
  isa::AssemblyConstants constants;
  constants.target = isa::targetConstants(*target);
  if (Error error = addDefinitions(constants.defined))
    return error;

  ErrorOr<std::unique_ptr<MemoryBuffer>> source =
      MemoryBuffer::getFileOrSTDIN(input, /*IsText=*/true);
  if (!source)
    return makeFileError(input, "read", source.getError());
  StringRef name = input == "-" ? "<stdin>" : StringRef(input);
  if ((*source)->getBuffer().contains('\0'))
    return makeError("{0}: not an assembly source: it has a zero byte; "
                     "serrano-objdump shows a program",
                     name);
  Expected<isa::Program> program =
      isa::assemble((*source)->getBuffer(), name, constants);
  if (!program) {
    // Diagnostics stand for themselves, the last line says what came of them.
    errs() << toString(program.takeError());
    return makeError("{0}: not assembled", name);
  }
  if (program->functions.empty())
    return makeError("{0}: no function; a program needs at least one", name);
  if (Error error = isa::verifyOrError(*program, &*target))
    return addContext(std::move(error), name);

  Expected<isa::ProgramWriter> writer = isa::ProgramWriter::create(output);
  if (!writer)
    return writer.takeError();
  return writer->finish(*program, target->toJson());
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  if (!parseCommandLine(argc, argv, category,
                        "Serrano's assembler\n\n"
                        "  Writes the program that an assembly source "
                        "(docs/Assembly.md)\n"
                        "  describes, for one target.\n"))
    return 1;
  if (Error error = run()) {
    errs() << "serrano-as: error: " << oneLineMessage(std::move(error)) << '\n';
    return 1;
  }
  return 0;
}
