//===- SimdTargets.h - which instructions of the host kernels use -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels are compiled once for each SIMD target and choose at run time. All
// give the same bits; only a test or a measurement has a reason to choose
// another target than the best.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_KERNELS_SIMDTARGETS_H
#define SERRANO_SIMULATOR_KERNELS_SIMDTARGETS_H

#include <string>
#include <vector>

namespace serrano::sim {

/// Names of the targets that this host can run, the best first.
std::vector<std::string> simdTargets();

/// From here on kernels use the target of that name, which has to be one of
/// `simdTargets()`. An empty name goes back to the best.
void useSimdTarget(const std::string &name);

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_KERNELS_SIMDTARGETS_H
