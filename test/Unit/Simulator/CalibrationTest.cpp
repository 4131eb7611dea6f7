//===- CalibrationTest.cpp - against published machines -------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The published values are written down here, never computed from a target
// file; docs/Calibration.md names their sources and shows the same table.
//
//===----------------------------------------------------------------------===//

#include "CalibrationMachine.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <functional>
#include <set>

using namespace serrano;

namespace {

enum class Kind {
  Outcome,  ///< of instructions that run together; no number of the file
  Input,    ///< follows directly from a number that was written into the file
  Departure ///< what the model is known to get wrong, shown for honesty
};

/// How far an outcome or an input may be from what was published.
constexpr double tolerance = 0.1;

struct Figure {
  const char *machine, *what, *unit;
  double published;
  Kind kind;
  std::function<double()> model;

  double deviation(double value) const { return value / published - 1; }
};

CalibrationMachine &neuronCore() {
  static CalibrationMachine machine(
      CalibrationMachine::calibrationFile("neuroncore-v3"));
  return machine;
}

CalibrationMachine &tpu() {
  static CalibrationMachine machine(
      CalibrationMachine::calibrationFile("tpu-v5e"));
  return machine;
}

std::string str(int64_t number) { return std::to_string(number); }

//===----------------------------------------------------------------------===//
// Matrix engine
//===----------------------------------------------------------------------===//

/// A matmul of m rows and the load of a full tile of weights that it uses.
struct Tile {
  const char *type;
  int64_t bytes, k, n, m;

