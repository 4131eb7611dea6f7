// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=8 max-sequences=2 max-context=32" -canonicalize -cse | FileCheck %s
// RUN: sed -e '1i module attributes {tile.choices = #tile.choices<values_by_block = 1>} {' -e '$a }' %s | serrano-opt -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=8 max-sequences=2 max-context=32" -canonicalize -cse | FileCheck %s --check-prefix=BLOCKS
// RUN: sed -e '1i module attributes {tile.choices = #tile.choices<softmax_blocks = 16>} {' -e '$a }' %s | serrano-opt -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=8 max-sequences=2 max-context=32" | FileCheck %s --check-prefix=MADE

// Six heads of 4, of which three share keys and values each. Both heads of keys are in
// flight at once and lie side by side in the cache: key and value of the first, key and
// value of the second are 16 columns. A block has 8 tokens, a context 4 of them: two
// sequences have 8 blocks, two layers 2 * 8 * 8 = 128 rows. This is layer 1, which begins
// at row 64. One step of the softmax is all 4 blocks; the ring has a fifth of
// the scratchpad's 32768 bytes, 12 tiles of 512.

// What is said to be done is what is done, whether by rule or because more is chosen.
// CHECK: tile.made = #tile.choices<{{.*}} softmax_blocks = 4, lanes = 2, cache_tiles = 12,
// MADE: tile.made = #tile.choices<{{.*}} softmax_blocks = 4, lanes = 2, cache_tiles = 12,

// CHECK: tile.packed @weights [@q, @k, @v] {{.*}} groups [3]
// CHECK: tile.tensor @cache.kv cache : memref<128x16xf32>
// CHECK: %[[TOKENS:.*]] = tile.extent @tokens
// CHECK: %[[SEQUENCES:.*]] = tile.extent @sequences
// CHECK: %[[WEIGHTS:.*]] = tile.stream @weights
// CHECK: %[[KV:.*]] = tile.stream @cache.kv slots 12 : <memref<8x16xf32>>

// The three projections are one kernel. Keys and values go to where the cache has them:
// the keys of the first head to columns 0 to 3, those of the second to 8 to 11, values to
// columns 4 to 7 and 12 to 15.
// CHECK: %[[QUERIES:.*]] = tile.slot : memref<8x24xf32>
// CHECK: %[[NEW:.*]] = tile.slot : memref<8x16xf32>
// CHECK: tile.next %[[WEIGHTS]]
// CHECK: %[[K0:.*]] = memref.reinterpret_cast %[[NEW]] to offset: [0], sizes: [8, 4]
// CHECK: %[[K1:.*]] = memref.reinterpret_cast %[[NEW]] to offset: [8], sizes: [8, 4]
// CHECK: tile.unary copy {{.*}} to %[[K0]] rows {{.*}} cols %c4
// CHECK: tile.unary copy {{.*}} to %[[K1]] rows {{.*}} cols %c4
// CHECK: tile.next %[[WEIGHTS]]
// CHECK: %[[V0:.*]] = memref.reinterpret_cast %[[NEW]] to offset: [4], sizes: [8, 4]
// CHECK: %[[V1:.*]] = memref.reinterpret_cast %[[NEW]] to offset: [12], sizes: [8, 4]
// CHECK: tile.unary copy {{.*}} to %[[V0]] rows {{.*}} cols %c4
// CHECK: tile.unary copy {{.*}} to %[[V1]] rows {{.*}} cols %c4

// The queries that share keys are put together, one head of keys after the other.
// CHECK: %[[STACKED:.*]] = tile.slot : memref<16x12xf32>
// CHECK-COUNT-2: tile.unary copy {{.*}} cols %c12

