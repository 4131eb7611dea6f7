//===- InsertWaits.cpp - adds signals and waits ------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/Passes/DmaPasses.h"

#include "dialects/Dma/Races.h"
#include "dialects/Dma/WaitProof.h"
#include <array>
#include <map>

namespace serrano::dma {
#define GEN_PASS_DEF_INSERTWAITS
#include "dialects/Dma/Passes/DmaPasses.h.inc"
} // namespace serrano::dma

using namespace mlir;
using namespace serrano::dma;

namespace {

class InsertWaits : public serrano::dma::impl::InsertWaitsBase<InsertWaits> {
public:
  using Base::Base;
  void runOnOperation() override;
};

/// An operation that another one has to wait for: its queue, and what each queue knows of
/// it.
struct Needed {
  Queue queue;
  std::array<int8_t, unsigned(Queue::Ring)> ages;
};

} // namespace

static SmallVector<Attribute> toAttributes(MLIRContext *context, ArrayRef<Wait> waits) {
  return llvm::map_to_vector(waits, [&](const Wait &wait) -> Attribute {
    return WaitAttr::get(context, getCounter(wait.queue), wait.lag);
  });
}

/// Puts the waits on the operation, and those that do not fit on a `dma.sync`
/// before it.
static void attach(const QueuedOp &queued) {
  Operation *op = queued.op;
  MLIRContext *context = op->getContext();
  SmallVector<Attribute> waits = toAttributes(context, queued.waits);
  if (waits.size() > maxWaits && !isa<SyncOp>(op)) {
    OpBuilder builder(op);
    auto sync = SyncOp::create(builder, op->getLoc(), queued.queue);
    sync->setAttr(
        DmaDialect::kWaitsAttr,
        ArrayAttr::get(context, ArrayRef(waits).drop_front(maxWaits)));
    waits.truncate(maxWaits);
  }
  if (!waits.empty())
    op->setAttr(DmaDialect::kWaitsAttr, ArrayAttr::get(context, waits));
}

/// Puts a sync of the matrix queue before each outermost loop that runs an unknown
/// number of times. What is done before the loop is waited for there, once: a wait
/// within it would have to name a lag that holds for the first round, and would hold up
/// all later ones. Not if nothing else is done in the loop, so that lags are the same in all
/// rounds.
static void hoist(func::FuncOp function, Touches &touches) {
  function.walk<WalkOrder::PreOrder>([&](scf::ForOp loop) {
    // The whole model is no place to wait before.
    if (loop.getStaticTripCount() || loop->hasAttr(serrano::tile::TileDialect::kPortionsAttr))
      return WalkResult::advance();
    SmallVector<Touch> inside;
    bool hasOthers = false;
    loop.walk([&](Operation *op) {
      if (getQueue(op) == Queue::Matrix)
        llvm::append_range(inside, touches[op]);
      else
        hasOthers |= getQueue(op).has_value();
    });
    if (!inside.empty() && hasOthers) {
      OpBuilder builder(loop);
      touches[SyncOp::create(builder, loop.getLoc(), Queue::Matrix)] = std::move(inside);
    }
    return WalkResult::skip();
  });
}

/// Whether `loop` perhaps does not run, and has nothing but work of the vector queue.
static bool isOptionalVectorWork(scf::ForOp loop) {
  if (!loop || loop.getStaticTripCount())
    return false;
  return llvm::none_of(*loop.getBody(), [](Operation &inner) {
    std::optional<Queue> queue = getQueue(&inner);
    return inner.getNumRegions() != 0 || (queue && queue != Queue::Vector);
  });
}

