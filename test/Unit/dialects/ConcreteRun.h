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
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/ErrorHandling.h"
#include <array>
#include <map>
#include <random>

namespace serrano::dma {

/// Runs a function of the dma dialect operation by operation, with random
/// arguments of up to 8, and keeps vector clocks, so it knows every order that the waits
/// make, also through a third queue. It shares no code with the race prover:
/// indices are numbers, a view is the elements that it has in this run, and two
/// operations meet only in an element that both touch.
///
/// Elements have 4 bytes. What a ring reads it reads when it is ordered; what
/// is stored later is none of its business.
class ConcreteRun {
public:
  explicit ConcreteRun(unsigned seed) : random(seed) {}

  /// Whether two operations race.
  bool races(mlir::func::FuncOp function) {
    for (mlir::BlockArgument argument : function.getArguments())
      indices[argument] = random() % 2 ? 8 : random() % 9;
    run(function.getBody().front());
    return found;
  }

private:
  /// Four engines' queues and those of two rings.
  static constexpr unsigned numQueues = 6;
  /// For each queue, how many of its operations are complete.
  using Clock = std::array<int64_t, numQueues>;

  /// Of one element, the latest operation of each queue that touched it.
  struct Element {
    Clock read = {}, written = {};
  };
  /// A memory of the core, or a tensor.
  using Memory = std::vector<Element>;

  /// The elements of a view: where they lie in their buffer.
  struct View {
    mem::BufferOp buffer;
    int64_t offset, rows, cols, rowStride, colStride;
  };

  static void join(Clock &clock, const Clock &other) {
    for (unsigned q = 0; q < clock.size(); ++q)
      clock[q] = std::max(clock[q], other[q]);
  }

  //===--------------------------------------------------------------------===//
  // Control flow and indices
  //===--------------------------------------------------------------------===//

  int64_t valueOf(mlir::Value index) const { return indices.find(index)->second; }
  int64_t valueOf(mlir::OpFoldResult index) const {
    auto value = mlir::dyn_cast<mlir::Value>(index);
    return value ? valueOf(value) : *mlir::getConstantIntValue(index);
  }

  void run(mlir::Block &block) {
    for (mlir::Operation &op : block) {
      if (found)
        return;
      if (auto loop = mlir::dyn_cast<mlir::scf::ForOp>(op)) {
        for (int64_t i = valueOf(loop.getLowerBound()); i < valueOf(loop.getUpperBound());
             i += valueOf(loop.getStep())) {
          indices[loop.getInductionVar()] = i;
          run(*loop.getBody());
        }
      } else if (auto branch = mlir::dyn_cast<mlir::scf::IfOp>(op)) {
        if (random() % 2)
          run(*branch.thenBlock());
        else if (branch.elseBlock())
          run(*branch.elseBlock());
      } else if (std::optional<Queue> queue = getQueue(&op)) {
        unsigned number = unsigned(*queue);
        if (auto order = mlir::dyn_cast<OrderBlocksOp>(op))
          number += ringOf(order).getIndex();
        execute(&op, number);
      } else {
        evaluate(op);
      }
    }
  }

  void evaluate(mlir::Operation &op) {
    if (auto constant = mlir::dyn_cast<mlir::arith::ConstantIndexOp>(op))
      indices[constant] = constant.value();
    else if (auto sum = mlir::dyn_cast<mlir::arith::AddIOp>(op))
      indices[sum] = valueOf(sum.getLhs()) + valueOf(sum.getRhs());
    else if (auto product = mlir::dyn_cast<mlir::arith::MulIOp>(op))
      indices[product] = valueOf(product.getLhs()) * valueOf(product.getRhs());
    else if (auto least = mlir::dyn_cast<mlir::arith::MinSIOp>(op))
      indices[least] = std::min(valueOf(least.getLhs()), valueOf(least.getRhs()));
  }

  View viewOf(mlir::Value slot) {
    if (auto buffer = slot.getDefiningOp<mem::BufferOp>()) {
      auto type = buffer.getType();
      return {buffer, 0, type.getDimSize(0), type.getDimSize(1), type.getDimSize(1), 1};
    }
    auto cast = slot.getDefiningOp<mlir::memref::ReinterpretCastOp>();
    View view = viewOf(cast.getSource());
    view.offset = valueOf(cast.getMixedOffsets()[0]);
    view.rows = cast.getType().getDimSize(0), view.cols = cast.getType().getDimSize(1);
    view.rowStride = valueOf(cast.getMixedStrides()[0]);
    view.colStride = valueOf(cast.getMixedStrides()[1]);
    return view;
  }

  //===--------------------------------------------------------------------===//
  // Queues
  //===--------------------------------------------------------------------===//

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
    touchOperands(op, queue);
    if (op->hasAttr(DmaDialect::kSignalAttr))
      increments[queue].push_back(clock);
  }

  static mem::RingOp ringOf(OrderBlocksOp order) {
    return order.getRing().getDefiningOp<mem::RingOp>();
  }

