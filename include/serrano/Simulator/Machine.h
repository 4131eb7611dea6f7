//===- Machine.h - a core that runs a program ----------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_MACHINE_H
#define SERRANO_SIMULATOR_MACHINE_H

#include "serrano/Simulator/Debugger.h"
#include "serrano/Simulator/Statistics.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace serrano::isa {
class ProgramFile;
} // namespace serrano::isa

namespace serrano::sim {

class KnownScalars;
class Observer;

/// What a run does besides computing.
struct RunOptions {
  /// Accesses to a common byte that nothing orders stop the run.
  bool checkRaces = false;
  /// Reads of scratchpad or accumulator bytes that were never written stop it.
  bool checkInit = false;
  /// Times every instruction; without it the statistics hold counts only.
  bool timing = true;
  /// Where a trace is written that Perfetto and chrome://tracing open; empty:
  /// nowhere.
  std::string traceFile;
  /// Instructions take effect in a legal order that is drawn from this seed, to
  /// the disadvantage of programs that lack a wait, instead of program order.
  /// Not with checks, timing and trace, which follow program order.
  std::optional<uint64_t> adversarialSeed;
  /// With the adversarial schedule: which instruction is put off for as long as
  /// anything else can go. Counted, from 0, are all that are dispatched and all
  /// slots that are filled, in program order.
  std::optional<int64_t> adversarialDelay;
  /// Where a page that shows the run is written; empty: nowhere.
  std::string reportFile;
  /// Threads of the host that compute, 1 to 64; the results are the same for any
  /// number. 0: as many as the environment's SERRANO_THREADS says or, without
  /// it, one for each of the host's cores up to 16. With a debugger one computes.
  unsigned threads = 0;
  /// Looks at the run, if it is not null. Not with the adversarial schedule, nor
  /// in a prediction.
  Debugger *debugger = nullptr;
  /// A prediction adds up what costs the same as something before, rounds of
  /// loops and longer sections, without going through it; the statistics are the
  /// same.
  bool leavesOutRepetition = true;
  /// Of which the sections have so many instructions or more.
  int64_t leastSection = 16000;
  /// Is told of what is dispatched and touched, if it is not null. Not with the
  /// adversarial schedule, which reads tables late.
  Observer *observer = nullptr;
};

/// Bytes that the host writes to scalar memory.
struct ScalarBytes {
  int64_t address = 0;
  std::vector<uint8_t> bytes;
};

/// One core of a target with its memories. The memories keep their contents
/// from one run to the next; registers, counters and rings start anew.
class Machine {
public:
  /// Loads `program`, which must outlive the machine, for the target that it
  /// was made for. The program's weights are mapped from its file.
  static llvm::Expected<std::unique_ptr<Machine>>
  create(const isa::ProgramFile &program);
  ~Machine();

  /// Copies bytes to or from HBM. An error if they leave it or are weights.
  llvm::Error writeHbm(int64_t address, llvm::ArrayRef<uint8_t> bytes);
  llvm::Error readHbm(int64_t address,
                      llvm::MutableArrayRef<uint8_t> bytes) const;
  /// Copies bytes to or from scalar memory.
  llvm::Error writeScalar(int64_t address, llvm::ArrayRef<uint8_t> bytes);
  llvm::Error readScalar(int64_t address,
                         llvm::MutableArrayRef<uint8_t> bytes) const;

  /// Copies bytes of any memory. An error if they leave it. While a run goes on,
  /// of use to its debugger only.
  llvm::Error read(Memory memory, int64_t address,
                   llvm::MutableArrayRef<uint8_t> bytes) const;
  /// How many bytes a memory has.
  int64_t bytesOf(Memory memory) const;
  /// To be called by the debugger of a run only.
  MachineState inspect() const;
  /// Whether an instruction starts at that word address.
  bool isInstruction(uint64_t word) const;
  /// "`text` at 0x40", of the instruction at that word address.
  std::string describe(uint32_t word) const;

  /// Runs the function at word address `word` until it halts. An error says
  /// which instruction did what the ISA forbids, which code it halted with
  /// if that is not 0, or that the debugger ended it.
  llvm::Expected<Statistics> run(int64_t word, const RunOptions &options = {});

  /// What `run` would cost, without computing: only the sequencer works. Of
  /// scalar memory it knows `lengths` and nothing else; an error says so if
  /// anything but an address in HBM depends on the rest. HBM is neither read nor
  /// written, and the memories are afterwards as they were. Checks and debuggers
  /// look at what engines do and are refused.
  llvm::Expected<Statistics> predict(int64_t word,
                                     llvm::ArrayRef<ScalarBytes> lengths,
                                     const RunOptions &options = {});

private:
  struct State;
  llvm::Expected<Statistics> execute(int64_t word, const RunOptions &options,
                                     KnownScalars *known);
  explicit Machine(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_MACHINE_H
