// Where the model's tensors can be seen: at the end of the kernel that computes them, which takes operations of theirs along.

// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=bf16 max-tokens=8 max-sequences=2 max-context=32" \
// RUN:   | FileCheck %s --implicit-check-not='["normalised"]' --implicit-check-not='["query"]' --implicit-check-not='["projected"]'

// Of tokens in portions a slot has some only.
// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=bf16 max-tokens=8 max-sequences=2 max-context=32 slot-rows=4" \
// RUN:   | FileCheck %s --check-prefix=PORTIONS --implicit-check-not=tile.observe
// PORTIONS: tile.portions

// Keys and values lie beside each other, head by head: a key's features, then a value's. Queries that share keys lie one
// head of keys after the other, 8 tokens each. The RMS norm's rows have yet to be multiplied by their factors, the
// queries before rope and the product before the sum never leave the accumulators: those cannot be seen.
// CHECK-LABEL: func.func @step
// CHECK: tile.observe %{{.*}} : memref<8x16xf32> is ["embedded"] "f32" ["tokens", "16"]
// CHECK: %[[V:.*]] = memref.reinterpret_cast %[[KV:.*]] to offset: [4], sizes: [8, 12], strides: [16, 1]
// CHECK: tile.observe %[[V]] : {{.*}} is ["value"] "f32" ["1", "tokens", "8"] extents ["tokens", "2", "4"] strides ["16", "8", "1"]
// CHECK: tile.observe %{{.*}} : memref<16x12xbf16> is ["turned"] "f32" ["tokens", "6", "4"] extents ["tokens", "2", "3", "4"] strides ["12", "96", "4", "1"]
// CHECK: tile.observe %[[KV]] : memref<8x16xbf16> is ["key"] "f32" ["1", "2", "tokens", "4"] extents ["2", "tokens", "4"] strides ["8", "16", "1"]
// CHECK: tile.observe %{{.*}} : memref<8x24xbf16> is ["attention"] "f32" ["tokens", "6", "4"]
// CHECK: tile.observe @result0 is ["sum"] "f32" ["tokens", "16"]

