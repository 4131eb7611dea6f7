// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=4 max-sequences=2 max-context=20" | FileCheck %s --implicit-check-not='"blocks" max'
// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=4 max-sequences=2 max-context=1000" 2>&1 | FileCheck %s --check-prefix=LONG
// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=4 max-sequences=2" 2>&1 | FileCheck %s --check-prefix=DEFAULT --implicit-check-not=warning

// What the runtime learns of a step: limits that the compilation set, ranges of indices, and
// the cache: blocks of 8 tokens, the array's side, 3 for each of 2 sequences of 20.

// CHECK-DAG: tile.limit tokens "tokens" max 4
// CHECK-DAG: tile.limit sequences "sequences" max 2
// CHECK-DAG: tile.limit tokens "logit_rows" max 4
// CHECK-DAG: tile.dimension @blocks max 3
// CHECK-DAG: tile.paged_cache block 8 blocks 6 context 20
// CHECK-DAG: tile.tensor @cache.kv cache : memref<48x16xf32>
// CHECK-DAG: tile.tensor @arg0 input "token_ids" "i32" ["tokens"] below "10" scalar
// CHECK-DAG: tile.tensor @arg1 input "positions" "i32" ["tokens"] below "30" scalar
// CHECK-DAG: tile.tensor @arg2 input "query_starts" "i32" ["sequences + 1"] scalar
// CHECK-DAG: tile.tensor @arg5 input "logit_rows" "i32" ["logit_rows"] below "tokens" scalar :

// The table of positions has 30 rows; no sequence is longer, whatever the option says. Who has
// asked for more is told, and nobody has asked for the default.
// LONG: warning: the model has positions for 30 tokens of a sequence, but --max-context is 1000; the program takes no sequence of more than 30
// LONG-DAG: tile.paged_cache block 8 blocks 8 context 30
// LONG-DAG: tile.dimension @blocks max 4
// DEFAULT: tile.paged_cache block 8 blocks 8 context 30

llm.weight private @words : tensor<10x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 320, shape = [10, 8], strides = [8, 1]>]
llm.weight private @places : tensor<30x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 960, shape = [30, 8], strides = [8, 1]>]
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
  %places = llm.get_weight @places : tensor<30x8xf32>
  %head = llm.get_weight @head : tensor<8x8xf32>
  %layer = arith.constant 0 : index
  %w = llm.embedding %words[%ids] : (tensor<10x8xf32>, tensor<?xi32, #llm.dims<[tokens]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %p = llm.embedding %places[%positions] : (tensor<30x8xf32>, tensor<?xi32, #llm.dims<[tokens]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %x = llm.binary add %w, %p : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?x8xf32, #llm.dims<[tokens, 8]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %q = llm.reshape %x : tensor<?x8xf32, #llm.dims<[tokens, 8]>> to tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>>
  %a = llm.cached_attention @kv[%layer] %q, %q, %q at %positions of %starts, %lengths, %tables scale 1.0
    : (tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>>, tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>>, tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>>, tensor<?xi32, #llm.dims<[tokens]>>, tensor<?xi32, #llm.dims<[sequences + 1]>>, tensor<?xi32, #llm.dims<[sequences]>>, tensor<?x?xi32, #llm.dims<[sequences, blocks]>>) -> tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>>
  %y = llm.reshape %a : tensor<?x1x8xf32, #llm.dims<[tokens, 1, 8]>> to tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %chosen = llm.gather %y[%rows] along 0 : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?xi32, #llm.dims<[logit_rows]>>) -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
  %logits = llm.linear %chosen, %head : (tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
  return %logits : tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
}
