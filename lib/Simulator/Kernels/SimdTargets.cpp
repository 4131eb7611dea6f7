//===- SimdTargets.cpp - which instructions of the host kernels use -------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SimdTargets.h"
#include "hwy/highway.h"

namespace serrano::sim {

/// What this host can run of what was compiled, the best first. Asking Highway
/// again would undo the choice of a target.
static const std::vector<int64_t> &targets() {
  static const std::vector<int64_t> all = hwy::SupportedAndGeneratedTargets();
  return all;
}

std::vector<std::string> simdTargets() {
  std::vector<std::string> names;
  for (int64_t target : targets())
    names.emplace_back(hwy::TargetName(target));
  return names;
}

void useSimdTarget(const std::string &name) {
  for (int64_t target : targets())
    if (name.empty() || name == hwy::TargetName(target)) {
      hwy::GetChosenTarget().Update(target);
      return;
    }
}

} // namespace serrano::sim
