//===- Compile.cpp - compiles a model -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Pipelines/Compile.h"

#include "Remarks.h"
#include "dialects/Isa/Encode.h"
#include "dialects/Llm/SourceTensors.h"
#include "dialects/Mem/Mem.h"
#include "dialects/Tile/Passes/TilePasses.h"
#include "serrano/Conversion/Compilation.h"
#include "serrano/Emit/Emit.h"
#include "serrano/Import/Onnx.h"
#include "serrano/InitAll.h"
#include "serrano/Isa/Assembly.h"
#include "serrano/Pipelines/Pipelines.h"
#include "serrano/Runtime/Latency.h"
#include "serrano/Support/AtomicFile.h"
#include "serrano/Support/Error.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ScopeExit.h"
#include <ctime>
#include <nlohmann/json.hpp>
#include <tuple>

using namespace mlir;
using namespace serrano;

namespace {

/// Collects the first error, and prints remarks and warnings as they come.
class Diagnostics : public ScopedDiagnosticHandler {
public:
  Diagnostics(MLIRContext *context, StringRef file) : ScopedDiagnosticHandler(context), file(file) {
    setHandler([this](Diagnostic &diagnostic) { handle(diagnostic); });
  }

  llvm::Error takeError() {
    if (error.empty())
      error = file + ": the compilation failed";
    // Who sees only the error needs the reason too: an operation without a kernel is often
    // part of something that was not recognised.
    return makeError("{0}{1}{2}", error, remark.empty() ? "" : "; first remark: ", remark);
  }

  RemarkClient remarkClient() {
    return {[this](Location loc) { return getNode(loc); },
            [this](Location loc, StringRef text) { print(DiagnosticSeverity::Remark, loc, text.str()); }};
  }

private:
  void handle(Diagnostic &diagnostic) {
    std::string said = diagnostic.str();
    for (Diagnostic &note : diagnostic.getNotes())
      said += "; " + note.str();
    print(diagnostic.getSeverity(), diagnostic.getLocation(), said);
  }

  void print(DiagnosticSeverity severity, Location loc, const std::string &text) {
    std::string said = escapeControls(describe(loc) + text);
    std::string message = escapeControls(file + ": ") + said;
    if (severity == DiagnosticSeverity::Remark && remark.empty())
      remark = said;
    if (severity != DiagnosticSeverity::Error)
      llvm::errs() << "serrano-compile: " << (severity == DiagnosticSeverity::Remark ? "remark" : "warning") << ": "
                   << message << "\n";
    else if (error.empty())
      error = message;
  }

  /// Name and op type of the node that an operation came from.
  std::pair<std::string, std::string> getNode(Location loc) {
    StringAttr name = llm::getSourceName(loc);
    if (!name)
      return {};
    // Locations have names only: few compilations have something to say.
    if (!opTypes)
      opTypes = readOpTypes(file);
    return {name.str(), opTypes->lookup(name.getValue())};
  }

  /// "node 'NAME' (OpType): " for an operation that came from a node.
  std::string describe(Location loc) {
    auto [name, type] = getNode(loc);
    if (name.empty())
      return "";
    return type.empty() ? "'" + name + "': " : "node '" + name + "' (" + type + "): ";
  }

  std::string file;
  std::string error, remark;
  std::optional<llvm::StringMap<std::string>> opTypes;
};

} // namespace

/// Gives `print` the output to write to; a file appears when it is complete.
static llvm::Error write(const CompileOptions &options,
                         llvm::function_ref<llvm::Error(llvm::raw_ostream &)> print) {
  if (options.outputPath == "-") {
    llvm::Error error = print(llvm::outs());
    return llvm::joinErrors(std::move(error), flushStandardOutput());
  }
  llvm::Expected<AtomicFile> file = AtomicFile::create(options.outputPath);
  if (!file)
    return file.takeError();
  if (llvm::Error error = print(file->stream()))
    return error;
  return file->commit();
}

static llvm::Error writeText(ModuleOp module, const CompileOptions &options) {
  OpPrintingFlags flags;
  if (options.printLocations)
    flags.enableDebugInfo();
  return write(options, [&](llvm::raw_ostream &os) {
    module.print(os, flags);
    return llvm::Error::success();
  });
}

