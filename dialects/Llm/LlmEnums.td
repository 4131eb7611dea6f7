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

class Llm_Enum<string name, string summary, list<I32EnumAttrCase> cases> :
    I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::serrano::llm";
}

def Llm_UnaryKind : Llm_Enum<"UnaryKind", "function of one element", [
  I32EnumAttrCase<"Neg", 0, "neg">,
  I32EnumAttrCase<"Abs", 1, "abs">,
  I32EnumAttrCase<"Sqrt", 2, "sqrt">,
  I32EnumAttrCase<"Reciprocal", 3, "reciprocal">,
  I32EnumAttrCase<"Exp", 4, "exp">,
  I32EnumAttrCase<"Log", 5, "log">,
  I32EnumAttrCase<"Sin", 6, "sin">,
  I32EnumAttrCase<"Cos", 7, "cos">,
  I32EnumAttrCase<"Erf", 8, "erf">,
  I32EnumAttrCase<"Tanh", 9, "tanh">,
  I32EnumAttrCase<"Sigmoid", 10, "sigmoid">,
  I32EnumAttrCase<"Relu", 11, "relu">,
  I32EnumAttrCase<"Not", 12, "not">,
  I32EnumAttrCase<"Silu", 13, "silu">,
  I32EnumAttrCase<"GeluErf", 14, "gelu_erf">,
  I32EnumAttrCase<"GeluTanh", 15, "gelu_tanh">
]>;

def Llm_BinaryKind : Llm_Enum<"BinaryKind", "function of two elements", [
  I32EnumAttrCase<"Add", 0, "add">,
  I32EnumAttrCase<"Sub", 1, "sub">,
  I32EnumAttrCase<"Mul", 2, "mul">,
  I32EnumAttrCase<"Div", 3, "div">,
  I32EnumAttrCase<"Pow", 4, "pow">,
  I32EnumAttrCase<"Min", 5, "min">,
  I32EnumAttrCase<"Max", 6, "max">,
  I32EnumAttrCase<"And", 7, "and">,
  I32EnumAttrCase<"Or", 8, "or">,
  I32EnumAttrCase<"Xor", 9, "xor">
]>;

def Llm_CompareKind : Llm_Enum<"CompareKind", "comparison of two elements", [
  I32EnumAttrCase<"Eq", 0, "eq">,
  I32EnumAttrCase<"Ne", 1, "ne">,
  I32EnumAttrCase<"Lt", 2, "lt">,
  I32EnumAttrCase<"Le", 3, "le">,
  I32EnumAttrCase<"Gt", 4, "gt">,
  I32EnumAttrCase<"Ge", 5, "ge">
]>;

def Llm_ReduceKind : Llm_Enum<"ReduceKind", "how elements are combined", [
  I32EnumAttrCase<"Sum", 0, "sum">,
  I32EnumAttrCase<"Mean", 1, "mean">,
  I32EnumAttrCase<"Max", 2, "max">,
  I32EnumAttrCase<"Min", 3, "min">
]>;

#endif // SERRANO_DIALECTS_LLM_LLMENUMS
