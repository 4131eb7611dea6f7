//===- TileEnums.td - functions of the engines -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_TILEENUMS
#define SERRANO_DIALECTS_TILE_TILEENUMS

include "mlir/IR/EnumAttr.td"
include "dialects/Tile/TileDialect.td"

class Tile_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::serrano::tile";
  let genSpecializedAttr = 0;
}

// The names of the functions are those of the instruction set.

def Tile_UnaryFunction : Tile_Enum<"UnaryFunction", "function of one element", [
  I32EnumAttrCase<"Copy", 0, "copy">,
  I32EnumAttrCase<"Neg", 1, "neg">,
  I32EnumAttrCase<"Abs", 2, "abs">,
  I32EnumAttrCase<"Sqrt", 3, "sqrt">,
  I32EnumAttrCase<"Rsqrt", 4, "rsqrt">,
  I32EnumAttrCase<"Reciprocal", 5, "reciprocal">,
  I32EnumAttrCase<"Exp", 6, "exp">,
  I32EnumAttrCase<"Log", 7, "log">,
  I32EnumAttrCase<"Tanh", 8, "tanh">,
  I32EnumAttrCase<"Sigmoid", 9, "sigmoid">,
  I32EnumAttrCase<"Erf", 10, "erf">,
  I32EnumAttrCase<"Sin", 11, "sin">,
  I32EnumAttrCase<"Cos", 12, "cos">,
  I32EnumAttrCase<"Floor", 13, "floor">,
  I32EnumAttrCase<"Ceil", 14, "ceil">,
  I32EnumAttrCase<"Round", 15, "round">,
  I32EnumAttrCase<"Not", 16, "not">,
  I32EnumAttrCase<"Isnan", 17, "isnan">,
  I32EnumAttrCase<"Silu", 18, "silu">,
  I32EnumAttrCase<"Gelu", 19, "gelu">,
  I32EnumAttrCase<"GeluTanh", 20, "gelu_tanh">]>;
def Tile_UnaryFunctionAttr : EnumAttr<Tile_Dialect, Tile_UnaryFunction, "unary_function">;

def Tile_BinaryFunction : Tile_Enum<"BinaryFunction", "function of two elements", [
  I32EnumAttrCase<"Add", 0, "add">,
  I32EnumAttrCase<"Sub", 1, "sub">,
  I32EnumAttrCase<"Mul", 2, "mul">,
  I32EnumAttrCase<"Div", 3, "div">,
  I32EnumAttrCase<"Max", 4, "max">,
  I32EnumAttrCase<"Min", 5, "min">,
  I32EnumAttrCase<"Pow", 6, "pow">,
  I32EnumAttrCase<"Mod", 7, "mod">,
  I32EnumAttrCase<"Eq", 8, "eq">,
  I32EnumAttrCase<"Lt", 9, "lt">,
  I32EnumAttrCase<"Le", 10, "le">,
  I32EnumAttrCase<"And", 11, "and">,
  I32EnumAttrCase<"Or", 12, "or">,
  I32EnumAttrCase<"Xor", 13, "xor">,
  I32EnumAttrCase<"Shl", 14, "shl">,
  I32EnumAttrCase<"Shr", 15, "shr">]>;
def Tile_BinaryFunctionAttr : EnumAttr<Tile_Dialect, Tile_BinaryFunction, "binary_function">;

def Tile_TernaryFunction : Tile_Enum<"TernaryFunction", "function of three elements", [
  I32EnumAttrCase<"Fma", 0, "fma">,
  I32EnumAttrCase<"Select", 1, "select">]>;
def Tile_TernaryFunctionAttr : EnumAttr<Tile_Dialect, Tile_TernaryFunction, "ternary_function">;

def Tile_ReduceFunction : Tile_Enum<"ReduceFunction", "reduction of a row", [
  I32EnumAttrCase<"Sum", 0, "sum">,
  I32EnumAttrCase<"Sumsq", 1, "sumsq">,
  I32EnumAttrCase<"Max", 2, "max">,
  I32EnumAttrCase<"Min", 3, "min">]>;
def Tile_ReduceFunctionAttr : EnumAttr<Tile_Dialect, Tile_ReduceFunction, "reduce_function">;

def Tile_TensorRole : Tile_Enum<"TensorRole", "what a tensor outside the core is for", [
  I32EnumAttrCase<"Input", 0, "input">,
  I32EnumAttrCase<"Output", 1, "output">,
  I32EnumAttrCase<"Constant", 2, "constant">,
  I32EnumAttrCase<"Temporary", 3, "temporary">,
  I32EnumAttrCase<"Cache", 4, "cache">]>;
def Tile_TensorRoleAttr : EnumAttr<Tile_Dialect, Tile_TensorRole, "tensor_role">;

def Tile_LimitKind : Tile_Enum<"LimitKind", "what a program has room for", [
  I32EnumAttrCase<"Tokens", 0, "tokens">,
  I32EnumAttrCase<"Sequences", 1, "sequences">,
  I32EnumAttrCase<"RowTokens", 2, "row_tokens">]>;
def Tile_LimitKindAttr : EnumAttr<Tile_Dialect, Tile_LimitKind, "limit_kind">;

// What docs/Kernels.md says of each; Choices.cpp has their ranges.
def Tile_Choice : Tile_Enum<"Choice", "what is chosen for a model on a target", [
  I32EnumAttrCase<"Rows", 0, "rows">,
  I32EnumAttrCase<"Accumulators", 1, "accumulators">,
  I32EnumAttrCase<"WrittenUnits", 2, "written_units">,
  I32EnumAttrCase<"InterleaveGate", 3, "interleave_gate">,
  I32EnumAttrCase<"CarryNorms", 4, "carry_norms">,
  I32EnumAttrCase<"Pieces", 5, "pieces">,
  I32EnumAttrCase<"StagedBlocks", 6, "staged_blocks">,
  I32EnumAttrCase<"SoftmaxBlocks", 7, "softmax_blocks">,
  I32EnumAttrCase<"Lanes", 8, "lanes">,
  I32EnumAttrCase<"CacheTiles", 9, "cache_tiles">,
  I32EnumAttrCase<"QueryTokens", 10, "query_tokens">,
  I32EnumAttrCase<"EncoderKeys", 11, "encoder_keys">,
  I32EnumAttrCase<"EncoderQueries", 12, "encoder_queries">,
  I32EnumAttrCase<"EncoderLanes", 13, "encoder_lanes">,
  I32EnumAttrCase<"StationaryRows", 14, "stationary_rows">,
  I32EnumAttrCase<"ValuesByBlock", 15, "values_by_block">,
  I32EnumAttrCase<"StationaryProbabilities", 16, "stationary_probabilities">]>;

#endif // SERRANO_DIALECTS_TILE_TILEENUMS
