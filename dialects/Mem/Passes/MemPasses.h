//===- MemPasses.h - passes over the mem dialect -------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_MEM_PASSES_MEMPASSES_H
#define SERRANO_DIALECTS_MEM_PASSES_MEMPASSES_H

#include "dialects/Mem/Mem.h"
#include "mlir/Pass/Pass.h"

namespace serrano::mem {

#define GEN_PASS_DECL
#include "dialects/Mem/Passes/MemPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/Mem/Passes/MemPasses.h.inc"

} // namespace serrano::mem

#endif // SERRANO_DIALECTS_MEM_PASSES_MEMPASSES_H
