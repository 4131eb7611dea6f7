//===- TileAttributes.td - attributes -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_TILEATTRIBUTES
#define SERRANO_DIALECTS_TILE_TILEATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "dialects/Tile/TileEnums.td"

def Tile_ChoicesAttr : AttrDef<Tile_Dialect, "Choices"> {
  let mnemonic = "choices";
  let summary = "what was chosen for a model on a target";
  let description = [{
    A number for each choice that is made, in the order of `Tile_Choice`:

    ```mlir
    #tile.choices<rows = 128, accumulators = 4, carry_norms = 1>
    ```

    `convert-llm-to-tile` obeys the module's `tile.choices`, decides by its rules what is
    not in it, and leaves `tile.made` instead, which says what its kernels have done. A number out
    of its range is an error, and so is one that a kernel cannot work with. A choice that no kernel
    has to make is warned of.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$values);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// In `values`: no choice is made.
    static constexpr int64_t open = -1;
    static constexpr size_t count = getMaxEnumValForChoice() + 1;

    /// Nothing is chosen.
    static ChoicesAttr get(::mlir::MLIRContext *context);
    /// What is chosen for a module; nothing if it does not say.
    static ChoicesAttr of(::mlir::Operation *module);
    /// What the kernels of a module have done; nothing if it does not say.
    static ChoicesAttr madeOf(::mlir::Operation *module);
    std::optional<int64_t> get(Choice choice) const;
    /// These with `value` for `choice`.
    ChoicesAttr with(Choice choice, std::optional<int64_t> value) const;
  }];
}

#endif // SERRANO_DIALECTS_TILE_TILEATTRIBUTES
