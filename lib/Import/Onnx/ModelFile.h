//===- ModelFile.h - reads a model without its weights -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_IMPORT_ONNX_MODELFILE_H
#define SERRANO_LIB_IMPORT_ONNX_MODELFILE_H

#include "onnx/onnx_pb.h"
#include "serrano/Support/MappedFile.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <optional>

namespace serrano::onnx_import {

/// The `location` of external data that lies in the model's own file.
inline constexpr llvm::StringLiteral kModelFileLocation = "";

/// What can be told of a node without parsing it.
struct NodeOutline {
  llvm::StringRef name, opType, domain;
  llvm::SmallVector<llvm::StringRef, 4> inputs;
  llvm::SmallVector<llvm::StringRef, 2> outputs;
  /// The serialised attributes, one after the other; nothing if they lie apart
  /// or do not hold all their data. Equal bytes are equal attributes.
  std::optional<llvm::StringRef> attributes;
  /// The serialised node without what is dropped at its end; whole if no other
  /// part of it is dropped or left in the file.
  llvm::StringRef bytes;
  bool isWhole = true;

  /// A node without a name has that of its first output.
  llvm::StringRef getName() const {
    return name.empty() && !outputs.empty() ? outputs.front() : name;
  }
  /// "domain.OpType"; ONNX's own domain is left out.
  std::string getOp() const {
    return domain.empty() ? opType.str() : (domain + "." + opType).str();
  }
};

/// A model as it is in a file: protobuf, or text if its name ends in
/// ".onnxtext".
///
/// Tensors with more than 8 bytes of in-line data come without them, as tensors
/// with external data at kModelFileLocation; the bytes are not copied. Metadata
/// that the importer does not use is dropped. The nodes of the graph, of which
/// most are small and many equal, are parsed one at a time.
class ModelFile {
public:
  explicit ModelFile(llvm::StringRef path);

  /// The model, whose graph has no nodes.
  const onnx::ModelProto &getModel() const { return model; }

  llvm::ArrayRef<NodeOutline> getNodes() const { return nodes; }

  /// The node, until the next one is parsed.
  const onnx::NodeProto &parse(const NodeOutline &outline);

private:
  class Stripper;

  void parseText();

  MappedFile file;
  onnx::ModelProto model;
  std::vector<NodeOutline> nodes;
  /// The nodes that the outlines of a model in text form refer to.
  std::vector<std::string> serialized;
  onnx::NodeProto node;
};

} // namespace serrano::onnx_import

#endif // SERRANO_LIB_IMPORT_ONNX_MODELFILE_H
