//===- serrano-sim.cpp - runs a program on the simulated chip ----------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CommandDebugger.h"
#include "Summary.h"
#include "serrano/Runtime/Program.h"
#include "serrano/Support/AtomicFile.h"
#include "serrano/Support/CommandLine.h"
#include "serrano/Support/Error.h"
#include "serrano/Support/Message.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"

using namespace serrano;
namespace cl = llvm::cl;

static cl::OptionCategory category("serrano-sim options");
static cl::opt<std::string> programPath(cl::Positional, cl::desc("PROGRAM.srn"),
                                        cl::Required, cl::cat(category));
static cl::opt<std::string>
    entryName("entry", cl::desc("Entry to run (default: the only one)"),
              cl::value_desc("name"), cl::cat(category));
static cl::opt<std::string> inputsPath("inputs",
                                       cl::desc("Arrays by input name"),
                                       cl::value_desc("file.npz"),
                                       cl::cat(category));
static cl::opt<std::string>
    outputsPath("outputs", cl::desc("Where the outputs are written"),
                cl::value_desc("file.npz"), cl::cat(category));
/// Made when LLVM's own option of that name, which counts passes, has gone.
static cl::opt<std::string> &statsPath() {
  static cl::opt<std::string> option(
      "stats", cl::desc("Where the costs are written"),
      cl::value_desc("file.json"), cl::cat(category));
  return option;
}
static cl::opt<std::string>
    tracePath("trace", cl::desc("Where a trace for Perfetto is written"),
              cl::value_desc("file.json"), cl::cat(category));
static cl::opt<std::string>
    reportPath("report", cl::desc("Where a page that shows the run is written"),
               cl::value_desc("file.html"), cl::cat(category));
static cl::opt<bool>
    summary("summary",
            cl::desc("Print the operators that cost most and what they waited "
                     "for"),
            cl::cat(category));
enum class Check { Races, Init };
static cl::list<Check> checks(
    "check", cl::desc("Stop at what the program must not do, comma-separated:"),
    cl::CommaSeparated,
    cl::values(clEnumValN(Check::Races, "races",
                          "accesses to a common byte that nothing orders"),
               clEnumValN(Check::Init, "init",
                          "reads of on-chip bytes that were never written")),
    cl::cat(category));

enum class Schedule { Program, Adversarial };
static cl::opt<Schedule> schedule(
    "schedule", cl::desc("The order in which instructions take effect:"),
    cl::values(clEnumValN(Schedule::Program, "program", "program order"),
               clEnumValN(Schedule::Adversarial, "adversarial",
                          "another legal order, which gives other results if "
                          "a wait is missing")),
    cl::init(Schedule::Program), cl::cat(category));
static cl::opt<uint64_t>
    seed("seed", cl::desc("What the adversarial order is drawn from"),
         cl::value_desc("N"), cl::init(0), cl::cat(category));

static cl::list<std::string>
    breaks("break",
           cl::desc("Print where the run is when it comes to an address, or "
                    "begins an operator, or has completed a tensor"),
           cl::value_desc("ADDR|NAME[@LAYER]"), cl::cat(category));
static cl::opt<int64_t>
    breakLimit("break-limit", cl::desc("End the run at the Nth break"),
               cl::value_desc("N"), cl::init(0), cl::cat(category));
static cl::opt<bool> interactive(
    "interactive",
    cl::desc("Ask at each break what to do (default: on a terminal)"),
    cl::cat(category));
static cl::list<std::string> watches(
    "watch",
    cl::desc("Print each access to bytes of spm, acc, smem or hbm: writes, or "
             "what follows, r, w or rw"),
    cl::value_desc("SPACE:ADDR+LEN[:rw]"), cl::cat(category));
static cl::list<std::string> dumps(
    "dump-at",
    cl::desc("Write the model's tensors of an operator, or one tensor, under "
             "their names in the model; * stands for any text"),
    cl::value_desc("NAME[@LAYER]=FILE.npz"), cl::cat(category));

static llvm::Error writeText(llvm::StringRef path, llvm::StringRef text) {
  llvm::Expected<AtomicFile> file = AtomicFile::create(path);
  if (!file)
    return file.takeError();
  file->stream() << text;
  return file->commit();
}

