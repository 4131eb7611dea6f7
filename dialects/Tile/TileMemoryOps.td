//===- TileMemoryOps.td - slots, tensors and the bytes between them -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_TILEMEMORYOPS
#define SERRANO_DIALECTS_TILE_TILEMEMORYOPS

include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Tile/TileEnums.td"
include "dialects/Tile/TileTypes.td"

//===----------------------------------------------------------------------===//
// What the program's interface and weights are
//===----------------------------------------------------------------------===//

def Tile_DimensionOp : Tile_Op<"dimension", [Symbol]> {
  let summary = "a symbolic dimension of an entry";
  let description = [{
    The runtime knows its value from the shapes of the inputs; it is at most
    `max`.

    ```mlir
    tile.dimension @batch max 8
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$max);
  let assemblyFormat = "$sym_name `max` $max attr-dict";
  let hasVerifier = 1;
}

def Tile_LimitOp : Tile_Op<"limit"> {
  let summary = "the largest value of an expression over dimensions";
  let description = [{
    The program was compiled with room for no more `tokens`, or `sequences`; the
    runtime refuses inputs beyond it and says which option of the compilation
    sets the limit. No option sets `row_tokens`, how long a row of a batch may be:
    a portion of the batch is at least one row, and the core holds no more.

    ```mlir
    tile.limit tokens "batch * seq" max 512
    ```
  }];
  let arguments = (ins Tile_LimitKindAttr:$of, StrAttr:$expression, I64Attr:$max);
  let assemblyFormat = "$of $expression `max` $max attr-dict";
  let hasVerifier = 1;
}

def Tile_PagedCacheOp : Tile_Op<"paged_cache"> {
  let summary = "how the blocks of a step's cache are counted";
  let description = [{
    The cache has `blocks` blocks, numbered as `block_tables` names them, of
    `block` tokens each; a sequence has at most `context` tokens. With it the
    runtime checks what a step is given.

    ```mlir
    tile.paged_cache block 128 blocks 64 context 1024
    ```
  }];
  let arguments = (ins I64Attr:$block, I64Attr:$blocks, I64Attr:$context);
  let assemblyFormat = "`block` $block `blocks` $blocks `context` $context attr-dict";
  let hasVerifier = 1;
}

def Tile_ExtentOp : Tile_Op<"extent", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a symbolic dimension in this run";
  let arguments = (ins FlatSymbolRefAttr:$dimension);
  let results = (outs Tile_Dim:$result);
  let assemblyFormat = "$dimension attr-dict";
}

def Tile_TensorOp : Tile_Op<"tensor", [Symbol]> {
  let summary = "a tensor outside the core";
  let description = [{
    Inputs and outputs carry the source model's `name`, its element type
    `dtype` as NumPy spells it there (f32, i64, ...) and `shape`, one expression
    over dimensions for each of the source's dimensions; the runtime converts
    elements to and from the element type of `type`, and stores them densely.
    `scalar` places a tensor in scalar memory, where the sequencer and the
    tables of `tile.gather` read it. `type` has room for the largest shape. The
    elements of a constant are those of `weight`, converted to `type`. Elements
    of an input with `below` are indices: not negative and less than that size.

    ```mlir
    tile.tensor @ids input "input_ids" "i64" ["batch", "seq"] below "30522" scalar : memref<1x512xi32>
    tile.tensor @table constant of @embeddings.word : memref<30522x384xbf16>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Tile_TensorRoleAttr:$role,
    OptionalAttr<StrAttr>:$name, OptionalAttr<StrAttr>:$dtype, OptionalAttr<StrArrayAttr>:$shape,
    UnitAttr:$scalar, OptionalAttr<SymbolRefAttr>:$weight, TypeAttrOf<Tile_Slot>:$type,
    OptionalAttr<StrAttr>:$below);
  let assemblyFormat = [{
    $sym_name $role ($name^ $dtype $shape)? (`below` $below^)? (`scalar` $scalar^)? (`of` $weight^)?
    `:` $type attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MemRefType getSlotType() { return ::llvm::cast<::mlir::MemRefType>(getType()); }
  }];
}

def Tile_PackedOp : Tile_Op<"packed", [Symbol]> {
  let summary = "weights in the order and form in which the matrix engine takes them";
  let description = [{
    The weights `weights`, in groups that one kernel takes in one go; `sizes` gives K
    and N of each weight, `groups` how many weights each group has (one each if it
    is left out; those of a group have the same K). A group is cut into blocks of up
    to `tile_n` columns: all its columns one after the other or, if its number is
    among `interleaved`, a block of each weight in turn. `narrow_at` gives, for each
    group, the place among its blocks of the last one, which is narrower than the
    others, or -1 for it to stay the last.

    The stream's tiles have room for `tile_k` x `tile_n` elements. Blocks are
    written into them like on a tape: rows as wide as the block without gaps, going
    on in the next tile where one is full (`dialects/Tile/WeightTape.h`). A group
    whose number is among `ends` leaves the rest of its last tile free; the last
    group does so in any case.

    ```mlir
    tile.packed @stream [@l0.q, @l0.k, @l0.gate, @l0.up] sizes [576, 576, 576, 192, 576, 1536, 576, 1536]
      tile 128 x 128 groups [2, 2] interleaved [1] ends [1] : bf16
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, SymbolRefArrayAttr:$weights,
    DenseI64ArrayAttr:$sizes, I64Attr:$tile_k, I64Attr:$tile_n,
    OptionalAttr<DenseI64ArrayAttr>:$groups, OptionalAttr<DenseI64ArrayAttr>:$interleaved,
    OptionalAttr<DenseI64ArrayAttr>:$narrow_at, OptionalAttr<DenseI64ArrayAttr>:$ends,
    TypeAttr:$element_type);
  let assemblyFormat = [{
    $sym_name $weights `sizes` $sizes `tile` $tile_k `x` $tile_n (`groups` $groups^)?
    (`interleaved` $interleaved^)? (`narrow_at` $narrow_at^)? (`ends` $ends^)? `:` $element_type
    attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Bytes of one tile.
    int64_t getTileBytes();
    /// Number of tiles of all weights.
    int64_t getNumTiles();
    /// The groups, in order; their weights follow each other in `weights`.
    ::llvm::SmallVector<::serrano::tile::WeightGroup> getWeightGroups();
  }];
}

def Tile_VectorsOp : Tile_Op<"vectors", [Symbol]> {
  let summary = "vectors of constants, one after the other";
  let description = [{
    Biases and scales, packed without gaps as one row of `element_type`. The
    vector of `weights[i]` starts at element `offsets[i]`; `length` is the whole.

    ```mlir
    tile.vectors @vectors [@l0.bias, @l0.scale] at [0, 384] length 768 : f32
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, SymbolRefArrayAttr:$weights,
    DenseI64ArrayAttr:$offsets, I64Attr:$length, TypeAttr:$element_type);
  let assemblyFormat = [{
    $sym_name $weights `at` $offsets `length` $length `:` $element_type attr-dict
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Slots
//===----------------------------------------------------------------------===//

def Tile_SlotOp : Tile_Op<"slot", [MemoryEffects<[MemAlloc]>]> {
  let summary = "room for a tile in a memory of the core";
  let description = [{
    In the accumulators with `accumulator`, else in the scratchpad. Contents are
    undefined until they are written.

    ```mlir
    %0 = tile.slot : memref<512x384xf32>
    ```
  }];
  let arguments = (ins UnitAttr:$accumulator);
  let results = (outs Tile_Slot:$result);
  let assemblyFormat = "(`accumulator` $accumulator^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

def Tile_StreamOp : Tile_Op<"stream", [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    MemoryEffects<[MemAlloc]>]> {
  let summary = "tiles of packed weights or of a cache, one after the other";
  let description = [{
    Of packed weights those tiles that `tile.order_tiles` names, of a cache those
    that `tile.order` names: a tile is as many of its rows, all columns of them, as
    the slot has. `slots`, if given, is how many tiles there is room for; else the
    stream gets what is left.

    ```mlir
    %w = tile.stream @stream : !tile.stream<memref<128x128xbf16>>
    %kv = tile.stream @cache slots 10 : !tile.stream<memref<128x384xbf16>>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$source, OptionalAttr<I64Attr>:$slots);
  let results = (outs Tile_StreamType:$result);
  let assemblyFormat = "$source (`slots` $slots^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tile_OrderTilesOp : Tile_Op<"order_tiles", [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the next tiles of a stream of packed weights";
  let description = [{
    `count` tiles from number `first` on, and those again for each of `passes`.
    Weights are never written, so the order can come long before the tiles are
    used: usually one order at the beginning is for all.

    ```mlir
    tile.order_tiles %w from 0 count 6480 passes %chunks : !tile.stream<memref<128x128xbf16>>
    ```
  }];
  let arguments = (ins Tile_StreamType:$stream, I64Attr:$first, I64Attr:$count, Tile_Dim:$passes);
  let assemblyFormat = "$stream `from` $first `count` $count `passes` $passes attr-dict `:` type($stream)";
  let hasVerifier = 1;
}

def Tile_OrderOp : Tile_Op<"order", [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the next tiles of a stream of a cache: blocks that a table names";
  let description = [{
    A tile is R rows; block b begins `step` rows after block b - 1. `table` is a
    tensor in scalar memory; an id outside 0 .. bound-1 stops the program.

    ```
    for p < passes: for i < count:
      next tile = source[row + table[first + i] * step ..+ R]
    ```

    Of a pass's last tile only `tail` rows arrive; the others cannot be read. The
    order can come long before the tiles are used.

    ```mlir
    tile.order %kv[%row] by @block_tables[%first] bound 64 step 256 count %blocks tail %rows passes %tiles
      : !tile.stream<memref<128x128xbf16>>
    ```
  }];
  let arguments = (ins Tile_StreamType:$stream, Tile_Dim:$row, FlatSymbolRefAttr:$table,
    Tile_Dim:$first, I64Attr:$bound, I64Attr:$step, Tile_Dim:$count, Tile_Dim:$tail,
    Tile_Dim:$passes);
  let assemblyFormat = [{
    $stream `[` $row `]` `by` $table `[` $first `]` `bound` $bound `step` $step `count` $count
    `tail` $tail `passes` $passes attr-dict `:` type($stream)
  }];
  let hasVerifier = 1;
}

def Tile_PeekOp : Tile_Op<"peek", [MemoryEffects<[MemRead]>]> {
  let summary = "a tile of a stream that stays there";
  let description = [{
    The oldest tile that no `tile.next` has taken, or the one `ahead` tiles after it.
    It can be read until the operation that reads that `tile.next`'s tile.
  }];
  let arguments = (ins Tile_StreamType:$stream, Optional<Tile_Dim>:$ahead);
  let results = (outs Tile_Slot:$tile);
  let assemblyFormat = "$stream (`ahead` $ahead^)? attr-dict `:` type($stream) `->` type($tile)";
  let hasVerifier = 1;
}

def Tile_NextOp : Tile_Op<"next", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the next tile of a stream";
  let description = [{
    One operation reads it, and gives its room back.
  }];
  let arguments = (ins Tile_StreamType:$stream);
  let results = (outs Tile_Slot:$tile);
  let assemblyFormat = "$stream attr-dict `:` type($stream) `->` type($tile)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Transfers
//===----------------------------------------------------------------------===//

class Tile_TransferOp<string mnemonic, list<Trait> traits = []>
    : Tile_Op<mnemonic, traits # [DeclareOpInterfaceMethods<SymbolUserOpInterface>]>;

def Tile_LoadOp : Tile_TransferOp<"load"> {
  let summary = "rows of a tensor into a slot";
  let description = [{
    `slot[r][c] = tensor[row + r][col + c]` for r < rows and all columns of the
    slot.

    ```mlir
    tile.load @vectors[%c0, %c0] to %s rows %c1 : memref<1x768xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tensor, Tile_Dim:$row, Tile_Dim:$col,
    Arg<Tile_Slot, "", [MemWrite]>:$slot, Tile_Dim:$rows);
  let assemblyFormat = [{
    $tensor `[` $row `,` $col `]` `to` $slot `rows` $rows attr-dict `:` type($slot)
  }];
  let hasVerifier = 1;
}

def Tile_StoreOp : Tile_TransferOp<"store", [MemoryEffects<[MemWrite]>]> {
  let summary = "rows of a slot into a tensor";
  let description = [{
    As `tile.load`, the other way. With `pieces` the slot's columns are cut into as
    many equal pieces, heads for instance, and piece p goes to the rows from
    `row + p * step` on.

    ```mlir
    tile.store %k to @cache[%row, %c0] rows %n pieces 3 step 128 : memref<512x192xbf16>
    ```
  }];
  let arguments = (ins Arg<Tile_Slot, "", [MemRead]>:$slot, FlatSymbolRefAttr:$tensor,
    Tile_Dim:$row, Tile_Dim:$col, Tile_Dim:$rows, DefaultValuedAttr<I64Attr, "1">:$pieces,
    DefaultValuedAttr<I64Attr, "0">:$step);
  let assemblyFormat = [{
    $slot `to` $tensor `[` $row `,` $col `]` `rows` $rows (`pieces` $pieces^ `step` $step)? attr-dict
    `:` type($slot)
  }];
  let hasVerifier = 1;
}

def Tile_ReadOp : Tile_TransferOp<"read", [MemoryEffects<[MemRead]>]> {
  let summary = "an element of a tensor in scalar memory";
  let description = [{
    The sequencer reads it: a length, a place in a table.

    ```mlir
    %length = tile.read @kv_lengths[%s]
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tensor, Tile_Dim:$element);
  let results = (outs Tile_Dim:$result);
  let assemblyFormat = "$tensor `[` $element `]` attr-dict";
}

def Tile_WriteOp : Tile_TransferOp<"write", [MemoryEffects<[MemWrite]>]> {
  let summary = "an element of a temporary tensor in scalar memory";
  let description = [{
    The sequencer writes it, in program order with what it reads: a number that
    loops need again.

    ```mlir
    tile.write %sequence to @work[%i]
    ```
  }];
  let arguments = (ins Tile_Dim:$value, FlatSymbolRefAttr:$tensor, Tile_Dim:$element);
  let assemblyFormat = "$value `to` $tensor `[` $element `]` attr-dict";
}

def Tile_GatherOp : Tile_TransferOp<"gather"> {
  let summary = "rows of a tensor that a table names, into a slot";
  let description = [{
    `slot[r] = tensor[table[first + r]]` for r < rows; `table` is a tensor in
    scalar memory. An index outside the tensor stops the program.

    ```mlir
    tile.gather @embedding by @ids[%c0] to %x rows %t : memref<512x384xbf16>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tensor, FlatSymbolRefAttr:$table, Tile_Dim:$first,
    Arg<Tile_Slot, "", [MemWrite]>:$slot, Tile_Dim:$rows);
  let assemblyFormat = [{
    $tensor `by` $table `[` $first `]` `to` $slot `rows` $rows attr-dict `:` type($slot)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// What can be looked at
//===----------------------------------------------------------------------===//

def Tile_ObserveOp : Tile_Op<"observe", [MemoryEffects<[MemWrite]>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "here a slot or a tensor holds a tensor of the source model";
  let description = [{
    Becomes no instruction: it stands where the kernel that writes what it names
    ends, up to where a slot keeps its bytes, and tells the program's manifest
    that whoever stops there finds the source model's tensor. `names` has one name, or in a loop over
    layers one for each of them. `dtype` is the element type as NumPy spells it,
    `shape` has an expression over dimensions for each of the tensor's
    dimensions.

    The elements are dense and in row-major order, or with `extents` and `strides`
    they are taken from there by a loop nest: loop i makes `extents[i]` rounds of
    `strides[i]` elements each, the last loop is the innermost one.

    ```mlir
    tile.observe %s : memref<512x576xbf16> is ["q"] "f32" ["batch", "seq", "576"]
    tile.observe @result0 is ["logits"] "f32" ["1", "logit_rows", "49152"]
    tile.observe %t : memref<64x576xf32> is ["k.0", "k.1"] "f32" ["1", "9", "tokens", "64"]
      extents ["9", "tokens", "64"] strides ["64", "576", "1"]
    ```
  }];
  let arguments = (ins Optional<Tile_Slot>:$slot, OptionalAttr<FlatSymbolRefAttr>:$tensor,
    StrArrayAttr:$names, StrAttr:$dtype, StrArrayAttr:$shape,
    OptionalAttr<StrArrayAttr>:$extents, OptionalAttr<StrArrayAttr>:$strides);
  let assemblyFormat = [{
    ($slot^ `:` type($slot))? ($tensor^)? `is` $names $dtype $shape
    (`extents` $extents^ `strides` $strides)? attr-dict
  }];
  let hasVerifier = 1;
}

#endif // SERRANO_DIALECTS_TILE_TILEMEMORYOPS
