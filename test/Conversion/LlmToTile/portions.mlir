// RUN: serrano-opt %s -split-input-file -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=6 slot-rows=2 max-sequences=2 max-context=20" -canonicalize -cse | FileCheck %s
// RUN: serrano-opt %s -split-input-file -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=6 slot-rows=6 max-sequences=2 max-context=20" -canonicalize -cse | FileCheck %s --check-prefix=WHOLE

// A step of up to 6 tokens with room for the features of 2: three times the whole model
// up to the rows that have logits, with all weights each time.

// CHECK: tile.tensor @rows0 temporary : memref<6x8xf32>
// CHECK-LABEL: func.func @step
// CHECK: %[[TOKENS:.*]] = tile.extent @tokens
// CHECK: %[[SEQUENCES:.*]] = tile.extent @sequences
// CHECK: %[[ROWS:.*]] = tile.extent @logit_rows
// CHECK: %[[WEIGHTS:.*]] = tile.stream @weights
// CHECK: %[[KV:.*]] = tile.stream @cache.kv
// CHECK: %[[PORTIONS:.*]] = arith.ceildivui %[[TOKENS]], %c2
// The query's projection is the first tile, the head the second.
// CHECK: tile.order_tiles %[[WEIGHTS]] from 0 count 1 passes %[[PORTIONS]]
// CHECK: %[[PORTIONS_OF_ROWS:.*]] = arith.ceildivui %[[ROWS]], %c2
// CHECK: tile.order_tiles %[[WEIGHTS]] from 1 count 1 passes %[[PORTIONS_OF_ROWS]]
// CHECK: scf.for %[[P:.*]] = %c0 to %[[PORTIONS]]
// CHECK: %[[FIRST:.*]] = arith.muli %[[P]], %c2
// CHECK: %[[LEFT:.*]] = arith.subi %[[TOKENS]], %[[FIRST]]
// CHECK: %[[COUNT:.*]] = arith.minsi %[[LEFT]], %c2
// CHECK: %[[X:.*]] = tile.slot : memref<2x8xf32>
// CHECK: tile.gather @table.words by @arg0[%[[FIRST]]] to %[[X]] rows %[[COUNT]]

// Of a sequence the portion has the tokens from the later of both beginnings to the
// earlier of both ends, if any; those before are old ones by then.
// CHECK: scf.for %[[S:.*]] =
// CHECK: %[[START:.*]] = tile.read @arg2[%[[S]]]
// CHECK: %[[END:.*]] = tile.read @arg2
// CHECK: %[[LENGTH:.*]] = tile.read @arg3[%[[S]]]
// CHECK-DAG: %[[PORTION_END:.*]] = arith.addi %[[FIRST]], %[[COUNT]]
// CHECK-DAG: %[[FROM:.*]] = arith.maxsi %[[START]], %[[FIRST]]
// CHECK: %[[TO:.*]] = arith.minsi %[[END]], %[[PORTION_END]]
// CHECK: %[[DIFFERENCE:.*]] = arith.subi %[[TO]], %[[FROM]]
// CHECK: %[[NEW:.*]] = arith.maxsi %[[DIFFERENCE]], %c0
// CHECK: %[[REST:.*]] = arith.subi %[[END]], %[[FROM]]
// CHECK: %[[OLD:.*]] = arith.subi %[[LENGTH]], %[[REST]]
// CHECK: arith.ceildivui %[[NEW]], %c2
// CHECK: tile.order %[[KV]][%c0] by @arg4[%{{.*}}] bound 6 step 8 count

// Each portion stores its keys and its rows; the logits are those of all rows.
// CHECK: tile.store {{.*}} to @cache.kv
// CHECK: tile.store {{.*}} to @rows0[%[[FIRST]], %c0] rows %[[COUNT]] : memref<2x8xf32>
// CHECK-NEXT: }
// CHECK: scf.for %[[P:.*]] = %c0 to %[[PORTIONS_OF_ROWS]]
// CHECK: %[[FIRST:.*]] = arith.muli %[[P]], %c2
// CHECK: %[[LEFT:.*]] = arith.subi %[[ROWS]], %[[FIRST]]
// CHECK: %[[COUNT:.*]] = arith.minsi %[[LEFT]], %c2
// CHECK: tile.gather @rows0 by @arg5[%[[FIRST]]] to %{{.*}} rows %[[COUNT]]
// CHECK: tile.store {{.*}} to @result0[%[[FIRST]], %c0] rows %[[COUNT]]

