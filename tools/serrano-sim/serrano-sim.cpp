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
/// This option and `threads` are made when LLVM's own of the same names, which
/// are about passes and linking, have gone.
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
static cl::opt<bool>
    predict("predict",
            cl::desc("Say what a run with these --lengths costs, to the cycle, "
                     "without computing"),
            cl::cat(category));
static cl::opt<bool> latencyTable(
    "latency",
    cl::desc("Print the time to a decoder's first token and for each output "
             "token, as functions of lengths"),
    cl::cat(category));
static cl::opt<std::string> lengthsText(
    "lengths",
    cl::desc("Of a step its sequences, [COUNTx]NEW@CONTEXT,..., the new tokens "
             "among those of the context; else the sizes of dimensions, "
             "NAME=SIZE,..."),
    cl::value_desc("list"), cl::cat(category));
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

static cl::opt<unsigned> &threads() {
  static cl::opt<unsigned> option(
      "threads",
      cl::desc("Threads of the host that compute; results are the same for any "
               "number (default: $SERRANO_THREADS, or one for each core up to "
               "16)"),
      cl::value_desc("N"), cl::init(0), cl::cat(category));
  return option;
}
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

/// The entry that was asked for, or the only one.
static llvm::Expected<const Entry *> chooseEntry(const Program &program) {
  llvm::ArrayRef<Entry> entries = program.entries();
  if (!entryName.empty())
    return program.entry(entryName);
  if (entries.size() == 1)
    return &entries.front();
  return makeError(
      "{0}: choose one of its entries with --entry: {1}", programPath,
      llvm::join(
          llvm::map_range(entries, [](const Entry &e) { return e.name; }),
          ", "));
}

/// Options that exclude each other.
static llvm::Error checkOptions() {
  if (seed.getNumOccurrences() && schedule != Schedule::Adversarial)
    return makeError("--seed is of the adversarial schedule; add "
                     "--schedule=adversarial");
  if (threads().getNumOccurrences() && threads() == 0)
    return makeError("--threads is 0; expected a number of threads, 1 to 64");
  if (breakLimit < 0)
    return makeError("--break-limit is {0}; expected the number of a break, "
                     "from 1, or 0 to go on at all",
                     breakLimit.getValue());
  if (latencyTable)
    for (const auto &[given, name] :
         {std::pair{predict.getValue(), "--predict"},
          {lengthsText.getNumOccurrences() > 0, "--lengths"},
          {!statsPath().empty(), "--stats"},
          {!tracePath.empty(), "--trace"},
          {!reportPath.empty(), "--report"},
          {summary.getValue(), "--summary"}})
      if (given)
        return makeError("--latency predicts steps of its own; leave out {0}", name);
  if (!predict && lengthsText.getNumOccurrences())
    return makeError("--lengths are of a prediction; add --predict, or give "
                     "arrays with --inputs");
  if (!predict && !latencyTable)
    return llvm::Error::success();
  for (const auto &[given, name] :
       {std::pair{!inputsPath.empty(), "--inputs"},
        {!outputsPath.empty(), "--outputs"},
        {!checks.empty(), "--check"},
        {schedule == Schedule::Adversarial, "--schedule=adversarial"},
        {threads().getNumOccurrences() > 0, "--threads"},
        {!breaks.empty(), "--break"},
        {breakLimit.getNumOccurrences() > 0, "--break-limit"},
        {interactive.getNumOccurrences() > 0, "--interactive"},
        {!watches.empty(), "--watch"},
        {!dumps.empty(), "--dump-at"}})
    if (given)
      return makeError("{0} computes nothing; leave out {1}",
                       predict ? "--predict" : "--latency", name);
  return llvm::Error::success();
}

/// What a run gave, as far as it is known.
struct Outcome {
  sim::Statistics statistics;
  std::optional<int64_t> tokens;
};

