//===- DmaPasses.h - passes over the dma dialect -------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_PASSES_DMAPASSES_H
#define SERRANO_DIALECTS_DMA_PASSES_DMAPASSES_H

#include "dialects/Dma/Dma.h"
#include "mlir/Pass/Pass.h"

namespace serrano::dma {

#define GEN_PASS_DECL
#include "dialects/Dma/Passes/DmaPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/Dma/Passes/DmaPasses.h.inc"

} // namespace serrano::dma

#endif // SERRANO_DIALECTS_DMA_PASSES_DMAPASSES_H