// Two tracks. Scores and sums of both fit the 8192 bytes of accumulators for tiles of 4 of
// the 8 tokens: 12 rows, a token's three heads one after the other; scores of 4 blocks for
// each head of keys, sums of 4 values for both side by side.
// CHECK: %[[STATES:.*]] = tile.slot : memref<12x6xf32>
// CHECK: %[[SUMS:.*]] = tile.slot accumulator : memref<12x8xf32>
// CHECK: %[[SCORES0:.*]] = tile.slot accumulator : memref<12x32xf32>
// CHECK: %[[P0:.*]] = tile.slot : memref<12x32xf32>
// CHECK: %[[SCORES1:.*]] = tile.slot accumulator : memref<12x32xf32>
// CHECK: %[[P1:.*]] = tile.slot : memref<12x32xf32>
// CHECK: %[[OTHER_STATES:.*]] = tile.slot : memref<12x6xf32>
// CHECK: %[[OTHER_SUMS:.*]] = tile.slot accumulator : memref<12x8xf32>

// The table of work: how many pieces are short, of up to half a tile, and how many long,
// by sequence; then where each comes.
// CHECK: scf.for %[[S:.*]] = %c0 to %[[SEQUENCES]]
// CHECK: %[[FIRST:.*]] = tile.read @arg2[%[[S]]]
// CHECK: %[[END:.*]] = tile.read @arg2
// CHECK: %[[NEW_TOKENS:.*]] = arith.subi %[[END]], %[[FIRST]]
// CHECK: %[[MARGIN:.*]] = arith.subi %c3, %[[NEW_TOKENS]]
// CHECK: arith.minsi %[[MARGIN]], %c1
// CHECK: arith.ceildivui %[[NEW_TOKENS]], %c4
// CHECK: tile.write {{.*}} to @work.kv[%c0]
// CHECK: tile.write {{.*}} to @work.kv[%c1]
// CHECK: %[[SHORTS:.*]] = tile.read @work.kv[%c0]
// CHECK: %[[LONGS:.*]] = tile.read @work.kv[%c1]
// CHECK: %[[GAPS:.*]] = arith.addi %[[LONGS]], %c1
// CHECK: scf.for %[[S:.*]] = %c0 to %[[SEQUENCES]]
// CHECK: scf.for
// CHECK: arith.divui %{{.*}}, %[[SHORTS]]
// CHECK: tile.write %[[S]] to @work.kv
// CHECK: scf.for
// CHECK: arith.divui %{{.*}}, %[[GAPS]]
// CHECK: tile.write %[[S]] to @work.kv

// The old blocks of the first rounds, a step of 4 blocks for each track.
// CHECK: %[[ROUNDS:.*]] = tile.read @work.kv[%c4]
// CHECK: %[[AHEAD:.*]] = arith.minsi %[[ROUNDS]], %c3
// CHECK: scf.for %{{.*}} = %c0 to %[[AHEAD]]
// CHECK-COUNT-2: tile.order %[[KV]][%c64] by @arg4[%{{.*}}] bound 8 step 8 count %{{.*}} tail %{{.*}} passes %c1

// A later round is ordered before the first one is scored, and one more in each round.
// CHECK: scf.for
// CHECK-COUNT-2: tile.order %[[KV]][%{{.*}}] by @arg4

// The first unit of a piece starts anew.
// CHECK: scf.for
// CHECK: tile.fill -3.{{.*}}rows %[[ALL:.*]] cols %c1 : memref<24x1xf32, strided<[3, 1]>>
// CHECK: tile.fill 0.{{.*}}rows %[[ALL]] cols %c1 : memref<24x1xf32, strided<[3, 1], offset: 1>>
// CHECK: tile.fill 0.{{.*}} to %[[SUMS]] rows %{{.*}} cols %c8
// CHECK: }

