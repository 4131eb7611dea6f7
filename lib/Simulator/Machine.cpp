//===- Machine.cpp - a core that runs a program ------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Simulator/Machine.h"
#include "Core.h"
#include "EnergyMeter.h"
#include "Fault.h"
#include "HappensBefore.h"
#include "Memo.h"
#include "MemorySystem.h"
#include "Profile.h"
#include "Report.h"
#include "Rounds.h"
#include "Timeline.h"
#include "Trace.h"
#include "Watcher.h"
#include "Workers.h"
#include "serrano/Isa/Assembly.h"
#include "serrano/Isa/Codec.h"
#include "serrano/Isa/ProgramFile.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/ScopeExit.h"
#include <cstring>

using namespace serrano;
using namespace serrano::sim;

struct Machine::State {
  const isa::ProgramFile &program;
  TargetModel target;
  TimingModel timing;
  DecodedProgram decoded;
  std::unique_ptr<MemorySystem> memory;
  std::unique_ptr<Workers> workers; ///< kept from run to run
  /// Of the run that goes on, for its debugger.
  const Core *core = nullptr;
  const Timeline *timeline = nullptr;

  State(const isa::ProgramFile &program, TargetModel model)
      : program(program), target(std::move(model)), timing(target) {}

  llvm::Error decode();
  /// The workers for so many threads, null for one.
  Workers *workersFor(unsigned threads);
  /// "`text` at 0x40".
  std::string describe(uint32_t word) const;
  /// Checks a range that the host names.
  llvm::Error checkHost(Memory where, int64_t address, size_t size,
                        bool write) const;
};

llvm::Error Machine::State::decode() {
  llvm::ArrayRef<uint64_t> words = program.text();
  decoded.indexOfWord.assign(words.size(), ~0u);
  for (uint32_t word = 0; word < words.size();) {
    llvm::Expected<isa::Instruction> instruction =
        isa::decode(words.drop_front(word));
    if (!instruction)
      return addContext(
          instruction.takeError(),
          llvm::formatv("{0}: instruction at {1:x}", program.path(), word * 8)
              .str());
    decoded.indexOfWord[word] = decoded.entries.size();
    decoded.entries.push_back({*instruction, word});
    word += isa::wordsOf(*instruction);
  }
  return llvm::Error::success();
}

Workers *Machine::State::workersFor(unsigned threads) {
  if (threads == 1)
    return nullptr;
  if (!workers || workers->threads() != threads)
    workers = std::make_unique<Workers>(threads, *memory);
  return workers.get();
}

std::string Machine::State::describe(uint32_t word) const {
  const DecodedProgram::Entry &entry =
      decoded.entries[decoded.indexOfWord[word]];
  return llvm::formatv("`{0}` at {1:x}", isa::print(entry.instruction),
                       word * 8);
}

llvm::Error Machine::State::checkHost(Memory where, int64_t address,
                                      size_t size, bool write) const {
  try {
    memory->check({where, write, address, int64_t(size), 1, 0},
                  "the host's access");
  } catch (const Fault &fault) {
    return makeError("{0}", fault.what());
  }
  return llvm::Error::success();
}

Machine::Machine(std::unique_ptr<State> state) : state(std::move(state)) {}
Machine::~Machine() = default;

llvm::Expected<std::unique_ptr<Machine>>
Machine::create(const isa::ProgramFile &program) {
  llvm::Expected<TargetModel> target =
      TargetModel::fromJson(program.targetJson(), program.path());
  if (!target)
    return target.takeError();
  auto state = std::make_unique<State>(program, std::move(*target));
  if (llvm::Error error = state->decode())
    return std::move(error);
  const TargetModel &t = state->target;
  auto memory =
      MemorySystem::create({t.scratchpadBytes(), t.accumulatorBytes(),
                            t.scalarMemoryBytes(), int64_t(program.hbmBytes())},
                           program.path(), program.sections());
  if (!memory)
    return memory.takeError();
  state->memory = std::move(*memory);
  return std::unique_ptr<Machine>(new Machine(std::move(state)));
}

static llvm::Error writeTo(MemorySystem &memory, llvm::Error error,
                           Memory where, int64_t address,
                           llvm::ArrayRef<uint8_t> bytes) {
  if (!error && !bytes.empty())
    std::memcpy(memory.at(where, address), bytes.data(), bytes.size());
  return error;
}

static llvm::Error readFrom(MemorySystem &memory, llvm::Error error,
                            Memory where, int64_t address,
                            llvm::MutableArrayRef<uint8_t> bytes) {
  if (!error && !bytes.empty())
    std::memcpy(bytes.data(), memory.at(where, address), bytes.size());
  return error;
}