// With room for all there is no loop over portions.
// WHOLE-LABEL: func.func @step
// WHOLE: tile.order_tiles {{.*}} from 0 count 1 passes %c1
// WHOLE-NEXT: tile.order_tiles {{.*}} from 1 count 1 passes %c1
// WHOLE-NEXT: tile.slot
// WHOLE: tile.gather @table.words by @arg0[%c0]
llm.weight private @words : tensor<10x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 320, shape = [10, 8], strides = [8, 1]>]
llm.weight private @query : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
llm.weight private @head : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
llm.cache @kv layers 1 kv_heads 1 head_size 8 : f32
func.func @step(%ids: tensor<?xi32, #llm.dims<[tokens]>> {llm.role = "token_ids"},
    %positions: tensor<?xi32, #llm.dims<[tokens]>> {llm.role = "positions"},
    %starts: tensor<?xi32, #llm.dims<[sequences + 1]>> {llm.role = "query_starts"},
    %lengths: tensor<?xi32, #llm.dims<[sequences]>> {llm.role = "kv_lengths"},
    %tables: tensor<?x?xi32, #llm.dims<[sequences, blocks]>> {llm.role = "block_tables"},
    %rows: tensor<?xi32, #llm.dims<[logit_rows]>> {llm.role = "logit_rows"})
    -> (tensor<?x8xf32, #llm.dims<[logit_rows, 8]>> {llm.name = "logits"}) attributes {llm.entry = "step"} {
  %words = llm.get_weight @words : tensor<10x8xf32>
  %query = llm.get_weight @query : tensor<8x8xf32>
  %head = llm.get_weight @head : tensor<8x8xf32>
  %layer = arith.constant 0 : index
  %x = llm.embedding %words[%ids] : (tensor<10x8xf32>, tensor<?xi32, #llm.dims<[tokens]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %p = llm.linear %x, %query : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %q = llm.reshape %p : tensor<?x8xf32, #llm.dims<[tokens, 8]>> to tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>>
  %k = llm.reshape %x : tensor<?x8xf32, #llm.dims<[tokens, 8]>> to tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>>
  %a = llm.cached_attention @kv[%layer] %q, %k, %k at %positions of %starts, %lengths, %tables scale 1.0
    : (tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>>, tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>>, tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>>, tensor<?xi32, #llm.dims<[tokens]>>, tensor<?xi32, #llm.dims<[sequences + 1]>>, tensor<?xi32, #llm.dims<[sequences]>>, tensor<?x?xi32, #llm.dims<[sequences, blocks]>>) -> tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>>
  %y = llm.reshape %a : tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>> to tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %chosen = llm.gather %y[%rows] along 0 : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?xi32, #llm.dims<[logit_rows]>>) -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
  %logits = llm.linear %chosen, %head : (tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
  return %logits : tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
}

// -----

// Of a batch a portion has whole rows: as many as fit, at least one. So no row may be
// longer than a portion, which the runtime is told. The bias is loaded once, before the
// first portion's features; with room for all, behind them.

// CHECK-LABEL: // -----
// CHECK-DAG: tile.limit tokens "batch * seq" max 6
// CHECK-DAG: tile.limit row_tokens "seq" max 2
// CHECK: func.func @project
// CHECK-DAG: %[[BATCH:.*]] = tile.extent @batch
// CHECK-DAG: %[[SEQ:.*]] = tile.extent @seq
// CHECK: tile.load @vectors
// CHECK: %[[SOME:.*]] = arith.maxsi %[[SEQ]], %c1
// CHECK: %[[FIT:.*]] = arith.divui %c2, %[[SOME]]
// CHECK: %[[EACH:.*]] = arith.maxsi %[[FIT]], %c1
// CHECK: %[[PORTIONS:.*]] = arith.divui %{{.*}}, %[[EACH]]
// CHECK: tile.order_tiles %{{.*}} from 0 count 1 passes %[[PORTIONS]]
// CHECK: scf.for %[[P:.*]] = %c0 to %[[PORTIONS]]
// CHECK: %[[FIRST:.*]] = arith.muli %[[P]], %[[EACH]]
// CHECK: %[[LEFT:.*]] = arith.subi %[[BATCH]], %[[FIRST]]
// CHECK: %[[COUNT:.*]] = arith.minsi %[[LEFT]], %[[EACH]]
// CHECK: %[[ROWS:.*]] = arith.muli %[[COUNT]], %[[SEQ]]
// CHECK: %[[ROW:.*]] = arith.muli %[[FIRST]], %[[SEQ]]
// CHECK: tile.load @arg0[%[[ROW]], %c0] to %{{.*}} rows %[[ROWS]] : memref<2x8xf32>
// CHECK-NOT: tile.load @
// CHECK: tile.store {{.*}} to @result0[%[[ROW]], %c0] rows %[[ROWS]]
// WHOLE-LABEL: // -----
// WHOLE-NOT: tile.limit row_tokens
// WHOLE: func.func @project
// WHOLE-NOT: scf.for
// WHOLE: tile.load @arg0
// WHOLE-NEXT: tile.load @vectors
// WHOLE-NOT: {{scf.for|tile.load @}}
llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
llm.weight private @bias : tensor<8xf32> from [#llm.view<"weights.bin", offset = 256, length = 32, shape = [8], strides = [1]>]
func.func @project(%x: tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>> {llm.name = "x"})
    -> (tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %w = llm.get_weight @w : tensor<8x8xf32>
  %bias = llm.get_weight @bias : tensor<8xf32>
  %y = llm.linear %x, %w, %bias : (tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
  return %y : tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
}
