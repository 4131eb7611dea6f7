//===- Workload.h - runs that a choice is judged by ----------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_PIPELINES_WORKLOAD_H
#define SERRANO_LIB_PIPELINES_WORKLOAD_H

#include "serrano/Pipelines/Pipelines.h"
#include "serrano/Runtime/Entry.h"

namespace serrano {

/// The lengths, as `Lengths` reads them, of a few runs of `entry` that a program for these limits is likely
/// to be asked for. Of a step over a cache: one sequence after a short and after a long context, all
/// sequences, a prompt, a prompt beside sequences. Of another entry: the longest row, and as many
/// shorter ones as there is room for; of one without dimensions, "". Large limits are not used to the full, so
/// that a prediction does not take longer and longer.
std::vector<std::string> getWorkload(const Entry &entry, const TileOptions &limits);

} // namespace serrano

#endif // SERRANO_LIB_PIPELINES_WORKLOAD_H
