//===- ConcreteRun.h - happens-before on one run of a program -- -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_DIALECTS_CONCRETERUN_H
#define SERRANO_TEST_UNIT_DIALECTS_CONCRETERUN_H

#include "../OrderGraph.h"
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
/// arguments of up to 8, and draws the graph of what its queues and waits order. It
/// shares no code with the race prover: indices are numbers, a view is the elements
/// that it has in this run, and two operations meet only in an element that both
/// touch. Functions that differ in waits only run the same for the same seed.
///
/// Elements have 4 bytes. What a ring reads it reads when it is ordered; what
/// is stored later is none of its business.
class ConcreteRun {
public:
  explicit ConcreteRun(unsigned seed) : random(seed) {}

  OrderGraph record(mlir::func::FuncOp function) {
    for (mlir::BlockArgument argument : function.getArguments())
      indices[argument] = random() % 2 ? 8 : random() % 9;
    run(function.getBody().front());
    return std::move(graph);
  }

private:
  /// Four engines' queues and those of two rings.
  static constexpr unsigned numQueues = 6;
  /// The elements of a view: where they lie in their buffer.
  struct View {
    mem::BufferOp buffer;
    int64_t offset, rows, cols, rowStride, colStride;
  };

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
    else if (auto quotient = mlir::dyn_cast<mlir::arith::DivUIOp>(op))
      indices[quotient] = valueOf(quotient.getLhs()) / valueOf(quotient.getRhs());
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
    llvm::SmallVector<OrderGraph::Edge, 4> after;
    if (last[queue])
      after.push_back({*last[queue], OrderGraph::Because::Queue});
    if (auto waits = op->getAttrOfType<mlir::ArrayAttr>(DmaDialect::kWaitsAttr))
      for (auto wait : waits.getAsRange<WaitAttr>()) {
        const auto &given = increments[wait.getCounter()];
        int64_t threshold = int64_t(given.size()) - wait.getLag();
        if (threshold > 0)
          after.push_back({given[threshold - 1], OrderGraph::Because::Waited});
      }
    bool isEvent = !mlir::isa<SyncOp>(op);
    unsigned site = sites.try_emplace(op, sites.size()).first->second;
    last[queue] = graph.add(queue, site, isEvent, after);
    if (!isEvent)
      return;
    touchOperands(op);
    if (queue >= unsigned(Queue::Ring))
      graph.meetNoLater.push_back(graph.numEvents() - 1);
    if (op->hasAttr(DmaDialect::kSignalAttr))
      increments[queue].push_back(*last[queue]);
  }

  static mem::RingOp ringOf(OrderBlocksOp order) {
    return order.getRing().getDefiningOp<mem::RingOp>();
  }

  /// Of the operations that the tests use.
  void touchOperands(mlir::Operation *op) {
    llvm::TypeSwitch<mlir::Operation *>(op)
        .Case([&](LoadOp load) {
          touchTensor(load.getTensor(), load.getRow(), load.getCol(), load.getSlot(),
                      load.getRows(), false);
          touch(load.getSlot(), valueOf(load.getRows()), std::nullopt, true);
        })
        .Case([&](StoreOp store) {
          touch(store.getSlot(), valueOf(store.getRows()), std::nullopt, false);
          touchTensor(store.getTensor(), store.getRow(), store.getCol(), store.getSlot(),
                      store.getRows(), true);
        })
        .Case([&](OrderBlocksOp order) {
          // Any of its blocks may be in the table.
          graph.touch(memoryOf(ringOf(order).getSource()), 0, INT64_MAX, false);
        })
        .Case([&](tile::MatmulOp product) {
          touch(product.getMoving(), valueOf(product.getM()), std::nullopt, false);
          touch(product.getAcc(), valueOf(product.getM()), std::nullopt, true);
        })
        .Case([&](tile::UnaryOp unary) {
          touch(unary.getA(), valueOf(unary.getRows()), valueOf(unary.getCols()), false);
          touch(unary.getDst(), valueOf(unary.getRows()), valueOf(unary.getCols()), true);
        })
        .Case([&](tile::FillOp fill) {
          touch(fill.getDst(), valueOf(fill.getRows()), valueOf(fill.getCols()), true);
        })
        .Case([&](tile::RopeOp rope) {
          for (int64_t head = 0; head < int64_t(rope.getHeads()); ++head) {
            int64_t cols = valueOf(rope.getCols());
            touchHead(rope.getA(), rope, head * cols, false);
            touchHead(rope.getDst(), rope, head * int64_t(rope.getHeadStride()), true);
          }
        })
        .Default([](mlir::Operation *other) {
          llvm::report_fatal_error("no test uses " + other->getName().getStringRef());
        });
  }

  /// The first rows and columns of a view. An operand stays within its shape.
  void touch(mlir::Value slot, int64_t rows, std::optional<int64_t> cols,
             bool write) {
    View view = viewOf(slot);
    view.rows = std::min(view.rows, rows);
    view.cols = std::min(view.cols, cols.value_or(view.cols));
    touch(view, write);
  }

  /// A head of a rope lies beside the view's columns, within its buffer.
  void touchHead(mlir::Value slot, tile::RopeOp rope, int64_t col, bool write) {
    View view = viewOf(slot);
    view.rows = std::min(view.rows, valueOf(rope.getRows()));
    view.cols = valueOf(rope.getCols());
    view.offset += col;
    touch(view, write);
  }

  void touch(const View &view, bool write) {
    mem::BufferOp buffer = view.buffer;
    int64_t elements = buffer.getType().getNumElements();
    for (int64_t row = 0; row < view.rows; ++row)
      for (int64_t col = 0; col < view.cols; ++col) {
        int64_t at = view.offset + row * view.rowStride + col * view.colStride;
        int64_t address = int64_t(*buffer.getAddress()) / 4 + at;
        if (at < elements)
          graph.touch(unsigned(buffer.getSpace()), address, address + 1, write);
      }
  }

  void touchTensor(llvm::StringRef tensor, mlir::Value firstRow,
                   mlir::Value firstCol, mlir::Value slot, mlir::Value rows, bool write) {
    constexpr int64_t widest = 32;
    View view = viewOf(slot);
    for (int64_t row = 0; row < std::min(view.rows, valueOf(rows)); ++row) {
      int64_t begin = (valueOf(firstRow) + row) * widest + valueOf(firstCol);
      graph.touch(memoryOf(tensor), begin, begin + view.cols, write);
    }
  }

  /// Of a tensor; the memories of the core come first.
  unsigned memoryOf(llvm::StringRef tensor) {
    return 2 + tensors.try_emplace(tensor.str(), unsigned(tensors.size())).first->second;
  }

  std::mt19937 random;
  llvm::DenseMap<mlir::Value, int64_t> indices;
  OrderGraph graph;
  std::map<mlir::Operation *, unsigned> sites;
  std::array<std::optional<unsigned>, numQueues> last; ///< steps
  std::array<std::vector<unsigned>, 64> increments;    ///< steps
  std::map<std::string, unsigned> tensors;
};

} // namespace serrano::dma

#endif // SERRANO_TEST_UNIT_DIALECTS_CONCRETERUN_H