  std::string load(const std::string &from) const {
    return "mx.load src=" + from + ":" + str(n * bytes) + ":" + type +
           ", k=" + str(k) + ", n=" + str(n) + "\n";
  }
  std::string multiply() const {
    std::string result = type == std::string("i8") ? ":i32" : ":f32";
    return "mx.mul dst=acc[0]:" + str(4 * n) + result +
           ", src=spm[1048576]:" + str(k * bytes) + ":" + type +
           ", m=" + str(m) + "\n";
  }
  int64_t operations() const { return 2 * m * k * n; }
};

/// From a matmul to the next that uses the same weights.
double interval(CalibrationMachine &machine, const Tile &tile) {
  return machine.steadyCycles(tile.load("spm[0]"), tile.multiply());
}

/// From a matmul with weights of its own to the next.
double pairInterval(CalibrationMachine &machine, const Tile &tile) {
  return machine.steadyCycles("", tile.load("spm[0]") + tile.multiply());
}

/// Tera-operations per second of one core.
double peak(CalibrationMachine &machine, const Tile &tile) {
  return double(tile.operations()) / interval(machine, tile) *
         machine.clockGhz() / 1000;
}

double neuronPeak(const char *type, int64_t bytes, int64_t k) {
  return peak(neuronCore(), {type, bytes, k, 128, 512});
}

/// The most rows for which a step takes no longer than with eight.
int64_t criticalRows(const std::function<double(int64_t)> &cycles) {
  double bound = cycles(8) + 0.5;
  int64_t below = 8, above = 1024;
  while (above - below > 1) {
    int64_t middle = (below + above) / 2;
    (cycles(middle) < bound ? below : above) = middle;
  }
  return below;
}

/// Each tile of weights comes through a ring from HBM.
double streamedTile(int64_t m) {
  Tile tile{"bf16", 2, 128, 512, m};
  auto run = [&](int64_t count) {
    std::string bytes = str(tile.k * tile.n * tile.bytes);
    return tpu().cycles(
        "ring.setup ring=0, slots=8, base=8388608, slot_bytes=" + bytes +
        "\nring.fill ring=0, src=hbm[x], count=" + str(count) + ", bytes=" +
        bytes + ", stride=" + bytes + ", passes=1\nloop count=" + str(count) +
        " {\n" + tile.load("pop0[0]") + tile.multiply() + "}\n");
  };
  return double(run(16) - run(8)) / 8;
}

double residentTile(int64_t m) {
  return pairInterval(tpu(), {"i8", 1, 256, 512, m});
}

/// The least batch for which int8[b, 4096] x int8[4096, 16384] takes no longer
/// to load and to store than to compute, out of the functions that the compiler
/// predicts with.
int64_t criticalBatchOfAMatmul() {
  const TimingModel &timing = tpu().timing;
  constexpr int64_t k = 4096, n = 16384;
  for (int64_t b = 1;; ++b) {
    int64_t array = (k / 256) * (n / 512) *
                    timing.matmulInterval(b, 256, 512, NumberFormat::I8, true);
    if (TimingModel::ticksOf(array) >= timing.hbmTicks(k * n + b * k + b * n))
      return b;
  }
}

//===----------------------------------------------------------------------===//
// DMA
//===----------------------------------------------------------------------===//

std::string transfer(int64_t rows, int64_t bytes) {
  return "dma.load dst=spm[0], src=hbm[x], bytes=" + str(bytes) +
         ", n1=" + str(rows) + ", n2=1, n3=1, ss1=" + str(bytes) +
         ", ds1=" + str(bytes) + "\n";
}

/// For how long the bytes of one transfer keep the engines of a core busy.
double transferNs(int64_t rows, int64_t bytes) {
  sim::Statistics statistics = neuronCore().run(transfer(rows, bytes));
  for (const sim::EngineStatistics &engine : statistics.engines)
    if (engine.name == "dma in")
      return engine.busyCycles / neuronCore().clockGhz();
  throw std::runtime_error("no engine dma in");
}

/// GB/s of transfers of 128 rows, one after the other.
double throughput(CalibrationMachine &machine, int64_t rowBytes) {
  return 128.0 * double(rowBytes) /
         machine.steadyCycles("", transfer(128, rowBytes), 4) *
         machine.clockGhz();
}

/// In percent of the throughput with rows of 32 KiB.
double relativeThroughput(int64_t rowBytes) {
  static double saturated = throughput(neuronCore(), 32768);
  return 100 * throughput(neuronCore(), rowBytes) / saturated;
}

/// TB/s of the chip when all cores load.
double chipMemoryRate() {
  constexpr int64_t bytes = int64_t(1) << 30;
  const CalibrationMachine &machine = neuronCore();
  int64_t cores = machine.target.cores();
  double cycles = double(machine.timing.hbmTicks(bytes, cores)) /
                  TimingModel::ticksPerCycle;
  return double(cores * bytes) / cycles * machine.clockGhz() / 1000;
}

//===----------------------------------------------------------------------===//
// Vector engine
//===----------------------------------------------------------------------===//

/// Core cycles of an f32 instruction over 128 lanes of `perLane` elements.
double vectorCycles(const char *function, int64_t perLane, bool dependent) {
  std::string tile = ":" + str(4 * perLane) + ":f32";
  std::string source = dependent ? "spm[0]" : "spm[8388608]";
  return neuronCore().steadyCycles(
      "", "v.unary fn=" + std::string(function) + ", dst=spm[0]" + tile +
              ", a=" + source + tile + ", rows=128, cols=" + str(perLane) +
              "\n");
}

double inCyclesOf(double engineGhz, double coreCycles) {
  return coreCycles / neuronCore().clockGhz() * engineGhz;
}

//===----------------------------------------------------------------------===//
// The figures
//===----------------------------------------------------------------------===//

const std::vector<Figure> &figures() {
  using enum Kind;
  const char *nc = "NeuronCore-v3", *v5e = "TPU v5e";
  static const std::vector<Figure> list = {
      {nc, "bf16 peak of a core", "TFLOP/s", 79, Outcome,
       [] { return neuronPeak("bf16", 2, 128); }},
      {nc, "fp8 peak of a core", "TFLOP/s", 158, Outcome,
       [] { return neuronPeak("f8e4m3", 1, 256); }},
      {nc, "fp32 peak of a core", "TFLOP/s", 20, Outcome,
       [] { return neuronPeak("f32", 4, 128); }},
      {nc, "bf16 peak of the chip", "TFLOP/s", 667, Outcome,
       [] { return 8 * neuronPeak("bf16", 2, 128); }},
      {nc, "fp8 peak of the chip", "TFLOP/s", 1299, Outcome,
       [] { return 8 * neuronPeak("f8e4m3", 1, 256); }},
      {nc, "fp32 peak of the chip", "TFLOP/s", 181, Departure,
       [] { return 8 * neuronPeak("f32", 4, 128); }},
      {nc, "matmuls of 512 rows, interval", "cycles", 512, Outcome,
       [] { return interval(neuronCore(), {"bf16", 2, 128, 128, 512}); }},
      {nc, "matmuls of 128 rows, interval", "cycles", 128, Outcome,
       [] { return interval(neuronCore(), {"bf16", 2, 128, 128, 128}); }},
      {nc, "matmuls of 16 rows, interval", "cycles", 64, Input,
       [] { return interval(neuronCore(), {"bf16", 2, 128, 128, 16}); }},
      {nc, "fp32 matmuls of 512 rows, interval", "cycles", 2048, Input,
       [] { return interval(neuronCore(), {"f32", 4, 128, 128, 512}); }},
      {nc, "matmul of 128 rows : load of 128 columns", "", 4, Input,
       [] {
         const TimingModel &timing = neuronCore().timing;
         return double(timing.matmulInterval(128, 128, 128, NumberFormat::BF16,
                                             false)) /
                double(timing.loadWeights(128, 128, NumberFormat::BF16));
       }},
      {nc, "weights and matmul of 512 rows in turns, a pair", "cycles", 512,
       Outcome,
       [] { return pairInterval(neuronCore(), {"bf16", 2, 128, 128, 512}); }},
      {nc, "the same, fp8 256 deep : bf16 128 deep", "", 1, Outcome,
       [] {
         return pairInterval(neuronCore(), {"f8e4m3", 1, 256, 128, 512}) /
                pairInterval(neuronCore(), {"bf16", 2, 128, 128, 512});
       }},
      {nc, "bytes of 32 KiB per DMA engine, rows of 8 KiB", "ns", 1416, Outcome,
       [] { return transferNs(16 * 4, 8192); }},
      {nc, "bytes of 2 KiB per DMA engine, rows of 256 B", "ns", 97, Outcome,
       [] { return transferNs(16 * 8, 256); }},
      {nc, "DMA throughput, 128 rows of 256 B", "% of saturation", 10.4,
       Outcome, [] { return relativeThroughput(256); }},
      {nc, "DMA throughput, 128 rows of 512 B", "% of saturation", 21.0,
       Outcome, [] { return relativeThroughput(512); }},
      {nc, "DMA throughput, 128 rows of 1 KiB", "% of saturation", 42.5,
       Outcome, [] { return relativeThroughput(1024); }},
      {nc, "DMA throughput, 128 rows of 2 KiB", "% of saturation", 81.6, Input,
       [] { return relativeThroughput(2048); }},
      {nc, "DMA throughput, 128 rows of 4 KiB", "% of saturation", 96.6,
       Outcome, [] { return relativeThroughput(4096); }},
      {nc, "DMA throughput of a core", "GB/s", 368, Input,
       [] { return throughput(neuronCore(), 32768); }},
      {nc, "one transfer of 64 B, from start to completion", "ns", 1300, Input,
       [] {
         return double(neuronCore().cycles(transfer(1, 64))) /
                neuronCore().clockGhz();
       }},
      {nc, "HBM, all cores loading", "TB/s", 2.9, Input, chipMemoryRate},
      {nc, "ridge point of the chip, bf16", "FLOP/B", 230, Outcome,
       [] { return 8 * neuronPeak("bf16", 2, 128) / chipMemoryRate(); }},
      {nc, "exp of 2,048 elements per lane", "ScalarE cycles", 2048, Outcome,
       [] { return inCyclesOf(1.2, vectorCycles("exp", 2048, false)); }},
      {nc, "exp of 512 per lane, each of the one before", "ScalarE cycles", 612,
       Outcome, [] { return inCyclesOf(1.2, vectorCycles("exp", 512, true)); }},
      {nc, "what dependence adds to a vector instruction", "VectorE cycles",
       100, Input,
       [] {
         int64_t elements = 128 * 512 / 128;
         return inCyclesOf(0.96,
                           vectorCycles("neg", 512, true) - double(elements));
       }},
      {nc, "VectorE, fp32 elements", "per ns", 245.8, Departure,
       [] {
         return 128 * 4096 / vectorCycles("neg", 4096, false) *
                neuronCore().clockGhz();
       }},
      {v5e, "bf16 peak", "TFLOP/s", 197, Outcome,
       [] { return peak(tpu(), {"bf16", 2, 128, 512, 512}); }},
      {v5e, "int8 peak", "TOP/s", 394, Outcome,
       [] { return peak(tpu(), {"i8", 1, 256, 512, 512}); }},
      {v5e, "matmul of 8 rows", "cycles", 8, Input,
       [] { return interval(tpu(), {"bf16", 2, 128, 512, 8}); }},
      {v5e, "HBM bandwidth", "GB/s", 819, Input,
       [] { return throughput(tpu(), 32768); }},
      {v5e, "critical batch, bf16 weights from HBM", "rows", 240, Outcome,
       [] { return double(criticalRows(streamedTile)); }},
      {v5e, "critical batch, int8 weights from VMEM", "rows", 11, Outcome,
       [] { return double(criticalRows(residentTile)); }},
      {v5e, "critical batch, int8[b,4096] x int8[4096,16384]", "rows", 271,
       Outcome, [] { return double(criticalBatchOfAMatmul()); }},
  };
  return list;
}

/// Four digits, no trailing zeroes.
std::string text(double value) {
  char buffer[32];
  snprintf(buffer, sizeof buffer, "%.4g", value);
  return buffer;
}

/// The figure's row of the table in docs/Calibration.md, from the published
/// value on: sources stand in the docs only.
std::string docsRow(const Figure &figure, double value) {
  // Without a sign before a zero.
  double percent = std::round(1000 * figure.deviation(value)) / 10;
  char deviation[32];
  snprintf(deviation, sizeof deviation, percent ? "%+.1f %%" : "0.0 %%",
           percent);
  const char *kinds[] = {"outcome", "input", "departure"};
  std::string unit = *figure.unit ? std::string(" ") + figure.unit : "";
  return " | " + text(figure.published) + unit + " | " + text(value) + unit +
         " | " + deviation + " | " + kinds[unsigned(figure.kind)] + " |";
}

class CalibrationFigure : public testing::TestWithParam<size_t> {};

TEST_P(CalibrationFigure, isReproduced) {
  const Figure &figure = figures()[GetParam()];
  double value = figure.model();
  SCOPED_TRACE(std::string(figure.machine) + ": " + figure.what);
  if (figure.kind == Kind::Departure)
    EXPECT_GT(std::abs(figure.deviation(value)), tolerance)
        << value << " " << figure.unit
        << ": no departure any more; call it what it is";
  else
    EXPECT_LE(std::abs(figure.deviation(value)), tolerance)
        << value << " " << figure.unit << ", published " << figure.published;

  // | machine | what | source | published | model | deviation | kind |
  std::string start =
      "| " + std::string(figure.machine) + " | " + figure.what + " | ";
  std::string docs = readDocs("Calibration.md");
  size_t place = docs.find(start);
  ASSERT_NE(place, std::string::npos)
      << "no row in docs/Calibration.md: " << start << "SOURCE"
      << docsRow(figure, value);
  std::string row = docs.substr(place, docs.find('\n', place) - place);
  std::string rest = row.substr(row.find(" | ", start.size()));
  EXPECT_NE(rest, row.substr(start.size())) << "no source: " << row;
  EXPECT_EQ(rest, docsRow(figure, value)) << row;
}

std::string testName(const testing::TestParamInfo<size_t> &info) {
  const Figure &figure = figures()[info.param];
  std::string name;
  for (char c : std::string(figure.machine) + " " + figure.what)
    name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Published, CalibrationFigure,
                         testing::Range<size_t>(0, figures().size()), testName);

TEST(Calibration, hasEnoughFiguresThatWereNotPutIn) {
  int reproduced = 0, outcomes = 0;
  for (const Figure &figure : figures()) {
    reproduced += figure.kind != Kind::Departure;
    outcomes += figure.kind == Kind::Outcome;
  }
  EXPECT_GE(reproduced, 8);
  EXPECT_GE(outcomes, 4);
  // Each row of the docs' table is checked by one of these.
  std::string docs = readDocs("Calibration.md");
  size_t rows = 0;
  for (llvm::StringRef line : llvm::split(docs, '\n'))
    rows += line.starts_with("| NeuronCore-v3 |") ||
            line.starts_with("| TPU v5e |");
  EXPECT_EQ(rows, figures().size());
}

TEST(Calibration, targetsAreNoProducts) {
  for (const char *name : {"neuroncore-v3", "tpu-v5e"}) {
    std::string path = CalibrationMachine::calibrationFile(name);
    TargetModel target = llvm::cantFail(TargetModel::load(path));
    EXPECT_EQ(target.name(), name);
    std::ifstream file(path, std::ios::binary);
    std::string json{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(target.toJson(), json);
    EXPECT_TRUE(target.description().starts_with("calibration only"));
    EXPECT_THAT(TargetModel::bundledNames(),
                testing::Not(testing::Contains(name)));
    llvm::Expected<TargetModel> byName = TargetModel::load(name);
    ASSERT_FALSE(bool(byName));
    EXPECT_THAT(llvm::toString(byName.takeError()),
                testing::HasSubstr("expected one of serrano-1"));
  }
}

} // namespace
