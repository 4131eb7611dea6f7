//===- RaiseAttention.cpp - stub -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/LlmPasses.h"

namespace serrano::llm {
#define GEN_PASS_DEF_RAISEATTENTION
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

namespace {
struct RaiseAttention : serrano::llm::impl::RaiseAttentionBase<RaiseAttention> {
  void runOnOperation() override {}
};
} // namespace
