//===- TargetChecks.cpp - numbers that are impossible together ------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetJson.h"
#include "serrano/Support/Error.h"

using namespace llvm;

namespace serrano {

/// As it stands in the file.
static std::string text(Ratio number) {
  return number.isWhole() ? std::to_string(number.numerator())
                          : describeJson(number.toDouble());
}

namespace {

class Checker {
public:
  Checker(const TargetNumbers &target, TargetProblems &problems)
      : target(target), problems(problems) {}

  void run() {
    checkChip();
    for (NumberFormat format : numberFormats)
      checkFormat(format);
    checkVector();
    checkStorage();
    checkTransfers();
    checkConnections();
  }

private:
  template <typename... Args>
  void report(StringRef path, const char *format, Args &&...args) {
    problems.add(path, formatv(format, std::forward<Args>(args)...).str());
  }

  /// Reports `path` unless `value` is a multiple of `unit`.
  void checkMultiple(StringRef path, int64_t value, int64_t unit,
                     StringRef unitPath) {
    if (value % unit != 0)
      report(path,
             "expected a multiple of {0}, which is {1}, found {2}; "
             "change one of the two",
             unitPath, unit, value);
  }

  void checkChip() {
    const ChipNumbers &chip = target.chip;
    checkMultiple("chip.cores", chip.cores, chip.coresPerCluster,
                  "chip.cores_per_cluster");
  }

  void checkFormat(NumberFormat format) {
    const MatrixNumbers &matrix = target.matrix;
    std::string name = formatName(format).str();
    std::string path = "matrix.macs_per_element_per_cycle." + name;
    Ratio rate = matrix.macsPerElementPerCycle[format];
    Ratio energy = target.energy.macPj[format];

    if (rate == Ratio(0) &&
        (format == NumberFormat::F32 || format == NumberFormat::BF16))
      return report(path,
                    "expected a rate above 0, found 0; every array has to "
                    "multiply {0}, only the other formats may be missing",
                    name);
    if (rate.numerator() != 0 && rate.numerator() != 1 &&
        rate.denominator() != 1)
      return report(path,
                    "expected a whole number or one over a whole number, "
                    "found {0}/{1}; an element finishes whole products or "
                    "takes whole cycles over one",
                    rate.numerator(), rate.denominator());
    if (rate == Ratio(0) && energy != Ratio(0))
      report("energy.mac_pj." + name,
             "expected 0, found {0}; {1} is 0: the array lacks the format",
             text(energy), path);
    if (rate != Ratio(0) && energy == Ratio(0))
      report("energy.mac_pj." + name,
             "expected a number above 0, found 0; {0} is {1}: the array has "
             "the format",
             path, text(rate));
    int64_t depth = matrix.rows * std::max<int64_t>(1, rate.numerator());
    if (rate != Ratio(0) && depth % exactGroup(format) != 0)
      report("matrix.rows",
             "expected rows times {0} to be a multiple of {1}, the K that {2} "
             "sums exactly, found {3} times {4}; change one of the two",
             path, exactGroup(format), name, matrix.rows, depth / matrix.rows);
  }

  void checkVector() {
    const VectorNumbers &vector = target.vector;
    auto check = [&](StringRef path, int64_t lanes, StringRef otherPath,
                     int64_t other) {
      if (lanes > other)
        report(path,
               "expected at most {0}, which is {1}, found {2}; a lane that is "
               "there for the one is there for the other",
               otherPath, other, lanes);
    };
    check("vector.elements_per_cycle_32_bit", vector.elementsPerCycle32Bit,
          "vector.elements_per_cycle_16_bit", vector.elementsPerCycle16Bit);
    check("vector.elements_per_cycle_exp", vector.elementsPerCycleExp,
          "vector.elements_per_cycle_16_bit", vector.elementsPerCycle16Bit);
  }

  void checkStorage() {
    const StorageNumbers &storage = target.storage;
    checkMultiple("storage.instruction_memory_bytes",
                  storage.instructionMemoryBytes, storage.instructionPageBytes,
                  "storage.instruction_page_bytes");
    if (storage.instructionMemoryBytes < 2 * storage.instructionPageBytes)
      report("storage.instruction_memory_bytes",
             "expected at least two pages of {0} bytes, found {1}; one page is "
             "fetched while another runs",
             storage.instructionPageBytes, storage.instructionMemoryBytes);
    int64_t resultRow = 4 * target.matrix.columns;
    if (storage.accumulatorBytes < resultRow)
      report("storage.accumulator_bytes",
             "expected at least {0}, a row of results of matrix.columns, found "
             "{1}; enlarge the accumulators or use fewer columns",
             resultRow, storage.accumulatorBytes);
  }

  void checkTransfers() {
    const DmaNumbers &dma = target.dma;
    int64_t burst = target.memory.burstBytes;
    StringRef burstPath = "memory.hbm_burst_bytes";
    checkMultiple("dma.dma_arbitration_bytes", dma.arbitrationBytes, burst,
                  burstPath);
    checkMultiple("dma.dma_in_flight_bytes", dma.inFlightBytes, burst,
                  burstPath);
    checkMultiple("storage.instruction_page_bytes",
                  target.storage.instructionPageBytes, burst, burstPath);
    Ratio bytes = target.memory.capacityGb * Ratio(1000000000);
    if (!bytes.isWhole() || bytes.numerator() % burst != 0)
      report("memory.hbm_capacity_gb",
             "expected whole bursts of {0} bytes, found {1} GB; change one of "
             "the two",
             burst, text(target.memory.capacityGb));
  }

  void checkConnections() {
    if (target.chip.cores > 1 && !target.network)
      report("network",
             "expected an object, found null; chip.cores is {0}, and cores are "
             "connected by the on-chip network",
             target.chip.cores);
    if (target.chip.cores == 1 && target.network)
      report("network", "expected null, found an object; chip.cores is 1, and "
                        "one core has nothing to be connected to");
    Ratio energy = target.energy.linkPjPerBitPerEnd;
    if (target.links && energy == Ratio(0))
      report("energy.link_pj_per_bit_per_end",
             "expected a number above 0, found 0; the target has links");
    if (!target.links && energy != Ratio(0))
      report("energy.link_pj_per_bit_per_end",
             "expected 0, found {0}; links is null", text(energy));
  }

  const TargetNumbers &target;
  TargetProblems &problems;
};

} // namespace

void checkTarget(const TargetNumbers &target, TargetProblems &problems) {
  Checker(target, problems).run();
}

} // namespace serrano
