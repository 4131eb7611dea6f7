//===- LlmTensorOps.td - ordinary tensor operations that exporters write -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_LLMTENSOROPS
#define SERRANO_DIALECTS_LLM_LLMTENSOROPS

include "dialects/Llm/LlmWeightOps.td"

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

def Llm_UnaryOp : Llm_Op<"unary", [Pure, AllTypesMatch<["operand", "result"]>]> {
  let summary = "a function of each element";
  let description = [{
    `silu(x) = x * sigmoid(x)`; `gelu_erf(x) = x/2 * (1 + erf(x / sqrt(2)))`;
    `gelu_tanh(x) = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))`. `not`
    takes booleans, `neg`, `abs` and `relu` any numbers, the others floats.

    ```mlir
    %1 = llm.unary silu %0 : tensor<?x1536xf32, #llm.dims<[tokens, 1536]>>
    ```
  }];
  let arguments = (ins Llm_UnaryKind:$kind, Llm_Tensor:$operand);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$kind $operand attr-dict `:` type($operand)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Llm_BinaryOp : Llm_Op<"binary", [Pure]> {
  let summary = "a function of pairs of elements, with broadcasting";
  let description = [{
    Shapes are aligned at their last dimension; a dimension of extent 1, or one
    that is missing, is repeated. `and`, `or` and `xor` take booleans; integer
    division rounds towards zero. The exponent of `pow` may have another type
    than the base.

    ```mlir
    %2 = llm.binary mul %0, %1 : (tensor<?x64xf32, #llm.dims<[seq, 64]>>, tensor<64xf32>)
      -> tensor<?x64xf32, #llm.dims<[seq, 64]>>
    ```
  }];
  let arguments = (ins Llm_BinaryKind:$kind, Llm_Tensor:$lhs, Llm_Tensor:$rhs);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$kind $lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Llm_CompareOp : Llm_Op<"compare", [Pure]> {
  let summary = "a comparison of pairs of elements, with broadcasting";
  let description = [{
    Floats compare as IEEE 754 says: every comparison with a NaN is false,
    except `ne`. So `compare ne %x, %x` asks for NaNs.
  }];
  let arguments = (ins Llm_CompareKind:$kind, Llm_Tensor:$lhs, Llm_Tensor:$rhs);
  let results = (outs Llm_BoolTensor:$result);
  let assemblyFormat = "$kind $lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Llm_SelectOp : Llm_Op<"select", [Pure]> {
  let summary = "one of two values for each element, with broadcasting";
  let arguments = (ins Llm_BoolTensor:$condition, Llm_Tensor:$true_value, Llm_Tensor:$false_value);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$condition `,` $true_value `,` $false_value attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Llm_CastOp : Llm_Op<"cast", [Pure]> {
  let summary = "a conversion of each element";
  let description = [{
    Between floats: rounds to nearest even. Float to integer: towards zero.
    To boolean: whether the element is not zero. All integers are signed except
    i1 and `ui8`.
  }];
  let arguments = (ins Llm_Tensor:$operand);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Contractions and reductions
//===----------------------------------------------------------------------===//

def Llm_MatmulOp : Llm_Op<"matmul", [Pure]> {
  let summary = "a product of two stacks of matrices";
  let description = [{
    `result[b..., i, j] = sum_k lhs[b..., i, k] * rhs[b..., k, j]`; the leading
    dimensions broadcast. Both operands have rank 2 or more.
  }];
  let arguments = (ins Llm_FloatTensor:$lhs, Llm_FloatTensor:$rhs);
  let results = (outs Llm_FloatTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Llm_ReduceOp : Llm_Op<"reduce", [Pure]> {
  let summary = "a reduction over some dimensions";
  let description = [{
    The reduced dimensions have extent 1 in the result, or are dropped if
    `drop_axes` is set. `axes` are sorted and not negative.
  }];
  let arguments = (ins Llm_ReduceKind:$kind, Llm_Tensor:$operand, DenseI64ArrayAttr:$axes, UnitAttr:$drop_axes);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = [{
    $kind $operand `over` $axes (`drop` $drop_axes^)? attr-dict `:` type($operand) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Llm_SoftmaxOp : Llm_Op<"softmax", [Pure, AllTypesMatch<["operand", "result"]>]> {
  let summary = "softmax along one dimension";
  let arguments = (ins Llm_FloatTensor:$operand, I64Attr:$axis);
  let results = (outs Llm_FloatTensor:$result);
  let assemblyFormat = "$operand `over` $axis attr-dict `:` type($operand)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

def Llm_ReshapeOp : Llm_Op<"reshape", [Pure]> {
  let summary = "the same elements in row-major order with another shape";
  let description = "The product of the extents is the same on both sides.";
  let arguments = (ins Llm_Tensor:$operand);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Llm_TransposeOp : Llm_Op<"transpose", [Pure]> {
  let summary = "a permutation of dimensions";
  let description = "Dimension `i` of the result is dimension `permutation[i]` of the operand.";
  let arguments = (ins Llm_Tensor:$operand, DenseI64ArrayAttr:$permutation);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$operand $permutation attr-dict `:` type($operand) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$operand, "::llvm::ArrayRef<int64_t>":$permutation)>];
}

def Llm_BroadcastOp : Llm_Op<"broadcast", [Pure]> {
  let summary = "a tensor repeated along dimensions of extent 1 and new leading ones";
  let arguments = (ins Llm_Tensor:$operand);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Llm_ConcatOp : Llm_Op<"concat", [Pure]> {
  let summary = "tensors one after the other along one dimension";
  let arguments = (ins Variadic<Llm_Tensor>:$operands, I64Attr:$axis);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$operands `along` $axis attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Llm_SliceOp : Llm_Op<"slice", [Pure]> {
  let summary = "a strided part of a tensor";
  let description = [{
    Element `i` of a dimension of the result is element `offset + i * step` of
    the operand's; the result's type says how many there are. Steps may be
    negative.

    ```mlir
    %1 = llm.slice %0 at [0, 64] steps [1, 1] : tensor<8x128xf32> to tensor<8x64xf32>
    ```
  }];
  let arguments = (ins Llm_Tensor:$operand, Llm_DimsAttr:$offsets, DenseI64ArrayAttr:$steps);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = [{
    $operand `at` custom<Extents>($offsets) `steps` $steps attr-dict `:` type($operand) `to` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Llm_GatherOp : Llm_Op<"gather", [Pure]> {
  let summary = "slices of a tensor chosen by indices along one dimension";
  let description = [{
    The dimension `axis` of the operand is replaced by the dimensions of
    `indices`. A negative index counts from the end.
  }];
  let arguments = (ins Llm_Tensor:$operand, Llm_IntegerTensor:$indices, I64Attr:$axis);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$operand `[` $indices `]` `along` $axis attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Llm_GatherNdOp : Llm_Op<"gather_nd", [Pure]> {
  let summary = "slices of a tensor chosen by index vectors";
  let description = [{
    The last dimension of `indices`, of static extent `n`, indexes the first `n`
    dimensions of the operand. The result has the other dimensions of `indices`,
    then the other dimensions of the operand.
  }];
  let arguments = (ins Llm_Tensor:$operand, Llm_IntegerTensor:$indices);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$operand `[` $indices `]` attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // SERRANO_DIALECTS_LLM_LLMTENSOROPS
