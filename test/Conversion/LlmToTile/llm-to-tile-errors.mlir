// RUN: serrano-opt %s -split-input-file -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=4" -verify-diagnostics
// RUN: not serrano-opt -convert-llm-to-tile="precision=f64" %S/llm-to-tile.mlir 2>&1 | FileCheck %s --check-prefix=PRECISION
// RUN: not serrano-opt -convert-llm-to-tile="target=serrano-2" %S/llm-to-tile.mlir 2>&1 | FileCheck %s --check-prefix=TARGET

// PRECISION: precision is 'f64'; expected f32 or bf16
// TARGET: target 'serrano-2': expected one of serrano-1

llm.weight private @table : tensor<10x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 320, shape = [10, 8], strides = [8, 1]>]
// expected-error @+1 {{has no projection; there is nothing for the matrix engine}}
func.func @lookup(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"})
    -> (tensor<?x8xf32, #llm.dims<[tokens, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x8xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x8xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  return %x : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
}

// -----

llm.weight private @words : tensor<10x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 320, shape = [10, 8], strides = [8, 1]>]
llm.weight private @kinds : tensor<3x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 96, shape = [3, 8], strides = [8, 1]>]
// expected-error @+1 {{argument 0 chooses from tables of different sizes, for which there is no kernel yet}}
func.func @both(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"})
    -> (tensor<?x8xf32, #llm.dims<[tokens, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %words = llm.get_weight @words : tensor<10x8xf32>
  %kinds = llm.get_weight @kinds : tensor<3x8xf32>
  %x = llm.embedding %words[%ids] : (tensor<10x8xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %y = llm.embedding %kinds[%ids] : (tensor<3x8xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %z = llm.binary add %x, %y : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?x8xf32, #llm.dims<[tokens, 8]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  return %z : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
}

// -----

llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
// expected-error @+1 {{argument 0 has no fixed number of features, its last dimension}}
func.func @features(%x: tensor<2x?xf32, #llm.dims<[2, n]>> {llm.name = "x"})
    -> (tensor<2x?xf32, #llm.dims<[2, n]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  return %x : tensor<2x?xf32, #llm.dims<[2, n]>>
}

// -----

// A sequence that is taken in portions would see the keys of one portion only.

module attributes {tile.choices = #tile.choices<rows = 2>} {
  llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
  func.func @portions(%x: tensor<1x?x8xf32, #llm.dims<[1, seq, 8]>> {llm.name = "x"})
      -> (tensor<1x?x1x8xf32, #llm.dims<[1, seq, 1, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
    %w = llm.get_weight @w : tensor<8x8xf32>
    %p = llm.linear %x, %w : (tensor<1x?x8xf32, #llm.dims<[1, seq, 8]>>, tensor<8x8xf32>) -> tensor<1x?x8xf32, #llm.dims<[1, seq, 8]>>
    %q = llm.reshape %p : tensor<1x?x8xf32, #llm.dims<[1, seq, 8]>> to tensor<1x?x1x8xf32, #llm.dims<[1, seq, 1, 8]>>
    // expected-error @+1 {{sees keys of all 4 rows, of which 2 are on the core at once; compile for fewer tokens (--max-tokens)}}
    %a = llm.attention %q, %q, %q scale 0.35 : (tensor<1x?x1x8xf32, #llm.dims<[1, seq, 1, 8]>>, tensor<1x?x1x8xf32, #llm.dims<[1, seq, 1, 8]>>, tensor<1x?x1x8xf32, #llm.dims<[1, seq, 1, 8]>>) -> tensor<1x?x1x8xf32, #llm.dims<[1, seq, 1, 8]>>
    return %a : tensor<1x?x1x8xf32, #llm.dims<[1, seq, 1, 8]>>
  }
}

// -----

// Rows of which there are no portions: two rows of each batch would not be one after the
// other.

module attributes {tile.choices = #tile.choices<rows = 2>} {
  llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
  // expected-error @+1 {{has up to 4 rows, '2 * seq', of which 2 are on the core at once; they are no multiple of an outermost dimension, so there are no portions of them: compile for fewer tokens (--max-tokens)}}
  func.func @inner(%x: tensor<2x?x8xf32, #llm.dims<[2, seq, 8]>> {llm.name = "x"})
      -> (tensor<2x?x8xf32, #llm.dims<[2, seq, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
    %w = llm.get_weight @w : tensor<8x8xf32>
    %y = llm.linear %x, %w : (tensor<2x?x8xf32, #llm.dims<[2, seq, 8]>>, tensor<8x8xf32>) -> tensor<2x?x8xf32, #llm.dims<[2, seq, 8]>>
    return %y : tensor<2x?x8xf32, #llm.dims<[2, seq, 8]>>
  }
}

// -----

module attributes {tile.choices = #tile.choices<rows = 2>} {
  llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
  // expected-error @+1 {{has up to 4 rows, 's * s', of which 2 are on the core at once}}
  func.func @square(%x: tensor<?x?x8xf32, #llm.dims<[s, s, 8]>> {llm.name = "x"})
      -> (tensor<?x?x8xf32, #llm.dims<[s, s, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
    %w = llm.get_weight @w : tensor<8x8xf32>
    %y = llm.linear %x, %w : (tensor<?x?x8xf32, #llm.dims<[s, s, 8]>>, tensor<8x8xf32>) -> tensor<?x?x8xf32, #llm.dims<[s, s, 8]>>
    return %y : tensor<?x?x8xf32, #llm.dims<[s, s, 8]>>
  }
}

// -----

// Angles of a count begin at 0 again in each portion.

module attributes {tile.choices = #tile.choices<rows = 2>} {
  llm.weight private @f : tensor<4xf32> from [#llm.view<"weights.bin", offset = 0, length = 16, shape = [4], strides = [1]>]
  llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
  func.func @count(%x: tensor<?x8xf32, #llm.dims<[seq, 8]>> {llm.name = "x"})
      -> (tensor<?x1x8xf32, #llm.dims<[seq, 1, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
    %f = llm.get_weight @f : tensor<4xf32>
    %w = llm.get_weight @w : tensor<8x8xf32>
    %i = llm.iota from [0] step 1 : tensor<?xi64, #llm.dims<[seq]>>
    // expected-error @+1 {{counts the positions of all 4 rows, of which 2 are on the core at once; compile for fewer tokens (--max-tokens)}}
    %c, %s = llm.rope_angles %i, %f : (tensor<?xi64, #llm.dims<[seq]>>, tensor<4xf32>) -> tensor<?x4xf32, #llm.dims<[seq, 4]>>
    %p = llm.linear %x, %w : (tensor<?x8xf32, #llm.dims<[seq, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[seq, 8]>>
    %q = llm.reshape %p : tensor<?x8xf32, #llm.dims<[seq, 8]>> to tensor<?x1x8xf32, #llm.dims<[seq, 1, 8]>>
    %y = llm.rope %q, %c, %s : tensor<?x1x8xf32, #llm.dims<[seq, 1, 8]>>, tensor<?x4xf32, #llm.dims<[seq, 4]>>, tensor<?x4xf32, #llm.dims<[seq, 4]>>
    return %y : tensor<?x1x8xf32, #llm.dims<[seq, 1, 8]>>
  }
}

// -----

// expected-error @+1 {{dimension 's - 1' is a difference, for which there is no kernel yet; if it is a name, rename the dimension in the model}}
module {
  llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
  func.func @difference(%x: tensor<?x8xf32, #llm.dims<[s - 1, 8]>> {llm.name = "x"})
      -> (tensor<?x8xf32, #llm.dims<[s - 1, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
    %w = llm.get_weight @w : tensor<8x8xf32>
    %y = llm.linear %x, %w : (tensor<?x8xf32, #llm.dims<[s - 1, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[s - 1, 8]>>
    return %y : tensor<?x8xf32, #llm.dims<[s - 1, 8]>>
  }
}
