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
  using ValueOf = llvm::function_ref<int64_t(Value)>;

  explicit CoreClock(const TimingModel &timing) : timing(timing) {}

  /// How much later everything ends with `op`, in cycles; `valueOf` gives the
  /// value of a count.
  int64_t advance(Operation *op, const Cost &cost, ValueOf valueOf);

private:
  /// Rows and columns of a slot.
  struct Window {
    Value slot;
    int64_t firstRow, endRow, firstCol, endCol;

    bool operator==(const Window &other) const = default;
    bool overlaps(const Window &other) const {
      return firstRow < other.endRow && other.firstRow < endRow &&
             firstCol < other.endCol && other.firstCol < endCol;
    }
  };
  struct Access {
    Window window;
    bool isWrite;
  };
  /// When the last accesses to a window have ended.
  struct Times {
    Window window;
    int64_t written = 0, read = 0;
    /// Products follow each other at their intervals, also onto sums that are
    /// still in the array.
    int64_t summed = 0;
  };
  static Window getWindow(Value view, ValueOf valueOf);
  static SmallVector<Access> getAccesses(Operation *op, ValueOf valueOf);
  int64_t getReady(Operation *op, ArrayRef<Access> accesses);

  const TimingModel &timing;
  int64_t end = 0, transfers = 0, vector = 0;
  /// Weights are loaded beside a product, into the other set of the array.
  int64_t product = 0, productStart = 0, weights = 0;
  llvm::DenseMap<Value, SmallVector<Times>> slots;
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

/// What a view spans: of one whose place is computed, all rows.
CoreClock::Window CoreClock::getWindow(Value view, ValueOf valueOf) {
  Value slot = view;
  while (auto outer = slot.getDefiningOp<memref::ReinterpretCastOp>())
    slot = outer.getSource();
  auto type = cast<MemRefType>(slot.getType());
  int64_t rows = type.getDimSize(0), width = type.getDimSize(1);
  Window window{slot, 0, rows, 0, width};
  auto inner = view.getDefiningOp<memref::ReinterpretCastOp>();
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!inner || failed(inner.getType().getStridesAndOffset(strides, offset)) ||
      strides[0] % width)
    return window;
  bool isDynamic = ShapedType::isDynamic(offset);
  if (isDynamic)
    offset = valueOf(inner.getOffsets().front());
  int64_t firstCol = offset % width;
  int64_t endCol = firstCol + (inner.getType().getDimSize(1) - 1) * strides[1] + 1;
  if (endCol > width)
    return window;
  window.firstCol = firstCol, window.endCol = endCol;
  if (!isDynamic) {
    window.firstRow = offset / width;
    window.endRow = window.firstRow + 1 +
                    (inner.getType().getDimSize(0) - 1) * strides[0] / width;
  }
  return window;
}

SmallVector<CoreClock::Access> CoreClock::getAccesses(Operation *op,
                                                      ValueOf valueOf) {
  SmallVector<Access> accesses;
  SmallVector<MemoryEffects::EffectInstance> effects;
  if (auto interface = dyn_cast<MemoryEffectOpInterface>(op))
    interface.getEffects(effects);
  for (const auto &effect : effects) {
    Value value = effect.getValue();
    if (!value || !isa<MemRefType>(value.getType()))
      continue;
    Window window = getWindow(value, valueOf);
    // The heads of a rope lie beside the columns that it names.
    if (isa<RopeOp>(op)) {
      window.firstCol = 0;
      window.endCol = cast<MemRefType>(window.slot.getType()).getDimSize(1);
    }
    accesses.push_back({window, isa<MemoryEffects::Write>(effect.getEffect())});
  }
  return accesses;
}

int64_t CoreClock::getReady(Operation *op, ArrayRef<Access> accesses) {
  int64_t ready = 0;
  for (const Access &access : accesses)
    for (const Times &times : slots[access.window.slot]) {
      if (!times.window.overlaps(access.window))
        continue;
      ready = std::max(ready, isa<MatmulOp>(op) && times.summed
                                  ? times.summed
                                  : times.written);
      if (access.isWrite)
        ready = std::max(ready, times.read);
    }
  return ready;
}

int64_t CoreClock::advance(Operation *op, const Cost &cost, ValueOf valueOf) {
  if (isa<NextOp, PeekOp, OrderOp, OrderTilesOp, SlotOp, StreamOp>(op))
    return 0;
  SmallVector<Access> accesses = getAccesses(op, valueOf);
  int64_t ready = getReady(op, accesses), freed = 0, done = 0;
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
  for (const auto &[window, isWrite] : accesses) {
    SmallVector<Times> &all = slots[window.slot];
    auto *times = llvm::find_if(
        all, [&](const Times &times) { return times.window == window; });
    if (times == all.end()) {
      all.push_back({window});
      times = std::prev(all.end());
    }
    int64_t &time = isWrite ? times->written : times->read;
    time = std::max(time, isWrite ? done : freed);
    if (isWrite)
      times->summed = isa<MatmulOp>(op) ? freed : 0;
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
            auto valueOf = [&](Value value) { return walk.valueOf(value); };
            Cost cost = model.getCost(op, valueOf);
            node.cost.add(cost, times);
            node.coreCycles += times * clock.advance(op, cost, valueOf);
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