  /// Of the operations that the tests use.
  void touchOperands(mlir::Operation *op, unsigned queue) {
    llvm::TypeSwitch<mlir::Operation *>(op)
        .Case([&](LoadOp load) {
          touchTensor(queue, load.getTensor(), load.getRow(), load.getCol(), load.getSlot(),
                      load.getRows(), false);
          touch(queue, load.getSlot(), valueOf(load.getRows()), std::nullopt, true);
        })
        .Case([&](StoreOp store) {
          touch(queue, store.getSlot(), valueOf(store.getRows()), std::nullopt, false);
          touchTensor(queue, store.getTensor(), store.getRow(), store.getCol(), store.getSlot(),
                      store.getRows(), true);
        })
        .Case([&](OrderBlocksOp order) {
          // Any of its blocks may be in the table.
          for (Element &element : tensors[ringOf(order).getSource().str()])
            check(queue, element, false);
        })
        .Case([&](tile::MatmulOp product) {
          touch(queue, product.getMoving(), valueOf(product.getM()), std::nullopt, false);
          touch(queue, product.getAcc(), valueOf(product.getM()), std::nullopt, true);
        })
        .Case([&](tile::UnaryOp unary) {
          touch(queue, unary.getA(), valueOf(unary.getRows()), valueOf(unary.getCols()), false);
          touch(queue, unary.getDst(), valueOf(unary.getRows()), valueOf(unary.getCols()), true);
        })
        .Case([&](tile::FillOp fill) {
          touch(queue, fill.getDst(), valueOf(fill.getRows()), valueOf(fill.getCols()), true);
        })
        .Case([&](tile::RopeOp rope) {
          for (int64_t head = 0; head < int64_t(rope.getHeads()); ++head) {
            int64_t cols = valueOf(rope.getCols());
            touchHead(queue, rope.getA(), rope, head * cols, false);
            touchHead(queue, rope.getDst(), rope, head * int64_t(rope.getHeadStride()), true);
          }
        })
        .Default([](mlir::Operation *other) {
          llvm::report_fatal_error("no test uses " + other->getName().getStringRef());
        });
  }

  /// The first rows and columns of a view. An operand stays within its shape.
  void touch(unsigned queue, mlir::Value slot, int64_t rows, std::optional<int64_t> cols,
             bool write) {
    View view = viewOf(slot);
    view.rows = std::min(view.rows, rows);
    view.cols = std::min(view.cols, cols.value_or(view.cols));
    touch(queue, view, write);
  }

  /// A head of a rope lies beside the view's columns, within its buffer.
  void touchHead(unsigned queue, mlir::Value slot, tile::RopeOp rope, int64_t col, bool write) {
    View view = viewOf(slot);
    view.rows = std::min(view.rows, valueOf(rope.getRows()));
    view.cols = valueOf(rope.getCols());
    view.offset += col;
    touch(queue, view, write);
  }

  void touch(unsigned queue, const View &view, bool write) {
    mem::BufferOp buffer = view.buffer;
    int64_t elements = buffer.getType().getNumElements();
    Memory &memory = memories[unsigned(buffer.getSpace())];
    for (int64_t row = 0; row < view.rows; ++row)
      for (int64_t col = 0; col < view.cols; ++col) {
        int64_t at = view.offset + row * view.rowStride + col * view.colStride;
        if (at < elements)
          check(queue, elementAt(memory, int64_t(*buffer.getAddress()) / 4 + at), write);
      }
  }

  void touchTensor(unsigned queue, llvm::StringRef tensor, mlir::Value firstRow,
                   mlir::Value firstCol, mlir::Value slot, mlir::Value rows, bool write) {
    constexpr int64_t widest = 32;
    View view = viewOf(slot);
    for (int64_t row = 0; row < std::min(view.rows, valueOf(rows)); ++row)
      for (int64_t col = 0; col < view.cols; ++col)
        check(queue,
              elementAt(tensors[tensor.str()],
                        (valueOf(firstRow) + row) * widest + valueOf(firstCol) + col),
              write);
  }

  static Element &elementAt(Memory &memory, int64_t index) {
    if (index >= int64_t(memory.size()))
      memory.resize(index + 1);
    return memory[index];
  }

  void check(unsigned queue, Element &element, bool write) {
    const Clock &clock = clocks[queue];
    for (unsigned other = 0; other < numQueues; ++other)
      if (other != queue)
        found |= element.written[other] > clock[other] ||
                 (write && element.read[other] > clock[other]);
    if (queue < unsigned(Queue::Ring))
      (write ? element.written : element.read)[queue] = clock[queue];
  }

  std::mt19937 random;
  llvm::DenseMap<mlir::Value, int64_t> indices;
  std::array<Clock, numQueues> clocks = {};
  std::array<std::vector<Clock>, 64> increments;
  std::array<Memory, 2> memories;
  std::map<std::string, Memory> tensors;
  bool found = false;
};

} // namespace serrano::dma

#endif // SERRANO_TEST_UNIT_DIALECTS_CONCRETERUN_H
