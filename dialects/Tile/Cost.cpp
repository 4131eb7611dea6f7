//===- Cost.cpp - what operations on tiles cost ---------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/Cost.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::tile;

void Cost::add(const Cost &other, int64_t times) {
  matrixCycles += times * other.matrixCycles;
  weightCycles += times * other.weightCycles;
  vectorCycles += times * other.vectorCycles;
  memoryBytes += times * other.memoryBytes;
  macs += times * other.macs;
}

static NumberFormat getFormat(MemRefType type) {
  Type element = type.getElementType();
  if (element.isF32())
    return NumberFormat::F32;
  if (element.isBF16())
    return NumberFormat::BF16;
  if (element.isF16())
    return NumberFormat::F16;
  return isa<FloatType>(element) ? NumberFormat::F8 : NumberFormat::I8;
}

static int64_t getElementBytes(MemRefType type) {
  return llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

/// What goes over the elements at the rate of exp (docs/TimingModel.md).
static bool isTranscendental(Operation *op) {
  if (auto unary = dyn_cast<UnaryOp>(op))
    switch (unary.getFunction()) {
    case UnaryFunction::Exp:
    case UnaryFunction::Log:
    case UnaryFunction::Tanh:
    case UnaryFunction::Sigmoid:
    case UnaryFunction::Erf:
    case UnaryFunction::Sin:
    case UnaryFunction::Cos:
    case UnaryFunction::Silu:
    case UnaryFunction::Gelu:
    case UnaryFunction::GeluTanh:
      return true;
    default:
      return false;
    }
  if (auto binary = dyn_cast<BinaryOp>(op))
    return binary.getFunction() == BinaryFunction::Pow;
  if (auto scalar = dyn_cast<ScalarOp>(op))
    return scalar.getFunction() == BinaryFunction::Pow;
  return isa<SoftmaxOp>(op);
}

/// Rows of a slot that move to or from HBM, each in whole bursts.
static int64_t moved(const TimingModel &timing, MemRefType slot, int64_t rows,
                     int64_t pieces = 1) {
  int64_t columns = slot.getDimSize(1) / pieces;
  return rows * pieces * timing.burstBytes(columns * getElementBytes(slot));
}

Cost CostModel::getCost(Operation *op,
                        llvm::function_ref<int64_t(Value)> valueOf) {
  Cost cost;
  auto vector = [&](Value rows, Value cols, int64_t heads = 1,
                    int64_t passes = 1) {
    int64_t widest = 1;
    for (Value operand : op->getOperands())
      if (auto type = dyn_cast<MemRefType>(operand.getType()))
        widest = std::max(widest, getElementBytes(type));
    cost.vectorCycles =
        timing.vectorInterval(valueOf(rows), heads * valueOf(cols), widest,
                              isTranscendental(op), passes);
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](LoadWeightsOp load) {
        k = valueOf(load.getK()), n = valueOf(load.getN());
        cost.weightCycles =
            timing.loadWeights(k, n, getFormat(load.getWeights().getType()));
      })
      .Case([&](MatmulOp matmul) {
        int64_t m = valueOf(matmul.getM());
        cost.matrixCycles = timing.matmulInterval(
            m, k, n, getFormat(matmul.getMoving().getType()),
            matmul.getAccumulate());
        cost.macs = m * k * n;
      })
      .Case<UnaryOp, BinaryOp, ScalarOp, TernaryOp, FillOp, ReduceOp>(
          [&](auto op) { vector(op.getRows(), op.getCols()); })
      .Case([&](SoftmaxOp softmax) {
        vector(softmax.getRows(), softmax.getCols(), 1, /*passes=*/2);
      })
      .Case([&](RopeOp rope) {
        vector(rope.getRows(), rope.getCols(), rope.getHeads());
      })
      .Case([&](NextOp next) {
        // Of a cache what moves is known by the order.
        auto stream = next.getStream().getDefiningOp<StreamOp>();
        if (stream && !SymbolTable::lookupNearestSymbolFrom<PackedOp>(
                          stream, stream.getSourceAttr()))
          return;
        MemRefType tile = next.getTile().getType();
        cost.memoryBytes = timing.burstBytes(tile.getNumElements() *
                                             getElementBytes(tile));
      })
      .Case([&](OrderOp order) {
        MemRefType tile = order.getStream().getType().getSlot();
        int64_t count = valueOf(order.getCount());
        int64_t rows = count ? (count - 1) * tile.getDimSize(0) +
                                   valueOf(order.getTail())
                             : 0;
        cost.memoryBytes =
            valueOf(order.getPasses()) * rows *
            timing.burstBytes(tile.getDimSize(1) * getElementBytes(tile));
      })
      .Case([&](LoadOp load) {
        cost.memoryBytes =
            moved(timing, load.getSlot().getType(), valueOf(load.getRows()));
      })
      .Case([&](GatherOp gather) {
        cost.memoryBytes = moved(timing, gather.getSlot().getType(),
                                 valueOf(gather.getRows()));
      })
      .Case([&](StoreOp store) {
        cost.memoryBytes =
            moved(timing, store.getSlot().getType(), valueOf(store.getRows()),
                  store.getPieces());
      });
  return cost;
}
