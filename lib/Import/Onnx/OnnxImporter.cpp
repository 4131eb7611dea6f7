//===- OnnxImporter.cpp - imports ONNX models -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "ModelFile.h"
#include "dialects/Llm/SourceTensors.h"
#include "serrano/Import/Onnx.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "serrano/Support/Error.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::onnx_import;

/// The versions of ONNX's own operator set whose ops the builders know.
static constexpr int64_t kMinOpset = 13, kMaxOpset = 25;

static OpsetVersions readOpsets(const onnx::ModelProto &model) {
  OpsetVersions opsets;
  for (const onnx::OperatorSetIdProto &opset : model.opset_import())
    opsets[opset.domain() == "ai.onnx" ? "" : opset.domain()] = opset.version();
  auto own = opsets.find("");
  if (own == opsets.end())
    fail("the model names no version of ONNX's own operator set");
  if (own->second < kMinOpset || own->second > kMaxOpset)
    fail("operator set version {0} is not supported; expected {1} to {2}, "
         "export the model again or convert it with "
         "onnx.version_converter",
         own->second, kMinOpset, kMaxOpset);
  return opsets;
}

namespace {

/// Operations of one form: all that a verifier looks at is the same.
struct SameForm : llvm::DenseMapInfo<Operation *> {
  static unsigned getHashValue(Operation *op) {
    // Of types the first ones tell most forms apart.
    size_t hash = llvm::hash_combine(
        op->getName(),
        op->getName().hashOpProperties(op->getPropertiesStorage()));
    if (op->getNumOperands())
      hash = llvm::hash_combine(hash, op->getOperand(0).getType());
    if (op->getNumResults())
      hash = llvm::hash_combine(hash, op->getResult(0).getType());
    return unsigned(hash);
  }
  static bool isEqual(Operation *lhs, Operation *rhs) {
    if (lhs == rhs)
      return true;
    auto isSpecial = [](Operation *op) {
      return op == getEmptyKey() || op == getTombstoneKey();
    };
    return !isSpecial(lhs) && !isSpecial(rhs) &&
           lhs->getName() == rhs->getName() &&
           lhs->getOperandTypes() == rhs->getOperandTypes() &&
           lhs->getResultTypes() == rhs->getResultTypes() &&
           lhs->getName().compareOpProperties(lhs->getPropertiesStorage(),
                                              rhs->getPropertiesStorage()) &&
           lhs->getDiscardableAttrDictionary() ==
               rhs->getDiscardableAttrDictionary();
  }
};

} // namespace

/// Verifies a module of functions of one block each. The operations of a graph
/// come after their operands and repeat from layer to layer: one of each form
/// is verified.
static LogicalResult verifyGraph(ModuleOp module) {
  if (failed(verify(module, /*verifyRecursively=*/false)))
    return failure();
  llvm::DenseSet<Operation *, SameForm> verified;
  for (Operation &op : *module.getBody()) {
    if (failed(verify(&op, /*verifyRecursively=*/false)))
      return failure();
    for (Region &region : op.getRegions())
      for (Operation &inner : region.getOps())
        if ((inner.getNumRegions() || verified.insert(&inner).second) &&
            failed(verify(&inner)))
          return failure();
  }
  return success();
}

/// Fails with what is wrong with the module, if anything is: what the builders
/// do not check themselves, as element types that an op does not take.
static void checkModule(ModuleOp module, const ModelFile &file) {
  std::string problem;
  ScopedDiagnosticHandler handler(
      module.getContext(), [&](Diagnostic &diagnostic) {
        StringAttr name = llm::getSourceName(diagnostic.getLocation());
        auto isNode = [&](const NodeOutline &node) {
          return name && node.getName() == name.getValue();
        };
        if (!problem.empty())
          return;
        if (const auto *node = llvm::find_if(file.getNodes(), isNode);
            node != file.getNodes().end())
          problem = llvm::formatv("node '{0}' ({1}): ", node->getName(),
                                  node->getOp());
        problem += diagnostic.str();
      });
  if (failed(verifyGraph(module)))
    fail("{0}", problem);
}

llvm::Expected<OwningOpRef<ModuleOp>>
serrano::importOnnx(StringRef path, MLIRContext &context) {
  context
      .loadDialect<llm::LlmDialect, arith::ArithDialect, func::FuncDialect>();
  try {
    ModelFile file(path);
    const onnx::ModelProto &model = file.getModel();
    OpsetVersions opsets = readOpsets(model);
    if (model.functions_size())
      fail("function '{0}' of the model itself is not supported; inline it "
           "with onnx.inliner",
           model.functions(0).name());
    OwningOpRef<ModuleOp> module =
        ModuleOp::create(FileLineColLoc::get(&context, path, 0, 0));
    StringRef folder = llvm::sys::path::parent_path(path);
    (*module)->setAttr(
        llm::LlmDialect::kDirectoryAttr,
        StringAttr::get(&context, folder.empty() ? "." : folder));
    TensorStore store(path, context);
    ExtentSolver solver;
    Graph(*module, store, solver, std::move(opsets)).importModel(file);
    checkModule(*module, file);
    return module;
  } catch (const std::exception &error) {
    std::string text = escapeControls(error.what());
    StringRef message(text);
    // Errors of files that could not be read name the file themselves.
    if (message.starts_with(escapeControls(path)))
      return makeError("{0}", message);
    return makeError("{0}: {1}", path, message);
  }
}

llvm::StringMap<std::string> serrano::readOpTypes(StringRef path) {
  llvm::StringMap<std::string> result;
  try {
    ModelFile file(path);
    for (const NodeOutline &node : file.getNodes())
      result[node.getName()] = node.getOp();
  } catch (const std::exception &) {
    // Who asks has an error to report already.
    result.clear();
  }
  return result;
}
