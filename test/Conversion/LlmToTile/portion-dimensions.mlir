// RUN: serrano-opt %s -split-input-file -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=6 slot-rows=2 max-sequences=2 max-context=20" -canonicalize -cse | FileCheck %s

// The outermost dimension is cut, whatever the names; one that is called as a step's is
// none of them.

// CHECK-DAG: tile.dimension @sequences max 6
// CHECK-DAG: tile.limit row_tokens "blocks" max 2
// CHECK: func.func @named
// CHECK-DAG: %[[OUTER:.*]] = tile.extent @sequences
// CHECK-DAG: %[[INNER:.*]] = tile.extent @blocks
// CHECK: %[[SOME:.*]] = arith.maxsi %[[INNER]], %c1
// CHECK: %[[FIT:.*]] = arith.divui %c2, %[[SOME]]
// CHECK: %[[EACH:.*]] = arith.maxsi %[[FIT]], %c1
// CHECK: scf.for
// CHECK: arith.subi %[[OUTER]]
llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
func.func @named(%x: tensor<?x?x8xf32, #llm.dims<[sequences, blocks, 8]>> {llm.name = "x"})
    -> (tensor<?x?x8xf32, #llm.dims<[sequences, blocks, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %w = llm.get_weight @w : tensor<8x8xf32>
  %y = llm.linear %x, %w : (tensor<?x?x8xf32, #llm.dims<[sequences, blocks, 8]>>, tensor<8x8xf32>) -> tensor<?x?x8xf32, #llm.dims<[sequences, blocks, 8]>>
  return %y : tensor<?x?x8xf32, #llm.dims<[sequences, blocks, 8]>>
}

// -----

// Rows that a table counts go on where the portion before ends.

// CHECK: func.func @positions
// CHECK: scf.for %[[P:.*]] =
// CHECK: %[[FIRST:.*]] = arith.muli %[[P]], %c2
// CHECK: tile.load @table.places[%[[FIRST]], %c0]
llm.weight private @places : tensor<6x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 192, shape = [6, 8], strides = [8, 1]>]
llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
func.func @positions(%x: tensor<?x8xf32, #llm.dims<[seq, 8]>> {llm.name = "x"})
    -> (tensor<?x8xf32, #llm.dims<[seq, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %places = llm.get_weight @places : tensor<6x8xf32>
  %w = llm.get_weight @w : tensor<8x8xf32>
  %i = llm.iota from [0] step 1 : tensor<?xi64, #llm.dims<[seq]>>
  %p = llm.embedding %places[%i] : (tensor<6x8xf32>, tensor<?xi64, #llm.dims<[seq]>>) -> tensor<?x8xf32, #llm.dims<[seq, 8]>>
  %s = llm.binary add %x, %p : (tensor<?x8xf32, #llm.dims<[seq, 8]>>, tensor<?x8xf32, #llm.dims<[seq, 8]>>) -> tensor<?x8xf32, #llm.dims<[seq, 8]>>
  %y = llm.linear %s, %w : (tensor<?x8xf32, #llm.dims<[seq, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[seq, 8]>>
  return %y : tensor<?x8xf32, #llm.dims<[seq, 8]>>
}
