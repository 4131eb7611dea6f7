//===- OutlineLayers.cpp - makes equal layers one function and a loop -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/LlmPasses.h"

#include "dialects/Llm/SourceTensors.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"

namespace serrano::llm {
#define GEN_PASS_DEF_OUTLINELAYERS
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

/// Layers of more than one attention are looked for up to this many, for models
/// that alternate kinds of attention.
static constexpr size_t kMaxAttentionsPerLayer = 4;

/// Operations that only bring a value into the function.
static bool isLeaf(Operation *op) {
  return isa<GetWeightOp, arith::ConstantOp>(op);
}

static bool isAnchor(Operation *op) {
  return isa<AttentionOp, CachedAttentionOp>(op);
}

namespace {

/// A result of the operation at `index` of the layer before.
using Carried = std::pair<size_t, unsigned>;

/// Equal layers one after the other: operations [begin + i * period,
/// begin + (i + 1) * period) of the function are layer `i`.
struct Chain {
  size_t begin = 0, period = 0, count = 0;
  /// Values of the layer before that a layer uses, with what the first layer
  /// has in their place.
  llvm::MapVector<Carried, Value> carried;
  /// Values from before the first layer.
  llvm::SetVector<Value> shared;
  /// For each operand of the first layer that is a weight: the weights of all
  /// layers.
  llvm::MapVector<Value, SmallVector<Attribute>> weights;
  /// Index constants of the first layer that count the layers.
  llvm::MapVector<Value, int64_t> layerIndices;

  size_t size() const { return period * count; }
};

class ChainFinder {
public:
  explicit ChainFinder(func::FuncOp function) {
    for (Operation &op : function.front().without_terminator()) {
      if (isLeaf(&op))
        continue;
      positions[&op] = ops.size();
      if (isAnchor(&op))
        anchors.push_back(ops.size());
      ops.push_back(&op);
    }
  }

  /// The chain that covers most operations. Of chains that differ only in where
  /// a layer begins, the one that carries the fewest values, then the last one:
  /// what comes before the layers is not made a part of the first of them.
  std::optional<Chain> find() {
    std::optional<Chain> best;
    for (size_t perLayer = 1; perLayer <= kMaxAttentionsPerLayer; ++perLayer)
      for (size_t first = 0; first + 2 * perLayer <= anchors.size(); ++first) {
        size_t period = anchors[first + perLayer] - anchors[first];
        size_t earliest =
            anchors[first] + 1 >= period ? anchors[first] + 1 - period : 0;
        for (size_t begin = earliest; begin <= anchors[first]; ++begin) {
          std::optional<Chain> chain = follow(begin, period, best);
          if (chain && (!best || isBetter(*chain, *best)))
            best = std::move(chain);
        }
        // A chain from the first attention on cannot be beaten by later ones.
        if (best && first == 0)
          break;
      }
    return best;
  }

  llvm::ArrayRef<Operation *> getOps() const { return ops; }
  size_t getNumAnchors() const { return anchors.size(); }

private:
  static bool isBetter(const Chain &chain, const Chain &best) {
    if (chain.size() != best.size())
      return chain.size() > best.size();
    return chain.period == best.period &&
           chain.carried.size() <= best.carried.size();
  }

  /// The chain that begins there, unless there is none or it cannot be better
  /// than `best`: most places in a layer begin a chain of nearly all layers.
  std::optional<Chain> follow(size_t begin, size_t period,
                              const std::optional<Chain> &best) {
    Chain chain;
    chain.begin = begin;
    chain.period = period;
    chain.count = 1;
    if (begin + 2 * period > ops.size())
      return std::nullopt;
    size_t mostOps = (ops.size() - begin) / period * period;
    auto isHopeless = [&] {
      return best && (mostOps < best->size() ||
                      (mostOps == best->size() &&
                       (period != best->period ||
                        chain.carried.size() > best->carried.size())));
    };
    while (begin + (chain.count + 1) * period <= ops.size() && !isHopeless() &&
           addLayer(chain))
      ++chain.count;
    if (chain.count < 2 || isHopeless() || !collectFirstLayer(chain) ||
        !hasOnlyCarriedResults(chain))
      return std::nullopt;
    return chain;
  }

