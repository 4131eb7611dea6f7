//===- LlmAttributes.h - the custom syntax of extents -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_LLMATTRIBUTES_H
#define SERRANO_DIALECTS_LLM_LLMATTRIBUTES_H

#include "dialects/Llm/Llm.h"

namespace serrano::llm {

/// `past + seq`
mlir::FailureOr<ExtentAttr> parseExtent(mlir::AsmParser &parser);

/// `[batch, past + seq]`, the directive custom<Extents>.
mlir::ParseResult parseExtents(mlir::AsmParser &parser, DimsAttr &dims);
void printExtents(mlir::AsmPrinter &printer, mlir::Operation *op,
                  DimsAttr dims);

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_LLMATTRIBUTES_H
