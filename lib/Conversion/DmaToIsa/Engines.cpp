//===- Engines.cpp - instructions of the engines ------------------------ -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Selector.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano;

static isa::Wait toWait(dma::WaitAttr wait) {
  return {true, uint16_t(wait.getCounter()), uint8_t(wait.getLag())};
}

template <typename T>
void Selector::synchronize(Operation *op, T &instruction) {
  if (auto waits = op->getAttrOfType<ArrayAttr>(dma::DmaDialect::kWaitsAttr)) {
    isa::Wait *fields[] = {&instruction.wait0, &instruction.wait1};
    for (auto [field, wait] : llvm::zip(fields, waits.getAsRange<dma::WaitAttr>()))
      *field = toWait(wait);
  }
  if (auto signal = op->getAttrOfType<IntegerAttr>(dma::DmaDialect::kSignalAttr))
    instruction.signal = {true, uint8_t(signal.getInt())};
}

LogicalResult Selector::selectMatrix(Operation *op) {
  if (auto load = dyn_cast<tile::LoadWeightsOp>(op)) {
    isa::LoadWeights instruction;
    FailureOr<isa::Tile> source = tile(op, load.getWeights());
    if (failed(source))
      return failure();
    synchronize(op, instruction);
    instruction.transpose = load.getTranspose();
    instruction.src = *source;
    instruction.k = value(load.getK());
    instruction.n = value(load.getN());
    emit(instruction);
    return success();
  }
  auto multiply = cast<tile::MatmulOp>(op);
  FailureOr<isa::Tile> moving = tile(op, multiply.getMoving()), acc = tile(op, multiply.getAcc());
  if (failed(moving) || failed(acc))
    return failure();
  isa::Matmul instruction;
  synchronize(op, instruction);
  instruction.accumulate = multiply.getAccumulate();
  instruction.transpose = multiply.getTranspose();
  instruction.src = *moving;
  instruction.dst = *acc;
  instruction.m = value(multiply.getM());
  if (multiply.getLimit()) {
    instruction.row_limit = true;
    instruction.limit = value(multiply.getLimit());
    instruction.group = multiply.getGroup();
  }
  emit(instruction);
  return success();
}

LogicalResult Selector::selectVector(Operation *op) {
  // Every vector operation has rows and columns, and fields that are tiles.
  auto finish = [&](auto instruction, auto source,
                    ArrayRef<std::pair<isa::Tile *, Value>> tiles) -> LogicalResult {
    for (auto [field, slot] : tiles) {
      FailureOr<isa::Tile> resolved = tile(op, slot);
      if (failed(resolved))
        return failure();
      *field = *resolved;
    }
    synchronize(op, *instruction);
    instruction->rows = value(source.getRows());
    instruction->cols = value(source.getCols());
    emit(*instruction);
    return success();
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tile::UnaryOp unary) {
        isa::VectorUnary i;
        i.fn = isa::UnaryFunction(unary.getFunction());
        return finish(&i, unary, {{&i.dst, unary.getDst()}, {&i.a, unary.getA()}});
      })
      .Case([&](tile::BinaryOp binary) {
        isa::VectorBinary i;
        i.fn = isa::BinaryFunction(binary.getFunction());
        return finish(&i, binary,
                      {{&i.dst, binary.getDst()}, {&i.a, binary.getA()}, {&i.b, binary.getB()}});
      })
      .Case([&](tile::ScalarOp scalar) {
        isa::VectorScalar i;
        i.fn = isa::BinaryFunction(scalar.getFunction());
        i.reverse = scalar.getReverse();
        i.imm = scalar.getValue().convertToFloat();
        return finish(&i, scalar, {{&i.dst, scalar.getDst()}, {&i.a, scalar.getA()}});
      })
      .Case([&](tile::TernaryOp ternary) {
        isa::VectorTernary i;
        i.fn = isa::TernaryFunction(ternary.getFunction());
        return finish(&i, ternary,
                      {{&i.dst, ternary.getDst()},
                       {&i.a, ternary.getA()},
                       {&i.b, ternary.getB()},
                       {&i.c, ternary.getC()}});
      })
      .Case([&](tile::FillOp fill) {
        isa::VectorFill i;
        i.imm = fill.getValue().convertToFloat();
        return finish(&i, fill, {{&i.dst, fill.getDst()}});
      })
      .Case([&](tile::ReduceOp reduce) {
        isa::VectorReduce i;
        i.fn = isa::ReduceFunction(reduce.getFunction());
        i.accumulate = reduce.getAccumulate();
        return finish(&i, reduce, {{&i.dst, reduce.getDst()}, {&i.a, reduce.getA()}});
      })
      .Case([&](tile::SoftmaxOp softmax) {
        isa::VectorSoftmax i;
        i.group = softmax.getGroup();
        i.scale = softmax.getScale().convertToFloat();
        i.limit = value(softmax.getLimit());
        i.window = {0, int32_t(softmax.getWindow())};
        return finish(&i, softmax,
                      {{&i.dst, softmax.getDst()},
                       {&i.a, softmax.getScores()},
                       {&i.state, softmax.getState()}});
      })
      .Case([&](tile::RopeOp rope) {
        isa::VectorRope i;
        i.heads = rope.getHeads();
        i.rotary = rope.getRotary();
        i.head_stride =
            rope.getHeadStride() * rope.getDst().getType().getElementTypeBitWidth() / 8;
        return finish(&i, rope,
                      {{&i.dst, rope.getDst()},
                       {&i.a, rope.getA()},
                       {&i.cos, rope.getCosine()},
                       {&i.sin, rope.getSine()}});
      })
      .Default([](Operation *op) { return op->emitOpError() << "has no instruction"; });
}

