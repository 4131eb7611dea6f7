//===- Graph.cpp - the graph that is being imported -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "OpTable.h"
#include "dialects/Llm/SourceTensors.h"

#include "onnx/checker.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano::llm;
using namespace serrano::onnx_import;

/// Integers up to this size are looked at: they become constants.
static constexpr uint64_t kMaxIntegerBytes = 64 << 10;
/// What symbols of weights begin with: functions, dimensions and what later passes
/// declare have symbols in the same table, and a model may call a weight anything.
static constexpr StringLiteral kWeightPrefix = "weight.";
/// Vectors with more integers are values, not shapes.
static constexpr int64_t kMaxKnownElements = 1024;

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// A node without a name has that of its first output.
static StringRef nameOf(const onnx::NodeProto &node) {
  return node.name().empty() && node.output_size() ? node.output(0)
                                                   : node.name();
}

static std::string describe(StringRef name, StringRef op) {
  return llvm::formatv("node '{0}' ({1})", name, op);
}

static std::string describe(const onnx::NodeProto &node) {
  return describe(nameOf(node), node.domain().empty()
                                    ? node.op_type()
                                    : node.domain() + "." + node.op_type());
}

const Operand &Graph::lookup(StringRef name) {
  if (auto found = operands.find(name); found != operands.end())
    return found->second;
  auto initializer = initializers.find(name);
  if (initializer == initializers.end())
    fail("input '{0}' is the output of no earlier node, no graph input and no "
         "initialiser",
         name);
  Location loc = NameLoc::get(StringAttr::get(module.getContext(), name));
  return define(name, importTensor(*initializer->second, name, loc));
}

const Operand &Graph::define(StringRef name, Operand operand) {
  operand.identity = operand.known ? identify(operand.type, *operand.known)
                                   : operand.value.getAsOpaquePointer();
  return operands[name] = std::move(operand);
}

const void *Graph::identify(RankedTensorType type, ArrayRef<ExtentAttr> known) {
  auto found = identities.find({type, known});
  if (found == identities.end())
    found = identities
                .try_emplace({type, known.copy(identityStorage)},
                             identityStorage.Allocate(1, llvm::Align(1)))
                .first;
  return found->second;
}

