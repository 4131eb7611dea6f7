// What models have but no kernel computes yet: each is refused with its reason.

// RUN: serrano-opt %s -split-input-file -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=4" -verify-diagnostics

llm.weight private @table : tensor<10x16xf32> from [#llm.view<"w", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
llm.weight private @w : tensor<16x16xf32> from [#llm.view<"w", offset = 0, length = 1024, shape = [16, 16], strides = [16, 1]>]
llm.cache @kv layers 1 kv_heads 2 head_size 8 : f32
func.func @window(%ids: tensor<?xi32, #llm.dims<[tokens]>> {llm.name = "ids", llm.role = "token_ids"}, %at: tensor<?xi32, #llm.dims<[tokens]>> {llm.name = "at", llm.role = "positions"}, %starts: tensor<?xi32, #llm.dims<[sequences + 1]>> {llm.role = "query_starts"}, %lengths: tensor<?xi32, #llm.dims<[sequences]>> {llm.role = "kv_lengths"}, %tables: tensor<?x?xi32, #llm.dims<[sequences, blocks]>> {llm.role = "block_tables"}) -> (tensor<?x16xf32, #llm.dims<[tokens, 16]>> {llm.name = "y"}) attributes {llm.entry = "step"} {
  %layer = arith.constant 0 : index
  %table = llm.get_weight @table : tensor<10x16xf32>
  %w = llm.get_weight @w : tensor<16x16xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x16xf32>, tensor<?xi32, #llm.dims<[tokens]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %p = llm.linear %x, %w : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x16xf32>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %q = llm.reshape %p : tensor<?x16xf32, #llm.dims<[tokens, 16]>> to tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>
  // expected-error @+1 {{has a window or a softcap, for which there is no kernel yet}}
  %a = llm.cached_attention @kv[%layer] %q, %q, %q at %at of %starts, %lengths, %tables scale 5.000000e-01 window 4 : (tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>, tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>, tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>, tensor<?xi32, #llm.dims<[tokens]>>, tensor<?xi32, #llm.dims<[sequences + 1]>>, tensor<?xi32, #llm.dims<[sequences]>>, tensor<?x?xi32, #llm.dims<[sequences, blocks]>>) -> tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>
  %y = llm.reshape %a : tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>> to tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  return %y : tensor<?x16xf32, #llm.dims<[tokens, 16]>>
}

// -----

llm.weight private @table : tensor<10x16xf32> from [#llm.view<"w", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
llm.weight private @w : tensor<16x16xf32> from [#llm.view<"w", offset = 0, length = 1024, shape = [16, 16], strides = [16, 1]>]
llm.cache @kv layers 1 kv_heads 2 head_size 8 : f32
func.func @softcap(%ids: tensor<?xi32, #llm.dims<[tokens]>> {llm.name = "ids", llm.role = "token_ids"}, %at: tensor<?xi32, #llm.dims<[tokens]>> {llm.name = "at", llm.role = "positions"}, %starts: tensor<?xi32, #llm.dims<[sequences + 1]>> {llm.role = "query_starts"}, %lengths: tensor<?xi32, #llm.dims<[sequences]>> {llm.role = "kv_lengths"}, %tables: tensor<?x?xi32, #llm.dims<[sequences, blocks]>> {llm.role = "block_tables"}) -> (tensor<?x16xf32, #llm.dims<[tokens, 16]>> {llm.name = "y"}) attributes {llm.entry = "step"} {
  %layer = arith.constant 0 : index
  %table = llm.get_weight @table : tensor<10x16xf32>
  %w = llm.get_weight @w : tensor<16x16xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x16xf32>, tensor<?xi32, #llm.dims<[tokens]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %p = llm.linear %x, %w : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x16xf32>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %q = llm.reshape %p : tensor<?x16xf32, #llm.dims<[tokens, 16]>> to tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>
  // expected-error @+1 {{has a window or a softcap, for which there is no kernel yet}}
  %a = llm.cached_attention @kv[%layer] %q, %q, %q at %at of %starts, %lengths, %tables scale 5.000000e-01 softcap 5.000000e+01 : (tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>, tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>, tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>, tensor<?xi32, #llm.dims<[tokens]>>, tensor<?xi32, #llm.dims<[sequences + 1]>>, tensor<?xi32, #llm.dims<[sequences]>>, tensor<?x?xi32, #llm.dims<[sequences, blocks]>>) -> tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>
  %y = llm.reshape %a : tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>> to tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  return %y : tensor<?x16xf32, #llm.dims<[tokens, 16]>>
}

// -----

// Norms of queries and keys: of each head by itself.
llm.weight private @table : tensor<10x16xf32> from [#llm.view<"w", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
llm.weight private @scale : tensor<8xf32> from [#llm.view<"w", offset = 0, length = 32, shape = [8], strides = [1]>]
func.func @head_norm(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"}) -> (tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x16xf32>
  %scale = llm.get_weight @scale : tensor<8xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x16xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %h = llm.reshape %x : tensor<?x16xf32, #llm.dims<[tokens, 16]>> to tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>
  // expected-error @+1 {{normalises parts of 8 of 16 features, for which there is no kernel yet}}
  %y = llm.rms_norm %h, %scale epsilon 1.0e-5 : tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>, tensor<8xf32>
  return %y : tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>
}

// -----

llm.weight private @table : tensor<10x16xf32> from [#llm.view<"w", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
func.func @softmax(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"}) -> (tensor<?x16xf32, #llm.dims<[tokens, 16]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x16xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x16xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  // expected-error @+1 {{'llm.softmax' op has no kernel yet; the model cannot be compiled for a chip}}
  %y = llm.softmax %x over 1 : tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  return %y : tensor<?x16xf32, #llm.dims<[tokens, 16]>>
}

// -----

llm.weight private @table : tensor<10x16xf32> from [#llm.view<"w", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
func.func @relu(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"}) -> (tensor<?x16xf32, #llm.dims<[tokens, 16]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x16xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x16xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  // expected-error @+1 {{'llm.unary' op of relu has no kernel yet}}
  %y = llm.unary relu %x : tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  return %y : tensor<?x16xf32, #llm.dims<[tokens, 16]>>
}

// -----

// An operand that is a tensor in memory, no rows of features.
llm.weight private @table : tensor<10x16xf32> from [#llm.view<"w", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
func.func @constant_operand(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"}) -> (tensor<?x16xf32, #llm.dims<[tokens, 16]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x16xf32>
  %c = arith.constant dense<2.0> : tensor<f32>
  %x = llm.embedding %table[%ids] : (tensor<10x16xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  // expected-error @+1 {{'llm.binary' op has an operand that is not a matrix of features, for which there is no kernel yet}}
  %y = llm.binary mul %x, %c : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<f32>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  return %y : tensor<?x16xf32, #llm.dims<[tokens, 16]>>
}

// -----

// A scale that an offset is added to.
llm.weight private @table : tensor<10x16xf32> from [#llm.view<"w", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
llm.weight private @scale : tensor<16xf32> from [#llm.view<"w", offset = 0, length = 64, shape = [16], strides = [1]>]
func.func @scale_offset(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"}) -> (tensor<?x16xf32, #llm.dims<[tokens, 16]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x16xf32>
  %scale = llm.get_weight @scale : tensor<16xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x16xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  // expected-error @+1 {{adds 1.000000e+00 to its scale, which has no kernel yet}}
  %y = llm.rms_norm %x, %scale epsilon 1.0e-5 {scale_offset = 1.0 : f32} : tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16xf32>
  return %y : tensor<?x16xf32, #llm.dims<[tokens, 16]>>
}

// -----

// A batch of any size whose positions are fixed: the rows are the batch.
llm.weight private @w : tensor<16x16xf32> from [#llm.view<"w", offset = 0, length = 1024, shape = [16, 16], strides = [16, 1]>]
func.func @fixed_positions(%x: tensor<?x3x16xf32, #llm.dims<[batch, 3, 16]>> {llm.name = "x"}) -> (tensor<?x3x16xf32, #llm.dims<[batch, 3, 16]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %w = llm.get_weight @w : tensor<16x16xf32>
  // expected-error @+1 {{projects 16 features of rows that have 48, for which there is no kernel yet}}
  %y = llm.linear %x, %w : (tensor<?x3x16xf32, #llm.dims<[batch, 3, 16]>>, tensor<16x16xf32>) -> tensor<?x3x16xf32, #llm.dims<[batch, 3, 16]>>
  return %y : tensor<?x3x16xf32, #llm.dims<[batch, 3, 16]>>
}

// -----

// The same angle for all positions of a sequence, another one for each sequence.
llm.weight private @half : tensor<2x1x4xf32> from [#llm.view<"w", offset = 0, length = 32, shape = [2, 1, 4], strides = [4, 4, 1]>]
func.func @angle_of_sequence(%x: tensor<2x2x2x8xf32> {llm.name = "x"}) -> (tensor<2x2x2x8xf32> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %half = llm.get_weight @half : tensor<2x1x4xf32>
  // expected-error @+1 {{takes its angles from 'half' of type 'tensor<2x1x4xf32>', for which there is no kernel yet; expected a row for each position}}
  %y = llm.rope %x, %half, %half : tensor<2x2x2x8xf32>, tensor<2x1x4xf32>, tensor<2x1x4xf32>
  return %y : tensor<2x2x2x8xf32>
}

// -----

llm.weight private @f : tensor<4xf32> from [#llm.view<"w", offset = 0, length = 16, shape = [4], strides = [1]>]
func.func @positions_from_one(%x: tensor<1x3x2x8xf32> {llm.name = "x"}) -> (tensor<1x3x2x8xf32> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %f = llm.get_weight @f : tensor<4xf32>
  %i = llm.iota from [1] step 1 : tensor<3xi64>
  %positions = llm.reshape %i : tensor<3xi64> to tensor<1x3xi64>
  // expected-error @+1 {{has positions that are neither an input of the model nor a count from 0, for which there is no kernel yet}}
  %c, %s = llm.rope_angles %positions, %f : (tensor<1x3xi64>, tensor<4xf32>) -> tensor<1x3x4xf32>
  %y = llm.rope %x, %c, %s : tensor<1x3x2x8xf32>, tensor<1x3x4xf32>, tensor<1x3x4xf32>
  return %y : tensor<1x3x2x8xf32>
}

// -----

llm.weight private @early : tensor<1x3x4xf32> from [#llm.view<"w", offset = 0, length = 48, shape = [1, 3, 4], strides = [12, 4, 1]>]
llm.weight private @late : tensor<1x3x4xf32> from [#llm.view<"w", offset = 48, length = 48, shape = [1, 3, 4], strides = [12, 4, 1]>]
func.func private @layer(%i: index, %x: tensor<1x3x2x8xf32>, %half: tensor<1x3x4xf32>) -> tensor<1x3x2x8xf32> {
  // expected-error @+1 {{takes its angles from constants that differ between layers, for which there is no kernel yet}}
  %y = llm.rope %x, %half, %half : tensor<1x3x2x8xf32>, tensor<1x3x4xf32>, tensor<1x3x4xf32>
  return %y : tensor<1x3x2x8xf32>
}
func.func @own_angles(%x: tensor<1x3x2x8xf32> {llm.name = "x"}) -> (tensor<1x3x2x8xf32> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %y = llm.layers @layer from 0 count 2 carry(%x) share() weights [[@early, @late]] : (tensor<1x3x2x8xf32>) -> tensor<1x3x2x8xf32>
  return %y : tensor<1x3x2x8xf32>
}

// -----

// expected-error @+1 {{takes 6 tokens, but the program has room for 4; compile for more (--max-tokens)}}
func.func @too_many_tokens(%x: tensor<2x3x16xf32> {llm.name = "x"}) -> (tensor<2x3x16xf32> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  return %x : tensor<2x3x16xf32>
}
