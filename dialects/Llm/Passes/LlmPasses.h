//===- LlmPasses.h - passes over the llm dialect -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_PASSES_LLMPASSES_H
#define SERRANO_DIALECTS_LLM_PASSES_LLMPASSES_H

#include "dialects/Llm/Llm.h"
#include "mlir/Pass/Pass.h"

namespace serrano::llm {

#define GEN_PASS_DECL
#include "dialects/Llm/Passes/LlmPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/Llm/Passes/LlmPasses.h.inc"

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_PASSES_LLMPASSES_H
