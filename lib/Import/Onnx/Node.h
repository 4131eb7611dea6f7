//===- Node.h - a node of an ONNX graph, as op builders see it -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_IMPORT_ONNX_NODE_H
#define SERRANO_LIB_IMPORT_ONNX_NODE_H

#include "ImportError.h"
#include "dialects/Llm/ShapeInference.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "onnx/onnx_pb.h"

namespace serrano::onnx_import {

class Graph;

/// What a name of the ONNX graph stands for: a value of the module, or integers
/// that are known as extents and have no operation (yet), or both.
struct Operand {
  mlir::Value value;
  mlir::RankedTensorType type;
  /// The elements of a scalar or vector of integers or booleans.
  std::optional<llm::Extents> known;
  /// The same for operands with the same elements; `Graph::define` sets it.
  const void *identity = nullptr;
};

/// One node, given to the builder of its op type. Builders throw ImportError
/// through fail().
class Node {
public:
  /// `opset` is the version of the node's domain, `name` the location of its
  /// operations.
  Node(Graph &graph, const onnx::NodeProto &proto, int64_t opset,
       llvm::StringRef name);

  const onnx::NodeProto &proto;
  const int64_t opset;
  Graph &graph;

  [[noreturn]] void fail(const std::string &message) const {
    throw ImportError(message);
  }

  //===------------------------------------------------------------------===//
  // Inputs
  //===------------------------------------------------------------------===//

  /// Whether an optional input is there.
  bool has(int index) const {
    return index < proto.input_size() && !proto.input(index).empty();
  }
  /// Number of inputs, absent trailing ones not counted.
  int inputCount() const { return proto.input_size(); }
  const Operand &operand(int index) const;
  /// The input as a value; known integers get an operation.
  mlir::Value value(int index);
  llm::Extents extents(int index) const;
  int64_t rank(int index) const { return operand(index).type.getRank(); }
  mlir::Type elementType(int index) const {
    return operand(index).type.getElementType();
  }
  /// The input's elements, if they are known.
  std::optional<llm::Extents> known(int index) const;
  /// The input's elements; fails if they are not known, e.g. depend on data.
  llm::Extents requireKnown(int index, llvm::StringRef what) const;
  /// The input's one element; fails if it is not known.
  llm::ExtentAttr requireNumber(int index, llvm::StringRef what) const;
  /// The input's elements; fails if they are not constant.
  llvm::SmallVector<int64_t> requireConstants(int index,
                                              llvm::StringRef what) const;

  //===------------------------------------------------------------------===//
  // Attributes
  //===------------------------------------------------------------------===//

  const onnx::AttributeProto *attribute(llvm::StringRef name) const;
  int64_t integer(llvm::StringRef name, int64_t byDefault) const;
  float real(llvm::StringRef name, float byDefault) const;
  std::string text(llvm::StringRef name, llvm::StringRef byDefault) const;
  std::optional<llvm::SmallVector<int64_t>>
  integers(llvm::StringRef name) const;
  /// Fails unless the attribute is absent or `supported`.
  void require(llvm::StringRef name, int64_t byDefault,
               int64_t supported) const;
  /// `axis` counted from the front; fails if it is outside `rank`.
  int64_t normalizeAxis(int64_t axis, int64_t rank) const;
  /// Axes from the attribute of older versions or the input of newer ones, from
  /// the front and sorted; nothing if there are neither.
  std::optional<llvm::SmallVector<int64_t>> axes(int input, int64_t rank) const;

  //===------------------------------------------------------------------===//
  // Outputs
  //===------------------------------------------------------------------===//

  bool wants(int index) const {
    return index < proto.output_size() && !proto.output(index).empty();
  }
  /// Fails if `value` has a shape that no tensor has.
  void result(int index, mlir::Value value);
  void resultKnown(int index, llm::Extents elements, int64_t rank,
                   mlir::Type elementType);

  //===------------------------------------------------------------------===//
  // Building
  //===------------------------------------------------------------------===//

  mlir::MLIRContext *getContext() const { return context; }
  /// Made when it is asked for: most nodes compute with shapes and have no
  /// operation, so that their names are not needed.
  mlir::ImplicitLocOpBuilder &getBuilder();

  llm::ExtentAttr extent(int64_t value) const {
    return llm::ExtentAttr::getConstant(context, value);
  }
  /// How many numbers 0, step, 2 * step and so on are before `length`, which
  /// is negative if `step` is.
  llm::ExtentAttr stepsIn(int64_t length, int64_t step) const;
  llm::DimsAttr dims(llvm::ArrayRef<llm::ExtentAttr> extents) const {
    checkNumbers(extents);
    return llm::DimsAttr::get(context, extents);
  }
  /// Runs `infer` on a ShapeInference that learns from equal extents.
  llm::Extents
  infer(llvm::function_ref<mlir::FailureOr<llm::Extents>(llm::ShapeInference &)>
            infer);
  /// The extents of a value, without abbreviations.
  llm::Extents extents(mlir::Value value) const;

  mlir::Value scalar(double value, mlir::Type elementType);
  mlir::Value unary(llm::UnaryKind kind, mlir::Value operand);
  mlir::Value binary(llm::BinaryKind kind, mlir::Value lhs, mlir::Value rhs);
  mlir::Value compare(llm::CompareKind kind, mlir::Value lhs, mlir::Value rhs);
  mlir::Value select(mlir::Value condition, mlir::Value trueValue,
                     mlir::Value falseValue);
  mlir::Value cast(mlir::Value operand, mlir::Type elementType);
  mlir::Value reshape(mlir::Value operand,
                      llvm::ArrayRef<llm::ExtentAttr> extents);
  mlir::Value transpose(mlir::Value operand,
                        llvm::ArrayRef<int64_t> permutation);
  mlir::Value broadcast(mlir::Value operand,
                        llvm::ArrayRef<llm::ExtentAttr> extents);
  mlir::Value concat(mlir::ValueRange operands, int64_t axis);
  /// Elements `[offset, offset + size)` of dimension `axis`.
  mlir::Value slice(mlir::Value operand, int64_t axis, llm::ExtentAttr offset,
                    llm::ExtentAttr size);
  mlir::Value iota(llm::ExtentAttr start, llm::ExtentAttr size, int64_t step,
                   mlir::Type elementType);

private:
  /// Fails if one of them was computed to something else than a number.
  void checkNumbers(llvm::ArrayRef<llm::ExtentAttr> extents) const;
  /// Fails if no tensor has this shape.
  void checkShape(llvm::ArrayRef<llm::ExtentAttr> shape) const;

  mlir::MLIRContext *context;
  llvm::StringRef name;
  std::optional<mlir::ImplicitLocOpBuilder> builder;
  /// The inputs that were looked up. The graph keeps them where they are.
  mutable llvm::SmallVector<const Operand *> operands;
};

} // namespace serrano::onnx_import

#endif // SERRANO_LIB_IMPORT_ONNX_NODE_H
