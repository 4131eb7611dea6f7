//===- serrano-sim.cpp - runs a program on the simulated chip ----------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Summary.h"
#include "serrano/Runtime/Program.h"
#include "serrano/Support/AtomicFile.h"
#include "serrano/Support/CommandLine.h"
#include "serrano/Support/Error.h"
#include "serrano/Support/Message.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
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
  if (!predict && lengthsText.getNumOccurrences())
    return makeError("--lengths are of a prediction; add --predict, or give "
                     "arrays with --inputs");
  if (!predict)
    return llvm::Error::success();
  for (const auto &[given, name] :
       {std::pair{!inputsPath.empty(), "--inputs"},
        {!outputsPath.empty(), "--outputs"},
        {!checks.empty(), "--check"},
        {schedule == Schedule::Adversarial, "--schedule=adversarial"},
        {threads().getNumOccurrences() > 0, "--threads"}})
    if (given)
      return makeError("--predict computes nothing; leave out {0}", name);
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
                                             const sim::RunOptions &options) {
  NpzArrays inputs;
  if (!inputsPath.empty()) {
    llvm::Expected<NpzArrays> arrays = readNpz(inputsPath);
    if (!arrays)
      return arrays.takeError();
    inputs = std::move(*arrays);
  }
  llvm::Expected<Program::Result> result =
      program.run(entry, inputs, options, inputsPath);
  if (!result)
    return result.takeError();
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
  const std::string written[] = {outputsPath, statsPath(), tracePath,
                                 reportPath};
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
  if (!outputsPath.empty() && (*entry)->outputs.empty())
    return makeError("entry '{0}' has no outputs to write; leave out --outputs",
                     (*entry)->name);
  sim::RunOptions options;
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
              : runWithInputs(**program, **entry, options);
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