/// Notices before a run what would leave only some of its files afterwards.
static llvm::Error checkWritable(llvm::ArrayRef<std::string> paths) {
  for (const std::string &path : paths) {
    if (path.empty())
      continue;
    llvm::Expected<AtomicFile> file = AtomicFile::create(path);
    if (!file)
      return file.takeError();
  }
  return llvm::Error::success();
}

/// What is read must not be replaced by what comes of it. A device takes
/// anything.
static llvm::Error checkDistinct(llvm::ArrayRef<std::string> read,
                                 llvm::ArrayRef<std::string> written) {
  for (size_t i = 0; i < written.size(); ++i) {
    if (llvm::sys::fs::exists(written[i]) &&
        !llvm::sys::fs::is_regular_file(written[i]))
      continue;
    for (llvm::ArrayRef<std::string> others : {read, written.take_front(i)})
      for (const std::string &other : others)
        if (!written[i].empty() && !other.empty() &&
            (written[i] == other ||
             llvm::sys::fs::equivalent(written[i], other)))
          return makeError("{0}: cannot write to the file twice, nor to one "
                           "that is read; name another file",
                           written[i]);
  }
  return llvm::Error::success();
}

namespace {
/// One `--dump-at`.
struct Dump {
  std::string text, path;
  std::optional<NamePattern> name;
};
} // namespace

static llvm::Expected<std::vector<Dump>> parseDumps() {
  std::vector<Dump> result;
  for (llvm::StringRef text : dumps) {
    auto [name, path] = text.rsplit('=');
    if (name.empty() || path.empty())
      return makeError("--dump-at: '{0}' names no file; expected an operator "
                       "or tensor and a file, as in NAME=FILE.npz",
                       text);
    result.push_back({name.str(), path.str(), std::nullopt});
  }
  return result;
}

static llvm::Error writeDumps(llvm::ArrayRef<Dump> wanted,
                              llvm::ArrayRef<ReadTensor> tensors) {
  for (const Dump &dump : wanted) {
    NpzArrays arrays;
    for (const ReadTensor &tensor : tensors)
      if (dump.name->matches(tensor.name, tensor.layer) ||
          dump.name->matches(tensor.op, tensor.layer))
        arrays.emplace(tensor.name, tensor.array);
    if (arrays.empty())
      return makeError("--dump-at: no tensor of '{0}' was in memory during the "
                       "run: what is fused into another operator cannot be "
                       "seen, nor what was not computed",
                       dump.text);
    if (llvm::Error error = writeNpz(dump.path, arrays))
      return error;
  }
  return llvm::Error::success();
}