static std::optional<int64_t> tokensOf(const Dimensions &dimensions) {
  auto tokens = dimensions.find("tokens");
  return tokens == dimensions.end() ? std::nullopt
                                    : std::optional<int64_t>(tokens->second);
}

static llvm::Expected<Outcome> runPrediction(Program &program,
                                             const Entry &entry,
                                             const sim::RunOptions &options) {
  Lengths lengths;
  if (!lengthsText.empty()) {
    llvm::Expected<Lengths> parsed = Lengths::parse(lengthsText);
    if (!parsed)
      return addContext(parsed.takeError(), "--lengths");
    lengths = std::move(*parsed);
  }
  llvm::Expected<sim::Statistics> statistics =
      program.predict(entry, lengths, options);
  if (!statistics)
    return statistics.takeError();
  std::optional<int64_t> tokens = tokensOf(lengths.dimensions);
  for (const SequenceLengths &sequence : lengths.sequences)
    tokens = tokens.value_or(0) + sequence.added;
  return Outcome{std::move(*statistics), tokens};
}

static llvm::Expected<Outcome> runWithInputs(Program &program,
                                             const Entry &entry,
                                             const sim::RunOptions &options,
                                             llvm::ArrayRef<Dump> wanted) {
  NpzArrays inputs;
  if (!inputsPath.empty()) {
    llvm::Expected<NpzArrays> arrays = readNpz(inputsPath);
    if (!arrays)
      return arrays.takeError();
    inputs = std::move(*arrays);
  }
  TensorFilter filter;
  if (!wanted.empty())
    filter = [&](llvm::StringRef tensor, llvm::StringRef op, int64_t layer) {
      return llvm::any_of(wanted, [&](const Dump &dump) {
        return dump.name->matches(tensor, layer) ||
               dump.name->matches(op, layer);
      });
    };
  llvm::Expected<Program::Result> result =
      program.run(entry, inputs, options, inputsPath, filter);
  if (!result)
    return result.takeError();
  if (llvm::Error error = writeDumps(wanted, result->tensors))
    return std::move(error);
  if (!outputsPath.empty())
    if (llvm::Error error = writeNpz(outputsPath, result->outputs))
      return std::move(error);
  llvm::Expected<Dimensions> dimensions = entry.bind(inputs);
  if (!dimensions)
    return dimensions.takeError();
  return Outcome{std::move(result->statistics), tokensOf(*dimensions)};
}

static llvm::Error run() {
  if (llvm::Error error = checkOptions())
    return error;
  llvm::Expected<std::vector<Dump>> wanted = parseDumps();
  if (!wanted)
    return wanted.takeError();
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
  llvm::Expected<const Entry *> entry = chooseEntry(**program);
  if (!entry)
    return entry.takeError();
  if (latencyTable) {
    llvm::Expected<Latency> latency = measureLatency(**program, **entry);
    if (!latency)
      return latency.takeError();
    printLatency(llvm::outs(), *latency);
    return flushStandardOutput();
  }
  if (!outputsPath.empty() && (*entry)->outputs.empty())
    return makeError("entry '{0}' has no outputs to write; leave out --outputs",
                     (*entry)->name);
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
  options.threads = threads();
  llvm::Expected<Outcome> outcome =
      predict ? runPrediction(**program, **entry, options)
              : runWithInputs(**program, **entry, options, *wanted);
  if (!outcome && debugger.hasStopped()) {
    llvm::outs() << oneLineMessage(outcome.takeError()) << '\n';
    return flushStandardOutput();
  }
  if (!outcome)
    return outcome.takeError();
  const sim::Statistics &s = outcome->statistics;
  if (!statsPath().empty())
    if (llvm::Error error = writeText(statsPath(), s.toJson()))
      return error;
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
  if (summary)
    printSummary(llvm::outs(), s, outcome->tokens);
  return flushStandardOutput();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  for (llvm::StringRef name : {"stats", "threads"})
    if (cl::Option *option = cl::getRegisteredOptions().lookup(name))
      option->removeArgument();
  statsPath();
  threads();
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
