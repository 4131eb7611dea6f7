//===- TileEngineOps.td - work of the matrix and vector engines -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_TILEENGINEOPS
#define SERRANO_DIALECTS_TILE_TILEENGINEOPS

include "dialects/Tile/TileMemoryOps.td"

class Reads<Type type = Tile_Slot> : Arg<type, "", [MemRead]>;
class Writes<Type type = Tile_Slot> : Arg<type, "", [MemWrite]>;
class Updates<Type type = Tile_Slot> : Arg<type, "", [MemRead, MemWrite]>;

//===----------------------------------------------------------------------===//
// Matrix engine
//===----------------------------------------------------------------------===//

// The weights in the array are a resource of their own: what a load writes and a
// matmul reads.
def Tile_ArrayResource : Resource<"::serrano::tile::ArrayResource">;

def Tile_LoadWeightsOp : Tile_Op<"load_weights", [MemoryEffects<[MemWrite<Tile_ArrayResource>]>]> {
  let summary = "load a tile of weights into the array";
  let description = [{
    The k x n weights that the following `tile.matmul`s use. With `transpose` the
    tile has n rows of k elements.

    ```mlir
    tile.load_weights %w k %k n %n : memref<128x128xbf16>
    ```
  }];
  let arguments = (ins Reads<>:$weights, Tile_Dim:$k, Tile_Dim:$n, UnitAttr:$transpose);
  let assemblyFormat = "$weights `k` $k `n` $n (`transpose` $transpose^)? attr-dict `:` type($weights)";
  let hasVerifier = 1;
}

def Tile_MatmulOp : Tile_Op<"matmul", [MemoryEffects<[MemRead<Tile_ArrayResource>]>]> {
  let summary = "multiply rows by the weights in the array";
  let description = [{
    `acc[r][c] = (accumulate ? acc[r][c] : 0) + sum_k x[r][k] * weights[k][c]` for
    r < m, k ascending. With `limit`, row r uses only the first
    `limit + r / group` of the k. With `transpose`, `x` holds k rows of m elements.

    ```mlir
    tile.matmul %x to %acc m %t : memref<512x128xbf16>, memref<512x128xf32>
    ```
  }];
  let arguments = (ins Reads<>:$moving, Updates<>:$acc, Tile_Dim:$m, Optional<Tile_Dim>:$limit,
    DefaultValuedAttr<I64Attr, "1">:$group, UnitAttr:$accumulate, UnitAttr:$transpose);
  let assemblyFormat = [{
    $moving `to` $acc `m` $m (`limit` $limit^)? (`accumulate` $accumulate^)? (`transpose` $transpose^)? attr-dict
    `:` type($moving) `,` type($acc)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Vector engine
//===----------------------------------------------------------------------===//

class Tile_VectorOp<string mnemonic, dag operands, list<Trait> traits = []>
    : Tile_Op<mnemonic, traits> {
  let arguments = !con(operands, (ins Tile_Dim:$rows, Tile_Dim:$cols));
  let hasVerifier = 1;
}

def Tile_UnaryOp : Tile_VectorOp<"unary", (ins Tile_UnaryFunctionAttr:$function, Reads<>:$a, Writes<>:$dst)> {
  let summary = "dst = function(a), element by element";
  let assemblyFormat = [{
    $function $a `to` $dst `rows` $rows `cols` $cols attr-dict `:` type($a) `,` type($dst)
  }];
}

def Tile_BinaryOp : Tile_VectorOp<"binary",
    (ins Tile_BinaryFunctionAttr:$function, Reads<>:$a, Reads<>:$b, Writes<>:$dst)> {
  let summary = "dst = function(a, b), element by element";
  let assemblyFormat = [{
    $function $a `,` $b `to` $dst `rows` $rows `cols` $cols attr-dict
    `:` type($a) `,` type($b) `,` type($dst)
  }];
}

def Tile_ScalarOp : Tile_VectorOp<"scalar",
    (ins Tile_BinaryFunctionAttr:$function, Reads<>:$a, F32Attr:$value, Writes<>:$dst, UnitAttr:$reverse)> {
  let summary = "dst = function(a, value), or function(value, a) with `reverse`";
  let assemblyFormat = [{
    $function (`reverse` $reverse^)? $a `,` $value `to` $dst `rows` $rows `cols` $cols attr-dict
    `:` type($a) `,` type($dst)
  }];
}

def Tile_TernaryOp : Tile_VectorOp<"ternary",
    (ins Tile_TernaryFunctionAttr:$function, Reads<>:$a, Reads<>:$b, Reads<>:$c, Writes<>:$dst)> {
  let summary = "dst = function(a, b, c), element by element";
  let assemblyFormat = [{
    $function $a `,` $b `,` $c `to` $dst `rows` $rows `cols` $cols attr-dict
    `:` type($a) `,` type($b) `,` type($c) `,` type($dst)
  }];
}

def Tile_FillOp : Tile_VectorOp<"fill", (ins F32Attr:$value, Writes<>:$dst)> {
  let summary = "dst = value";
  let assemblyFormat = "$value `to` $dst `rows` $rows `cols` $cols attr-dict `:` type($dst)";
}

def Tile_ReduceOp : Tile_VectorOp<"reduce",
    (ins Tile_ReduceFunctionAttr:$function, Reads<>:$a, Updates<>:$dst, UnitAttr:$accumulate)> {
  let summary = "dst[r] = reduction of row r of a, combined with dst[r] if `accumulate`";
  let assemblyFormat = [{
    $function $a `to` $dst (`accumulate` $accumulate^)? `rows` $rows `cols` $cols attr-dict
    `:` type($a) `,` type($dst)
  }];
}

def Tile_SoftmaxOp : Tile_VectorOp<"softmax",
    (ins Reads<>:$scores, Writes<>:$dst, Updates<>:$state, F32Attr:$scale, Tile_Dim:$limit,
         DefaultValuedAttr<I64Attr, "1">:$group, DefaultValuedAttr<I64Attr, "0">:$window)> {
  let summary = "one block of an online softmax";
  let description = [{
    `state` holds three f32 per row: maximum, sum and correction factor. Row r has
    `limit + r / group` valid columns; `v.softmax` of the instruction set says
    exactly what is computed.
  }];
  let assemblyFormat = [{
    $scores `to` $dst `state` $state `scale` $scale `limit` $limit `rows` $rows `cols` $cols attr-dict
    `:` type($scores) `,` type($dst) `,` type($state)
  }];
}

def Tile_RopeOp : Tile_VectorOp<"rope",
    (ins Reads<>:$a, Reads<>:$cosine, Reads<>:$sine, Writes<>:$dst, I64Attr:$heads, I64Attr:$rotary,
         I64Attr:$head_stride)> {
  let summary = "rotary position embedding of `heads` heads of `cols` elements";
  let description = [{
    Head h of a row of `dst` is `head_stride` elements after head h - 1.
  }];
  let assemblyFormat = [{
    $a `,` $cosine `,` $sine `to` $dst `heads` $heads `rotary` $rotary `head_stride` $head_stride
    `rows` $rows `cols` $cols attr-dict
    `:` type($a) `,` type($cosine) `,` type($sine) `,` type($dst)
  }];
}

#endif // SERRANO_DIALECTS_TILE_TILEENGINEOPS