/// What each memory holds, from the module's attribute.
static nlohmann::ordered_json toJson(Attribute attribute) {
  if (auto array = dyn_cast<ArrayAttr>(attribute)) {
    nlohmann::ordered_json result = nlohmann::ordered_json::array();
    for (Attribute element : array)
      result.push_back(toJson(element));
    return result;
  }
  if (auto dictionary = dyn_cast<DictionaryAttr>(attribute)) {
    nlohmann::ordered_json result;
    for (NamedAttribute element : dictionary)
      result[element.getName().str()] = toJson(element.getValue());
    return result;
  }
  if (auto text = dyn_cast<StringAttr>(attribute))
    return text.str();
  return cast<IntegerAttr>(attribute).getInt();
}

/// CPU seconds of this thread since it began.
static double getCpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

namespace {

/// What the stages of a compilation cost, in the order in which they end.
class StageClock {
public:
  /// Ends a stage, which began when the one before it ended.
  void end(const char *stage) {
    double now = getCpuSeconds();
    seconds[stage] = now - last;
    last = now;
  }

  nlohmann::ordered_json seconds;

private:
  double last = getCpuSeconds();
};

} // namespace

/// The latency of a decoder as JSON, nothing of another model.
static llvm::Expected<std::string> getLatency(const std::string &path) {
  llvm::Expected<std::unique_ptr<Program>> program = Program::load(path);
  if (!program)
    return program.takeError();
  for (const Entry &entry : (*program)->entries())
    if (entry.cache) {
      llvm::Expected<Latency> latency = measureLatency(**program, entry);
      if (!latency)
        return latency.takeError();
      return latency->toJson();
    }
  return std::string();
}

/// What the compilation took and what the program takes, as JSON: CPU seconds of
/// each stage, sizes in bytes, what each memory holds and, for each function, how
/// many bytes of instructions it has; and of a decoder its `latency`.
static void writeReport(ModuleOp module, const isa::Program &program, const CompileOptions &options, const StageClock &clock,
                        StringRef latency, llvm::raw_ostream &os) {
  nlohmann::ordered_json report;
  report["model"] = options.modelPath;
  report["target"] = options.target;
  report["precision"] = options.precision;
  report["limits"] = {{"max_tokens", options.maxTokens},
                      {"max_sequences", options.maxSequences},
                      {"max_context", options.maxContext}};
  report["cpu_seconds"] = clock.seconds;
  report["instruction_bytes"] = program.text.size() * sizeof(uint64_t);
  report["hbm_bytes"] = program.hbmBytes;
  report["source_operators"] = program.operators.size() - 1; // The first stands for none.
  for (const isa::Function &function : program.functions)
    report["functions"].push_back(
        {{"name", function.name}, {"instruction_bytes", function.words * sizeof(uint64_t)}});
  if (!latency.empty())
    report["latency"] = nlohmann::ordered_json::parse(latency);
  if (Attribute placement = module->getAttr(mem::MemDialect::kPlacementAttr))
    report["placement"] = toJson(placement);
  os << report.dump(1) << "\n";
}

/// Runs the passes of a stage. What they leave is verified once, at the end: the
/// verifiers would take longer than the passes if they ran after each, and
/// serrano-opt, which all passes are tested with, does that.
static LogicalResult runStage(ModuleOp module, llvm::function_ref<void(OpPassManager &)> addPasses) {
  PassManager manager(module.getContext());
  manager.enableVerifier(false);
  addPasses(manager);
  return success(succeeded(manager.run(module)) && succeeded(verify(module)));
}

/// What bounds each operator: of a step over a cache with one token after the longest
/// context and with as many new tokens as there is room for.
static void addBoundReports(OpPassManager &manager, const std::string &target) {
  tile::ReportBoundsOptions decode, prefill;
  decode.target = prefill.target = target;
  prefill.tokens = 0;
  manager.addPass(tile::createReportBounds(decode));
  manager.addPass(tile::createReportBounds(prefill));
}

/// Puts what is chosen already on the module.
static LogicalResult setChoices(ModuleOp module, StringRef choices) {
  if (choices.empty())
    return success();
  auto attribute = dyn_cast_or_null<tile::ChoicesAttr>(
      parseAttribute(("#tile.choices<" + choices + ">").str(), module.getContext()));
  if (attribute)
    module->setAttr(tile::TileDialect::kChoicesAttr, attribute);
  return success(bool(attribute));
}

