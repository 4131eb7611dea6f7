//===- LlmDialect.td - the llm dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_LLMDIALECT
#define SERRANO_DIALECTS_LLM_LLMDIALECT

include "mlir/IR/OpBase.td"

def Llm_Dialect : Dialect {
  let name = "llm";
  let cppNamespace = "::serrano::llm";
  let summary = "what a transformer computes, on tensors";
  let description = [{
    Operations say what the model computes, whatever the target. Tensors may
    have symbolic extents; a type with a dynamic dimension carries the extents
    of all its dimensions as its encoding (`#llm.dims`), so the shape of every
    value is known as an expression over the extents of the function's
    arguments. No operation takes a shape as an operand.

    Weights are module-level symbols (`llm.weight`) that say where in which
    file the bytes are; their values are never in the IR.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    /// On an argument or result of a function: its name in the source model.
    static constexpr llvm::StringLiteral kNameAttr = "llm.name";
    /// On an argument of a step function: what the runtime passes there, one of
    /// "token_ids", "positions", "query_starts", "kv_lengths", "block_tables",
    /// "logit_rows".
    static constexpr llvm::StringLiteral kRoleAttr = "llm.role";
    /// On a function that the runtime calls: "graph" or "step".
    static constexpr llvm::StringLiteral kEntryAttr = "llm.entry";
    /// On the module: the folder to which the weights' files are relative.
    static constexpr llvm::StringLiteral kDirectoryAttr = "llm.directory";
  }];
}

class Llm_Op<string mnemonic, list<Trait> traits = []> :
    Op<Llm_Dialect, mnemonic, traits>;

#endif // SERRANO_DIALECTS_LLM_LLMDIALECT
