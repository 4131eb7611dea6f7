//===- PromoteCache.cpp - makes a decoder graph a step over a paged cache -*-
// C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/CacheGraph.h"
#include "dialects/Llm/Passes/IndexAnalysis.h"
#include "dialects/Llm/Passes/LlmPasses.h"
#include "dialects/Llm/Passes/Remarks.h"
#include "dialects/Llm/SourceTensors.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

namespace serrano::llm {
#define GEN_PASS_DEF_PROMOTECACHE
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

namespace {

/// Builds the step function. Values of the graph are of two kinds: *rows* have
/// the leading dimensions [batch, sequence] (the batch may be 1, where a value
/// is the same for all sequences) and become [tokens]; all others must not
/// depend on those extents and stay as they are.
class StepBuilder {
public:
  StepBuilder(func::FuncOp graphFunction, const CacheGraph &graph)
      : source(graphFunction), graph(graph),
        context(graphFunction.getContext()), builder(context) {}

  /// Null after a remark.
  func::FuncOp build();

private:
  //===------------------------------------------------------------------===//
  // The graph
  //===------------------------------------------------------------------===//

  bool isRow(Value value) const {
    auto extents = getExtents(value);
    return extents.size() >= 2 &&
           (extents[0] == graph.batch || extents[0].isConstant(1)) &&
           extents[1] == graph.length;
  }
  /// Whether each row is its token's position: computed, or an argument of that
  /// name.
  bool isPositions(Value value) const;
  bool isInvariant(Value value) const {
    return llvm::none_of(getExtents(value), [&](ExtentAttr extent) {
      return llvm::any_of(extent.getSymbols(), [&](StringAttr s) {
        return stepSymbols.contains(s);
      });
    });
  }
  void findLive();
  /// The value, before the operations that compute each output row on its own,
  /// of which only the rows with logits are needed.
  Value findCut(Value output) const;

  //===------------------------------------------------------------------===//
  // The step
  //===------------------------------------------------------------------===//

  ExtentAttr symbol(StringRef name) const {
    return ExtentAttr::getSymbol(context, name);
  }
  Value addArgument(StringRef role, ArrayRef<ExtentAttr> extents,
                    StringAttr name, Location loc);
  void addArguments();
  LogicalResult fail(Operation *op, const Twine &why) {
    remarkUnrecognised(op->getLoc(), "llm-promote-cache", "CacheNotPromoted",
                       "the cache is not promoted: " +
                           op->getName().getStringRef() + " " + why);
    return failure();
  }
  /// A row's type with one leading dimension `rows`.
  RankedTensorType rowType(Value value, ExtentAttr rows) const {
    auto extents = getExtents(value);
    extents.erase(extents.begin());
    extents[0] = rows;
    return getTensorType(
        extents, cast<RankedTensorType>(value.getType()).getElementType());
  }
  LogicalResult convert(Operation *op);
  /// `result` holds the tensors that `op` does, as those of one sequence.
  void keepTensors(Operation *op, Operation *result, ExtentAttr rows);
  LogicalResult convertRows(Operation *op);
  LogicalResult convertBroadcasting(Operation *op, Operation *clone);
  void convertAttention(AttentionOp op);

  func::FuncOp source;
  const CacheGraph &graph;
  MLIRContext *context;
  OpBuilder builder;
  func::FuncOp step;
  IRMapping mapping;
  llvm::DenseSet<StringAttr> stepSymbols;
  llvm::DenseSet<Value> live;
  llvm::DenseSet<Value> positionValues;
  llvm::DenseMap<Operation *, const CachedLayer *> layerOf;
  Value tokens, positions, queryStarts, kvLengths, blockTables, logitRows;
};

} // namespace

//===----------------------------------------------------------------------===//
// The graph
//===----------------------------------------------------------------------===//

static StringAttr getName(func::FuncOp function, unsigned argument) {
  return function.getArgAttrOfType<StringAttr>(argument, LlmDialect::kNameAttr);
}

bool StepBuilder::isPositions(Value value) const {
  auto type = cast<RankedTensorType>(value.getType());
  if (!isRow(value) || type.getRank() != 2 ||
      !isa<IntegerType>(type.getElementType()) ||
      type.getElementType().isInteger(1))
    return false;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    StringAttr name = getName(source, argument.getArgNumber());
    return (name && name.getValue().contains("position")) ||
           llvm::any_of(value.getUsers(), llvm::IsaPred<RopeAnglesOp>);
  }
  ExtentAttr query = symbol("$query");
  std::optional<Element> element =
      IndexAnalysis(context).evaluate(value, {symbol("$batch"), query});
  return element && element->integer == query + graph.past;
}

