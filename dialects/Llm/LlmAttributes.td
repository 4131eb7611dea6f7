//===- LlmAttributes.td - extents, dims and views -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_LLMATTRIBUTES
#define SERRANO_DIALECTS_LLM_LLMATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/TensorEncoding.td"
include "dialects/Llm/LlmDialect.td"
include "dialects/Llm/LlmEnums.td"

class Llm_Attr<string name, string attrMnemonic, list<Trait> traits = []> :
    AttrDef<Llm_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Llm_ExtentAttr : Llm_Attr<"Extent", "extent"> {
  let summary = "the size of a dimension: an integer polynomial over named symbols";
  let description = [{
    A sum of terms, each an integer times a product of symbols:

    ```mlir
    #llm.extent<past + seq>
    #llm.extent<2 * batch * seq - 1>
    #llm.extent<576>
    ```

    Symbols are the names of the model's symbolic dimensions; a name that is not
    an identifier is written as a string. The form is canonical (terms sorted by
    their symbols, the constant last, no zero terms), so two equal extents are
    the same attribute.
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t">:$coefficients,
    ArrayRefParameter<"::mlir::ArrayAttr">:$monomials);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    static ExtentAttr getConstant(::mlir::MLIRContext *context, int64_t value);
    static ExtentAttr getSymbol(::mlir::MLIRContext *context, llvm::StringRef name);
    /// Parses the form that a printed extent has; null if `text` is not one or
    /// has a problem.
    static ExtentAttr fromString(::mlir::MLIRContext *context, llvm::StringRef text);

    /// What keeps the result of a computation from being an extent, as that it
    /// does not fit 64 bits; whatever is computed with it has the same problem.
    std::optional<llvm::StringRef> getProblem() const;

    /// The value, if it depends on no symbol.
    std::optional<int64_t> getConstantValue() const;
    bool isConstant(int64_t value) const { return getConstantValue() == value; }
    /// The name, if the extent is one symbol.
    std::optional<llvm::StringRef> getSymbolName() const;
    /// All symbols, sorted by name.
    llvm::SmallVector<::mlir::StringAttr> getSymbols() const;
    /// The quotient, if the division leaves no remainder for any value of the symbols.
    std::optional<ExtentAttr> dividedBy(ExtentAttr divisor) const;
    /// The extent with each symbol that `values` maps replaced by its value.
    ExtentAttr substitute(llvm::function_ref<ExtentAttr(::mlir::StringAttr)> values) const;
    std::string str() const;
  }];
}

def Llm_DimsAttr : Llm_Attr<"Dims", "dims",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "the extents of all dimensions of a tensor";
  let description = [{
    The encoding of a tensor type that has a dynamic dimension, and the offsets
    of a slice:

    ```mlir
    tensor<?x?x576xf32, #llm.dims<[batch, past + seq, 576]>>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"::serrano::llm::ExtentAttr">:$extents);
  let hasCustomAssemblyFormat = 1;
}

def Llm_ViewAttr : Llm_Attr<"View", "view"> {
  let summary = "a strided view of a file's bytes";
  let description = [{
    Element `[i, j, ...]` is at byte `offset + sizeof(element) * (i * strides[0]
    + j * strides[1] + ...)` of `file`. Elements are little-endian. `length` is
    the number of bytes from `offset` that belong to the tensor the view was cut
    from; no element lies beyond.

    ```mlir
    #llm.view<"model.onnx.data", offset = 4096, length = 1327104, shape = [576, 576], strides = [1, 576]>
    ```
  }];
  let parameters = (ins
    "::mlir::StringAttr":$file,
    "int64_t":$offset,
    "int64_t":$length,
    ArrayRefParameter<"int64_t">:$shape,
    ArrayRefParameter<"int64_t">:$strides);
  let assemblyFormat = [{
    `<` $file `,` `offset` `=` $offset `,` `length` `=` $length `,`
    `shape` `=` custom<Integers>($shape) `,` `strides` `=` custom<Integers>($strides) `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The row-major strides of `shape`.
    static llvm::SmallVector<int64_t> getRowMajorStrides(llvm::ArrayRef<int64_t> shape);
    bool isRowMajor() const { return getStrides() == llvm::ArrayRef(getRowMajorStrides(getShape())); }
  }];
}
def Llm_ViewArrayAttr : TypedArrayAttrBase<Llm_ViewAttr, "array of views">;

def Llm_SourceTensorAttr : Llm_Attr<"SourceTensor", "source_tensor"> {
  let summary = "a tensor of the source model that a result holds";
  let description = [{
    In the location of an operation, as metadata of a `fused` location: result
    `result` has the elements of the tensor that the source model calls `names`:
    one name, or in a function of equal layers one for each of them.

    ```mlir
    loc(fused<[#llm.source_tensor<0, ["q"]>]>["/attn/q_proj/MatMul"])
    #llm.source_tensor<0, ["q_t"], shape = <[batch, 9, seq, 64]>, strides = <[576 * seq, 64, 576, 1]>>
    ```

    Without `shape` and `strides` the tensor is the result. With them it is a
    view of it: of shape `shape`, its element `[i, j, ...]` the element
    `i * strides[0] + j * strides[1] + ...` of the result, counted in row-major
    order. So a tensor that differs from what is computed by transpositions and
    reshapes only is still known when these have gone.
  }];
  let parameters = (ins
    "unsigned":$result,
    "::mlir::ArrayAttr":$names,
    OptionalParameter<"::serrano::llm::DimsAttr">:$shape,
    OptionalParameter<"::serrano::llm::DimsAttr">:$strides);
  let assemblyFormat = [{
    `<` $result `,` $names (`,` `shape` `=` $shape^ `,` `strides` `=` $strides)? `>`
  }];
  let genVerifyDecl = 1;
}

#endif // SERRANO_DIALECTS_LLM_LLMATTRIBUTES