llvm::Error Machine::writeHbm(int64_t address, llvm::ArrayRef<uint8_t> bytes) {
  return writeTo(*state->memory,
                 state->checkHost(Memory::Hbm, address, bytes.size(), true),
                 Memory::Hbm, address, bytes);
}
llvm::Error Machine::readHbm(int64_t address,
                             llvm::MutableArrayRef<uint8_t> bytes) const {
  return readFrom(*state->memory,
                  state->checkHost(Memory::Hbm, address, bytes.size(), false),
                  Memory::Hbm, address, bytes);
}
llvm::Error Machine::writeScalar(int64_t address,
                                 llvm::ArrayRef<uint8_t> bytes) {
  return writeTo(*state->memory,
                 state->checkHost(Memory::Scalar, address, bytes.size(), true),
                 Memory::Scalar, address, bytes);
}
llvm::Error Machine::readScalar(int64_t address,
                                llvm::MutableArrayRef<uint8_t> bytes) const {
  return readFrom(
      *state->memory,
      state->checkHost(Memory::Scalar, address, bytes.size(), false),
      Memory::Scalar, address, bytes);
}

llvm::Error Machine::read(Memory where, int64_t address,
                          llvm::MutableArrayRef<uint8_t> bytes) const {
  return readFrom(*state->memory,
                  state->checkHost(where, address, bytes.size(), false), where,
                  address, bytes);
}

int64_t Machine::bytesOf(Memory memory) const {
  return state->memory->size(memory);
}

MachineState Machine::inspect() const {
  MachineState result;
  state->core->inspect(result);
  if (state->timeline)
    state->timeline->inspect(result, state->core->scalarsSinceDispatch());
  return result;
}

bool Machine::isInstruction(uint64_t word) const {
  const std::vector<uint32_t> &index = state->decoded.indexOfWord;
  return word < index.size() && index[word] != ~0u;
}

std::string Machine::describe(uint32_t word) const {
  return state->describe(word);
}

/// Whether the bytes that a debugger watches are there.
static llvm::Error checkWatches(const Machine &machine,
                                const Debugger &debugger) {
  for (const Watch &watch : debugger.watches) {
    if (watch.bytes < 1)
      return makeError("the watch of {0} at {1} has {2} bytes; expected 1 or "
                       "more",
                       memoryName(watch.memory), watch.address, watch.bytes);
    std::vector<uint8_t> bytes(1);
    for (int64_t end : {watch.address, watch.address + watch.bytes - 1})
      if (llvm::Error error = machine.read(watch.memory, end, bytes))
        return addContext(std::move(error), "what is to be watched");
  }
  return llvm::Error::success();
}

llvm::Expected<Statistics> Machine::run(int64_t word,
                                        const RunOptions &options) {
  return execute(word, options, nullptr);
}

llvm::Expected<Statistics>
Machine::predict(int64_t word, llvm::ArrayRef<ScalarBytes> lengths,
                 const RunOptions &options) {
  if (options.checkRaces || options.checkInit || options.adversarialSeed)
    return makeError("a prediction computes nothing that could be checked or "
                     "come out in another order; leave out checks and the "
                     "adversarial schedule");
  if (options.debugger)
    return makeError("a prediction computes nothing that could be looked at; "
                     "leave out breaks, watches and dumps");
  int64_t size = state->memory->size(Memory::Scalar);
  KnownScalars known(size);
  auto *scalars =
      reinterpret_cast<uint8_t *>(state->memory->at(Memory::Scalar, 0));
  std::vector<uint8_t> kept(scalars, scalars + size);
  llvm::Error error = llvm::Error::success();
  for (const ScalarBytes &range : lengths)
    if (!error) {
      error = writeScalar(range.address, range.bytes);
      if (!error)
        known.set(range.address, int64_t(range.bytes.size()), true);
    }
  llvm::Expected<Statistics> result = error
                                          ? std::move(error)
                                          : execute(word, options, &known);
  llvm::copy(kept, scalars);
  return result;
}