void StepBuilder::findLive() {
  SmallVector<Value> worklist;
  auto visit = [&](Value value) {
    if (!live.insert(value).second)
      return;
    if (isPositions(value))
      positionValues.insert(value);
    else
      worklist.push_back(value);
  };
  auto returned = cast<func::ReturnOp>(source.front().getTerminator());
  for (unsigned output : graph.getOutputs())
    visit(returned.getOperand(output));
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val().getDefiningOp();
    if (!op)
      continue;
    if (const CachedLayer *layer = layerOf.lookup(op)) {
      visit(layer->attention.getQuery());
      visit(layer->newKey);
      visit(layer->newValue);
      continue;
    }
    for (Value operand : op->getOperands())
      visit(operand);
  }
}

Value StepBuilder::findCut(Value output) const {
  Value cut = output;
  while (Operation *op = cut.getDefiningOp()) {
    if (!isa<LinearOp, RmsNormOp, LayerNormOp, UnaryOp, BinaryOp, CastOp,
             ReshapeOp>(op))
      break;
    SmallVector<Value> rows = llvm::to_vector(llvm::make_filter_range(
        op->getOperands(), [&](Value v) { return isRow(v); }));
    if (rows.size() != 1 || !op->hasOneUse())
      break;
    cut = rows.front();
  }
  return cut;
}

//===----------------------------------------------------------------------===//
// The step
//===----------------------------------------------------------------------===//

Value StepBuilder::addArgument(StringRef role, ArrayRef<ExtentAttr> extents,
                               StringAttr name, Location loc) {
  SmallVector<NamedAttribute> attributes;
  if (name)
    attributes.push_back(builder.getNamedAttr(LlmDialect::kNameAttr, name));
  attributes.push_back(
      builder.getNamedAttr(LlmDialect::kRoleAttr, builder.getStringAttr(role)));
  unsigned index = step.getNumArguments();
  (void)step.insertArgument(index, getTensorType(extents, builder.getI32Type()),
                            builder.getDictionaryAttr(attributes), loc);
  return step.getArgument(index);
}

void StepBuilder::addArguments() {
  ExtentAttr tokenCount = symbol("tokens"), sequences = symbol("sequences");
  Location loc = source.getLoc();
  StringAttr tokensName, positionsName;
  for (BlockArgument argument : source.getArguments()) {
    if (!live.contains(argument))
      continue;
    (positionValues.contains(argument) ? positionsName : tokensName) =
        getName(source, argument.getArgNumber());
  }
  tokens = addArgument("token_ids", {tokenCount}, tokensName, loc);
  positions = addArgument("positions", {tokenCount}, positionsName, loc);
  queryStarts = addArgument("query_starts", {sequences + 1}, {}, loc);
  kvLengths = addArgument("kv_lengths", {sequences}, {}, loc);
  blockTables =
      addArgument("block_tables", {sequences, symbol("blocks")}, {}, loc);
  logitRows = addArgument("logit_rows", {symbol("logit_rows")}, {}, loc);
}

void StepBuilder::convertAttention(AttentionOp op) {
  const CachedLayer *layer = layerOf.lookup(op);
  Value query = mapping.lookup(op.getQuery());
  int64_t index = layer - graph.getLayers().begin();
  Location loc = withoutSourceTensors(op.getLoc());
  Value layerIndex = arith::ConstantIndexOp::create(builder, loc, index);
  Value result = CachedAttentionOp::create(
      builder, loc, query.getType(),
      FlatSymbolRefAttr::get(context, "kv"), layerIndex, query,
      mapping.lookup(layer->newKey), mapping.lookup(layer->newValue), positions,
      queryStarts, kvLengths, blockTables, op.getScaleAttr(),
      op.getWindowAttr(), op.getSoftcapAttr());
  keepTensors(op, result.getDefiningOp(), getExtents(query)[0]);
  mapping.map(op.getResult(), result);
}

void StepBuilder::keepTensors(Operation *op, Operation *result,
                              ExtentAttr rows) {
  auto substitute = [&](StringAttr name) {
    ExtentAttr symbol = ExtentAttr::getSymbol(context, name);
    return symbol == graph.batch    ? ExtentAttr::getConstant(context, 1)
           : symbol == graph.length ? rows
                                    : symbol;
  };
  // The model may call its dimensions as the step does.
  copySourceTensors(op, result, [&](ExtentAttr extent) {
    bool known = llvm::none_of(extent.getSymbols(), [&](StringAttr s) {
      ExtentAttr symbol = ExtentAttr::getSymbol(context, s);
      return stepSymbols.contains(s) && symbol != graph.batch &&
             symbol != graph.length;
    });
    return known ? extent.substitute(substitute) : ExtentAttr();
  });
}

