//===- ReportBounds.cpp - says what bounds each operator ------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/Passes/TilePasses.h"

#include "dialects/Tile/Cost.h"
#include "dialects/Tile/RunWalk.h"
#include "dialects/Tile/Target.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"

namespace serrano::tile {
#define GEN_PASS_DEF_REPORTBOUNDS
#include "dialects/Tile/Passes/TilePasses.h.inc"
} // namespace serrano::tile

using namespace mlir;
using namespace serrano;
using namespace serrano::tile;

/// A run of more operations would take minutes to follow.
static constexpr int64_t mostOperations = 50'000'000;

namespace {

/// When the operations of a core end if each starts as soon as its engine is
/// free and what it reads and overwrites is ready; tiles of streams are always
/// there.
class CoreClock {
public:
  explicit CoreClock(const TimingModel &timing) : timing(timing) {}

  /// How much later everything ends with `op`, in cycles.
  int64_t advance(Operation *op, const Cost &cost);

private:
  /// When its last accesses have ended.
  struct Slot {
    int64_t written = 0, read = 0;
    /// Products follow each other at their intervals, also onto sums that are
    /// still in the array.
    int64_t summed = 0;
  };
  Slot &getSlot(Value operand);
  int64_t getReady(Operation *op);

  const TimingModel &timing;
  int64_t end = 0, transfers = 0, vector = 0;
  /// Weights are loaded beside a product, into the other set of the array.
  int64_t product = 0, productStart = 0, weights = 0;
  llvm::DenseMap<Value, Slot> slots;
  llvm::DenseMap<Value, Value> roots;
};

/// What is known of an operator of the source.
struct Operator {
  Cost cost;
  int64_t coreCycles = 0;
  int64_t operations = 0;
};

class ReportBounds : public tile::impl::ReportBoundsBase<ReportBounds> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  FailureOr<RunInputs> chooseLengths();
  LogicalResult chooseStep(PagedCacheOp cache, RunInputs &inputs);
  LogicalResult chooseDimensions(RunInputs &inputs);
  LogicalResult report(func::FuncOp function, const RunInputs &inputs,
                       const TargetModel &target);

  std::string lengths; ///< as serrano-sim's --lengths has them
};

} // namespace

CoreClock::Slot &CoreClock::getSlot(Value operand) {
  Value &root = roots[operand];
  if (!root) {
    root = operand;
    while (auto view =
               root.getDefiningOp<memref::ReinterpretCastOp>())
      root = view.getSource();
  }
  return slots[root];
}

int64_t CoreClock::getReady(Operation *op) {
  int64_t ready = 0;
  SmallVector<MemoryEffects::EffectInstance> effects;
  if (auto interface = dyn_cast<MemoryEffectOpInterface>(op))
    interface.getEffects(effects);
  for (const auto &effect : effects)
    if (Value value = effect.getValue()) {
      const Slot &slot = getSlot(value);
      ready = std::max(ready, isa<MatmulOp>(op) && slot.summed ? slot.summed
                                                               : slot.written);
      if (isa<MemoryEffects::Write>(effect.getEffect()))
        ready = std::max(ready, slot.read);
    }
  return ready;
}

