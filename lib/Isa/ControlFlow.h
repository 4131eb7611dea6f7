//===- ControlFlow.h - checks of blocks, calls and rings --------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_ISA_CONTROLFLOW_H
#define SERRANO_LIB_ISA_CONTROLFLOW_H

#include "DecodedText.h"

namespace serrano::isa {

/// The checks of `verify` that follow the order of execution.
void checkControlFlow(const Program &program, const DecodedText &text,
                      std::vector<Finding> &findings);

} // namespace serrano::isa

#endif // SERRANO_LIB_ISA_CONTROLFLOW_H
