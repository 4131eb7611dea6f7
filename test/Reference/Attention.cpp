//===- Attention.cpp - attention of the reference evaluator -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include <cmath>

using namespace mlir;
using namespace serrano::llm;
using namespace serrano::reference;

/// `out += softmax(scores) * values`; `valueOf(j)` is the value of key `j`.
static void attend(ArrayRef<float> scores,
                   llvm::function_ref<const float *(int64_t)> valueOf,
                   float *out, int64_t size) {
  double highest = -INFINITY, sum = 0;
  for (float score : scores)
    highest = std::max(highest, double(score));
  if (highest == -INFINITY)
    return;
  for (float score : scores)
    sum += std::exp(score - highest);
  for (auto [j, score] : llvm::enumerate(scores)) {
    auto weight = float(std::exp(score - highest) / sum);
    if (weight == 0)
      continue;
    const float *value = valueOf(j);
    for (int64_t d = 0; d < size; ++d)
      out[d] += weight * value[d];
  }
}

static float dot(const float *a, const float *b, int64_t size) {
  float sum = 0;
  for (int64_t d = 0; d < size; ++d)
    sum += a[d] * b[d];
  return sum;
}

static float cap(float score, std::optional<APFloat> softcap) {
  if (!softcap)
    return score;
  float limit = softcap->convertToFloat();
  return limit * std::tanh(score / limit);
}

Tensor Evaluator::attention(AttentionOp op, Frame &frame) {
  const Tensor &q = frame.values[op.getQuery()], &k = frame.values[op.getKey()],
               &v = frame.values[op.getValue()];
  int64_t batch = q.shape[0], queries = q.shape[1], heads = q.shape[2],
          size = q.shape[3];
  int64_t keys = k.shape[1], kvHeads = k.shape[2], valueSize = v.shape[3];
  Tensor result = Tensor::makeFloats({batch, queries, heads, valueSize});
  const Tensor *mask = op.getMask() ? &frame.values[op.getMask()] : nullptr;
  const Tensor *keyMask =
      op.getKeyMask() ? &frame.values[op.getKeyMask()] : nullptr;
  SmallVector<int64_t> maskStrides(4, 0);
  if (mask)
    maskStrides = broadcastStrides(mask->shape, {batch, heads, queries, keys});
  float scale = op.getScale().convertToFloat();
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < queries; ++i) {
        int64_t group = h / (heads / kvHeads), position = keys - queries + i;
        std::vector<float> scores(keys, -INFINITY);
        for (int64_t j = 0; j < keys; ++j) {
          if ((op.getCausal() && j > position) ||
              (op.getWindow() && j <= position - int64_t(*op.getWindow())) ||
              (keyMask && keyMask->integers[b * keys + j] == 0))
            continue;
          float score =
              scale * dot(&q.floats[((b * queries + i) * heads + h) * size],
                          &k.floats[((b * keys + j) * kvHeads + group) * size],
                          size);
          scores[j] = cap(score, op.getSoftcap());
          if (mask)
            scores[j] += mask->floats[b * maskStrides[0] + h * maskStrides[1] +
                                      i * maskStrides[2] + j * maskStrides[3]];
        }
        attend(
            scores,
            [&](int64_t j) {
              return &v.floats[((b * keys + j) * kvHeads + group) * valueSize];
            },
            &result.floats[((b * queries + i) * heads + h) * valueSize],
            valueSize);
      }
  return result;
}

Tensor Evaluator::cachedAttention(CachedAttentionOp op, Frame &frame) {
  const Tensor &q = frame.values[op.getQuery()], &k = frame.values[op.getKey()],
               &v = frame.values[op.getValue()];
  const Tensor &positions = frame.values[op.getPositions()],
               &starts = frame.values[op.getQueryStarts()],
               &tables = frame.values[op.getBlockTables()];
  int64_t heads = q.shape[1], kvHeads = k.shape[1], size = q.shape[2],
          layer = frame.indices[op.getLayer()];
  int64_t blocks = tables.shape[1], sequences = tables.shape[0];
  auto slotOf = [&](int64_t sequence, int64_t position) -> KeyValue & {
    return cache[Slot(layer,
                      tables.integers[sequence * blocks + position / blockSize],
                      position % blockSize)];
  };
  for (int64_t s = 0; s < sequences; ++s)
    for (int64_t t = starts.integers[s]; t < starts.integers[s + 1]; ++t) {
      KeyValue &slot = slotOf(s, positions.integers[t]);
      int64_t count = kvHeads * size;
      slot.key.assign(&k.floats[t * count], &k.floats[t * count] + count);
      slot.value.assign(&v.floats[t * count], &v.floats[t * count] + count);
    }
  Tensor result = Tensor::makeFloats(q.shape);
  float scale = op.getScale().convertToFloat();
  for (int64_t s = 0; s < sequences; ++s)
    for (int64_t t = starts.integers[s]; t < starts.integers[s + 1]; ++t)
      for (int64_t h = 0; h < heads; ++h) {
        int64_t last = positions.integers[t], group = h / (heads / kvHeads);
        int64_t first =
            op.getWindow()
                ? std::max<int64_t>(0, last - int64_t(*op.getWindow()) + 1)
                : 0;
        std::vector<float> scores;
        for (int64_t j = first; j <= last; ++j)
          scores.push_back(
              cap(scale * dot(&q.floats[(t * heads + h) * size],
                              &slotOf(s, j).key[group * size], size),
                  op.getSoftcap()));
        attend(
            scores,
            [&](int64_t j) {
              return &slotOf(s, first + j).value[group * size];
            },
            &result.floats[(t * heads + h) * size], size);
      }
  return result;
}
