//===- Matrix.cpp - matrix instructions --------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"
#include "Fault.h"
#include "Formats.h"

using namespace serrano;
using namespace serrano::sim;

static void requireSpace(const isa::Tile &t, bool accumulators,
                         const char *operand) {
  if ((t.space == isa::TileSpace::Acc) != accumulators)
    fault("{0} must be in the {1}", operand,
          accumulators ? "accumulators" : "scratchpad or a ring");
}

void Core::execute(const isa::LoadWeights &i) {
  begin(i, MatrixId, Work::LoadWeights);
  requireSpace(i.src, false, "src");
  int64_t k = count(i.k, "k"), n = count(i.n, "n");
  NumberFormat format = formatOf(i.src.dtype);
  int64_t kMax = target.largestK(format), nMax = target.columns();
  if (k > kMax || n > nMax)
    fault("weights of {0} x {1} exceed the array's {2} x {3} for {4}", k, n,
          kMax, nMax, isa::stringify(i.src.dtype));
  TileView src = i.transpose ? tile(i.src, n, k, false, "src")
                             : tile(i.src, k, n, false, "src");
  unsigned set = dispatchedWeights ? dispatchedWeights->set + 1 : 0;
  set %= weightSets.size();
  dispatchedWeights = {k, n, src.dtype, set, src.constant};
  record.interval = timing.loadWeights(k, n, format);
  finish([=, weights = &weightSets[set], transpose = i.transpose] {
    weights->load(src, k, n, transpose);
  }, WeightsUse{set, true});
}

void Core::execute(const isa::Matmul &i) {
  begin(i, MatrixId, Work::Multiply);
  requireSpace(i.src, false, "src");
  requireSpace(i.dst, true, "dst");
  if (!dispatchedWeights)
    fault("multiplies before any mx.load");
  NumberFormat format = formatOf(i.src.dtype);
  if (format != formatOf(dispatchedWeights->dtype))
    fault("src is {0}, but the loaded weights are {1}",
          isa::stringify(i.src.dtype),
          isa::stringify(dispatchedWeights->dtype));
  isa::DType result =
      format == NumberFormat::I8 ? isa::DType::I32 : isa::DType::F32;
  if (i.dst.dtype != result)
    fault("dst is {0}, expected {1}", isa::stringify(i.dst.dtype),
          isa::stringify(result));
  int64_t m = count(i.m, "m"), k = dispatchedWeights->k,
          n = dispatchedWeights->n;
  if (m > 65535)
    fault("m is {0}, at most 65535 rows go in one instruction", m);
  if (i.row_limit && i.group == 0)
    fault("group is 0, expected the number of rows that share a limit");
  TileView src = i.transpose ? tile(i.src, k, m, false, "src")
                             : tile(i.src, m, k, false, "src");
  TileView dst = tile(i.dst, m, n, true, "dst");
  if (i.accumulate && !record.accesses.empty() && m && n) {
    Access read = record.accesses.back();
    read.write = false;
    record.accesses.push_back(read);
    rowSteps.push_back(rowSteps.back());
  }
  record.interval = timing.matmulInterval(m, k, n, format, i.accumulate);
  record.multiplies = m * k * n;
  record.format = format;
  RowLimit rowLimit{i.row_limit, limit(i.limit), int64_t(i.group)};
  unsigned set = dispatchedWeights->set;
  auto multiply = [=, weights = &weightSets[set],
                   accumulate = i.accumulate](int64_t first, int64_t count) {
    RowLimit limitHere = rowLimit;
    limitHere.firstRow = first;
    matmul(*weights, dst.from(first), src.from(first), count, accumulate,
           /*transposeSrc=*/false, limitHere);
  };
  WeightsUse use{set, false};
  if (!i.transpose)
    return finishRows(m, multiply, use);
  finish([=, weights = &weightSets[set], accumulate = i.accumulate] {
    matmul(*weights, dst, src, m, accumulate, /*transposeSrc=*/true, rowLimit);
  }, use);
}