/// The stages up to the one that is asked for.
static LogicalResult runStages(ModuleOp module, const CompileOptions &options, StageClock &clock) {
  TileOptions tile;
  copyCompilation(tile, options);
  tile.search = options.search == "cycles";
  PlaceOptions place;
  place.target = options.target;
  const std::tuple<Stage, const char *, std::function<void(OpPassManager &)>> stages[] = {
      {Stage::Llm, "llm", [&](OpPassManager &manager) { buildRaisePipeline(manager, options.stage > Stage::Llm); }},
      {Stage::Tile, "tile",
       [&](OpPassManager &manager) {
         buildTileStage(manager, tile);
         // Nothing is done with these but to say them.
         if (!options.remarksPath.empty())
           addBoundReports(manager, options.target);
       }},
      {Stage::Mem, "mem", [&](OpPassManager &manager) { buildPlaceStage(manager, place); }},
      {Stage::Dma, "dma", buildScheduleStage},
      {Stage::Isa, "isa", buildEmitStage},
  };
  for (const auto &[stage, name, addPasses] : stages) {
    if (options.stage < stage)
      break;
    if (failed(runStage(module, addPasses)))
      return failure();
    clock.end(name);
  }
  return success();
}

/// The largest limit. Sizes are products of few limits; none overflows up to here.
static constexpr int64_t kMaxLimit = 1 << 24;

static llvm::Error checkOptions(const CompileOptions &options) {
  const std::pair<const char *, int64_t> limits[] = {{"--max-tokens", options.maxTokens},
                                                     {"--max-sequences", options.maxSequences},
                                                     {"--max-context", options.maxContext}};
  for (auto [name, limit] : limits)
    if (limit < 1 || limit > kMaxLimit)
      return makeError("{0} is {1}; expected 1 to {2}", name, limit, kMaxLimit);
  if (options.search != "cycles" && options.search != "none")
    return makeError("--search is '{0}'; expected cycles or none", options.search);
  if (options.outputPath.empty())
    return makeError("the output file has no name; expected a file, or '-' for the standard output");
  if (options.stage == Stage::Program && options.outputPath == "-")
    return makeError("a program is not written to the standard output; name a file with -o");
  return llvm::Error::success();
}

llvm::Error serrano::compile(const CompileOptions &options) {
  if (llvm::Error error = checkOptions(options))
    return error;
  StageClock clock;
  DialectRegistry registry;
  registerAllDialects(registry);
  std::optional<RemarkSink> remarks; // Outlives the context, which writes to it.
  auto context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->printOpOnDiagnostic(false);
  Diagnostics diagnostics(context.get(), options.modelPath);
  if (!options.remarksPath.empty()) {
    llvm::Expected<RemarkSink> sink =
        RemarkSink::open(*context, options.remarksPath, options.remarksFilter, diagnostics.remarkClient());
    if (!sink)
      return sink.takeError();
    remarks.emplace(std::move(*sink));
  }
  // What is asked for has been written, so the remarks on it are too.
  auto finish = [&](llvm::Error error) -> llvm::Error {
    return error || !remarks ? std::move(error) : remarks->commit();
  };
  llvm::Expected<OwningOpRef<ModuleOp>> module = importOnnx(options.modelPath, *context);
  if (!module)
    return module.takeError();
  llvm::scope_exit leave([&] {
    if (!options.leaveMemory)
      return;
    (void)module->release();
    (void)context.release();
  });
  llvm::Expected<TargetModel> target = TargetModel::load(options.target);
  if (!target)
    return target.takeError();
  clock.end("import");
  if (failed(setChoices(**module, options.choices)) || failed(runStages(**module, options, clock)))
    return diagnostics.takeError();
  if (options.stage < Stage::Asm)
    return finish(writeText(**module, options));
  FailureOr<isa::Program> program = isa::ir::encode(**module, &*target);
  if (failed(program))
    return diagnostics.takeError();
  if (options.stage == Stage::Asm)
    return finish(write(options, [&](llvm::raw_ostream &os) { return isa::disassemble(*program, os); }));
  // Where the report goes is known to be writable before there is a program.
  std::optional<AtomicFile> report;
  if (!options.reportPath.empty()) {
    llvm::Expected<AtomicFile> file = AtomicFile::create(options.reportPath);
    if (!file)
      return file.takeError();
    report.emplace(std::move(*file));
  }
  clock.end("asm");
  if (llvm::Error error = emitProgram(**module, *program, *target, options.outputPath, options.quiet))
    return addContext(std::move(error), options.modelPath);
  clock.end("packing");
  if (!report)
    return finish(llvm::Error::success());
  llvm::Expected<std::string> latency = getLatency(options.outputPath);
  if (!latency)
    return latency.takeError();
  if (!latency->empty())
    clock.end("latency");
  writeReport(**module, *program, options, clock, *latency, report->stream());
  return finish(report->commit());
}
