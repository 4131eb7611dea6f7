//===- Compile.cpp - compiles a model -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Pipelines/Compile.h"

#include "dialects/Isa/Encode.h"
#include "dialects/Llm/SourceTensors.h"
#include "serrano/Emit/Emit.h"
#include "serrano/Import/Onnx.h"
#include "serrano/InitAll.h"
#include "serrano/Isa/Assembly.h"
#include "serrano/Pipelines/Pipelines.h"
#include "serrano/Support/AtomicFile.h"
#include "serrano/Support/Error.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ScopeExit.h"
#include <nlohmann/json.hpp>

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

private:
  void handle(Diagnostic &diagnostic) {
    std::string said = describe(diagnostic.getLocation()) + diagnostic.str();
    for (Diagnostic &note : diagnostic.getNotes())
      said += "; " + note.str();
    said = escapeControls(said);
    std::string message = escapeControls(file + ": ") + said;
    if (diagnostic.getSeverity() == DiagnosticSeverity::Remark && remark.empty())
      remark = said;
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
      llvm::errs() << "serrano-compile: " << (diagnostic.getSeverity() == DiagnosticSeverity::Remark ? "remark" : "warning")
                   << ": " << message << "\n";
    else if (error.empty())
      error = message;
  }

  /// "node 'NAME' (OpType): " for an operation that came from a node.
  std::string describe(Location loc) {
    StringAttr name = llm::getSourceName(loc);
    if (!name)
      return "";
    // Locations have names only: few compilations have something to say.
    if (!opTypes)
      opTypes = readOpTypes(file);
    std::string text = "'" + name.str() + "'";
    if (auto type = opTypes->find(name.getValue()); type != opTypes->end())
      text = "node " + text + " (" + type->second + ")";
    return text + ": ";
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

/// What the program takes, as JSON: its sizes in bytes and, for each function, how
/// many bytes of instructions it has.
static void writeReport(const isa::Program &program, const CompileOptions &options, llvm::raw_ostream &os) {
  nlohmann::ordered_json report;
  report["model"] = options.modelPath;
  report["target"] = options.target;
  report["precision"] = options.precision;
  report["limits"] = {{"max_tokens", options.maxTokens},
                      {"max_sequences", options.maxSequences},
                      {"max_context", options.maxContext}};
  report["instruction_bytes"] = program.text.size() * sizeof(uint64_t);
  report["hbm_bytes"] = program.hbmBytes;
  report["source_operators"] = program.operators.size() - 1; // The first stands for none.
  for (const isa::Function &function : program.functions)
    report["functions"].push_back(
        {{"name", function.name}, {"instruction_bytes", function.words * sizeof(uint64_t)}});
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

/// The stages up to the one that is asked for.
static LogicalResult runStages(ModuleOp module, const CompileOptions &options) {
  TileOptions tile;
  tile.target = options.target;
  tile.precision = options.precision;
  tile.maxTokens = options.maxTokens;
  tile.maxSequences = options.maxSequences;
  tile.maxContext = options.maxContext;
  PlaceOptions place;
  place.target = options.target;
  const std::pair<Stage, std::function<void(OpPassManager &)>> stages[] = {
      {Stage::Llm, buildRaisePipeline},
      {Stage::Tile, [&](OpPassManager &manager) { buildTileStage(manager, tile); }},
      {Stage::Mem, [&](OpPassManager &manager) { buildPlaceStage(manager, place); }},
      {Stage::Dma, buildScheduleStage},
      {Stage::Isa, buildEmitStage},
  };
  for (const auto &[stage, addPasses] : stages)
    if (options.stage >= stage && failed(runStage(module, addPasses)))
      return failure();
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
  if (options.outputPath.empty())
    return makeError("the output file has no name; expected a file, or '-' for the standard output");
  if (options.stage == Stage::Program && options.outputPath == "-")
    return makeError("a program is not written to the standard output; name a file with -o");
  return llvm::Error::success();
}

llvm::Error serrano::compile(const CompileOptions &options) {
  if (llvm::Error error = checkOptions(options))
    return error;
  DialectRegistry registry;
  registerAllDialects(registry);
  auto context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->printOpOnDiagnostic(false);
  Diagnostics diagnostics(context.get(), options.modelPath);
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
  if (failed(runStages(**module, options)))
    return diagnostics.takeError();
  if (options.stage < Stage::Asm)
    return writeText(**module, options);
  FailureOr<isa::Program> program = isa::ir::encode(**module, &*target);
  if (failed(program))
    return diagnostics.takeError();
  if (options.stage == Stage::Asm)
    return write(options, [&](llvm::raw_ostream &os) { return isa::disassemble(*program, os); });
  // Where the report goes is known to be writable before there is a program.
  std::optional<AtomicFile> report;
  if (!options.reportPath.empty()) {
    llvm::Expected<AtomicFile> file = AtomicFile::create(options.reportPath);
    if (!file)
      return file.takeError();
    writeReport(*program, options, file->stream());
    report.emplace(std::move(*file));
  }
  if (llvm::Error error = emitProgram(**module, *program, *target, options.outputPath, options.quiet))
    return addContext(std::move(error), options.modelPath);
  return report ? report->commit() : llvm::Error::success();
}