int64_t CoreClock::advance(Operation *op, const Cost &cost) {
  if (isa<NextOp, PeekOp, OrderOp, OrderTilesOp, SlotOp, StreamOp>(op))
    return 0;
  int64_t ready = getReady(op), freed = 0, done = 0;
  if (isa<LoadWeightsOp>(op)) {
    // The set that it fills is that of the product before the last one.
    int64_t start = std::max({weights, productStart, ready});
    weights = freed = done = start + cost.weightCycles;
  } else if (isa<MatmulOp>(op)) {
    productStart = std::max({product, weights, ready});
    product = freed = productStart + cost.matrixCycles;
    done = freed + timing.matmulLatency();
  } else if (cost.vectorCycles) {
    vector = freed = std::max(vector, ready) + cost.vectorCycles;
    done = freed + timing.vectorLatency();
  } else if (cost.memoryBytes) {
    int64_t cycles = TimingModel::cyclesOf(timing.hbmTicks(cost.memoryBytes));
    transfers = std::max(transfers, ready) + cycles;
    freed = done = transfers + timing.dmaStartup() + timing.dmaLatency();
  }
  SmallVector<MemoryEffects::EffectInstance> effects;
  if (auto interface = dyn_cast<MemoryEffectOpInterface>(op))
    interface.getEffects(effects);
  for (const auto &effect : effects)
    if (Value value = effect.getValue()) {
      Slot &slot = getSlot(value);
      bool writes = isa<MemoryEffects::Write>(effect.getEffect());
      int64_t &time = writes ? slot.written : slot.read;
      time = std::max(time, writes ? done : freed);
      if (writes)
        slot.summed = isa<MatmulOp>(op) ? freed : 0;
    }
  int64_t before = end;
  end = std::max(end, done);
  return end - before;
}

/// The node of the source: the last that was fused into a location.
static Location getNode(Location loc) {
  while (auto fused = dyn_cast<FusedLoc>(loc)) {
    if (fused.getLocations().empty())
      break;
    loc = fused.getLocations().back();
  }
  return loc;
}

LogicalResult ReportBounds::chooseStep(PagedCacheOp cache, RunInputs &inputs) {
  int64_t most = 1;
  for (auto limit : getOperation().getOps<LimitOp>())
    if (limit.getOf() == LimitKind::Tokens)
      most = std::max<int64_t>(most, limit.getMax());
  int64_t longest = cache.getContext();
  int64_t count = sequences, added = tokens ? int64_t(tokens)
                                            : std::min(most / count, longest);
  int64_t total = context ? int64_t(context) : tokens ? longest : added;
  if (count < 1 || added < 1 || count * added > most || total < added ||
      total > longest)
    return getOperation().emitError()
           << "has no step of " << count << " sequences with " << added
           << " new tokens each and " << total << " after it; expected at most "
           << most << " tokens in all and " << longest << " of a sequence";
  lengths = (count > 1 ? std::to_string(count) + "x" : "") +
            std::to_string(added) + "@" + std::to_string(total);
  for (auto dimension : getOperation().getOps<DimensionOp>())
    inputs.dimensions[dimension.getSymName()] =
        dimension.getSymName() == "tokens"   ? count * added
        : dimension.getSymName() == "blocks" ? dimension.getMax()
                                             : count;
  inputs.read = [=](TensorOp tensor, int64_t element) {
    StringRef name = tensor && tensor.getName() ? *tensor.getName() : "";
    return name == "query_starts" ? element * added
           : name == "kv_lengths" ? total
                                  : 0;
  };
  return success();
}

LogicalResult ReportBounds::chooseDimensions(RunInputs &inputs) {
  llvm::StringMap<int64_t> given;
  for (StringRef text : dimensions) {
    auto [name, size] = text.split('=');
    int64_t value;
    if (size.getAsInteger(10, value) || value < 1)
      return getOperation().emitError()
             << "dimension '" << text << "' is given; expected NAME=SIZE";
    given[name] = value;
  }
  SmallVector<DimensionOp> all(getOperation().getOps<DimensionOp>());
  for (DimensionOp dimension : all) {
    int64_t &value = inputs.dimensions[dimension.getSymName()];
    value = dimension == all.back() ? int64_t(dimension.getMax()) : 1;
    if (auto it = given.find(dimension.getSymName()); it != given.end()) {
      value = it->second;
      given.erase(it);
    }
    lengths += (lengths.empty() ? "" : ",") + dimension.getSymName().str() +
               "=" + std::to_string(value);
  }
  if (!given.empty())
    return getOperation().emitError()
           << "has no dimension '" << given.begin()->getKey() << "'";
  inputs.read = [](TensorOp, int64_t) { return 0; };
  return success();
}

