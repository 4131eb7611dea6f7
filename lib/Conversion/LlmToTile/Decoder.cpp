//===- Decoder.cpp - what a step over a paged cache adds ---------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

int64_t Lowering::getBlock() const {
  NumberFormat format = precision.isF32() ? NumberFormat::F32 : NumberFormat::BF16;
  return std::min(target.largestK(format), target.columns());
}

/// A cache is one tensor: for each layer and block, a row for each token with the
/// keys of all heads, then the values.
LogicalResult Lowering::declareCaches() {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  for (auto cache : module.getOps<llm::CacheOp>()) {
    int64_t block = getBlock();
    int64_t rows = limits.sequences * llvm::divideCeil(limits.context, block) * block;
    cacheRows[cache.getSymNameAttr()] = rows;
    int64_t cols = 2 * cache.getKvHeads() * cache.getHeadSize();
    tile::TensorOp::create(builder, loc, ("cache." + cache.getSymName()).str(),
                           tile::TensorRole::Cache, StringAttr(), StringAttr(), ArrayAttr(),
                           /*scalar=*/false, SymbolRefAttr(),
                           MemRefType::get({int64_t(cache.getLayers()) * rows, cols}, precision));
  }
  return success();
}

LogicalResult Lowering::lowerRopeAngles(llm::RopeAnglesOp op) {
  auto positions = dyn_cast<BlockArgument>(resolve(op.getPositions()));
  if (!positions)
    return op.emitOpError() << "has positions that are not an input of the model";
  FailureOr<OpFoldResult> frequencies = getVector(op, op.getFrequencies());
  if (failed(frequencies))
    return failure();
  auto [rowExtent, cols] = getShape(op.getCosine());
  Value rows = extent(rowExtent), all = constant(cols);
  Value loaded = slot(maxTokens, 1, builder.getI32Type());
  tile::LoadOp::create(builder, loc, nameOf(positions), constant(0), constant(0), loaded, rows);
  Value angles = slot(maxTokens, cols, builder.getF32Type());
  tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, repeatColumn(loaded, 0, cols),
                         repeatRow(vectorSlot, index(0), *frequencies, cols), angles, rows, all);
  for (auto [function, result] : {std::pair{tile::UnaryFunction::Cos, op.getCosine()},
                                  std::pair{tile::UnaryFunction::Sin, op.getSine()}}) {
    Matrix out = define(result);
    tile::UnaryOp::create(builder, loc, function, angles, out.slot, rows, all);
  }
  return success();
}

LogicalResult Lowering::lowerRope(llm::RopeOp op) {
  if (failed(require(op, {op.getInput(), op.getCosine(), op.getSine()})))
    return failure();
  SmallVector<llm::ExtentAttr> shape = llm::getExtents(op.getInput());
  int64_t heads = *shape[shape.size() - 2].getConstantValue();
  int64_t size = *shape.back().getConstantValue();
  Matrix a = get(op.getInput()), cosine = get(op.getCosine()), sine = get(op.getSine());
  if (cosine.rows != a.rows)
    return op.emitOpError() << "broadcasts its angles, for which there is no kernel yet";
  Matrix out = define(op.getResult());
  tile::RopeOp::create(builder, loc, a.slot, cosine.slot, sine.slot, out.slot, heads,
                       2 * cosine.cols, size, extent(a.rows), constant(size));
  return success();
}

LogicalResult Lowering::lowerGather(llm::GatherOp op) {
  auto indices = dyn_cast<BlockArgument>(resolve(op.getIndices()));
  if (!indices || op.getAxis() != 0 || !matrices.contains(op.getOperand()))
    return op.emitOpError() << "does not take rows of features that an input names, for which there "
                               "is no kernel yet";
  Matrix a = get(op.getOperand());
  Matrix out = define(op.getResult());
  Value rows = extent(out.rows);
  Value loaded = slot(maxTokens, 1, builder.getI32Type());
  tile::LoadOp::create(builder, loc, nameOf(indices), constant(0), constant(0), loaded, rows);
  tile::TakeOp::create(builder, loc, a.slot, loaded, extent(a.rows), out.slot, rows,
                       constant(a.cols));
  return success();
}

