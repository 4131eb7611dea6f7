//===- Layers.cpp - layers that differ in their weights only ------------ -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

/// The part of the scratchpad that a norm's result may take through all layers.
static constexpr int64_t carriedNormShare = 12;

LogicalResult Lowering::lowerLayers(llm::LayersOp op) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(op, op.getCalleeAttr());
  Block &body = callee.getBody().front();
  // The arguments: layer, carried values, shared values, one weight of each list.
  unsigned carried = op.getCarried().size(), shared = op.getShared().size();
  auto carriedArgs = body.getArguments().slice(1, carried);
  auto sharedArgs = body.getArguments().slice(1 + carried, shared);
  auto weightArgs = body.getArguments().drop_front(1 + carried + shared);

  layers.emplace();
  for (auto [argument, names] : llvm::zip_equal(weightArgs, op.getWeights().getAsRange<ArrayAttr>()))
    layers->weights[argument] = names;
  for (auto [argument, value] : llvm::zip_equal(sharedArgs, op.getShared())) {
    layers->aliases[argument] = value;
    if (auto it = matrices.find(value); it != matrices.end()) {
      Matrix matrix = it->second;
      matrices[argument] = matrix;
    }
    // A mask's form is computed once, before the layers.
    for (Operation *user : argument.getUsers())
      if (auto attention = dyn_cast<llm::AttentionOp>(user);
          attention && attention.getKeyMask() == argument && failed(getKeyBias(op, argument)))
        return failure();
  }
  // Carried values live in slots of their own, which each layer writes anew.
  SmallVector<Matrix> carries;
  for (auto [argument, value] : llvm::zip_equal(carriedArgs, op.getCarried())) {
    auto it = matrices.find(value);
    if (it == matrices.end())
      return op.emitOpError() << "carries a value that is no matrix of features";
    Matrix carry = it->second;
    // Nobody else needs what the first layer gets.
    bool own = isLastUse(value, op, op) && value.getDefiningOp() &&
               cast<MemRefType>(carry.slot.getType()).getElementType().isF32();
    if (!own) {
      carry.slot = slot(slotRows, carry.cols, builder.getF32Type());
      tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Copy, it->second.slot, carry.slot,
                            extent(carry.rows), constant(carry.cols));
    }
    matrices[argument] = carry;
    carries.push_back(carry);
  }

  llvm::DenseMap<Value, Matrix> before = operands;
  tape.emplace(tileK, tileN);
  int64_t count = std::min<int64_t>(op.getCount(), limits.layers);
  layers->last = op.getFirst() + count - 1;
  layers->continues = bool(getContinuation(op));
  orderFirstBlocks(body, op.getFirst());
  // The norms of what is carried are fed before each layer, if there is room for their
  // results beside all else.
  layers->index = constant(op.getFirst());
  for (auto [argument, result] :
       llvm::zip_equal(carriedArgs, body.getTerminator()->getOperands()))
    for (Operation *user : argument.getUsers())
      if (isa<llm::RmsNormOp>(user) &&
          choose(tile::Choice::CarryNorms,
                 getShape(argument).second * slotRows * precision.getIntOrFloatBitWidth() / 8 *
                         carriedNormShare <=
                     target.scratchpadBytes()))
        if (std::optional<FedNorm> norm = getFedNorm(user, argument))
          layers->norms.push_back({*norm, result});
  LogicalResult result = success();
  scf::ForOp loop = forEach(constant(count), [&](Value i) {
    layers->index = add(i, constant(op.getFirst()));
    for (Operation &inner : body.without_terminator())
      if (succeeded(result))
        result = lowerOp(inner);
    if (failed(result))
      return;
    for (auto [value, carry] : llvm::zip_equal(body.getTerminator()->getOperands(), carries)) {
      auto it = matrices.find(value);
      if (it == matrices.end()) {
        result = op.emitOpError() << "carries a value that no kernel computes";
        return;
      }
      if (std::optional<FedNorm> norm = beginCarriedNorm(value))
        feedNorm(*norm, it->second);
      if (it->second.slot != carry.slot)
        tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Copy, it->second.slot, carry.slot,
                              extent(carry.rows), constant(carry.cols));
    }
  });
  loop->setAttr(tile::TileDialect::kFirstLayerAttr, builder.getI64IntegerAttr(op.getFirst()));
  operands = std::move(before);
  if (failed(result))
    return failure();
  for (auto [value, carry] : llvm::zip_equal(op.getResults(), carries))
    matrices[value] = carry;
  for (int64_t i = 0; i < count; ++i)
    for (const PackedGroup &group : layers->packed) {
      PackedGroup &own = packed.emplace_back(group);
      for (Attribute &names : own.weights)
        names = cast<ArrayAttr>(names)[i];
    }
  layers.reset();
  return success();
}
