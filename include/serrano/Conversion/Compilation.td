//===- Compilation.td - what a program is compiled for -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_CONVERSION_COMPILATION
#define SERRANO_CONVERSION_COMPILATION

include "mlir/Pass/PassBase.td"

/// What a program is compiled for. Compilation.h copies these.
defvar compilationOptions = [
    Option<"target", "target", "std::string", "\"serrano-1\"", "name or file of the target">,
    Option<"precision", "precision", "std::string", "\"bf16\"",
           "element type of weights and matrix operands: f32 or bf16">,
    Option<"maxTokens", "max-tokens", "int64_t", "128",
           "most tokens of one run, over all sequences">,
    Option<"maxSequences", "max-sequences", "int64_t", "8", "most sequences of one run">,
    Option<"maxContext", "max-context", "int64_t", "2048", "most tokens of a sequence">];

#endif // SERRANO_CONVERSION_COMPILATION
