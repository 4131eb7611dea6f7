//===- CacheLayout.cpp - how keys and values lie in the cache ----------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

/// Blocks of one step of the softmax: so many that the latencies of the engines are
/// short beside their work.
static constexpr int64_t mostSoftmaxBlocks = 4;
/// The part of the scratchpad that the cache's ring takes.
static constexpr int64_t cacheRingShare = 5;

int64_t Lowering::getBlock() const {
  NumberFormat format = precision.isF32() ? NumberFormat::F32 : NumberFormat::BF16;
  return std::min(target.largestK(format), target.columns());
}

int64_t Lowering::getSoftmaxBlocks() {
  int64_t most = choose(tile::Choice::SoftmaxBlocks, mostSoftmaxBlocks);
  return std::min<int64_t>(most, llvm::divideCeil(limits.context, getBlock()));
}

/// The most heads of which the blocks of a step fit the ring with as many again, and
/// scores and sums of a few rows the accumulators.
int64_t Lowering::getLanes(int64_t kvHeads, int64_t size) {
  int64_t bytes = precision.getIntOrFloatBitWidth() / 8, lanes = kvHeads;
  auto fits = [&] {
    return kvHeads % lanes == 0 && 2 * getSoftmaxBlocks() * getBlock() * lanes * 2 * size * bytes <=
                                       target.scratchpadBytes() / cacheRingShare &&
           lanes * getBlock() * 2 * (getSoftmaxBlocks() * getBlock() + size) <=
               target.accumulatorBytes();
  };
  while (lanes > 1 && !fits())
    --lanes;
  return choose(tile::Choice::Lanes, lanes);
}

int64_t Lowering::getQueryTokens(int64_t lanes, int64_t group, int64_t size) {
  // Scores and sums of both tracks have to fit the accumulators.
  int64_t stepKeys = getSoftmaxBlocks() * getBlock();
  int64_t most = target.accumulatorBytes() / (4 * 2 * lanes * group * (stepKeys + size));
  int64_t tokens = chosen(tile::Choice::QueryTokens).value_or(std::max<int64_t>(most, 1));
  tokens = std::min(tokens, slotRows);
  // As many tiles of equal size.
  if (!chosen(tile::Choice::QueryTokens))
    tokens = llvm::divideCeil(slotRows, llvm::divideCeil(slotRows, tokens));
  note(tile::Choice::QueryTokens, tokens);
  return tokens;
}

int64_t Lowering::getCacheBlocks() const {
  return limits.sequences * llvm::divideCeil(limits.context, getBlock());
}

/// A cache is one tensor: for each layer, block and group of heads a row for each
/// token, with the key and then the value of each head.
void Lowering::declareCaches() {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  for (auto cache : module.getOps<llm::CacheOp>()) {
    int64_t block = getBlock(), blocks = getCacheBlocks(), kvHeads = cache.getKvHeads();
    int64_t size = cache.getHeadSize(), lanes = getLanes(kvHeads, size);
    int64_t rows = int64_t(cache.getLayers()) * blocks * (kvHeads / lanes) * block;
    tile::TensorOp::create(
        builder, loc, ("cache." + cache.getSymName()).str(), tile::TensorRole::Cache, StringAttr(),
        StringAttr(), ArrayAttr(), /*scalar=*/false, SymbolRefAttr(),
        MemRefType::get({rows, lanes * 2 * size}, precision),
        /*below=*/StringAttr());
    tile::PagedCacheOp::create(builder, loc, block, blocks, limits.context);
  }
}

void Lowering::createCacheStreams() {
  for (auto cache : module.getOps<llm::CacheOp>()) {
    int64_t size = cache.getHeadSize(), lanes = getLanes(cache.getKvHeads(), size);
    auto tile = MemRefType::get({getBlock(), lanes * 2 * size}, precision);
    int64_t bytes = tile.getNumElements() * precision.getIntOrFloatBitWidth() / 8;
    int64_t tiles = std::clamp<int64_t>(target.scratchpadBytes() / cacheRingShare / bytes,
                                        2 * getSoftmaxBlocks(), 4 * getSoftmaxBlocks());
    cacheStreams[cache.getSymNameAttr()] = tile::StreamOp::create(
        builder, loc, tile::StreamType::get(builder.getContext(), tile),
        ("cache." + cache.getSymName()).str(),
        builder.getI64IntegerAttr(choose(tile::Choice::CacheTiles, tiles)));
  }
}

llm::CachedAttentionOp Lowering::getOnlyAttention(Value value, unsigned number) {
  while (value.hasOneUse()) {
    Operation *user = *value.user_begin();
    if (auto attention = dyn_cast<llm::CachedAttentionOp>(user)) {
      Value operands[] = {attention.getQuery(), attention.getKey(), attention.getValue()};
      return operands[number] == value ? attention : llm::CachedAttentionOp();
    }
    if (!isa<llm::ReshapeOp>(user))
      break;
    value = user->getResult(0);
  }
  return {};
}

Value Lowering::getKeyValueSlot(llm::CachedAttentionOp op) {
  Value &result = keyValueSlots[op];
  if (!result) {
    SmallVector<llm::ExtentAttr> shape = llm::getExtents(op.getKey());
    result = slot(slotRows, 2 * *shape[1].getConstantValue() * *shape[2].getConstantValue(),
                  precision);
  }
  return result;
}

int64_t Lowering::getStackedHeads(Value query) {
  if (!query.hasOneUse() || !query.getDefiningOp<llm::RopeOp>())
    return 0;
  auto attention = dyn_cast<llm::CachedAttentionOp>(*query.user_begin());
  if (!attention || attention.getQuery() != query)
    return 0;
  int64_t heads = *llm::getExtents(query)[1].getConstantValue();
  int64_t kvHeads = *llm::getExtents(attention.getKey())[1].getConstantValue();
  return heads == kvHeads ? 0 : kvHeads;
}

LogicalResult Lowering::checkChoices(llm::CacheOp cache) {
  int64_t heads = cache.getKvHeads(), lanes = chosen(tile::Choice::Lanes).value_or(1);
  if (heads % lanes)
    return cache.emitOpError() << "has " << heads << " heads of keys, but 'lanes' of "
                               << tile::TileDialect::kChoicesAttr << " is " << lanes
                               << "; expected a divisor of the heads";
  // A track reads the blocks of a step before the other gives back its own.
  int64_t least = 2 * getSoftmaxBlocks();
  int64_t tiles = chosen(tile::Choice::CacheTiles).value_or(least);
  if (tiles < least)
    return cache.emitOpError() << "is read " << getSoftmaxBlocks()
                               << " blocks at a time by each of two tracks, but 'cache_tiles' of "
                               << tile::TileDialect::kChoicesAttr << " is " << tiles
                               << "; expected " << least << " or more";
  return success();
}

LogicalResult Lowering::checkCachedAttentions() {
  for (auto cache : module.getOps<llm::CacheOp>())
    if (failed(checkChoices(cache)))
      return failure();
  WalkResult walk = module.walk([](llm::CachedAttentionOp op) -> WalkResult {
    if (op.getWindow() || op.getSoftcap())
      return op.emitOpError() << "has a window or a softcap, for which there is no kernel yet";
    return success();
  });
  return failure(walk.wasInterrupted());
}
