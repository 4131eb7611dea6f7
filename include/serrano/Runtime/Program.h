//===- Program.h - a program that can be run ------------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_RUNTIME_PROGRAM_H
#define SERRANO_RUNTIME_PROGRAM_H

#include "serrano/Isa/ProgramFile.h"
#include "serrano/Runtime/Entry.h"
#include "serrano/Runtime/Lengths.h"
#include "serrano/Runtime/SourceTensors.h"
#include "serrano/Simulator/Machine.h"

namespace serrano {

/// A loaded program with a machine to run it on. The machine's memory keeps
/// its contents from run to run, as a device's does.
class Program {
public:
  static llvm::Expected<std::unique_ptr<Program>> load(llvm::StringRef path);
  static llvm::Expected<std::unique_ptr<Program>>
  create(isa::ProgramFile file);

  const isa::ProgramFile &file() const { return *programFile; }
  llvm::ArrayRef<Entry> entries() const { return entryList; }
  /// An error lists the entries that there are.
  llvm::Expected<const Entry *> entry(llvm::StringRef name) const;

  struct Result {
    NpzArrays outputs;
    sim::Statistics statistics;
    std::vector<ReadTensor> tensors; ///< as they became complete
  };
  /// Binds `inputs` to `entry` by name, runs it, and reads its outputs, and
  /// while it runs the tensors that `filter` asks for. Errors about the inputs
  /// begin with `inputsPath`, the file that they are from.
  llvm::Expected<Result> run(const Entry &entry, const NpzArrays &inputs,
                             const sim::RunOptions &options = {},
                             llvm::StringRef inputsPath = {},
                             const TensorFilter &filter = {});

  /// The source model's tensors that can be read during a run.
  llvm::ArrayRef<SourceTensor> tensors() const { return tensorList; }

  /// What a run of `entry` with these lengths would cost, to the cycle, without
  /// computing and without arrays. Of a step each sequence gives the logits of
  /// its last token. An error says which length is missing, unknown or beyond
  /// what the program was compiled for, or that the time depends on data.
  llvm::Expected<sim::Statistics>
  predict(const Entry &entry, const Lengths &lengths,
          const sim::RunOptions &options = {});

  sim::Machine &machine() { return *core; }

private:
  Program() = default;
  /// Checks `inputs` and copies them to the machine.
  llvm::Expected<Dimensions> writeInputs(const Entry &entry,
                                         const NpzArrays &inputs);
  llvm::Error write(const Operand &operand, const NpyArray &array);
  llvm::Expected<NpyArray> read(const Operand &operand,
                                const Dimensions &dimensions);

  std::unique_ptr<isa::ProgramFile> programFile;
  std::unique_ptr<sim::Machine> core;
  std::vector<Entry> entryList;
  std::vector<SourceTensor> tensorList;
};

} // namespace serrano

#endif // SERRANO_RUNTIME_PROGRAM_H
