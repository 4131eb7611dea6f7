//===- FunctionBody.cpp - ops that ONNX defines by other ops -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "dialects/Llm/SourceTensors.h"
#include "OpTable.h"

using namespace mlir;
using namespace serrano::llm;
using namespace serrano::onnx_import;

/// The type of an operand as ONNX writes it; bodies may depend on the types of
/// the node's inputs.
static onnx::TypeProto toTypeProto(const Operand &operand, TensorStore &store) {
  onnx::TypeProto type;
  auto *tensor = type.mutable_tensor_type();
  tensor->set_elem_type(store.onnxTypeOf(operand.type.getElementType()));
  auto *shape = tensor->mutable_shape();
  for (ExtentAttr extent : getExtents(operand.type)) {
    auto *dim = shape->add_dim();
    if (std::optional<int64_t> value = extent.getConstantValue())
      dim->set_dim_value(*value);
    else
      dim->set_dim_param(extent.str());
  }
  return type;
}

/// Replaces references to the function's attributes by the node's values, or
/// drops them where the node has none.
static void bindAttributes(onnx::NodeProto &bodyNode,
                           const onnx::NodeProto &node,
                           const onnx::OpSchema &schema) {
  auto *attributes = bodyNode.mutable_attribute();
  for (int i = attributes->size() - 1; i >= 0; --i) {
    onnx::AttributeProto &attribute = *attributes->Mutable(i);
    if (attribute.ref_attr_name().empty())
      continue;
    const onnx::AttributeProto *bound = nullptr;
    for (const onnx::AttributeProto &candidate : node.attribute())
      if (candidate.name() == attribute.ref_attr_name())
        bound = &candidate;
    if (!bound)
      if (auto found = schema.attributes().find(attribute.ref_attr_name());
          found != schema.attributes().end())
        if (found->second.default_value.has_type())
          bound = &found->second.default_value;
    if (!bound) {
      attributes->DeleteSubrange(i, 1);
      continue;
    }
    std::string name = attribute.name();
    attribute = *bound;
    attribute.set_name(name);
  }
}

bool Graph::expandFunctionBody(const onnx::NodeProto &node) {
  int version = int(versionOf(node.domain()));
  const onnx::OpSchema *schema =
      onnx::OpSchemaRegistry::Schema(node.op_type(), version, node.domain());
  if (!schema || !hasFunctionBody(*schema))
    return false;
  onnx::FunctionProto body;
  if (schema->HasFunction()) {
    const onnx::FunctionProto *found = schema->GetFunction(version);
    body = found ? *found : *schema->GetFunction();
  } else {
    std::vector<onnx::TypeProto> types;
    for (const std::string &input : node.input())
      types.push_back(input.empty() ? onnx::TypeProto()
                                    : toTypeProto(lookup(input), store));
    onnx::FunctionBodyBuildContextImpl context(node, types);
    if (!schema->BuildContextDependentFunction(context, body, version))
      fail("its function body cannot be built for these inputs");
  }

  OpsetVersions bodyOpsets(opsets);
  for (const onnx::OperatorSetIdProto &opset : body.opset_import())
    bodyOpsets[opset.domain()] = opset.version();
  std::swap(opsets, bodyOpsets);
  // Names inside the body are made unique by a prefix; inputs and outputs stand
  // for the node's.
  std::string prefix =
      llvm::formatv("{0}/{1}#{2}/", node.name(), node.op_type(), expansions++);
  std::map<std::string, std::string> names{{"", ""}};
  for (int i = 0; i < body.input_size(); ++i)
    names[body.input(i)] = i < node.input_size() ? node.input(i) : "";
  for (int i = 0; i < body.output_size(); ++i)
    if (i < node.output_size() && !node.output(i).empty())
      names[body.output(i)] = node.output(i);
  auto rename = [&](std::string &name) {
    auto found = names.find(name);
    name = found == names.end() ? prefix + name : found->second;
  };
  ++bodyDepth;
  for (onnx::NodeProto bodyNode : body.node()) {
    bindAttributes(bodyNode, node, *schema);
    for (std::string &input : *bodyNode.mutable_input())
      rename(input);
    for (std::string &output : *bodyNode.mutable_output())
      rename(output);
    bodyNode.set_name(node.name().empty() ? node.output(0) : node.name());
    try {
      buildNode(bodyNode, findOpBuilder(bodyNode.domain(), bodyNode.op_type()));
    } catch (const std::exception &error) {
      fail("{0} of its function body: {1}", bodyNode.op_type(), error.what());
    }
  }
  std::swap(opsets, bodyOpsets);
  if (--bodyDepth == 0)
    for (const std::string &output : node.output())
      if (!output.empty())
        if (Value value = lookup(output).value)
          addSourceTensor(value, output);
  return true;
}
