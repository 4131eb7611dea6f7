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

LogicalResult Lowering::addPacked(Operation *user, Value weight, int64_t k, int64_t n) {
  if (auto get = weight.getDefiningOp<llm::GetWeightOp>()) {
    if (layers)
      return user->emitOpError() << "multiplies by '" << get.getName()
                                 << "' in a layer, whose weights are its arguments";
    packedNames.push_back(get.getNameAttr());
    packedSizes.append({k, n});
    return success();
  }
  ArrayAttr names = layers ? layers->weights.lookup(weight) : ArrayAttr();
  if (!names)
    return user->emitOpError() << "multiplies by a tensor that is not a weight";
  layers->packed.push_back({names, k, n});
  return success();
}

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
    carry.slot = slot(maxTokens, carry.cols, builder.getF32Type());
    tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Copy, it->second.slot, carry.slot,
                          extent(carry.rows), constant(carry.cols));
    matrices[argument] = carry;
    carries.push_back(carry);
  }

  llvm::DenseMap<Value, Matrix> before = operands;
  LogicalResult result = success();
  scf::ForOp loop = forEach(constant(op.getCount()), [&](Value i) {
    layers->index = add(i, constant(op.getFirst()));
    result = orderBlocks(&body.front());
    for (Operation &inner : body.without_terminator()) {
      if (succeeded(result))
        result = lowerOp(inner);
      if (succeeded(result))
        observe(inner);
    }
    if (failed(result))
      return;
    for (auto [value, carry] : llvm::zip_equal(body.getTerminator()->getOperands(), carries)) {
      auto it = matrices.find(value);
      if (it == matrices.end()) {
        result = op.emitOpError() << "carries a value that no kernel computes";
        return;
      }
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
  for (uint64_t i = 0; i < op.getCount(); ++i)
    for (const Layers::Packed &packed : layers->packed) {
      packedNames.push_back(packed.names[i]);
      packedSizes.append({packed.k, packed.n});
    }
  layers.reset();
  return success();
}
