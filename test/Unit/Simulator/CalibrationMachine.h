//===- CalibrationMachine.h - what small programs cost -------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_SIMULATOR_CALIBRATIONMACHINE_H
#define SERRANO_TEST_UNIT_SIMULATOR_CALIBRATIONMACHINE_H

#include "AssembledProgram.h"
#include "serrano/Target/TimingModel.h"
#include <fstream>
#include <stdexcept>

namespace serrano {

/// Runs instructions on one core of a target and says what they cost.
class CalibrationMachine {
public:
  explicit CalibrationMachine(const std::string &nameOrFile)
      : target(llvm::cantFail(TargetModel::load(nameOrFile))), timing(target),
        assembled(nameOrFile) {}

  static std::string calibrationFile(const std::string &name) {
    return SERRANO_SOURCE_DIR "/tools/targets/calibration/" + name + ".json";
  }

  double clockGhz() const { return target.clockGhz().toDouble(); }

  /// A run of `body`; `x` names 16 MiB of HBM.
  sim::Statistics run(const std::string &body) {
    llvm::Expected<sim::Statistics> statistics = assembled.run(
        assembled.assemble(".hbm x, 16777216\n.entry main\nfunc main {\n" +
                           body + "\n  halt\n}\n"));
    if (!statistics)
      throw std::runtime_error(llvm::toString(statistics.takeError()));
    return *statistics;
  }
  int64_t cycles(const std::string &body) { return run(body).cycles; }

  /// Cycles by which a run becomes longer with each further `step`.
  double steadyCycles(const std::string &prologue, const std::string &step,
                      int count = 8) {
    auto repeated = [&](int n) {
      return cycles(prologue + "loop count=" + std::to_string(n) + " {\n" +
                    step + "}\n");
    };
    return double(repeated(2 * count) - repeated(count)) / count;
  }

  TargetModel target;
  TimingModel timing;

private:
  AssembledProgram assembled;
};

/// The text of a file under docs/.
inline std::string readDocs(const std::string &name) {
  std::ifstream file(SERRANO_SOURCE_DIR "/docs/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace serrano

#endif // SERRANO_TEST_UNIT_SIMULATOR_CALIBRATIONMACHINE_H
