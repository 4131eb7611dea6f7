// Angles that are constants or counted: rows of a table, or a column of numbers.

// RUN: serrano-opt %s -split-input-file -convert-llm-to-tile="target=serrano-tiny precision=bf16 max-tokens=6" -canonicalize -cse | FileCheck %s

// The table is stored in f32, as a matrix without its batch, and loaded once;
// each of the two sequences takes the same rows. All dimensions are constant:
// batch and positions are the rows.
// CHECK: tile.tensor @table.half_0 {{.*}}@half_0{{.*}}memref<3x4xf32>
// CHECK: llm.weight private @half_0 : tensor<3x4xf32> from [#llm.view<"w", offset = 0, length = 48, shape = [3, 4], strides = [4, 1]>]
// CHECK-LABEL: func.func @batch
// CHECK: %[[TABLE:.*]] = tile.slot : memref<6x4xf32>
// CHECK: tile.load @table.half_0
// CHECK-NOT: tile.load @table
// CHECK: scf.for
// CHECK: tile.rope {{.*}}%[[TABLE]]
llm.weight private @half : tensor<1x3x4xf32> from [#llm.view<"w", offset = 0, length = 48, shape = [1, 3, 4], strides = [12, 4, 1]>]
llm.weight private @w : tensor<16x16xf32> from [#llm.view<"w", offset = 0, length = 1024, shape = [16, 16], strides = [16, 1]>]
func.func @batch(%x: tensor<2x3x16xf32> {llm.name = "x"}) -> (tensor<2x3x16xf32> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %half = llm.get_weight @half : tensor<1x3x4xf32>
  %w = llm.get_weight @w : tensor<16x16xf32>
  %p = llm.linear %x, %w : (tensor<2x3x16xf32>, tensor<16x16xf32>) -> tensor<2x3x16xf32>
  %h = llm.reshape %p : tensor<2x3x16xf32> to tensor<2x3x2x8xf32>
  %r = llm.rope %h, %half, %half : tensor<2x3x2x8xf32>, tensor<1x3x4xf32>, tensor<1x3x4xf32>
  %y = llm.reshape %r : tensor<2x3x2x8xf32> to tensor<2x3x16xf32>
  return %y : tensor<2x3x16xf32>
}

// -----

// Positions that count: 0, then as much again with 1, 2 and 4 (2 of 4 rows) added.
// CHECK-LABEL: func.func @counted
// CHECK: tile.fill
// CHECK: tile.scalar add {{.*}}1.000000e+00
// CHECK: tile.scalar add {{.*}}2.000000e+00
// CHECK: tile.scalar add {{.*}}4.000000e+00
// CHECK-NOT: tile.scalar add
// CHECK: tile.unary cos
// CHECK: tile.unary sin
llm.weight private @f : tensor<4xf32> from [#llm.view<"w", offset = 0, length = 16, shape = [4], strides = [1]>]
llm.weight private @w : tensor<16x16xf32> from [#llm.view<"w", offset = 0, length = 1024, shape = [16, 16], strides = [16, 1]>]
func.func @counted(%x: tensor<1x?x16xf32, #llm.dims<[1, seq, 16]>> {llm.name = "x"}) -> (tensor<1x?x16xf32, #llm.dims<[1, seq, 16]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %f = llm.get_weight @f : tensor<4xf32>
  %w = llm.get_weight @w : tensor<16x16xf32>
  %i = llm.iota from [0] step 1 : tensor<?xi64, #llm.dims<[seq]>>
  %positions = llm.reshape %i : tensor<?xi64, #llm.dims<[seq]>> to tensor<1x?xi64, #llm.dims<[1, seq]>>
  %c, %s = llm.rope_angles %positions, %f : (tensor<1x?xi64, #llm.dims<[1, seq]>>, tensor<4xf32>) -> tensor<1x?x4xf32, #llm.dims<[1, seq, 4]>>
  %p = llm.linear %x, %w : (tensor<1x?x16xf32, #llm.dims<[1, seq, 16]>>, tensor<16x16xf32>) -> tensor<1x?x16xf32, #llm.dims<[1, seq, 16]>>
  %h = llm.reshape %p : tensor<1x?x16xf32, #llm.dims<[1, seq, 16]>> to tensor<1x?x2x8xf32, #llm.dims<[1, seq, 2, 8]>>
  %r = llm.rope %h, %c, %s : tensor<1x?x2x8xf32, #llm.dims<[1, seq, 2, 8]>>, tensor<1x?x4xf32, #llm.dims<[1, seq, 4]>>, tensor<1x?x4xf32, #llm.dims<[1, seq, 4]>>
  %y = llm.reshape %r : tensor<1x?x2x8xf32, #llm.dims<[1, seq, 2, 8]>> to tensor<1x?x16xf32, #llm.dims<[1, seq, 16]>>
  return %y : tensor<1x?x16xf32, #llm.dims<[1, seq, 16]>>
}