// Scores of the first head: whole old blocks, then the old part of a block with both, its
// new part, and new blocks, which take nothing from the ring. Blocks of the other track's
// unit, which is scored but not summed, lie before in the ring.
// CHECK: scf.for
// CHECK: %[[K:.*]] = tile.peek %[[KV]] ahead
// CHECK: memref.reinterpret_cast %[[K]] to offset: [0], sizes: [8, 4], strides: [16, 1]
// CHECK: tile.load_weights {{.*}} transpose
// CHECK: memref.reinterpret_cast %[[STACKED]] to offset: [%{{.*}}], sizes: [12, 4], strides: [4, 1]
// CHECK: memref.reinterpret_cast %[[SCORES0]] to offset: [%{{.*}}], sizes: [12, 8], strides: [32, 1]
// CHECK: tile.matmul {{.*}} {group = 3 : i64}
// CHECK: scf.for
// CHECK: tile.peek %[[KV]] ahead
// CHECK: tile.load_weights {{.*}} transpose
// CHECK: scf.for
// CHECK: memref.reinterpret_cast %[[NEW]] to offset
// CHECK: tile.load_weights {{.*}} transpose
// CHECK: scf.for
// CHECK-NOT: {{tile.peek|tile.next}}
// CHECK: memref.reinterpret_cast %[[NEW]] to offset
// CHECK: tile.load_weights {{.*}} transpose
// CHECK-NOT: {{tile.peek|tile.next}}

// One softmax of all blocks, before the next head's scores are waited for. Only sums of
// later steps are corrected.
// CHECK: tile.softmax %[[SCORES0]] to %[[P0]] state {{.*}} {group = 3 : i64} : {{.*}} memref<12x3xf32, strided<[6, 1]>>
// CHECK: tile.binary mul %[[SUMS0:[a-z_0-9]+]], {{.*}} to %[[SUMS0]] rows %{{.*}} cols %c4
// CHECK: %[[K:.*]] = tile.peek %[[KV]] ahead
// CHECK: memref.reinterpret_cast %[[K]] to offset: [8], sizes: [8, 4]
// CHECK: tile.softmax %[[SCORES1]] to %[[P1]] state {{.*}} memref<12x3xf32, strided<[6, 1], offset: 3>>
// CHECK: tile.binary mul {{.*}} rows %{{.*}} cols %c4

// The other track's first unit is scored too before the loop over further rounds begins, each of
// which sums a unit and scores the next.
// CHECK: tile.softmax
// CHECK: tile.binary mul %[[OTHER_SUMS0:[a-z_0-9]+]], {{.*}} to %[[OTHER_SUMS0]] rows
// CHECK: tile.softmax
// CHECK: %[[MORE:.*]] = arith.subi %{{.*}}, %c1
// CHECK: scf.for %{{.*}} = %c0 to %[[MORE]]
// CHECK-COUNT-2: tile.order %[[KV]][%{{.*}}] by @arg4

// Values: the first head leaves the tiles in the ring.
// CHECK-NOT: tile.next
// CHECK: %[[V:.*]] = tile.peek %[[KV]] ahead
// CHECK: memref.reinterpret_cast %[[V]] to offset: [4], sizes: [8, 4], strides: [16, 1]
// CHECK: tile.matmul {{.*}} to %[[SUMS0]] m {{.*}} accumulate {group = 3 : i64}
// CHECK-NOT: tile.next
// CHECK: memref.reinterpret_cast %[[NEW]]
// CHECK: tile.matmul {{.*}} to %[[SUMS0]] m {{.*}} limit %{{[0-9]+}} accumulate {group = 3 : i64}
// CHECK-NOT: tile.next
// CHECK: memref.reinterpret_cast %[[NEW]]
// CHECK: tile.matmul {{.*}} to %[[SUMS0]] m {{.*}} limit %{{[0-9]+}} accumulate {group = 3 : i64}

// The result of a piece's last unit, a lane at a time. Each of the three heads of a group
// has every third row; of a single token, whose heads lie together, they are done at once.
// CHECK: scf.for
// CHECK-COUNT-3: tile.binary div {{.*}}strided<[24, 1]{{.*}}strided<[18, 0]
// CHECK: }
// CHECK: scf.for
// CHECK: tile.binary div {{.*}} : memref<3x4xf32, strided<[8, 1]>>, memref<12x4xf32, strided<[6, 0]{{.*}}, memref<3x4xf32, strided<[4, 1]
// CHECK: }