/// Operands that are no rows are broadcast to rows: their dimensions for batch
/// and sequence, if they have them, are of extent 1 and go.
LogicalResult StepBuilder::convertBroadcasting(Operation *op,
                                               Operation *clone) {
  int64_t rank = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
  for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
    auto type = cast<RankedTensorType>(operand.getType());
    if (isRow(operand)) {
      if (type.getRank() != rank)
        return fail(op, "broadcasts a value of one token to others");
      continue;
    }
    if (type.getRank() <= rank - 2)
      continue;
    auto extents = getExtents(operand);
    int64_t extra = type.getRank() - (rank - 2);
    if (!llvm::all_of(ArrayRef(extents).take_front(extra),
                      [](ExtentAttr e) { return e.isConstant(1); }))
      return fail(op,
                  "mixes tokens with a value of shape " + toString(extents));
    extents.erase(extents.begin(), extents.begin() + extra);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(clone);
    clone->setOperand(
        index, ReshapeOp::create(builder, withoutSourceTensors(op->getLoc()),
                                 getTensorType(extents, type.getElementType()),
                                 mapping.lookup(operand)));
  }
  return success();
}

/// Operations on rows: the same operation with one leading dimension less.
LogicalResult StepBuilder::convertRows(Operation *op) {
  ExtentAttr rows;
  for (Value operand : op->getOperands()) {
    if (!isRow(operand))
      continue;
    ExtentAttr own = getExtents(mapping.lookup(operand))[0];
    if (rows && rows != own)
      return fail(op, "joins all tokens with those that have logits");
    rows = own;
  }
  if (!rows)
    return fail(op, "makes rows out of nothing");
  for (Value result : op->getResults())
    if (!isRow(result))
      return fail(op, "mixes tokens: its result has shape " +
                          toString(getExtents(result)));
  Operation *clone = builder.clone(*op, mapping);
  for (auto [from, to] : llvm::zip(op->getResults(), clone->getResults()))
    to.setType(rowType(from, rows));
  keepTensors(op, clone, rows);

  auto keepsRows = [&](ArrayRef<int64_t> axes) {
    return llvm::all_of(axes, [](int64_t axis) { return axis >= 2; });
  };
  auto less = [](ArrayRef<int64_t> axes) {
    return llvm::map_to_vector(axes, [](int64_t axis) { return axis - 1; });
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<EmbeddingOp, LinearOp, RmsNormOp, LayerNormOp, RopeAnglesOp, RopeOp,
            UnaryOp, CastOp, ReshapeOp>([&](auto) { return success(); })
      .Case<BinaryOp, CompareOp, SelectOp>(
          [&](auto) { return convertBroadcasting(op, clone); })
      .Case([&](BroadcastOp broadcast) -> LogicalResult {
        // Over the batch, this is the same value; over later dimensions, each
        // token's own.
        if (!isRow(broadcast.getOperand()) ||
            broadcast.getOperand().getType().getRank() !=
                broadcast.getType().getRank())
          return fail(op, "broadcasts to tokens");
        return success();
      })
      .Case([&](ConcatOp concat) -> LogicalResult {
        if (concat.getAxis() < 2 ||
            !llvm::all_of(op->getOperands(), [&](Value v) { return isRow(v); }))
          return fail(op, "concatenates tokens");
        cast<ConcatOp>(clone).setAxis(concat.getAxis() - 1);
        return success();
      })
      .Case([&](SoftmaxOp softmax) -> LogicalResult {
        if (softmax.getAxis() < 2)
          return fail(op, "mixes tokens");
        cast<SoftmaxOp>(clone).setAxis(softmax.getAxis() - 1);
        return success();
      })
      .Case([&](ReduceOp reduce) -> LogicalResult {
        if (!keepsRows(reduce.getAxes()))
          return fail(op, "reduces over tokens");
        cast<ReduceOp>(clone).setAxes(less(reduce.getAxes()));
        return success();
      })
      .Case([&](TransposeOp transpose) -> LogicalResult {
        ArrayRef<int64_t> permutation = transpose.getPermutation();
        if (permutation[0] != 0 || permutation[1] != 1)
          return fail(op, "moves the dimension of tokens");
        cast<TransposeOp>(clone).setPermutation(less(permutation.drop_front()));
        return success();
      })
      .Case([&](SliceOp slice) -> LogicalResult {
        ArrayRef<ExtentAttr> offsets = slice.getOffsets().getExtents();
        if (!offsets[0].isConstant(0) || !offsets[1].isConstant(0) ||
            slice.getSteps()[0] != 1 || slice.getSteps()[1] != 1)
          return fail(op, "takes some of the tokens");
        cast<SliceOp>(clone).setOffsetsAttr(
            DimsAttr::get(context, offsets.drop_front()));
        cast<SliceOp>(clone).setSteps(slice.getSteps().drop_front());
        return success();
      })
      .Default([&](Operation *) {
        return fail(op, "is not known to compute each token on its own");
      });
}

LogicalResult StepBuilder::convert(Operation *op) {
  if (layerOf.contains(op)) {
    convertAttention(cast<AttentionOp>(op));
    return success();
  }
  if (llvm::all_of(op->getOperands(),
                   [&](Value v) { return !isRow(v) && isInvariant(v); }) &&
      llvm::all_of(op->getResults(), [&](Value v) { return isInvariant(v); })) {
    if (isa<ExtentsOp, IotaOp>(op) && op->getAttrDictionary()
                                          .walk([&](StringAttr s) {
                                            return stepSymbols.contains(s)
                                                       ? WalkResult::interrupt()
                                                       : WalkResult::advance();
                                          })
                                          .wasInterrupted())
      return fail(op, "depends on the lengths of sequences");
    builder.clone(*op, mapping);
    return success();
  }
  return convertRows(op);
}

func::FuncOp StepBuilder::build() {
  for (ExtentAttr extent : {graph.batch, graph.length, graph.past})
    for (StringAttr name : extent.getSymbols())
      stepSymbols.insert(name);
  for (const CachedLayer &layer : graph.getLayers())
    layerOf[layer.attention] = &layer;
  findLive();

  builder.setInsertionPoint(source);
  step = func::FuncOp::create(builder, source.getLoc(), "step",
                              builder.getFunctionType({}, {}));
  step->setAttr(LlmDialect::kEntryAttr, builder.getStringAttr("step"));
  builder.setInsertionPointToStart(step.addEntryBlock());
  addArguments();
  auto returned = cast<func::ReturnOp>(source.front().getTerminator());
  for (BlockArgument argument : source.getArguments()) {
    if (!live.contains(argument) || positionValues.contains(argument))
      continue;
    auto type = cast<RankedTensorType>(argument.getType());
    if (!isRow(argument) || type.getRank() != 2 ||
        !isa<IntegerType>(type.getElementType())) {
      std::string name;
      llvm::raw_string_ostream(name)
          << getName(source, argument.getArgNumber());
      remarkUnrecognised(argument.getLoc(), "llm-promote-cache",
                         "CacheNotPromoted",
                         "the cache is not promoted: argument " + name +
                             " is used beside the attentions and is no token "
                             "id or position");
      step.erase();
      return {};
    }
    mapping.map(argument, tokens);
  }
  for (Value value : positionValues)
    mapping.map(value, positions);

  // Only rows with logits go through what follows the last layer.
  llvm::DenseMap<Value, Value> cuts;
  for (unsigned output : graph.getOutputs())
    cuts[findCut(returned.getOperand(output))] = {};
  auto takeRows = [&](Value value) {
    if (!cuts.contains(value))
      return;
    Value all = mapping.lookup(value);
    RankedTensorType type = rowType(value, symbol("logit_rows"));
    mapping.map(value,
                GatherOp::create(builder, withoutSourceTensors(value.getLoc()),
                                 type, all, logitRows, /*axis=*/0)
                    .getResult());
  };
  for (Operation &op : source.front().without_terminator()) {
    if (op.getNumResults() == 0 || llvm::none_of(op.getResults(), [&](Value v) {
          return live.contains(v) && !positionValues.contains(v);
        }))
      continue;
    if (failed(convert(&op))) {
      step.erase();
      return {};
    }
    for (Value result : op.getResults())
      takeRows(result);
  }
  SmallVector<Value> outputs;
  for (unsigned output : graph.getOutputs())
    outputs.push_back(mapping.lookup(returned.getOperand(output)));
  func::ReturnOp::create(builder, returned.getLoc(), outputs);
  step.setFunctionType(builder.getFunctionType(step.getArgumentTypes(),
                                               ValueRange(outputs).getTypes()));
  for (auto [index, output] : llvm::enumerate(graph.getOutputs()))
    if (auto name = source.getResultAttr(output, LlmDialect::kNameAttr))
      step.setResultAttr(index, LlmDialect::kNameAttr, name);
  return step;
}

namespace {

struct PromoteCache : serrano::llm::impl::PromoteCacheBase<PromoteCache> {
  void runOnOperation() override {
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      auto entry = function->getAttrOfType<StringAttr>(LlmDialect::kEntryAttr);
      if (!entry || entry.getValue() != "graph")
        continue;
      FailureOr<CacheGraph> graph = CacheGraph::analyze(function);
      if (failed(graph) || !graph->hasCache())
        continue;
      if (func::FuncOp step = StepBuilder(function, *graph).build())
        replace(function, step, *graph);
    }
  }

  void replace(func::FuncOp function, func::FuncOp step,
               const CacheGraph &graph) {
    auto key = cast<RankedTensorType>(
        graph.getLayers().front().attention.getKey().getType());
    OpBuilder builder(step);
    CacheOp::create(builder, function.getLoc(), "kv", graph.getLayers().size(),
                    key.getDimSize(2), key.getDimSize(3), key.getElementType());
    function.erase();
  }
};

} // namespace