llm.cache @kv layers 2 kv_heads 2 head_size 4 : f32
llm.weight private @table : tensor<10x16xf32> from [#llm.view<"weights.bin", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
llm.weight private @scale : tensor<16xf32> from [#llm.view<"weights.bin", offset = 0, length = 64, shape = [16], strides = [1]>]
llm.weight private @f : tensor<2xf32> from [#llm.view<"weights.bin", offset = 0, length = 8, shape = [2], strides = [1]>]
llm.weight private @q : tensor<16x24xf32> from [#llm.view<"weights.bin", offset = 0, length = 1536, shape = [16, 24], strides = [24, 1]>]
llm.weight private @k : tensor<16x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 512, shape = [16, 8], strides = [8, 1]>]
llm.weight private @v : tensor<16x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 512, shape = [16, 8], strides = [8, 1]>]
llm.weight private @o : tensor<24x16xf32> from [#llm.view<"weights.bin", offset = 0, length = 1536, shape = [24, 16], strides = [16, 1]>]
func.func @step(%ids: tensor<?xi32, #llm.dims<[tokens]>> {llm.role = "token_ids"},
    %positions: tensor<?xi32, #llm.dims<[tokens]>> {llm.role = "positions"},
    %starts: tensor<?xi32, #llm.dims<[sequences + 1]>> {llm.role = "query_starts"},
    %lengths: tensor<?xi32, #llm.dims<[sequences]>> {llm.role = "kv_lengths"},
    %tables: tensor<?x?xi32, #llm.dims<[sequences, blocks]>> {llm.role = "block_tables"})
    -> (tensor<?x16xf32, #llm.dims<[tokens, 16]>> {llm.name = "y"}) attributes {llm.entry = "step"} {
  %layer = arith.constant 1 : index
  %wtable = llm.get_weight @table : tensor<10x16xf32>
  %wscale = llm.get_weight @scale : tensor<16xf32>
  %wf = llm.get_weight @f : tensor<2xf32>
  %wq = llm.get_weight @q : tensor<16x24xf32>
  %wk = llm.get_weight @k : tensor<16x8xf32>
  %wv = llm.get_weight @v : tensor<16x8xf32>
  %wo = llm.get_weight @o : tensor<24x16xf32>
  %x = llm.embedding %wtable[%ids] : (tensor<10x16xf32>, tensor<?xi32, #llm.dims<[tokens]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>> loc(fused<[#llm.source_tensor<0, ["embedded"]>]>["node"])
  %cos, %sin = llm.rope_angles %positions, %wf : (tensor<?xi32, #llm.dims<[tokens]>>, tensor<2xf32>) -> tensor<?x2xf32, #llm.dims<[tokens, 2]>>
  %n = llm.rms_norm %x, %wscale epsilon 1.0e-5 : tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16xf32> loc(fused<[#llm.source_tensor<0, ["normalised"]>]>["node"])
  %q = llm.linear %n, %wq : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x24xf32>) -> tensor<?x24xf32, #llm.dims<[tokens, 24]>> loc(fused<[#llm.source_tensor<0, ["query"]>]>["node"])
  %k = llm.linear %n, %wk : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %v = llm.linear %n, %wv : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>> loc(fused<[#llm.source_tensor<0, ["value"], shape = <[1, tokens, 8]>, strides = <[8 * tokens, 8, 1]>>]>["node"])
  %qh = llm.reshape %q : tensor<?x24xf32, #llm.dims<[tokens, 24]>> to tensor<?x6x4xf32, #llm.dims<[tokens, 6, 4]>>
  %kh = llm.reshape %k : tensor<?x8xf32, #llm.dims<[tokens, 8]>> to tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>>
  %vh = llm.reshape %v : tensor<?x8xf32, #llm.dims<[tokens, 8]>> to tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>>
  %qr = llm.rope %qh, %cos, %sin : tensor<?x6x4xf32, #llm.dims<[tokens, 6, 4]>>, tensor<?x2xf32, #llm.dims<[tokens, 2]>>, tensor<?x2xf32, #llm.dims<[tokens, 2]>> loc(fused<[#llm.source_tensor<0, ["turned"]>]>["node"])
  %kr = llm.rope %kh, %cos, %sin : tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>>, tensor<?x2xf32, #llm.dims<[tokens, 2]>>, tensor<?x2xf32, #llm.dims<[tokens, 2]>> loc(fused<[#llm.source_tensor<0, ["key"], shape = <[1, 2, tokens, 4]>, strides = <[8 * tokens, 4, 8, 1]>>]>["node"])
  %a = llm.cached_attention @kv[%layer] %qr, %kr, %vh at %positions of %starts, %lengths, %tables scale 0.5 : (tensor<?x6x4xf32, #llm.dims<[tokens, 6, 4]>>, tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>>, tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>>, tensor<?xi32, #llm.dims<[tokens]>>, tensor<?xi32, #llm.dims<[sequences + 1]>>, tensor<?xi32, #llm.dims<[sequences]>>, tensor<?x?xi32, #llm.dims<[sequences, blocks]>>) -> tensor<?x6x4xf32, #llm.dims<[tokens, 6, 4]>> loc(fused<[#llm.source_tensor<0, ["attention"]>]>["node"])
  %af = llm.reshape %a : tensor<?x6x4xf32, #llm.dims<[tokens, 6, 4]>> to tensor<?x24xf32, #llm.dims<[tokens, 24]>>
  %p = llm.linear %af, %wo : (tensor<?x24xf32, #llm.dims<[tokens, 24]>>, tensor<24x16xf32>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>> loc(fused<[#llm.source_tensor<0, ["projected"]>]>["node"])
  %y = llm.binary add %x, %p : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<?x16xf32, #llm.dims<[tokens, 16]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>> loc(fused<[#llm.source_tensor<0, ["sum"]>]>["node"])
  return %y : tensor<?x16xf32, #llm.dims<[tokens, 16]>>
}
