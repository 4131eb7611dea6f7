//===- ReportUnraised.cpp - stub -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/LlmPasses.h"

namespace serrano::llm {
#define GEN_PASS_DEF_REPORTUNRAISED
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

namespace {
struct ReportUnraised : serrano::llm::impl::ReportUnraisedBase<ReportUnraised> {
  void runOnOperation() override {}
};
} // namespace
