//===- Graph.h - the graph that is being imported -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_IMPORT_ONNX_GRAPH_H
#define SERRANO_LIB_IMPORT_ONNX_GRAPH_H

#include "ExtentSolver.h"
#include "Node.h"
#include "TensorStore.h"
#include "onnx/defs/schema.h"

namespace serrano::onnx_import {

/// Version of each operator set domain; the default one is "".
using OpsetVersions = std::map<std::string, int64_t>;

/// Names of one graph or function body and what they stand for.
class Graph {
public:
  Graph(mlir::ModuleOp module, TensorStore &store, ExtentSolver &solver,
        OpsetVersions opsets)
      : module(module), store(store), solver(solver),
        opsets(std::move(opsets)) {}

  /// Imports the model's graph as a function.
  void importModel(const onnx::GraphProto &proto);

  TensorStore &getStore() { return store; }
  ExtentSolver &getSolver() { return solver; }
  mlir::ModuleOp getModule() { return module; }
  mlir::OpBuilder getBuilder() { return mlir::OpBuilder::atBlockEnd(block); }

  const Operand &lookup(const std::string &name);
  void define(const std::string &name, Operand operand);

  /// The tensor as an operand: integers and single elements as constants, other
  /// values as a weight named `name`.
  Operand importTensor(const onnx::TensorProto &tensor, llvm::StringRef name,
                       mlir::Location loc);

  /// Calls the builder of the node's op, or expands its function body.
  void importNode(const onnx::NodeProto &node);

private:
  void checkOps(const onnx::GraphProto &proto);
  llm::Extents importShape(const onnx::ValueInfoProto &value);
  mlir::Type importElementType(const onnx::ValueInfoProto &value);
  void importOutputs(const onnx::GraphProto &proto,
                     mlir::func::FuncOp function);
  bool expandFunctionBody(const onnx::NodeProto &node, mlir::Location loc);
  int64_t versionOf(const std::string &domain) const;

  mlir::ModuleOp module;
  TensorStore &store;
  ExtentSolver &solver;
  OpsetVersions opsets;
  mlir::Block *block = nullptr;
  std::map<std::string, Operand> operands;
  std::map<std::string, const onnx::TensorProto *> initializers;
  unsigned expansions = 0;
};

/// Whether ONNX defines `op` by a body of other ops that the importer knows.
bool hasFunctionBody(const onnx::OpSchema &schema);

} // namespace serrano::onnx_import

#endif // SERRANO_LIB_IMPORT_ONNX_GRAPH_H