LogicalResult Selector::selectTransfer(Operation *op) {
  auto rowBytes = [](Value slot) {
    auto type = cast<MemRefType>(slot.getType());
    return type.getDimSize(1) * int64_t(type.getElementTypeBitWidth()) / 8;
  };
  auto strideBytes = [](Value slot) {
    auto type = cast<MemRefType>(slot.getType());
    SmallVector<int64_t> strides;
    int64_t offset;
    (void)type.getStridesAndOffset(strides, offset);
    return strides[0] * int64_t(type.getElementTypeBitWidth()) / 8;
  };
  auto constant = [](int64_t n) { return isa::Value{0, int32_t(n)}; };
  auto copy = [&](auto instruction, auto source, isa::LocalAddress *localField,
                  isa::HbmAddress *hbmField, isa::Value *localStride,
                  isa::Value *hbmStride, int64_t pieces = 1) -> LogicalResult {
    int64_t bytes = rowBytes(source.getSlot()) / pieces;
    FailureOr<isa::LocalAddress> slot = local(op, source.getSlot());
    int64_t hbmRow = rowBytesOf(source.getTensorAttr());
    FailureOr<isa::HbmAddress> tensor =
        hbm(op, source.getTensorAttr(), value(source.getRow()), hbmRow, value(source.getCol()),
            cast<MemRefType>(source.getSlot().getType()).getElementTypeBitWidth() / 8);
    if (failed(slot) || failed(tensor))
      return failure();
    synchronize(op, *instruction);
    *localField = *slot;
    *hbmField = *tensor;
    instruction->bytes = constant(bytes);
    instruction->n1 = value(source.getRows());
    instruction->n2 = constant(pieces);
    instruction->n3 = constant(1);
    *localStride = constant(strideBytes(source.getSlot()));
    *hbmStride = constant(hbmRow);
    emit(*instruction);
    return success();
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](dma::LoadOp load) {
        isa::DmaLoad i;
        return copy(&i, load, &i.dst, &i.src, &i.ds1, &i.ss1);
      })
      .Case([&](dma::StoreOp store) {
        isa::DmaStore i;
        int64_t pieces = store.getPieces();
        if (pieces > 1) {
          i.ss2 = constant(rowBytes(store.getSlot()) / pieces);
          i.ds2 = constant(store.getStep() * rowBytesOf(store.getTensorAttr()));
        }
        return copy(&i, store, &i.src, &i.dst, &i.ss1, &i.ds1, pieces);
      })
      .Case([&](dma::GatherOp gather) -> LogicalResult {
        isa::DmaGather i;
        auto tensor = SymbolTable::lookupNearestSymbolFrom<tile::TensorOp>(
            op, gather.getTensorAttr());
        FailureOr<isa::LocalAddress> slot = local(op, gather.getSlot());
        FailureOr<uint8_t> first = scaled(op, value(gather.getFirst()).reg, 4);
        if (failed(slot) || failed(first))
          return failure();
        synchronize(op, i);
        i.src = {0, uint64_t(addressOf(gather.getTensorAttr()))};
        i.dst = *slot;
        i.table = {*first,
                   int32_t(addressOf(gather.getTableAttr()) + 4 * value(gather.getFirst()).imm)};
        i.n = value(gather.getRows());
        i.bytes = i.stride = constant(rowBytes(gather.getSlot()));
        i.bound = constant(tensor.getSlotType().getDimSize(0));
        i.local_stride = constant(strideBytes(gather.getSlot()));
        emit(i);
        return success();
      })
      .Case([&](dma::OrderTilesOp order) {
        auto ring = order.getRing().getDefiningOp<mem::RingOp>();
        isa::Value slot = constant(ring.getSlotBytes());
        emit(isa::RingFill{.ring = uint32_t(ring.getIndex()),
                           .src = {0, uint64_t(addressOf(ring.getSourceAttr()) +
                                               int64_t(order.getFirst()) * ring.getSlotBytes())},
                           .count = constant(order.getCount()),
                           .bytes = slot,
                           .stride = slot,
                           .passes = value(order.getPasses()),
                           .pass_stride = constant(0)});
        return success();
      })
      .Case([&](dma::OrderBlocksOp order) -> LogicalResult {
        auto ring = order.getRing().getDefiningOp<mem::RingOp>();
        int64_t row = rowBytesOf(ring.getSourceAttr());
        int64_t rows = ring.getType().getSlot().getDimSize(0);
        FailureOr<isa::HbmAddress> from =
            hbm(op, ring.getSourceAttr(), value(order.getRow()), row, constant(0), 1);
        FailureOr<uint8_t> first = scaled(op, value(order.getFirst()).reg, 4);
        isa::Value tail = value(order.getTail());
        FailureOr<uint8_t> tailBytes = scaled(op, tail.reg, row);
        if (failed(from) || failed(first) || failed(tailBytes))
          return failure();
        isa::RingTable i{
            .ring = uint32_t(ring.getIndex()),
            .src = *from,
            .table = {*first, int32_t(addressOf(order.getTableAttr()) +
                                      4 * value(order.getFirst()).imm)},
            .count = value(order.getCount()),
            .bytes = constant(rows * row),
            .tail_bytes = {*tailBytes, int32_t(tail.imm * row)},
            .stride = constant(int64_t(order.getStep()) * row),
            .bound = constant(order.getBound()),
            .passes = value(order.getPasses()),
            .pass_stride = constant(0)};
        synchronize(op, i);
        emit(i);
        return success();
      })
      .Case([&](dma::SyncOp sync) {
        isa::Sync i;
        i.waiter = isa::SyncQueue(unsigned(sync.getQueue()) + 1);
        isa::Wait *fields[] = {&i.wait0, &i.wait1, &i.wait2, &i.wait3, &i.wait4, &i.wait5};
        if (auto waits = op->getAttrOfType<ArrayAttr>(dma::DmaDialect::kWaitsAttr))
          for (auto [field, wait] : llvm::zip(fields, waits.getAsRange<dma::WaitAttr>()))
            *field = toWait(wait);
        emit(i);
        return success();
      })
      .Default([](Operation *op) { return op->emitOpError() << "has no instruction"; });
}