// The last one gives each of them back: whole blocks, and that with both.
// CHECK: %[[V:.*]] = tile.next %[[KV]]
// CHECK: memref.reinterpret_cast %[[V]] to offset: [12], sizes: [8, 4], strides: [16, 1]
// CHECK: tile.matmul {{.*}} m %{{[0-9]+}} accumulate {group = 3 : i64}
// CHECK: tile.next %[[KV]]
// CHECK-NOT: {{tile.peek|tile.next}}
// CHECK: tile.matmul {{.*}} limit %{{[0-9]+}} accumulate
// CHECK: tile.matmul {{.*}} limit %{{[0-9]+}} accumulate
// CHECK-COUNT-3: tile.binary div {{.*}}strided<[24, 1]
// CHECK: }
// CHECK: %[[SINGLE:.*]] = arith.muli %{{.*}}, %c3
// CHECK: tile.binary div {{.*}} rows %[[SINGLE]] cols %c4

// New keys and values of all heads go to the cache row by row, block by block.
// CHECK: scf.for
// CHECK: %[[ID:.*]] = tile.read @arg4
// CHECK: %[[ROW:.*]] = arith.muli %[[ID]], %c8
// CHECK: arith.addi %[[ROW]], %c64
// CHECK: tile.store {{.*}} @cache.kv[%{{.*}}, %c0] rows %{{.*}} : memref<8x16xf32

// The track scores its next unit, then the other one does as much; after the loop both sum the
// last ones.
// CHECK: tile.softmax %[[SCORES0]]
// CHECK: tile.softmax %[[SCORES1]]
// CHECK: tile.matmul {{.*}} to %[[OTHER_SUMS0]] m {{.*}} accumulate
// CHECK-COUNT-2: tile.softmax
// CHECK: tile.matmul {{.*}} to %[[SUMS0]] m {{.*}} accumulate
// CHECK: tile.matmul {{.*}} to %[[OTHER_SUMS0]] m {{.*}} accumulate
// CHECK-NOT: tile.softmax

// Block by block both heads sum their values of a block before the next one is looked at: it is given
// back at once. So is the one that is old in part; new ones are not in the ring.
// BLOCKS: tile.made = #tile.choices<{{.*}}values_by_block = 1>
// BLOCKS: %[[KV:.*]] = tile.stream @cache.kv
// BLOCKS: scf.for
// BLOCKS-COUNT-2: tile.softmax
// BLOCKS-COUNT-2: tile.softmax
// BLOCKS: scf.for
// BLOCKS: scf.for
// BLOCKS: %[[V:.*]] = tile.peek %[[KV]] ahead %c0
// BLOCKS: memref.reinterpret_cast %[[V]] to offset: [4], sizes: [8, 4], strides: [16, 1]
// BLOCKS: tile.matmul {{.*}} accumulate {group = 3 : i64}
// BLOCKS-NEXT: %[[SAME:.*]] = tile.next %[[KV]]
// BLOCKS: memref.reinterpret_cast %[[SAME]] to offset: [12], sizes: [8, 4], strides: [16, 1]
// BLOCKS: tile.matmul {{.*}} accumulate {group = 3 : i64}
// BLOCKS-NEXT: }
// BLOCKS: tile.peek %[[KV]] ahead %c0
// BLOCKS: tile.next %[[KV]]
// BLOCKS: }
// BLOCKS: scf.for
// BLOCKS-NOT: {{tile.peek|tile.next}}
// BLOCKS: tile.matmul {{.*}} limit %{{[0-9]+}} accumulate
// BLOCKS: tile.matmul {{.*}} limit %{{[0-9]+}} accumulate
// BLOCKS: }

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
