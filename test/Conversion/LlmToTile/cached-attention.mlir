// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=8 max-sequences=2 max-context=32" -canonicalize -cse | FileCheck %s

// Six heads of 4, of which three share keys and values each. A block has 8 tokens, a
// context 4 of them: two sequences have 8 blocks, two layers 2 * 8 * 2 heads * 8 = 256
// rows with key and value. This is layer 1, which begins at row 128.

// CHECK: tile.tensor @cache.kv cache : memref<256x8xf32>
// CHECK: %[[SEQUENCES:.*]] = tile.extent @sequences
// CHECK: %[[WEIGHTS:.*]] = tile.stream @weights
// CHECK: %[[KV:.*]] = tile.stream @cache.kv

// Old blocks are ordered before anything is computed: `length - tokens` old tokens, in
// blocks of 8, of which the last has what is left.
// CHECK: scf.for %[[S:.*]] =
// CHECK: %[[FIRST:.*]] = tile.read @arg2[%[[S]]]
// CHECK: %[[END:.*]] = tile.read @arg2
// CHECK: %[[TOKENS:.*]] = arith.subi %[[END]], %[[FIRST]]
// CHECK: %[[LENGTH:.*]] = tile.read @arg3[%[[S]]]
// CHECK: %[[OLD:.*]] = arith.subi %[[LENGTH]], %[[TOKENS]]
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[OLD]], %c8
// CHECK: tile.order %[[KV]][%c128] by @arg4[%{{.*}}] bound 8 count %[[BLOCKS]] tail %{{.*}} passes 2
// CHECK: tile.next %[[WEIGHTS]]

// The queries that share keys are put together, one head of keys after the other.
// CHECK: %[[KEYS:.*]] = tile.slot : memref<8x8xf32>
// CHECK: %[[VALUES:.*]] = tile.slot : memref<8x8xf32>
// CHECK: %[[STACKED:.*]] = tile.slot : memref<16x12xf32>
// CHECK-COUNT-2: tile.unary copy {{.*}} cols %c12
// CHECK: scf.for
// CHECK: tile.order %[[KV]]

// Whole old blocks: the key stays for the value, which gives the tile back.
// CHECK: scf.for %{{.*}} to %c2
// CHECK: scf.for
// CHECK: %[[K:.*]] = tile.peek %[[KV]]
// CHECK: memref.reinterpret_cast %[[K]] to offset: [0], sizes: [8, 4], strides: [8, 1]
// CHECK: tile.load_weights {{.*}} transpose
// CHECK: memref.reinterpret_cast %[[STACKED]] to offset: [%{{.*}}], sizes: [24, 4], strides: [4, 1]
// CHECK: tile.softmax {{.*}} {group = 3 : i64}
// CHECK: %[[V:.*]] = tile.next %[[KV]]
// CHECK: memref.reinterpret_cast %[[V]] to offset: [4], sizes: [8, 4], strides: [8, 1]
// CHECK: tile.matmul {{.*}} accumulate {group = 3 : i64}

// The block with both: old keys, then new ones, one softmax, old values, new ones.
// CHECK: scf.for
// CHECK: tile.peek %[[KV]]
// CHECK: tile.load_weights {{.*}} transpose
// CHECK: memref.reinterpret_cast %[[KEYS]]
// CHECK: tile.load_weights {{.*}} transpose
// CHECK: tile.softmax
// CHECK: tile.next %[[KV]]
// CHECK: tile.matmul {{.*}} m %{{[0-9]+}} accumulate {group = 3 : i64}
// CHECK: memref.reinterpret_cast %[[VALUES]]
// CHECK: tile.matmul {{.*}} limit %{{[0-9]+}} accumulate {group = 3 : i64}

// New blocks take nothing from the ring.
// CHECK: scf.for
// CHECK-NOT: {{tile.peek|tile.next}}
// CHECK: tile.softmax
// CHECK-NOT: {{tile.peek|tile.next}}
// CHECK: tile.matmul {{.*}} limit

// Each of the three heads of a group has every third row of sums and of states.
// CHECK-COUNT-3: tile.binary div {{.*}}strided<[12, 1]{{.*}}strided<[9, 0]

// CHECK: tile.store {{.*}} @cache.kv[%{{.*}}, %c0] rows %{{.*}} pieces 2 step 8
// CHECK: tile.store {{.*}} @cache.kv[%{{.*}}, %c4] rows %{{.*}} pieces 2 step 8

llm.cache @kv layers 2 kv_heads 2 head_size 4 : f32
llm.weight private @table : tensor<10x16xf32> from [#llm.view<"weights.bin", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
llm.weight private @q : tensor<16x24xf32> from [#llm.view<"weights.bin", offset = 0, length = 1536, shape = [16, 24], strides = [24, 1]>]
llm.weight private @k : tensor<16x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 512, shape = [16, 8], strides = [8, 1]>]
llm.weight private @v : tensor<16x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 512, shape = [16, 8], strides = [8, 1]>]
func.func @step(%ids: tensor<?xi32, #llm.dims<[tokens]>> {llm.role = "token_ids"},
    %positions: tensor<?xi32, #llm.dims<[tokens]>> {llm.role = "positions"},
    %starts: tensor<?xi32, #llm.dims<[sequences + 1]>> {llm.role = "query_starts"},
    %lengths: tensor<?xi32, #llm.dims<[sequences]>> {llm.role = "kv_lengths"},
    %tables: tensor<?x?xi32, #llm.dims<[sequences, blocks]>> {llm.role = "block_tables"})
    -> (tensor<?x24xf32, #llm.dims<[tokens, 24]>> {llm.name = "y"}) attributes {llm.entry = "step"} {
  %layer = arith.constant 1 : index
  %table = llm.get_weight @table : tensor<10x16xf32>
  %wq = llm.get_weight @q : tensor<16x24xf32>
  %wk = llm.get_weight @k : tensor<16x8xf32>
  %wv = llm.get_weight @v : tensor<16x8xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x16xf32>, tensor<?xi32, #llm.dims<[tokens]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %q = llm.linear %x, %wq : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x24xf32>) -> tensor<?x24xf32, #llm.dims<[tokens, 24]>>
  %k = llm.linear %x, %wk : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %v = llm.linear %x, %wv : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %qh = llm.reshape %q : tensor<?x24xf32, #llm.dims<[tokens, 24]>> to tensor<?x6x4xf32, #llm.dims<[tokens, 6, 4]>>
  %kh = llm.reshape %k : tensor<?x8xf32, #llm.dims<[tokens, 8]>> to tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>>
  %vh = llm.reshape %v : tensor<?x8xf32, #llm.dims<[tokens, 8]>> to tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>>
  %a = llm.cached_attention @kv[%layer] %qh, %kh, %vh at %positions of %starts, %lengths, %tables scale 0.5 : (tensor<?x6x4xf32, #llm.dims<[tokens, 6, 4]>>, tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>>, tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>>, tensor<?xi32, #llm.dims<[tokens]>>, tensor<?xi32, #llm.dims<[sequences + 1]>>, tensor<?xi32, #llm.dims<[sequences]>>, tensor<?x?xi32, #llm.dims<[sequences, blocks]>>) -> tensor<?x6x4xf32, #llm.dims<[tokens, 6, 4]>>
  %y = llm.reshape %a : tensor<?x6x4xf32, #llm.dims<[tokens, 6, 4]>> to tensor<?x24xf32, #llm.dims<[tokens, 24]>>
  return %y : tensor<?x24xf32, #llm.dims<[tokens, 24]>>
}