LogicalResult Lowering::lowerCachedAttention(llm::CachedAttentionOp op) {
  if (failed(require(op, {op.getQuery(), op.getKey(), op.getValue()})))
    return failure();
  if (op.getWindow() || op.getSoftcap())
    return op.emitOpError() << "has a window or a softcap, for which there is no kernel yet";
  int64_t heads = *llm::getExtents(op.getQuery())[1].getConstantValue();
  int64_t size = *llm::getExtents(op.getQuery())[2].getConstantValue();
  int64_t kvHeads = *llm::getExtents(op.getKey())[1].getConstantValue(), group = heads / kvHeads;
  std::string cache = ("cache." + op.getCache()).str();
  int64_t layerRows = cacheRows.lookup(op.getCacheAttr().getAttr());
  IntegerAttr constantLayer;
  Value layer = matchPattern(op.getLayer(), m_Constant(&constantLayer))
                    ? constant(constantLayer.getInt())
                    : layers->index;
  auto table = [&](Value tensor) { return tables.lookup(resolve(tensor)).getValue(); };
  auto read = [&](StringRef name, Value element) -> Value {
    return tile::ReadOp::create(builder, loc, builder.getIndexType(), name, element);
  };
  auto subtract = [&](Value a, Value b) -> Value {
    return arith::SubIOp::create(builder, loc, a, b);
  };
  StringRef starts = table(op.getQueryStarts()), lengths = table(op.getKvLengths());
  StringRef blockIds = table(op.getBlockTables());

  Matrix query = getOperand(op.getQuery()), key = getOperand(op.getKey());
  Matrix value = getOperand(op.getValue());
  Matrix out = define(op.getResult());
  Value sequences = extent(llm::getExtents(op.getKvLengths())[0]);
  Value blocksEach = extent(llm::getExtents(op.getBlockTables())[1]);
  MemRefType tileType = cast<tile::StreamType>(stream.getType()).getSlot();
  int64_t tileK = tileType.getDimSize(0), tileN = tileType.getDimSize(1), block = getBlock();

  Value scores = slot(maxTokens, block, builder.getF32Type(), /*accumulator=*/true);
  Value sums = slot(group * maxTokens, size, builder.getF32Type(), /*accumulator=*/true);
  Value weights = slot(maxTokens, block, precision);
  Value states = slot(group * maxTokens, 3, builder.getF32Type());
  Value keys = slot(block, size, precision), values = slot(block, size, precision);
  Value one = constant(1), width = constant(size), base = mul(layer, layerRows);
  llvm::APFloat lowest(std::numeric_limits<float>::lowest()), zero(0.0f);

  forEach(sequences, [&](Value sequence) {
    Value first = read(starts, sequence);
    Value tokens = subtract(read(starts, add(sequence, one)), first);
    Value length = read(lengths, sequence);
    Value position = subtract(length, tokens); // Of the first new token.
    Value blocks = arith::CeilDivUIOp::create(builder, loc, length, constant(block));
    Value tableRow = mul(sequence, blocksEach);
    auto cacheRow = [&](Value number) {
      return add(base, mul(read(blockIds, add(tableRow, number)), block));
    };

    // The new keys and values go to the cache, block by block.
    Value firstBlock = arith::DivUIOp::create(builder, loc, position, constant(block));
    forEach(subtract(blocks, firstBlock), [&](Value i) {
      Value number = add(firstBlock, i), start = mul(number, block);
      Value begin = arith::MaxSIOp::create(builder, loc, position, start);
      Value end = arith::MinSIOp::create(builder, loc, length, add(start, constant(block)));
      Value row = add(first, subtract(begin, position));
      Value to = add(cacheRow(number), subtract(begin, start));
      int64_t half = kvHeads * size;
      for (auto [slot, col] : {std::pair{key.slot, int64_t(0)}, std::pair{value.slot, half}})
        tile::StoreOp::create(builder, loc, window(slot, row, index(0), maxTokens, half), cache, to,
                              constant(col), subtract(end, begin));
    });

    forEach(constant(kvHeads), [&](Value kvHead) {
      Value col = mul(kvHead, size);
      forEach(constant(group), [&](Value member) {
        Value at = mul(member, maxTokens);
        tile::FillOp::create(builder, loc, lowest, window(states, at, index(0), maxTokens, 1),
                             tokens, one);
        tile::FillOp::create(builder, loc, zero, window(states, at, index(1), maxTokens, 1), tokens,
                             one);
        tile::FillOp::create(builder, loc, zero, window(sums, at, index(0), maxTokens, size),
                             tokens, width);
      });
      forEach(blocks, [&](Value i) {
        Value start = mul(i, block);
        Value valid = min(subtract(length, start), block);
        Value row = cacheRow(i);
        tile::LoadOp::create(builder, loc, cache, row, col, keys, valid);
        tile::LoadOp::create(builder, loc, cache, row, add(col, constant(kvHeads * size)), values,
                             valid);
        // New token t is at `position + t` and sees the keys up to its own.
        Value limit = subtract(add(position, one), start);
        forEach(constant(group), [&](Value member) {
          Value head = add(mul(kvHead, group), member), at = mul(member, maxTokens);
          Value queryCol = mul(head, size);
          for (int64_t k = 0; k < size; k += tileK) {
            int64_t depth = std::min(tileK, size - k);
            tile::LoadWeightsOp::create(builder, loc,
                                        window(keys, index(0), index(k), block, depth),
                                        constant(depth), valid, /*transpose=*/true);
            tile::MatmulOp::create(
                builder, loc,
                window(query.slot, first, add(queryCol, constant(k)), maxTokens, depth), scores,
                tokens, Value(), 1, /*accumulate=*/k > 0);
          }
          tile::SoftmaxOp::create(builder, loc, scores, weights,
                                  window(states, at, index(0), maxTokens, 3), op.getScale(), limit,
                                  1, 0, tokens, valid);
          Value sum = window(sums, at, index(0), maxTokens, size);
          tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, sum,
                                 repeatColumn(states, 2, size, at), sum, tokens, width);
          for (int64_t n = 0; n < size; n += tileN) {
            int64_t cols = std::min(tileN, size - n);
            tile::LoadWeightsOp::create(builder, loc,
                                        window(values, index(0), index(n), block, cols), valid,
                                        constant(cols));
            tile::MatmulOp::create(builder, loc, weights,
                                   window(sums, at, index(n), maxTokens, cols), tokens, limit, 1,
                                   /*accumulate=*/true);
          }
        });
      });
      forEach(constant(group), [&](Value member) {
        Value head = add(mul(kvHead, group), member), at = mul(member, maxTokens);
        tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Div,
                               window(sums, at, index(0), maxTokens, size),
                               repeatColumn(states, 1, size, at),
                               window(out.slot, first, mul(head, size), maxTokens, size), tokens,
                               width);
      });
    });
  });
  return success();
}
