//===- SimdTargets.cpp - which instructions of the host kernels use -------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SimdTargets.h"
#include "hwy/highway.h"

namespace serrano::sim {

std::vector<std::string> simdTargets() {
  std::vector<std::string> names;
  for (int64_t target : hwy::SupportedAndGeneratedTargets())
    names.emplace_back(hwy::TargetName(target));
  return names;
}

void useSimdTarget(const std::string &name) {
  for (int64_t target : hwy::SupportedAndGeneratedTargets())
    if (name.empty() || name == hwy::TargetName(target)) {
      hwy::GetChosenTarget().Update(target);
      return;
    }
}

} // namespace serrano::sim
