//===- AssembledProgram.h - programs from assembly text -------- -*- C++
//-*-===//
//
// Part of the Serrano project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_SIMULATOR_ASSEMBLEDPROGRAM_H
#define SERRANO_TEST_UNIT_SIMULATOR_ASSEMBLEDPROGRAM_H

#include "../TempFolder.h"
#include "serrano/Isa/Assembly.h"
#include "serrano/Isa/Codec.h"
#include "serrano/Isa/ProgramWriter.h"
#include "serrano/Runtime/Program.h"
#include "serrano/Target/TargetModel.h"
#include "llvm/ADT/STLExtras.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace serrano {

/// Assembles sources for one target and runs what they describe, or what a test
/// has made of it: nothing checks the program's form on the way.
class AssembledProgram {
public:
  explicit AssembledProgram(llvm::StringRef targetName = "serrano-tiny")
      : target(llvm::cantFail(TargetModel::load(targetName))) {}

  isa::Program assemble(llvm::StringRef source) {
    isa::AssemblyConstants constants;
    constants.target = isa::targetConstants(target);
    llvm::Expected<isa::Program> program =
        isa::assemble(source, "test.s", constants);
    if (program)
      return std::move(*program);
    ADD_FAILURE() << llvm::toString(program.takeError()) << "\n" << source.str();
    return {};
  }

  /// The program's entry `main` in a function of its own.
  isa::Program assembleMain(const std::string &body) {
    return assemble(".hbm x, 65536\n.entry main\nfunc main {\n" + body +
                    "\n  halt\n}\n");
  }

  /// Puts `instruction` in the place of one of the same length.
  static void replace(isa::Program &program, uint32_t word,
                      const isa::Instruction &instruction) {
    llvm::SmallVector<uint64_t> words;
    llvm::cantFail(isa::encode(instruction, words));
    llvm::copy(words, program.text.begin() + word);
  }

  llvm::Expected<std::unique_ptr<Program>> load(const isa::Program &program) {
    std::string path = folder.path("p.srn");
    isa::ProgramWriter writer =
        llvm::cantFail(isa::ProgramWriter::create(path));
    llvm::cantFail(writer.finish(program, target.toJson()));
    return Program::load(path);
  }

  llvm::Expected<Program::Result> runEntry(const isa::Program &program,
                                           const NpzArrays &inputs = {},
                                           const sim::RunOptions &options = {}) {
    llvm::Expected<std::unique_ptr<Program>> loaded = load(program);
    if (!loaded)
      return loaded.takeError();
    llvm::Expected<const Entry *> entry = (*loaded)->entry("main");
    if (!entry)
      return entry.takeError();
    return (*loaded)->run(**entry, inputs, options);
  }

  llvm::Expected<sim::Statistics> run(const isa::Program &program,
                                      const NpzArrays &inputs = {},
                                      const sim::RunOptions &options = {}) {
    llvm::Expected<Program::Result> result =
        runEntry(program, inputs, options);
    if (!result)
      return result.takeError();
    return std::move(result->statistics);
  }

  /// Why `program` does not run; "" if it does.
  std::string failure(const isa::Program &program, const NpzArrays &inputs = {},
                      const sim::RunOptions &options = {}) {
    llvm::Expected<sim::Statistics> result = run(program, inputs, options);
    return result ? "" : llvm::toString(result.takeError());
  }

private:
  TempFolder folder;
  TargetModel target;
};

} // namespace serrano

#endif // SERRANO_TEST_UNIT_SIMULATOR_ASSEMBLEDPROGRAM_H
