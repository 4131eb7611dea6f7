//===- Compile.cpp - compiles a model -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Pipelines/Compile.h"

#include "serrano/Import/Onnx.h"
#include "serrano/InitAll.h"
#include "serrano/Pipelines/Pipelines.h"
#include "serrano/Support/AtomicFile.h"
#include "serrano/Support/Error.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace serrano;

/// "node 'NAME': " for an operation that came from a node.
static std::string describe(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return ("node '" + name.getName().getValue() + "': ").str();
  if (auto fused = dyn_cast<FusedLoc>(loc); fused && !fused.getLocations().empty())
    return describe(fused.getLocations().back());
  return "";
}

namespace {

/// Collects the first error, and prints remarks and warnings as they come.
class Diagnostics : public ScopedDiagnosticHandler {
public:
  Diagnostics(MLIRContext *context, StringRef file) : ScopedDiagnosticHandler(context), file(file) {
    setHandler([this](Diagnostic &diagnostic) { handle(diagnostic); });
  }

  llvm::Error takeError() { return makeError("{0}", error.empty() ? file + ": the compilation failed" : error); }

private:
  void handle(Diagnostic &diagnostic) {
    std::string message = file + ": " + describe(diagnostic.getLocation()) + diagnostic.str();
    for (Diagnostic &note : diagnostic.getNotes())
      message += "; " + note.str();
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
      llvm::errs() << "serrano-compile: " << (diagnostic.getSeverity() == DiagnosticSeverity::Remark ? "remark" : "warning")
                   << ": " << message << "\n";
    else if (error.empty())
      error = message;
  }

  std::string file;
  std::string error;
};

} // namespace

static llvm::Error writeText(ModuleOp module, const CompileOptions &options) {
  OpPrintingFlags flags;
  if (options.printLocations)
    flags.enableDebugInfo();
  if (options.outputPath == "-") {
    module.print(llvm::outs(), flags);
    return llvm::Error::success();
  }
  llvm::Expected<AtomicFile> file = AtomicFile::create(options.outputPath);
  if (!file)
    return file.takeError();
  module.print(file->stream(), flags);
  return file->commit();
}

llvm::Error serrano::compile(const CompileOptions &options) {
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  Diagnostics diagnostics(&context, options.modelPath);
  llvm::Expected<OwningOpRef<ModuleOp>> module = importOnnx(options.modelPath, context);
  if (!module)
    return module.takeError();
  if (options.stage != Stage::Import) {
    PassManager manager(&context);
    buildRaisePipeline(manager);
    if (failed(manager.run(**module)))
      return diagnostics.takeError();
  }
  return writeText(**module, options);
}