  /// The position of the operation that defines `value`; nothing for arguments
  /// and leaves.
  std::optional<size_t> positionOf(Value value) const {
    auto found = positions.find(value.getDefiningOp());
    return value.getDefiningOp() && found != positions.end()
               ? std::optional(found->second)
               : std::nullopt;
  }

  /// Whether layer `chain.count` equals the first one; the chain is what it was
  /// if not.
  bool addLayer(Chain &chain) {
    size_t carried = chain.carried.size(), weights = chain.weights.size(),
           layerIndices = chain.layerIndices.size();
    size_t start = chain.begin + chain.count * chain.period;
    for (size_t i = 0; i < chain.period; ++i) {
      if (matchOperation(chain, ops[chain.begin + i], ops[start + i], start))
        continue;
      while (chain.carried.size() > carried)
        chain.carried.pop_back();
      while (chain.weights.size() > weights)
        chain.weights.pop_back();
      while (chain.layerIndices.size() > layerIndices)
        chain.layerIndices.pop_back();
      for (auto &[weight, names] : chain.weights)
        names.resize(chain.count);
      return false;
    }
    return true;
  }

  bool matchOperation(Chain &chain, Operation *first, Operation *other,
                      size_t start) {
    return first->getName() == other->getName() &&
           first->getName().compareOpProperties(
               first->getPropertiesStorage(), other->getPropertiesStorage()) &&
           first->getDiscardableAttrDictionary() ==
               other->getDiscardableAttrDictionary() &&
           first->getResultTypes() == other->getResultTypes() &&
           first->getNumOperands() == other->getNumOperands() &&
           llvm::all_of(llvm::zip(first->getOperands(), other->getOperands()),
                        [&](auto pair) {
                          auto [f, o] = pair;
                          return matchOperand(chain, f, o, start);
                        });
  }

  /// Whether operand `other` of a layer that starts at `start` means the same
  /// as operand `first` of the first layer.
  bool matchOperand(Chain &chain, Value first, Value other, size_t start) {
    if (first.getType() != other.getType())
      return false;
    if (auto weight = first.getDefiningOp<GetWeightOp>()) {
      auto otherWeight = other.getDefiningOp<GetWeightOp>();
      if (!otherWeight)
        return false;
      SmallVector<Attribute> &names = chain.weights[first];
      if (names.empty())
        names.push_back(weight.getNameAttr());
      // A weight used twice by a layer has its name already.
      if (names.size() == chain.count)
        names.push_back(otherWeight.getNameAttr());
      return names.size() == chain.count + 1 &&
             names.back() == otherWeight.getNameAttr();
    }
    if (auto constant = first.getDefiningOp<arith::ConstantOp>()) {
      auto otherConstant = other.getDefiningOp<arith::ConstantOp>();
      if (!otherConstant)
        return false;
      if (constant.getValue() == otherConstant.getValue())
        return !chain.layerIndices.contains(first);
      auto index = dyn_cast<IntegerAttr>(constant.getValue()),
           otherIndex = dyn_cast<IntegerAttr>(otherConstant.getValue());
      // The layers have to be counted by one.
      if (!constant.getType().isIndex() ||
          otherIndex.getInt() - index.getInt() != int64_t(chain.count))
        return false;
      chain.layerIndices[first] = index.getInt();
      return true;
    }
    std::optional<size_t> at = positionOf(other);
    if (at && *at >= start)
      return positionOf(first) == *at - start + chain.begin &&
             resultNumber(first) == resultNumber(other);
    if (at && *at + chain.period >= start && *at >= chain.begin) {
      // From the layer before; the first layer has the initial value there.
      std::optional<size_t> firstAt = positionOf(first);
      if (firstAt && *firstAt >= chain.begin)
        return false;
      Value &initial =
          chain.carried[{*at + chain.period - start, resultNumber(other)}];
      if (initial && initial != first)
        return false;
      initial = first;
      return true;
    }
    return first == other;
  }

  static unsigned resultNumber(Value value) {
    return cast<OpResult>(value).getResultNumber();
  }