static llvm::Error run() {
  llvm::Expected<std::vector<Dump>> wanted = parseDumps();
  if (!wanted)
    return wanted.takeError();
  if (breakLimit < 0)
    return makeError("--break-limit is {0}; expected the number of a break, "
                     "from 1, or 0 to go on at all",
                     breakLimit.getValue());
  if (seed.getNumOccurrences() && schedule != Schedule::Adversarial)
    return makeError("--seed is of the adversarial schedule; add "
                     "--schedule=adversarial");
  llvm::SmallVector<std::string> written = {outputsPath, statsPath(),
                                            tracePath, reportPath};
  for (const Dump &dump : *wanted)
    written.push_back(dump.path);
  if (llvm::Error error = checkDistinct({programPath, inputsPath}, written))
    return error;
  if (llvm::Error error = checkWritable(written))
    return error;
  llvm::Expected<std::unique_ptr<Program>> program = Program::load(programPath);
  if (!program)
    return program.takeError();
  llvm::ArrayRef<Entry> entries = (*program)->entries();
  if (entryName.empty() && entries.size() == 1)
    entryName = entries.front().name;
  if (entryName.empty())
    return makeError(
        "{0}: choose one of its entries with --entry: {1}", programPath,
        llvm::join(
            llvm::map_range(entries, [](const Entry &e) { return e.name; }),
            ", "));
  llvm::Expected<const Entry *> entry = (*program)->entry(entryName);
  if (!entry)
    return entry.takeError();
  if (!outputsPath.empty() && (*entry)->outputs.empty())
    return makeError("entry '{0}' has no outputs to write; leave out --outputs",
                     (*entry)->name);
  NpzArrays inputs;
  if (!inputsPath.empty()) {
    llvm::Expected<NpzArrays> arrays = readNpz(inputsPath);
    if (!arrays)
      return arrays.takeError();
    inputs = std::move(*arrays);
  }
  CommandDebugger debugger(
      **program, {.interactive = interactive || (!breaks.empty() &&
                                                 llvm::sys::Process::
                                                     StandardInIsUserInput()),
                  .limit = breakLimit});
  for (const std::string &place : breaks)
    if (llvm::Error error = debugger.addBreak(place))
      return error;
  for (llvm::StringRef text : watches) {
    llvm::Expected<sim::Watch> watch = parseWatch(text);
    if (!watch)
      return watch.takeError();
    debugger.watches.push_back(*watch);
  }
  for (Dump &dump : *wanted) {
    llvm::Expected<NamePattern> name =
        NamePattern::parse(dump.text, **program, "--dump-at");
    if (!name)
      return name.takeError();
    dump.name = std::move(*name);
  }
  TensorFilter filter;
  if (!wanted->empty())
    filter = [&](llvm::StringRef tensor, llvm::StringRef op, int64_t layer) {
      return llvm::any_of(*wanted, [&](const Dump &dump) {
        return dump.name->matches(tensor, layer) ||
               dump.name->matches(op, layer);
      });
    };
  sim::RunOptions options;
  if (!breaks.empty() || !watches.empty())
    options.debugger = &debugger;
  options.checkRaces = llvm::is_contained(checks, Check::Races);
  options.checkInit = llvm::is_contained(checks, Check::Init);
  options.traceFile = tracePath;
  if (schedule == Schedule::Adversarial)
    options.adversarialSeed = seed;
  // Asked for beside the adversarial schedule, times are refused by the run.
  options.timing = !options.adversarialSeed || summary || !statsPath().empty();
  options.reportFile = reportPath;
  llvm::Expected<Program::Result> result =
      (*program)->run(**entry, inputs, options, inputsPath, filter);
  if (!result && debugger.hasStopped()) {
    llvm::outs() << oneLineMessage(result.takeError()) << '\n';
    return flushStandardOutput();
  }
  if (!result)
    return result.takeError();
  if (llvm::Error error = writeDumps(*wanted, result->tensors))
    return error;
  if (!outputsPath.empty())
    if (llvm::Error error = writeNpz(outputsPath, result->outputs))
      return error;
  if (!statsPath().empty())
    if (llvm::Error error = writeText(statsPath(), result->statistics.toJson()))
      return error;
  const sim::Statistics &s = result->statistics;
  if (options.adversarialSeed) {
    llvm::outs() << llvm::formatv(
        "{0}: {1} instructions in the adversarial order of seed {2}\n",
        (*entry)->name, s.instructions, seed.getValue());
    return llvm::Error::success();
  }
  llvm::outs() << llvm::formatv(
      "{0}: {1} cycles, {2:F3} us, {3} bytes over hbm, {4} "
      "multiply-accumulates, {5} instructions\n",
      (*entry)->name, s.cycles, s.seconds * 1e6,
      s.hbmReadBytes + s.hbmWriteBytes, s.multiplies, s.instructions);
  if (summary) {
    llvm::Expected<Dimensions> dimensions = (*entry)->bind(inputs);
    if (!dimensions)
      return dimensions.takeError();
    auto tokens = dimensions->find("tokens");
    printSummary(llvm::outs(), s,
                 tokens == dimensions->end()
                     ? std::nullopt
                     : std::optional<int64_t>(tokens->second));
  }
  return flushStandardOutput();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  if (cl::Option *option = cl::getRegisteredOptions().lookup("stats"))
    option->removeArgument();
  statsPath();
  if (!parseCommandLine(
          argc, argv, category,
          "Serrano's simulator: runs an entry of a compiled program, exact in "
          "numbers and timed by the target's model\n"))
    return 1;
  if (llvm::Error error = run()) {
    llvm::WithColor::error(llvm::errs(), "serrano-sim")
        << oneLineMessage(std::move(error)) << "\n";
    return 1;
  }
  return 0;
}