int64_t Graph::versionOf(const std::string &domain) const {
  auto found = opsets.find(domain == "ai.onnx" ? "" : domain);
  return found == opsets.end() ? 1 : found->second;
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// The step, if the integers count up: 16 or more of them, each the one before
/// plus the same step.
static std::optional<int64_t> getIotaStep(ArrayRef<int64_t> values) {
  if (values.size() < 16)
    return std::nullopt;
  int64_t step, next;
  if (llvm::SubOverflow(values[1], values[0], step))
    return std::nullopt;
  for (size_t i = 1; i < values.size(); ++i)
    if (llvm::AddOverflow(values[i - 1], step, next) || values[i] != next)
      return std::nullopt;
  return step == 0 ? std::nullopt : std::optional(step);
}

Operand Graph::importTensor(const onnx::TensorProto &tensor, StringRef name,
                            Location loc) {
  MLIRContext *context = module.getContext();
  RankedTensorType type = store.typeOf(tensor);
  ImplicitLocOpBuilder builder(loc, getBuilder());
  bool isInteger = isa<IntegerType>(type.getElementType());
  std::optional<TensorStore::Location> location = store.locate(tensor);
  bool isSmall = isInteger ? TensorStore::byteSizeOf(type) <= kMaxIntegerBytes
                           : type.getNumElements() <= 1;
  if (location && !isSmall) {
    OpBuilder atModule(block->getParentOp());
    auto view =
        ViewAttr::get(context, StringAttr::get(context, location->file),
                      location->offset, location->length, type.getShape(),
                      ViewAttr::getRowMajorStrides(type.getShape()));
    auto weight =
        WeightOp::create(atModule, loc, (kWeightPrefix + name).str(), type,
                         atModule.getArrayAttr(view), IntegerAttr(),
                         atModule.getStringAttr("private"));
    return {GetWeightOp::create(builder, type, FlatSymbolRefAttr::get(weight)),
            type, std::nullopt};
  }
  DenseElementsAttr elements = store.read(tensor);
  if (!isInteger || type.getNumElements() > kMaxKnownElements * 64)
    return {arith::ConstantOp::create(builder, elements), type, std::nullopt};
  bool isBool = type.getElementType().isInteger(1);
  auto values =
      llvm::map_to_vector(elements.getValues<APInt>(), [&](const APInt &value) {
        return isBool ? int64_t(value.getZExtValue()) : value.getSExtValue();
      });
  if (std::optional<int64_t> step = getIotaStep(values)) {
    auto vectorType =
        RankedTensorType::get({int64_t(values.size())}, type.getElementType());
    auto start =
        DimsAttr::get(context, ExtentAttr::getConstant(context, values[0]));
    Value iota = IotaOp::create(builder, vectorType, start,
                                builder.getI64IntegerAttr(*step));
    return {type.getRank() == 1
                ? iota
                : ReshapeOp::create(builder, type, iota).getResult(),
            type, std::nullopt};
  }
  if (type.getRank() > 1 || type.getNumElements() > kMaxKnownElements)
    return {arith::ConstantOp::create(builder, elements), type, std::nullopt};
  return {Value(), type, llvm::map_to_vector(values, [&](int64_t v) {
            return ExtentAttr::getConstant(context, v);
          })};
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

bool serrano::onnx_import::hasFunctionBody(const onnx::OpSchema &schema) {
  return schema.HasFunction() || schema.HasContextDependentFunction();
}

const Graph::KnownOp &Graph::findOp(const NodeOutline &node) {
  SmallString<64> name(node.domain);
  name += '.';
  name += node.opType;
  auto [op, isNew] = ops.try_emplace(name);
  if (isNew) {
    std::string domain = node.domain.str();
    const onnx::OpSchema *schema = onnx::OpSchemaRegistry::Schema(
        node.opType.str(), int(versionOf(domain)), domain);
    op->second = {schema, findOpBuilder(node.domain, node.opType)};
  }
  return op->second;
}

std::vector<const Graph::KnownOp *>
Graph::findOps(llvm::ArrayRef<NodeOutline> nodes) {
  struct Unknown {
    const NodeOutline *first = nullptr;
    unsigned count = 0;
  };
  llvm::MapVector<const KnownOp *, Unknown> unknown;
  std::vector<const KnownOp *> found;
  for (const NodeOutline &node : nodes) {
    const KnownOp &op = findOp(node);
    found.push_back(&op);
    if (op.build || (op.schema && hasFunctionBody(*op.schema)))
      continue;
    Unknown &entry = unknown[&op];
    entry.first = entry.count++ ? entry.first : &node;
  }
  if (unknown.empty())
    return found;
  std::string list;
  for (const auto &[op, entry] : unknown)
    list += llvm::formatv("{0}{1} ({2} node{3}, first '{4}')",
                          list.empty() ? "" : ", ", entry.first->getOp(),
                          entry.count, entry.count == 1 ? "" : "s",
                          entry.first->getName());
  const NodeOutline &first = *unknown.front().second.first;
  fail("{0}: unknown op; all unknown ops of this model: {1}",
       describe(first.getName(), first.getOp()), list);
}

bool Graph::appendKey(const NodeOutline &node, const KnownOp &op,
                      llvm::SmallVectorImpl<char> &key) {
  if (!node.attributes)
    return false;
  auto append = [&](const void *pointer) {
    const char *bytes = reinterpret_cast<const char *>(&pointer);
    key.append(bytes, bytes + sizeof(pointer));
  };
  append(&op);
  append(reinterpret_cast<const void *>(node.inputs.size()));
  for (StringRef input : node.inputs) {
    if (input.empty()) {
      append(nullptr);
      continue;
    }
    try {
      append(lookup(input).identity);
    } catch (const ImportError &) {
      // Who imports the node says so, and which node it is.
      return false;
    }
  }
  // Which outputs there are says what is computed.
  for (StringRef output : node.outputs)
    key.push_back(output.empty() ? '-' : '+');
  key.append(node.attributes->begin(), node.attributes->end());
  return true;
}

void Graph::importNodes(ModelFile &file,
                        llvm::ArrayRef<const KnownOp *> nodeOps) {
  onnx::checker::CheckerContext checker;
  checker.set_ir_version(10);
  std::unordered_map<std::string, int> versions;
  for (const auto &[domain, version] : opsets)
    versions[domain] = int(version);
  checker.set_opset_imports(versions);
  const onnx::checker::LexicalScopeContext scope;
  // The layers of a model repeat its constants, its arithmetic on shapes and
  // what they compute of positions and masks.
  llvm::StringMap<SmallVector<Operand, 1>> computed;
  SmallString<256> key;
  llvm::StringSet<> names;
  names.insert(operands.keys().begin(), operands.keys().end());
  names.insert(initializers.keys().begin(), initializers.keys().end());
  for (auto [outline, op] : llvm::zip(file.getNodes(), nodeOps)) {
    for (StringRef output : outline.outputs)
      if (!output.empty() && !names.insert(output).second)
        fail("{0}: output '{1}' has the name of another value; rename one of "
             "the two in the model",
             describe(outline.getName(), outline.getOp()), output);
    key.clear();
    bool hasKey = appendKey(outline, *op, key);
    if (hasKey)
      if (auto found = computed.find(key); found != computed.end()) {
        for (auto [name, operand] : llvm::zip(outline.outputs, found->second)) {
          if (name.empty())
            continue;
          if (operand.value)
            addSourceTensor(operand.value, name);
          define(name, operand);
        }
        continue;
      }
    const onnx::NodeProto &node = file.parse(outline);
    // The checker would look for the data of tensors that stayed in the file; a
    // constant has nothing else to check.
    if (node.output_size() == 0)
      fail("{0}: it has no output", describe(node));
    if (op->schema && outline.opType != "Constant")
      try {
        op->schema->Verify(node);
        for (const onnx::AttributeProto &attribute : node.attribute())
          onnx::checker::check_attribute(attribute, checker, scope);
      } catch (const std::exception &error) {
        fail("{0}: {1}", describe(node),
             StringRef(error.what()).split('\n').first);
      }
    importNode(node, op->build);
    // An output that the builder does not know is missed by who reads it.
    auto isDefined = [&](StringRef name) {
      return name.empty() || operands.contains(name);
    };
    if (hasKey && llvm::all_of(outline.outputs, isDefined))
      computed[key] = llvm::map_to_vector<1>(
          outline.outputs, [&](StringRef name) { return operands[name]; });
  }
}

void Graph::buildNode(const onnx::NodeProto &node, OpBuilderFn build) {
  if (build) {
    Node view(*this, node, versionOf(node.domain()), nameOf(node));
    build(view);
  } else if (!expandFunctionBody(node)) {
    fail("unknown op");
  }
}

void Graph::importNode(const onnx::NodeProto &node, OpBuilderFn build) {
  try {
    buildNode(node, build);
  } catch (const std::exception &error) {
    fail("{0}: {1}", describe(node), error.what());
  }
}

//===----------------------------------------------------------------------===//
// The model's graph
//===----------------------------------------------------------------------===//

Extents Graph::importShape(const onnx::ValueInfoProto &value) {
  MLIRContext *context = module.getContext();
  if (!value.type().has_tensor_type() ||
      !value.type().tensor_type().has_shape())
    fail("'{0}' has no tensor type with a known rank", value.name());
  Extents result;
  for (const auto &dim : value.type().tensor_type().shape().dim()) {
    if (dim.has_dim_value()) {
      result.push_back(ExtentAttr::getConstant(context, dim.dim_value()));
      continue;
    }
    std::string name =
        dim.dim_param().empty()
            ? llvm::formatv("{0}_dim{1}", value.name(), result.size()).str()
            : dim.dim_param();
    ExtentAttr extent = ExtentAttr::fromString(context, name);
    result.push_back(extent ? extent : ExtentAttr::getSymbol(context, name));
  }
  if (std::optional<std::string> problem = findProblem(result))
    fail("'{0}': {1}", value.name(), *problem);
  return result;
}

Type Graph::importElementType(const onnx::ValueInfoProto &value) {
  try {
    return store.elementTypeOf(value.type().tensor_type().elem_type());
  } catch (const ImportError &error) {
    fail("'{0}': {1}", value.name(), error.what());
  }
}

void Graph::importModel(ModelFile &file) {
  MLIRContext *context = module.getContext();
  const onnx::GraphProto &proto = file.getModel().graph();
  std::vector<const KnownOp *> nodeOps = findOps(file.getNodes());
  for (const onnx::TensorProto &tensor : proto.initializer()) {
    if (!initializers.try_emplace(tensor.name(), &tensor).second)
      fail("initialiser '{0}' is there twice", tensor.name());
    store.locate(tensor);
  }
  if (proto.sparse_initializer_size())
    fail("initialiser '{0}' is sparse; only dense ones are supported",
         proto.sparse_initializer(0).values().name());

  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<Type> types;
  SmallVector<StringRef> names;
  llvm::StringSet<> inputs;
  for (const onnx::ValueInfoProto &input : proto.input()) {
    if (!inputs.insert(input.name()).second)
      fail("input '{0}' is there twice", input.name());
    if (initializers.count(input.name()))
      continue;
    Extents shape = importShape(input);
    for (ExtentAttr extent : shape)
      solver.declare(extent);
    types.push_back(getTensorType(shape, importElementType(input)));
    names.push_back(input.name());
  }
  Location loc = NameLoc::get(
      StringAttr::get(context, proto.name().empty() ? "graph" : proto.name()));
  auto function = func::FuncOp::create(builder, loc, "main",
                                       builder.getFunctionType(types, {}));
  function->setAttr(LlmDialect::kEntryAttr, builder.getStringAttr("graph"));
  block = function.addEntryBlock();
  for (auto [index, argument] : llvm::enumerate(function.getArguments())) {
    argument.setLoc(NameLoc::get(StringAttr::get(context, names[index])));
    function.setArgAttr(index, LlmDialect::kNameAttr,
                        builder.getStringAttr(names[index]));
    define(names[index],
           Operand{argument, cast<RankedTensorType>(argument.getType()),
                   std::nullopt});
  }
  importNodes(file, nodeOps);
  importOutputs(proto, function);
  solver.applyTo(module);
}

void Graph::importOutputs(const onnx::GraphProto &proto,
                          func::FuncOp function) {
  SmallVector<Value> values;
  for (const onnx::ValueInfoProto &output : proto.output()) {
    // Seen as the input of a node, known integers become a value.
    onnx::NodeProto reader;
    reader.add_input(output.name());
    Node view(*this, reader, 0, output.name());
    Value value = view.value(0);
    if (output.type().tensor_type().has_shape()) {
      Extents declared = importShape(output), found = view.extents(value);
      bool fits = declared.size() == found.size();
      for (size_t i = 0; fits && i < found.size(); ++i)
        fits = solver.equate(found[i], declared[i]);
      if (!fits)
        fail("output '{0}' is declared with shape {1}, but its shape is {2}",
             output.name(), toString(declared), toString(found));
    }
    values.push_back(value);
  }
  OpBuilder builder = getBuilder();
  func::ReturnOp::create(builder, function.getLoc(), values);
  function.setFunctionType(builder.getFunctionType(
      function.getArgumentTypes(), ValueRange(values).getTypes()));
  for (auto [index, output] : llvm::enumerate(proto.output()))
    function.setResultAttr(index, LlmDialect::kNameAttr,
                           builder.getStringAttr(output.name()));
}