llvm::Expected<Statistics> Machine::execute(int64_t word,
                                            const RunOptions &options,
                                            KnownScalars *known) {
  if (!isInstruction(uint64_t(word)))
    return makeError("{0}: no instruction starts at {1:x}",
                     state->program.path(), word * 8);

  if (options.adversarialSeed &&
      (options.checkRaces || options.checkInit || options.timing ||
       !options.traceFile.empty() || !options.reportFile.empty()))
    return makeError("checks and times follow program order; leave out checks, "
                     "statistics and trace from a run with the adversarial "
                     "schedule");
  if (options.adversarialSeed && options.debugger)
    return makeError("what is looked at follows program order; leave out "
                     "breaks, watches and dumps from a run with the "
                     "adversarial schedule");
  if (options.adversarialSeed && options.observer)
    return makeError("what is observed follows program order; leave out the "
                     "observer from a run with the adversarial schedule");
  if (options.debugger)
    if (llvm::Error error = checkWatches(*this, *options.debugger))
      return std::move(error);

  llvm::Expected<unsigned> threads = numThreads(options.threads);
  if (!threads)
    return threads.takeError();
  // The adversarial schedule is an order of its own; a prediction has nothing
  // to share out; and what a debugger sees has happened.
  bool alone = options.adversarialSeed || known || options.debugger;
  Workers *workers = state->workersFor(alone ? 1 : *threads);

  std::vector<std::string> operators = state->program.operators();
  double cyclesPerSecond = state->target.clockGhz().toDouble() * 1e9;

  EnergyMeter energy(state->target, state->timing);
  Profile profile(energy, state->target.scratchpadBytes(),
                  !options.reportFile.empty());
  std::unique_ptr<Trace> trace;
  llvm::SmallVector<SliceSink *, 3> sinks;
  if (!options.traceFile.empty()) {
    llvm::Expected<AtomicFile> file = AtomicFile::create(options.traceFile);
    if (!file)
      return file.takeError();
    trace = std::make_unique<Trace>(std::move(*file), operators,
                                    cyclesPerSecond / 1e6, workers);
    sinks.push_back(trace.get());
  }
  std::unique_ptr<Report> report;
  if (!options.reportFile.empty()) {
    llvm::Expected<AtomicFile> file = AtomicFile::create(options.reportFile);
    if (!file)
      return file.takeError();
    report = std::make_unique<Report>(std::move(*file), state->target);
    sinks.push_back(report.get());
  }
  if (trace || report)
    sinks.push_back(&profile);
  Timeline timeline(state->target, state->timing, sinks);
  HappensBefore happensBefore({options.checkRaces, options.checkInit},
                              *state->memory,
                              [&](uint32_t w) { return state->describe(w); });
  llvm::SmallVector<Observer *, 4> observers;
  if (options.checkRaces || options.checkInit)
    observers.push_back(&happensBefore);
  if (options.observer)
    observers.push_back(options.observer);
  if (options.timing)
    observers.append({&timeline, &energy});
  if (trace || report)
    observers.push_back(&profile);

  std::optional<AdversarialSchedule> schedule;
  if (options.adversarialSeed)
    schedule.emplace(*options.adversarialSeed, state->target.queueDepth(),
                     options.adversarialDelay);
  std::optional<Watcher> watcher;
  if (options.debugger && !options.debugger->watches.empty())
    observers.push_back(&watcher.emplace(*options.debugger, *state->memory));
  Core core(state->decoded, *state->memory, state->target, state->timing,
            observers, workers, schedule ? &*schedule : nullptr, known);
  if (options.debugger)
    core.attach(*options.debugger);
  // Those who look at single instructions miss none.
  std::optional<Rounds> rounds;
  std::optional<Memo> memo;
  if (known && options.timing && options.leavesOutRepetition &&
      !options.observer && sinks.empty()) {
    rounds.emplace(core, timeline, energy);
    memo.emplace(core, timeline, energy, *rounds, options.leastSection);
    core.attach(*rounds, *memo);
  }
  state->core = &core;
  state->timeline = options.timing ? &timeline : nullptr;
  llvm::scope_exit forget([&] {
    state->core = nullptr;
    state->timeline = nullptr;
  });
  int code;
  Statistics statistics;
  try {
    code = core.run(word);
    if (rounds)
      rounds->end();
    if (memo)
      memo->end();
    statistics = timeline.finish();
  } catch (const Stopped &) {
    return makeError("{0}: the debugger ended the run at {1}",
                     state->program.path(),
                     state->describe(core.site().word));
  } catch (const Fault &fault) {
    Site site = core.site();
    uint32_t op = site.op;
    std::string layer =
        site.layer ? ", layer " + std::to_string(site.layer) : "";
    return makeError(
        "{0}: fault at {1}{2}: {3}", state->program.path(),
        state->describe(site.word),
        op && op < operators.size()
            ? llvm::formatv(" of operator '{0}'{1}", operators[op], layer).str()
            : std::string(),
        fault.what());
  }
  statistics.instructions = core.instructionsExecuted();
  statistics.seconds = double(statistics.cycles) / cyclesPerSecond;
  if (options.timing)
    energy.finish(statistics);
  for (unsigned i = 0; i < statistics.operators.size(); ++i)
    statistics.operators[i].name = i < operators.size() ? operators[i] : "";
  if (code)
    return makeError("{0}: the program halted with code {1} at {2}",
                     state->program.path(), code,
                     state->describe(core.site().word));
  profile.finish();
  if (trace) {
    trace->counters(profile, energy.staticWatts());
    if (llvm::Error error = trace->commit())
      return std::move(error);
  }
  if (report)
    if (llvm::Error error = report->write(state->program.path(), statistics,
                                          profile, energy.staticWatts()))
      return std::move(error);
  return statistics;
}
