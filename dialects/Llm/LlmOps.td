//===- LlmOps.td - all operations of the dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_LLMOPS
#define SERRANO_DIALECTS_LLM_LLMOPS

include "dialects/Llm/LlmCacheOps.td"
include "dialects/Llm/LlmTensorOps.td"
include "dialects/Llm/LlmTransformerOps.td"
include "dialects/Llm/LlmWeightOps.td"

#endif // SERRANO_DIALECTS_LLM_LLMOPS