/// Whether an operation needs no signal: it is one of the vector queue in a loop of nothing else
/// that perhaps does not run, which one of the same queue follows before anything that has to wait
/// for it. That one's signal says the same, since queues retire in order; a wait for what
/// came before need not count how often the loop ran.
static bool isSignalledLater(const QueuedOp &queued,
                             const llvm::DenseMap<Operation *, unsigned> &numbers) {
  auto loop = dyn_cast<scf::ForOp>(queued.op->getParentOp());
  if (queued.queue != Queue::Vector || !isOptionalVectorWork(loop))
    return false;
  for (Operation *next = loop->getNextNode(); next; next = next->getNextNode()) {
    if (next->getNumRegions() == 0 && getQueue(next) == Queue::Vector)
      return true;
    WalkResult walk = next->walk([&](Operation *inner) {
      auto it = numbers.find(inner);
      return it != numbers.end() && llvm::is_contained(queued.conflicts, it->second)
                 ? WalkResult::interrupt()
                 : WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return false;
  }
  return false;
}

/// Adds the signals.
static void addSignals(QueueProgram &program) {
  llvm::DenseMap<Operation *, unsigned> numbers;
  for (auto [number, queued] : llvm::enumerate(program.ops))
    numbers[queued.op] = number;
  for (QueuedOp &queued : program.ops) {
    queued.signals = queued.executes && !isSignalledLater(queued, numbers);
    if (queued.signals)
      queued.op->setAttr(DmaDialect::kSignalAttr,
                         IntegerAttr::get(IntegerType::get(queued.op->getContext(), 64),
                                          getCounter(queued.queue)));
  }
}

/// The waits, with the largest lags, after which an operation knows all of `needed`,
/// of which each is waited for by way of its own queue or of one that has waited for it.
static SmallVector<Wait, 2> chooseWaits(ArrayRef<Needed> needed) {
  std::map<Queue, int64_t> lags;
  for (const auto &[queue, ages] : needed) {
    auto [it, fresh] = lags.try_emplace(queue, ages[unsigned(queue)]);
    it->second = std::min(it->second, int64_t(ages[unsigned(queue)]));
  }
  // Each is left to wait for what the others do not cover.
  for (Queue queue : llvm::to_vector(llvm::make_first_range(lags))) {
    std::optional<int64_t> lag;
    for (const auto &[ignored, ages] : needed) {
      bool covered = llvm::any_of(lags, [&, &ages = ages](auto other) {
        return other.first != queue && ages[unsigned(other.first)] >= other.second;
      });
      if (!covered)
        lag = std::min(lag.value_or(maxLag), int64_t(ages[unsigned(queue)]));
    }
    if (lag)
      lags[queue] = *lag;
    else
      lags.erase(queue);
  }
  SmallVector<Wait, 2> waits;
  for (auto [queue, lag] : lags)
    waits.push_back({queue, lag});
  return waits;
}

/// What an operation has to wait for that it does not know to be complete.
static SmallVector<Needed> findNeeded(const QueueProgram &program, const QueuedOp &op,
                                      const QueueState &state) {
  SmallVector<Needed> needed;
  for (unsigned other : op.conflicts) {
    if (op.knows(state, other, {}))
      continue;
    Needed &added = needed.emplace_back(Needed{program.ops[other].queue, {}});
    for (auto [queue, age] : llvm::enumerate(added.ages))
      age = state.getAge(other, queue);
  }
  return needed;
}

/// By operation and wait: whether the operation needs it for itself. Such a wait stays: other
/// ones, if they are fewer, do not make up for it.
static SmallVector<SmallVector<bool>> findOwn(const QueueProgram &program) {
  SmallVector<SmallVector<bool>> result(program.ops.size());
  program.walk([&](unsigned number, QueueState &state) {
    const QueuedOp &op = program.ops[number];
    SmallVector<bool> &own = result[number];
    own.assign(op.waits.size(), false);
    if (!op.isSync)
      for (auto [i, isOwn] : llvm::enumerate(own)) {
        SmallVector<Wait, 2> weaker = op.waits;
        ++weaker[i].lag;
        isOwn = llvm::any_of(op.conflicts, [&](unsigned other) {
          return !op.knows(state, other, weaker);
        });
      }
    op.step(number, state);
  });
  return result;
}

/// Drops and weakens waits as far as nothing races. What a loop waits for in each round it
/// need not wait for before it, and a wait can become unnecessary through another one that
/// was found later.
static void relax(QueueProgram &program) {
  SmallVector<SmallVector<bool>> own = findOwn(program);
  WaitProof proof(program);
  for (unsigned number = 0; number < program.ops.size(); ++number) {
    QueuedOp &op = program.ops[number];
    bool changed = false;
    for (size_t i = own[number].size(); i-- > 0;) {
      if (own[number][i])
        continue;
      SmallVector<Wait, 2> weaker = op.waits;
      weaker.erase(weaker.begin() + i);
      if (proof.accepts(number, weaker)) {
        changed = true;
        continue;
      }
      weaker = op.waits;
      while (++weaker[i].lag <= maxLag && proof.accepts(number, weaker))
        changed = true;
    }
    if (changed)
      op.op->setAttr(DmaDialect::kWaitsAttr,
                     ArrayAttr::get(op.op->getContext(),
                                    toAttributes(op.op->getContext(), op.waits)));
  }
}

void InsertWaits::runOnOperation() {
  getOperation().walk([](SyncOp sync) { sync.erase(); });

  FailureOr<Touches> touches = getTouches(getOperation());
  if (failed(touches))
    return signalPassFailure();
  for (auto &[op, ignored] : *touches) {
    op->removeAttr(DmaDialect::kWaitsAttr);
    op->removeAttr(DmaDialect::kSignalAttr);
  }
  hoist(getOperation(), *touches);

  QueueProgram program(getOperation(), *touches);
  addSignals(program);
  program.walk([&](unsigned number, QueueState &state) {
    QueuedOp &op = program.ops[number];
    op.waits = chooseWaits(findNeeded(program, op, state));
    op.step(number, state);
  });
  for (const QueuedOp &op : program.ops)
    attach(op);
  QueueProgram attached(getOperation(), program);
  relax(attached);
  getOperation().walk([](Operation *op) {
    auto waits = op->getAttrOfType<ArrayAttr>(DmaDialect::kWaitsAttr);
    if (waits && !waits.empty())
      return;
    if (isa<SyncOp>(op))
      op->erase();
    else
      op->removeAttr(DmaDialect::kWaitsAttr);
  });
}