FailureOr<RunInputs> ReportBounds::chooseLengths() {
  RunInputs inputs;
  lengths.clear();
  auto caches = getOperation().getOps<PagedCacheOp>();
  LogicalResult result = caches.empty()
                             ? chooseDimensions(inputs)
                             : chooseStep(*caches.begin(), inputs);
  if (failed(result))
    return failure();
  return inputs;
}

LogicalResult ReportBounds::report(func::FuncOp function,
                                   const RunInputs &inputs,
                                   const TargetModel &target) {
  RunWalk walk(function, inputs);
  CostModel model(target);
  CoreClock clock(model.getTiming());
  llvm::MapVector<Location, Operator> operators;
  if (failed(walk.run(
          [&](Operation *op, int64_t times) {
            Operator &node = operators[getNode(op->getLoc())];
            Cost cost = model.getCost(
                op, [&](Value value) { return walk.valueOf(value); });
            node.cost.add(cost, times);
            node.coreCycles += times * clock.advance(op, cost);
            node.operations += times;
          },
          mostOperations)))
    return failure();

  for (auto &[loc, node] : operators) {
    const Cost &cost = node.cost;
    int64_t memory = TimingModel::cyclesOf(
        model.getTiming().hbmTicks(cost.memoryBytes));
    const std::pair<StringRef, int64_t> bounds[] = {
        {"memory", memory},
        {"matrix", cost.matrixCycles},
        {"weight port", cost.weightCycles},
        {"vector", cost.vectorCycles}};
    auto [bound, cycles] = *llvm::max_element(
        bounds, [](auto &a, auto &b) { return a.second < b.second; });
    if (cycles == 0 && node.coreCycles == 0)
      continue;
    if (node.coreCycles > cycles + cycles / 4) {
      bound = "latency";
      cycles = node.coreCycles;
    }
    auto remark = remark::analysis(loc, remark::RemarkOpts::name("Bound")
                                            .category("tile-report-bounds")
                                            .function(function.getName()));
    remark << remark::metric("Lengths", StringRef(lengths))
           << remark::metric("Bound", bound)
           << remark::metric("Cycles", cycles)
           << remark::metric("MemoryCycles", memory)
           << remark::metric("MatrixCycles", cost.matrixCycles)
           << remark::metric("WeightPortCycles", cost.weightCycles)
           << remark::metric("VectorCycles", cost.vectorCycles)
           << remark::metric("CoreCycles", node.coreCycles)
           << remark::metric("MemoryBytes", cost.memoryBytes)
           << remark::metric("Macs", cost.macs)
           << remark::metric("Operations", node.operations);
    if (bound == "memory")
      remark << remark::reason("{0} bytes cross HBM; the core could do its "
                               "work in {1} cycles",
                               cost.memoryBytes, node.coreCycles);
    else if (bound == "latency")
      remark << remark::reason(
          "{0} operations wait for each other's results; the busiest engine "
          "works {1} cycles of it",
          node.operations,
          std::max({cost.matrixCycles, cost.weightCycles, cost.vectorCycles}));
  }
  return success();
}

void ReportBounds::runOnOperation() {
  markAllAnalysesPreserved();
  bool hasCache = !getOperation().getOps<PagedCacheOp>().empty();
  if (!getContext().getRemarkEngine() || (!hasCache && tokens == 0))
    return;
  FailureOr<TargetModel> model = getTarget(getOperation(), target);
  FailureOr<RunInputs> inputs = chooseLengths();
  if (failed(model) || failed(inputs))
    return signalPassFailure();
  for (auto function : getOperation().getOps<func::FuncOp>())
    if (function->hasAttr(TileDialect::kEntryAttr) &&
        failed(report(function, *inputs, *model)))
      return signalPassFailure();
}
