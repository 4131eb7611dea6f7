//===- ConcreteRun.h - happens-before on one run of a program -- -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_DIALECTS_CONCRETERUN_H
#define SERRANO_TEST_UNIT_DIALECTS_CONCRETERUN_H

#include "dialects/Dma/Dma.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include <array>
#include <random>

namespace serrano::dma {

/// Runs a function of the dma dialect operation by operation and keeps vector
/// clocks, so it knows every order that the waits make, also through a third
/// queue. It shares no code with the race prover: buffers are touched as a
/// whole, and every loop whose bounds are not constants runs a random number of
/// times.
class ConcreteRun {
public:
  explicit ConcreteRun(unsigned seed) : random(seed) {}

  /// Whether two operations race.
  bool races(mlir::func::FuncOp function) {
    run(function.getBody().front());
    return found;
  }

private:
  using Clock =
      std::array<int64_t, 4>; ///< for each queue, how many of its are complete

  struct Event {
    unsigned queue;
    int64_t index;
    mem::Space space;
    int64_t begin, end;
    bool write;
  };

  static void join(Clock &clock, const Clock &other) {
    for (unsigned q = 0; q < clock.size(); ++q)
      clock[q] = std::max(clock[q], other[q]);
  }

  void run(mlir::Block &block) {
    for (mlir::Operation &op : block) {
      if (auto loop = mlir::dyn_cast<mlir::scf::ForOp>(op)) {
        std::optional<int64_t> trips =
            mlir::getConstantIntValue(loop.getUpperBound());
        for (int64_t i = 0, n = trips ? *trips : int64_t(random() % 4); i < n;
             ++i)
          run(*loop.getBody());
      } else if (auto branch = mlir::dyn_cast<mlir::scf::IfOp>(op)) {
        if (random() % 2)
          run(*branch.thenBlock());
        else if (branch.elseBlock())
          run(*branch.elseBlock());
      } else if (std::optional<Queue> queue = getQueue(&op)) {
        execute(&op, unsigned(*queue));
      }
    }
  }

  void execute(mlir::Operation *op, unsigned queue) {
    Clock &clock = clocks[queue];
    if (auto waits = op->getAttrOfType<mlir::ArrayAttr>(DmaDialect::kWaitsAttr))
      for (auto wait : waits.getAsRange<WaitAttr>()) {
        const auto &given = increments[wait.getCounter()];
        int64_t threshold = int64_t(given.size()) - wait.getLag();
        if (threshold > 0)
          join(clock, given[threshold - 1]);
      }
    if (mlir::isa<SyncOp>(op))
      return;
    ++clock[queue];
    for (mlir::OpOperand &operand : op->getOpOperands()) {
      auto buffer = operand.get().getDefiningOp<mem::BufferOp>();
      if (!buffer)
        continue;
      int64_t begin = int64_t(*buffer.getAddress());
      touch({queue, clock[queue], buffer.getSpace(), begin,
             begin + buffer.getBytes(),
             writes(op, operand.getOperandNumber())});
    }
    if (op->hasAttr(DmaDialect::kSignalAttr))
      increments[queue].push_back(clock);
  }

  /// Of the operations that the tests use.
  static bool writes(mlir::Operation *op, unsigned operand) {
    if (mlir::isa<tile::MatmulOp, tile::UnaryOp>(op))
      return operand == 1;
    return mlir::isa<LoadOp, tile::FillOp>(op);
  }

  void touch(Event event) {
    for (const Event &other : events)
      found |= other.queue != event.queue && (other.write || event.write) &&
               other.space == event.space && other.begin < event.end &&
               event.begin < other.end &&
               clocks[event.queue][other.queue] < other.index;
    events.push_back(event);
  }

  std::mt19937 random;
  std::array<Clock, 4> clocks = {};
  std::array<std::vector<Clock>, 64> increments;
  std::vector<Event> events;
  bool found = false;
};

} // namespace serrano::dma

#endif // SERRANO_TEST_UNIT_DIALECTS_CONCRETERUN_H
