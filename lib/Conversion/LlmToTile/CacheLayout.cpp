//===- CacheLayout.cpp - how keys and values lie in the cache ----------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "serrano/Target/TimingModel.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

/// Blocks of one step of the softmax: so many that the latencies of the engines are
/// short beside their work. More of them leave the accumulators room for fewer queries.
static constexpr int64_t mostSoftmaxBlocks = 5, leastSoftmaxBlocks = 4;
/// A tile of queries has enough to do with a block of keys if that takes so many times as
/// long as the block's transfer.
static constexpr double workPerTransfer = 1.5;
/// The part of the scratchpad that the cache's ring takes.
static constexpr int64_t cacheRingShare = 5;

int64_t Lowering::getBlock() const {
  return std::min(target.largestK(getFormat()), target.columns());
}

/// The most heads of which the blocks of a step fit the ring with as many again, and
/// scores and sums of a few rows the accumulators.
int64_t Lowering::getLanesByRule(int64_t kvHeads, int64_t size, int64_t stepKeys) const {
  int64_t bytes = precision.getIntOrFloatBitWidth() / 8, lanes = kvHeads;
  auto fits = [&] {
    return kvHeads % lanes == 0 &&
           2 * stepKeys * lanes * 2 * size * bytes <= target.scratchpadBytes() / cacheRingShare &&
           lanes * getBlock() * 2 * (stepKeys + size) <= target.accumulatorBytes();
  };
  while (lanes > 1 && !fits())
    --lanes;
  return lanes;
}

int64_t Lowering::getMostQueryTokens(int64_t lanes, int64_t group, int64_t size,
                                     int64_t stepKeys) const {
  // Scores and sums of both tracks have to fit the accumulators.
  return std::max<int64_t>(
      target.accumulatorBytes() / (4 * 2 * lanes * group * (stepKeys + size)), 1);
}

/// Whether the array is busy for long enough with what a block brings, for as many queries
/// as there is room for.
bool Lowering::hasWorkForTransfers(llm::CachedAttentionOp op, int64_t blocks) const {
  int64_t size = *llm::getExtents(op.getKey())[2].getConstantValue();
  int64_t kvHeads = *llm::getExtents(op.getKey())[1].getConstantValue();
  int64_t group = *llm::getExtents(op.getQuery())[1].getConstantValue() / kvHeads;
  int64_t stepKeys = blocks * getBlock(), lanes = getLanesByRule(kvHeads, size, stepKeys);
  int64_t rows = group * getMostQueryTokens(lanes, group, size, stepKeys);
  TimingModel timing(target);
  auto products = [&](int64_t k, int64_t n, bool accumulate) {
    int64_t tiles = llvm::divideCeil(k, tileK) * llvm::divideCeil(n, tileN);
    return tiles * timing.matmulInterval(rows, std::min(k, tileK), std::min(n, tileN),
                                         getFormat(), accumulate);
  };
  int64_t work = products(size, getBlock(), size > tileK) + products(getBlock(), size, true);
  int64_t bytes = getBlock() * 2 * size * precision.getIntOrFloatBitWidth() / 8;
  return double(TimingModel::ticksOf(work)) >= workPerTransfer * double(timing.hbmTicks(bytes));
}

int64_t Lowering::getSoftmaxBlocks() {
  if (!softmaxBlocks) {
    int64_t blocks = mostSoftmaxBlocks;
    auto isShort = [&](llm::CachedAttentionOp op) {
      return hasWorkForTransfers(op, blocks) ? WalkResult::advance() : WalkResult::interrupt();
    };
    while (blocks > leastSoftmaxBlocks && module.walk(isShort).wasInterrupted())
      --blocks;
    softmaxBlocks = std::min<int64_t>(chosen(tile::Choice::SoftmaxBlocks).value_or(blocks),
                                      llvm::divideCeil(limits.context, getBlock()));
    note(tile::Choice::SoftmaxBlocks, *softmaxBlocks);
  }
  return *softmaxBlocks;
}

int64_t Lowering::getLanes(int64_t kvHeads, int64_t size) {
  return choose(tile::Choice::Lanes,
                getLanesByRule(kvHeads, size, getSoftmaxBlocks() * getBlock()));
}

int64_t Lowering::getQueryTokens(int64_t lanes, int64_t group, int64_t size) {
  int64_t most = getMostQueryTokens(lanes, group, size, getSoftmaxBlocks() * getBlock());
  int64_t tokens = std::min(chosen(tile::Choice::QueryTokens).value_or(most), slotRows);
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
