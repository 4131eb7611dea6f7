//===- TargetModel.cpp - answers for a target's capabilities --------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Target/TargetModel.h"
#include "TargetJson.h"
#include <algorithm>

using namespace llvm;

namespace serrano {

Expected<TargetModel> TargetModel::fromJson(StringRef json, StringRef source) {
  Expected<nlohmann::json> root = parseJson(json, source);
  if (!root)
    return root.takeError();
  if (Error error = resolveVariant(*root, source))
    return error;
  TargetNumbers numbers;
  TargetProblems problems(source);
  readTarget(*root, numbers, problems);
  // Values that are impossible alone would only be reported again.
  if (problems.empty())
    checkTarget(numbers, problems);
  if (!problems.empty())
    return problems.takeError();
  return TargetModel(std::move(numbers));
}

std::string TargetModel::toJson() const { return writeTarget(numbers); }

int64_t TargetModel::elementsPerPosition(NumberFormat format) const {
  // A rate below 1 is one over a whole number.
  return std::max<int64_t>(1, macRate(format).numerator());
}

int64_t TargetModel::vectorLanes(int64_t widestBytes,
                                 bool transcendental) const {
  int64_t lanes = widestBytes == 4 ? numbers.vector.elementsPerCycle32Bit
                                   : numbers.vector.elementsPerCycle16Bit;
  return transcendental ? std::min(lanes, numbers.vector.elementsPerCycleExp)
                        : lanes;
}

int64_t TargetModel::memoryBytes() const {
  return (numbers.memory.capacityGb * Ratio(1000000000)).numerator();
}

Ratio TargetModel::memorySustainedBytesPerCycle() const {
  // GB/s over GHz is bytes per cycle.
  return memoryPinGbPerS() * memorySustainedFraction() / clockGhz();
}

} // namespace serrano
