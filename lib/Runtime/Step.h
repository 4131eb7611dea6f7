//===- Step.h - what goes into a step over a paged cache ------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_RUNTIME_STEP_H
#define SERRANO_RUNTIME_STEP_H

#include "serrano/Runtime/Entry.h"

namespace serrano {

/// Checks that an entry with a cache has the inputs of a step
/// (docs/ProgramFile.md), of integers and of the right rank.
llvm::Error checkStepInputs(const Entry &entry);

/// Checks that the lengths, positions and blocks of a step's sequences fit
/// together and `entry.cache`. The arrays have been bound to the inputs.
llvm::Error checkStep(const Entry &entry, const NpzArrays &arrays);

} // namespace serrano

#endif // SERRANO_RUNTIME_STEP_H