  /// Values that the first layer uses from before it are carried or shared.
  bool collectFirstLayer(Chain &chain) {
    SmallPtrSet<Value, 8> initial;
    for (auto &[result, value] : chain.carried)
      initial.insert(value);
    for (size_t i = chain.begin; i < chain.begin + chain.period; ++i)
      for (Value operand : ops[i]->getOperands()) {
        if (operand.getDefiningOp() && isLeaf(operand.getDefiningOp()))
          continue;
        std::optional<size_t> at = positionOf(operand);
        if ((!at || *at < chain.begin) && !initial.contains(operand))
          chain.shared.insert(operand);
      }
    return true;
  }

  /// Whether nothing outside the layers uses a value of a layer other than what
  /// the last one carries on.
  bool hasOnlyCarriedResults(const Chain &chain) {
    size_t end = chain.begin + chain.size(), last = end - chain.period;
    for (size_t i = chain.begin; i < end; ++i)
      for (OpResult result : ops[i]->getResults()) {
        bool isCarried = i >= last && chain.carried.count(
                                          {i - last, result.getResultNumber()});
        for (Operation *user : result.getUsers()) {
          auto at = positions.find(user);
          bool isInside = at != positions.end() && at->second < end;
          if (!isInside && !isCarried)
            return false;
        }
      }
    return true;
  }

