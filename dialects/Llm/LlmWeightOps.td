//===- LlmWeightOps.td - weights and constants of a model -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_LLMWEIGHTOPS
#define SERRANO_DIALECTS_LLM_LLMWEIGHTOPS

include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Llm/LlmAttributes.td"

def Llm_Tensor : Type<CPred<"::llvm::isa<::mlir::RankedTensorType>($_self)">,
    "ranked tensor", "::mlir::RankedTensorType">;
def Llm_BoolTensor : Type<And<[Llm_Tensor.predicate,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).getElementType().isInteger(1)">]>,
    "ranked tensor of i1", "::mlir::RankedTensorType">;
def Llm_IntegerTensor : Type<And<[Llm_Tensor.predicate,
    CPred<"::llvm::isa<::mlir::IntegerType>(::llvm::cast<::mlir::RankedTensorType>($_self).getElementType())">]>,
    "ranked tensor of integers", "::mlir::RankedTensorType">;
def Llm_FloatTensor : Type<And<[Llm_Tensor.predicate,
    CPred<"::llvm::isa<::mlir::FloatType>(::llvm::cast<::mlir::RankedTensorType>($_self).getElementType())">]>,
    "ranked tensor of floats", "::mlir::RankedTensorType">;

def Llm_WeightOp : Llm_Op<"weight", [Symbol]> {
  let summary = "where the values of a weight are";
  let description = [{
    Names a constant tensor whose bytes are in a file. A transposed, sliced or
    reshaped weight is another view of the same bytes; several views are
    concatenated along `axis`. Files are relative to the module's
    `llm.directory`. The bytes are read when they are packed into the program;
    before that, raising looks into tables of at most 16 MB whose meaning is in
    their values, masks and angles, where their file is mapped.

    ```mlir
    llm.weight private @wq : tensor<576x576xf32> from
      [#llm.view<"model.onnx.data", offset = 0, length = 1327104, shape = [576, 576], strides = [1, 576]>]
    ```

    Verified: the type is static; the views' shapes together are the type's
    shape; every element lies inside its view's `length` bytes.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Llm_Tensor>:$type,
    Llm_ViewArrayAttr:$views, OptionalAttr<I64Attr>:$axis, OptionalAttr<StrAttr>:$sym_visibility);
  let assemblyFormat = [{
    custom<Visibility>($sym_visibility) $sym_name `:` $type `from` $views (`axis` $axis^)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() { return ::llvm::cast<::mlir::RankedTensorType>(getType()); }
    /// What the source model calls it, which its symbol is made of; the symbol if
    /// the location has no name.
    ::llvm::StringRef getModelName();
  }];
}

def Llm_GetWeightOp : Llm_Op<"get_weight",
    [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the tensor of a weight";
  let description = [{
    ```mlir
    %0 = llm.get_weight @wq : tensor<576x576xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$name);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$name attr-dict `:` type($result)";
}

def Llm_ExtentsOp : Llm_Op<"extents", [Pure]> {
  let summary = "extents as the elements of a tensor";
  let description = [{
    Yields a scalar or a vector of integers whose values are known extents. It
    is what is left of shape arithmetic whose result is used as data.

    ```mlir
    %0 = llm.extents [past + seq] : tensor<i64>
    ```
  }];
  let arguments = (ins Llm_DimsAttr:$values);
  let results = (outs Llm_IntegerTensor:$result);
  let assemblyFormat = "custom<Extents>($values) attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Llm_IotaOp : Llm_Op<"iota", [Pure]> {
  let summary = "a vector of integers that count up";
  let description = [{
    Element `i` is `start + i * step`; the result's type says how many there are.

    ```mlir
    %0 = llm.iota from [past] step 1 : tensor<?xi64, #llm.dims<[seq]>>
    ```
  }];
  let arguments = (ins Llm_DimsAttr:$start, I64Attr:$step);
  let results = (outs Llm_IntegerTensor:$result);
  let assemblyFormat = "`from` custom<Extents>($start) `step` $step attr-dict `:` type($result)";
  let hasVerifier = 1;
}

#endif // SERRANO_DIALECTS_LLM_LLMWEIGHTOPS
