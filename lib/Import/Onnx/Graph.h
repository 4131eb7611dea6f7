//===- Graph.h - the graph that is being imported -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_IMPORT_ONNX_GRAPH_H
#define SERRANO_LIB_IMPORT_ONNX_GRAPH_H

#include "ExtentSolver.h"
#include "ModelFile.h"
#include "OpTable.h"
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
  void importModel(ModelFile &file);

  TensorStore &getStore() { return store; }
  ExtentSolver &getSolver() { return solver; }
  mlir::ModuleOp getModule() { return module; }
  mlir::OpBuilder getBuilder() { return mlir::OpBuilder::atBlockEnd(block); }

  /// Whether names are those of a function's body instead of the model's.
  bool isInFunctionBody() const { return bodyDepth > 0; }

  const Operand &lookup(llvm::StringRef name);
  const Operand &define(llvm::StringRef name, Operand operand);

  /// The tensor as an operand: integers and single elements as constants, other
  /// values as a weight named `name`.
  Operand importTensor(const onnx::TensorProto &tensor, llvm::StringRef name,
                       mlir::Location loc);

private:
  /// `buildNode` with errors that name the node.
  void importNode(const onnx::NodeProto &node, OpBuilderFn build);
  /// Calls the builder of the node's op, or expands its function body if there
  /// is none.
  void buildNode(const onnx::NodeProto &node, OpBuilderFn build);
  /// An op that nodes of the model have.
  struct KnownOp {
    const onnx::OpSchema *schema;
    OpBuilderFn build;
  };

  /// The op of each node. Fails if there are unknown ones, with all of them.
  std::vector<const KnownOp *> findOps(llvm::ArrayRef<NodeOutline> nodes);
  const KnownOp &findOp(const NodeOutline &node);
  /// The identity of an operand with these elements.
  const void *identify(mlir::RankedTensorType type,
                       llvm::ArrayRef<llm::ExtentAttr> known);
  /// Appends to `key` what the node's results depend on; false if it cannot.
  bool appendKey(const NodeOutline &node, const KnownOp &op,
                 llvm::SmallVectorImpl<char> &key);
  /// Imports the nodes; one that computes what another did has its results.
  void importNodes(ModelFile &file, llvm::ArrayRef<const KnownOp *> nodeOps);
  llm::Extents importShape(const onnx::ValueInfoProto &value);
  mlir::Type importElementType(const onnx::ValueInfoProto &value);
  void importOutputs(const onnx::GraphProto &proto,
                     mlir::func::FuncOp function);
  bool expandFunctionBody(const onnx::NodeProto &node);
  int64_t versionOf(const std::string &domain) const;

  mlir::ModuleOp module;
  TensorStore &store;
  ExtentSolver &solver;
  OpsetVersions opsets;
  mlir::Block *block = nullptr;
  llvm::StringMap<Operand> operands;
  llvm::StringMap<const onnx::TensorProto *> initializers;
  llvm::StringMap<KnownOp> ops;
  /// The identities of operands by their known elements.
  llvm::DenseMap<
      std::pair<mlir::RankedTensorType, llvm::ArrayRef<llm::ExtentAttr>>,
      const void *>
      identities;
  llvm::BumpPtrAllocator identityStorage;
  unsigned expansions = 0, bodyDepth = 0;
};

/// Whether ONNX defines `op` by a body of other ops that the importer knows.
bool hasFunctionBody(const onnx::OpSchema &schema);

} // namespace serrano::onnx_import

#endif // SERRANO_LIB_IMPORT_ONNX_GRAPH_H