  SmallVector<Operation *> ops;
  llvm::DenseMap<Operation *, size_t> positions;
  SmallVector<size_t> anchors;
};

struct OutlineLayers : serrano::llm::impl::OutlineLayersBase<OutlineLayers> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (!function->hasAttr(LlmDialect::kEntryAttr))
        continue;
      hoistShared(function);
      ChainFinder finder(function);
      std::optional<Chain> chain = finder.find();
      remarkLayers(function, chain, finder);
      if (chain)
        outline(function, *chain, finder.getOps(), symbols);
    }
  }

  static void remarkLayers(func::FuncOp function,
                           const std::optional<Chain> &chain,
                           const ChainFinder &finder) {
    auto options = remark::RemarkOpts::name("Layers")
                       .category("llm-outline-layers")
                       .function(function.getName());
    if (chain)
      remark::passed(finder.getOps()[chain->begin]->getLoc(), options)
          << remark::metric("Layers", chain->count)
          << remark::metric("Operations", chain->period)
          << remark::metric("OperationsOutside",
                            finder.getOps().size() - chain->size());
    else if (finder.getNumAnchors() > 1)
      remark::missed(function.getLoc(), options)
          << remark::reason("{0} attentions, but no operations around them are "
                            "repeated with other weights only",
                            finder.getNumAnchors());
  }

  /// Moves what several layers use, but an exporter computes in the first one,
  /// before all layers: what a later layer uses too, and in a step what does
  /// not depend on the tokens themselves.
  static void hoistShared(func::FuncOp function) {
    SmallVector<Operation *> anchors;
    for (Operation &op : function.front())
      if (isAnchor(&op))
        anchors.push_back(&op);
    if (anchors.size() < 2)
      return;
    llvm::SetVector<Operation *> hidden;
    for (BlockArgument argument : function.getArguments()) {
      auto role = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                        LlmDialect::kRoleAttr);
      if (!role || role.getValue() == "token_ids")
        hidden.insert_range(argument.getUsers());
    }
    // What comes after the first attention is not moved.
    for (size_t i = 0; i < hidden.size(); ++i)
      if (hidden[i]->isBeforeInBlock(anchors[0]))
        hidden.insert_range(hidden[i]->getUsers());
    SmallVector<Operation *> shared;
    for (Operation &op : function.front()) {
      if (&op == anchors[0])
        break;
      auto isLater = [&](Operation *user) {
        return anchors[1]->isBeforeInBlock(user);
      };
      if (!isLeaf(&op) &&
          (!hidden.contains(&op) || llvm::any_of(op.getUsers(), isLater)))
        shared.push_back(&op);
    }
    for (size_t i = 0; i < shared.size(); ++i)
      for (Value operand : shared[i]->getOperands())
        if (Operation *op = operand.getDefiningOp();
            op && !llvm::is_contained(shared, op))
          shared.push_back(op);
    llvm::sort(shared, [](Operation *l, Operation *r) {
      return l->isBeforeInBlock(r);
    });
    // The first operation that stays; those before it are moved to where they
    // are.
    Operation *front = &*llvm::find_if(function.front(), [&](Operation &op) {
      return !llvm::is_contained(shared, &op);
    });
    for (Operation *op : shared)
      op->moveBefore(front);
  }

  void outline(func::FuncOp function, const Chain &chain,
               ArrayRef<Operation *> ops, SymbolTable &symbols) {
    OpBuilder builder(function);
    SmallVector<Value> initial(llvm::make_second_range(chain.carried)),
        shared(chain.shared.begin(), chain.shared.end());
    SmallVector<Type> types{builder.getIndexType()};
    llvm::append_range(types, ValueRange(initial).getTypes());
    llvm::append_range(types, ValueRange(shared).getTypes());
    for (auto &[weight, names] : chain.weights)
      types.push_back(weight.getType());
    auto resultTypes = llvm::to_vector(ValueRange(initial).getTypes());
    ArrayRef<Operation *> layer = ops.slice(chain.begin, chain.period);
    for (auto [carried, type] :
         llvm::zip(llvm::make_first_range(chain.carried), resultTypes))
      if (layer[carried.first]->getResult(carried.second).getType() != type)
        return;

    // The function of the first layer.
    Location loc = withoutSourceTensors(layer.front()->getLoc());
    auto callee =
        func::FuncOp::create(builder, loc, "layer",
                             builder.getFunctionType(types, resultTypes));
    callee.setPrivate();
    symbols.insert(callee);
    Block *body = callee.addEntryBlock();
    builder.setInsertionPointToStart(body);
    IRMapping mapping;
    int64_t first = 0;
    for (auto &[value, index] : chain.layerIndices) {
      mapping.map(value, body->getArgument(0));
      first = index;
    }
    unsigned next = 1;
    for (ArrayRef<Value> values : {ArrayRef(initial), ArrayRef(shared)})
      for (Value value : values)
        mapping.map(value, body->getArgument(next++));
    for (auto &[weight, names] : chain.weights)
      mapping.map(weight, body->getArgument(next++));
    for (auto [index, op] : llvm::enumerate(layer)) {
      for (Value operand : op->getOperands())
        if (auto constant = operand.getDefiningOp<arith::ConstantOp>();
            constant && !mapping.contains(operand))
          builder.clone(*constant, mapping);
      SmallVector<Operation *> same;
      for (size_t i = 0; i < chain.count; ++i)
        same.push_back(ops[chain.begin + i * chain.period + index]);
      joinSourceTensors(builder.clone(*op, mapping), same);
    }
    SmallVector<Value> results;
    for (Carried carried : llvm::make_first_range(chain.carried))
      results.push_back(
          mapping.lookup(layer[carried.first]->getResult(carried.second)));
    func::ReturnOp::create(builder, withoutSourceTensors(layer.back()->getLoc()),
                           results);

    // The loop in place of all layers.
    builder.setInsertionPoint(layer.front());
    SmallVector<Attribute> weights;
    for (auto &[weight, names] : chain.weights)
      weights.push_back(builder.getArrayAttr(names));
    auto loop = LayersOp::create(
        builder, loc, resultTypes,
        FlatSymbolRefAttr::get(callee), builder.getI64IntegerAttr(first),
        builder.getI64IntegerAttr(chain.count), initial, shared,
        builder.getArrayAttr(weights));
    ArrayRef<Operation *> last =
        ops.slice(chain.begin + chain.size() - chain.period, chain.period);
    for (auto [carried, result] :
         llvm::zip(llvm::make_first_range(chain.carried), loop.getResults()))
      last[carried.first]
          ->getResult(carried.second)
          .replaceUsesWithIf(result, [&](OpOperand &use) {
            return !use.getOwner()->isBeforeInBlock(last.back()) &&
                   use.getOwner() != last.back();
          });
    for (Operation *op : llvm::reverse(ops.slice(chain.begin, chain.size()))) {
      op->dropAllUses();
      op->erase();
    }
    for (Operation &op : llvm::make_early_inc_range(function.front()))
      if (isLeaf(&op) && op.use_empty())
        op.erase();
  }
};

} // namespace
