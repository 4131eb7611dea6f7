//===- LlmEnums.td - which function an elementwise or reducing op computes -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_LLMENUMS
#define SERRANO_DIALECTS_LLM_LLMENUMS

include "mlir/IR/EnumAttr.td"
include "dialects/Llm/LlmDialect.td"

class Llm_Enum<string name, string summary, list<I32EnumCase> cases> :
    I32Enum<name, summary, cases> {
  let cppNamespace = "::serrano::llm";
}

def Llm_UnaryKind : Llm_Enum<"UnaryKind", "function of one element", [
  I32EnumCase<"Neg", 0, "neg">,
  I32EnumCase<"Abs", 1, "abs">,
  I32EnumCase<"Sqrt", 2, "sqrt">,
  I32EnumCase<"Reciprocal", 3, "reciprocal">,
  I32EnumCase<"Exp", 4, "exp">,
  I32EnumCase<"Log", 5, "log">,
  I32EnumCase<"Sin", 6, "sin">,
  I32EnumCase<"Cos", 7, "cos">,
  I32EnumCase<"Erf", 8, "erf">,
  I32EnumCase<"Tanh", 9, "tanh">,
  I32EnumCase<"Sigmoid", 10, "sigmoid">,
  I32EnumCase<"Relu", 11, "relu">,
  I32EnumCase<"Not", 12, "not">,
  I32EnumCase<"Silu", 13, "silu">,
  I32EnumCase<"GeluErf", 14, "gelu_erf">,
  I32EnumCase<"GeluTanh", 15, "gelu_tanh">
]>;

def Llm_BinaryKind : Llm_Enum<"BinaryKind", "function of two elements", [
  I32EnumCase<"Add", 0, "add">,
  I32EnumCase<"Sub", 1, "sub">,
  I32EnumCase<"Mul", 2, "mul">,
  I32EnumCase<"Div", 3, "div">,
  I32EnumCase<"Pow", 4, "pow">,
  I32EnumCase<"Min", 5, "min">,
  I32EnumCase<"Max", 6, "max">,
  I32EnumCase<"And", 7, "and">,
  I32EnumCase<"Or", 8, "or">,
  I32EnumCase<"Xor", 9, "xor">
]>;

def Llm_CompareKind : Llm_Enum<"CompareKind", "comparison of two elements", [
  I32EnumCase<"Eq", 0, "eq">,
  I32EnumCase<"Ne", 1, "ne">,
  I32EnumCase<"Lt", 2, "lt">,
  I32EnumCase<"Le", 3, "le">,
  I32EnumCase<"Gt", 4, "gt">,
  I32EnumCase<"Ge", 5, "ge">
]>;

def Llm_ReduceKind : Llm_Enum<"ReduceKind", "how elements are combined", [
  I32EnumCase<"Sum", 0, "sum">,
  I32EnumCase<"Mean", 1, "mean">,
  I32EnumCase<"Max", 2, "max">,
  I32EnumCase<"Min", 3, "min">
]>;

class Llm_EnumAttr<EnumInfo info, string mnemonic> : EnumAttr<Llm_Dialect, info, mnemonic> {
  let assemblyFormat = "$value";
}
def Llm_UnaryKindAttr : Llm_EnumAttr<Llm_UnaryKind, "unary_kind">;
def Llm_BinaryKindAttr : Llm_EnumAttr<Llm_BinaryKind, "binary_kind">;
def Llm_CompareKindAttr : Llm_EnumAttr<Llm_CompareKind, "compare_kind">;
def Llm_ReduceKindAttr : Llm_EnumAttr<Llm_ReduceKind, "reduce_kind">;

#endif // SERRANO_DIALECTS_LLM_LLMENUMS
