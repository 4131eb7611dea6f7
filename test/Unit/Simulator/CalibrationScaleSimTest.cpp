//===- CalibrationScaleSimTest.cpp - matmuls beside SCALE-Sim -------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Cycles of m x k by k x n on an array of 128 x 128, weights stationary. The
// recorded ones are "Total Cycles" of SCALE-Sim 3.0.0 (PyPI `scalesim`) without
// stalls; test/EndToEnd/test_calibration.py asks the package itself.
//
//===----------------------------------------------------------------------===//

#include "CalibrationMachine.h"
#include "llvm/Support/MathExtras.h"

using namespace serrano;

namespace {

constexpr int64_t array = 128;

struct Shape {
  int64_t m, k, n, scaleSim;

  int64_t folds() const {
    return llvm::divideCeil(k, array) * llvm::divideCeil(n, array);
  }
};

// Of SmolLM2-135M and MiniLM-L6, decode and prefill, and some that are even.
constexpr Shape shapes[] = {
    {1, 128, 128, 382},      {64, 128, 128, 445},    {128, 128, 128, 509},
    {512, 128, 128, 893},    {1, 576, 576, 9574},    {1, 576, 192, 3829},
    {1, 576, 1536, 22979},   {1, 1536, 576, 22979},  {16, 576, 576, 9949},
    {128, 576, 192, 5099},   {128, 576, 576, 12749}, {128, 576, 1536, 30599},
    {128, 1536, 576, 30599}, {64, 384, 384, 4013},   {128, 384, 1536, 18359},
    {128, 1536, 384, 18359}, {128, 64, 128, 509},    {128, 128, 64, 509},
    {512, 512, 512, 14303},  {100, 200, 300, 2891},
};
static_assert(std::size(shapes) == 20);

/// The matmul in bf16, tile after tile. `alone`: weights fill the array
/// whatever their size, and are loaded when the matmul before has delivered
/// everything.
std::string program(const Shape &shape, bool alone) {
  std::string body;
  for (int64_t n = 0; n < shape.n; n += array)
    for (int64_t k = 0; k < shape.k; k += array) {
      int64_t depth = alone ? array : std::min(array, shape.k - k);
      int64_t width = alone ? array : std::min(array, shape.n - n);
      body += std::string("mx.load ") + (alone ? "wait0=c0, " : "") +
              "src=spm[0]:256:bf16, k=" + std::to_string(depth) +
              ", n=" + std::to_string(width) +
              "\nmx.mul signal=c0, dst=acc[0]:512:f32, "
              "src=spm[65536]:256:bf16, m=" +
              std::to_string(shape.m) + (k ? ", accumulate\n" : "\n");
    }
  return body;
}

TEST(CalibrationScaleSim, isItsAnalyticalModel) {
  // Samajdar et al., ISPASS 2020: 2 S_R + S_C + T - 2 cycles for each fold; the
  // package gives the number of the last cycle, from 0.
  for (const Shape &shape : shapes)
    EXPECT_EQ(shape.scaleSim,
              shape.folds() * (2 * array + array + shape.m - 2) - 1)
        << shape.m << " x " << shape.k << " x " << shape.n;
}

TEST(CalibrationScaleSim, withoutOverlapTheCountsAreTheSame) {
  // As in SCALE-Sim a row of weights goes into the array per cycle and one row
  // is no shorter than its one cycle.
  TempFolder folder;
  std::string file = folder.write("serial.json", R"({
    "variant_of": "serrano-1", "name": "serial",
    "description": "serrano-1 with SCALE-Sim's weight port",
    "matrix": {"provenance": "SCALE-Sim: a row of 128 bf16 weights per cycle",
               "shortest_interval_cycles": 1,
               "weight_port_bytes_per_cycle": 256}})");
  CalibrationMachine machine(file);
  for (const Shape &shape : shapes)
    // A result takes rows + columns cycles after the last row, not rows +
    // columns - 2; and cycles are counted, not numbered.
    EXPECT_EQ(machine.cycles(program(shape, /*alone=*/true)),
              shape.scaleSim + 1 + 2 * shape.folds())
        << shape.m << " x " << shape.k << " x " << shape.n;
}

TEST(CalibrationScaleSim, overlapExplainsTheDifference) {
  CalibrationMachine machine("serrano-1");
  std::string docs = readDocs("Calibration.md");
  for (const Shape &shape : shapes) {
    int64_t cycles = machine.cycles(program(shape, /*alone=*/false));
    // The first load, every matmul, and one drain.
    int64_t firstLoad = machine.timing.loadWeights(
        std::min(array, shape.k), std::min(array, shape.n), NumberFormat::BF16);
    EXPECT_EQ(cycles, firstLoad +
                          shape.folds() * std::max<int64_t>(shape.m, 16) +
                          2 * array);
    char row[128];
    snprintf(row, sizeof row, "| %ld × %ld × %ld | %ld | %ld | %ld | %.2f |\n",
             long(shape.m), long(shape.k), long(shape.n), long(shape.folds()),
             long(shape.scaleSim), long(cycles),
             double(shape.scaleSim) / double(cycles));
    EXPECT_THAT(docs, testing::HasSubstr(row));
  }
}

} // namespace
