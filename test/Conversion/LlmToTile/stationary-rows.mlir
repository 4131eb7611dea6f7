// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=24" -canonicalize -cse | FileCheck %s
// RUN: sed 's/^module {/module attributes {tile.choices = #tile.choices<stationary_rows = 3>} {/' %s | serrano-opt -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=24" | FileCheck %s --check-prefix=STAY

// 16 to 20 features on an array of 8 x 8: two blocks of 8 columns and one of 4. The one of 4
// comes second. For it whole tiles of 8 rows are loaded instead of the weights, which move.

// CHECK: tile.made = #tile.choices<{{.*}}stationary_rows = 4
// CHECK: tile.packed @weights [@w] sizes [16, 20] tile 8 x 8 groups [1] interleaved [] narrow_at [1] ends [0] : f32
// CHECK-LABEL: func.func @main
// CHECK: %[[ROWS:.*]] = tile.extent @rows
// CHECK: %[[ALL:.*]] = tile.slot accumulator : memref<96x8xf32>
// CHECK: tile.matmul {{.*}} m %[[ROWS]]
// CHECK: tile.store {{.*}} @result0[%c0, %c0] rows %[[ROWS]]

// The second accumulator begins with element 24 * 8 = 192. First, it has the block, 24 x 4,
// and from element 192 + 96 = 288 on its transpose.
// CHECK: %[[QUOTIENT:.*]] = arith.divui %[[ROWS]], %c8
// CHECK: %[[WHOLE:.*]] = arith.minsi %[[QUOTIENT]], %c3
// CHECK: %[[COUNT:.*]] = arith.muli %[[WHOLE]], %c8
// CHECK: %[[REST:.*]] = arith.subi %[[ROWS]], %[[COUNT]]
// CHECK: scf.for %[[I:.*]] = %c0 to %[[WHOLE]]
// CHECK: tile.load_weights %{{.*}} k %c8 n %c8 transpose
// CHECK: %[[TILE:.*]] = tile.peek
// CHECK: %[[WEIGHTS:.*]] = memref.reinterpret_cast %[[TILE]] to offset: [0], sizes: [8, 4], strides: [4, 1]
// CHECK: %[[COLUMNS:.*]] = memref.reinterpret_cast %[[ALL]] to offset: [%{{.*}}], sizes: [4, 8], strides: [24, 1]
// CHECK: tile.matmul %[[WEIGHTS]] to %[[COLUMNS]] m %c4 transpose
// CHECK: }
// The rows that are left are multiplied by the weights. Both tiles of K lie in one of the stream,
// which is given back with the second.
// CHECK: tile.peek
// CHECK: tile.load_weights %{{.*}} k %c8 n %c4 :
// CHECK: %[[BLOCK:.*]] = memref.reinterpret_cast %[[ALL]] to offset: [%{{.*}}], sizes: [8, 4], strides: [4, 1]
// CHECK: tile.matmul %{{.*}} to %[[BLOCK]] m %[[REST]] :
// CHECK: scf.for %{{.*}} = %c0 to %[[WHOLE]]
// CHECK: tile.matmul {{.*}} m %c4 accumulate transpose
// CHECK: tile.next
// CHECK: tile.matmul {{.*}} m %[[REST]] accumulate :

// While the last block is multiplied, the vector engine turns the one before.
// CHECK: tile.matmul {{.*}} m %[[ROWS]]
// CHECK: %[[ANY:.*]] = arith.minsi %[[WHOLE]], %c1
// CHECK: scf.for {{.*}} to %[[ANY]]
// CHECK: %[[ROW:.*]] = memref.reinterpret_cast %[[ALL]] to offset: [288], sizes: [24, 1], strides: [1, 1]
// CHECK: %[[COLUMN:.*]] = memref.reinterpret_cast %[[ALL]] to offset: [192], sizes: [24, 1], strides: [4, 1]
// CHECK: tile.unary copy %[[ROW]] to %[[COLUMN]] rows %[[COUNT]] cols %c1
// CHECK: memref.reinterpret_cast %[[ALL]] to offset: [312], sizes: [24, 1], strides: [1, 1]
// CHECK: memref.reinterpret_cast %[[ALL]] to offset: [193], sizes: [24, 1], strides: [4, 1]
// CHECK: tile.unary copy
// CHECK: tile.unary copy
// CHECK: tile.unary copy
// CHECK-NOT: tile.unary
// CHECK: }
// CHECK: tile.store {{.*}} @result0[%c0, %c16] rows %[[ROWS]]
// CHECK: tile.store {{.*}} @result0[%c0, %c8] rows %[[ROWS]]

// A block of 4 columns is too wide if no more than 3 are allowed.
// STAY-NOT: narrow_at
// STAY-NOT: transpose
module {
  llm.weight private @w : tensor<16x20xf32> from [#llm.view<"weights.bin", offset = 0, length = 1280, shape = [16, 20], strides = [20, 1]>]
  func.func @main(%x: tensor<?x16xf32, #llm.dims<[rows, 16]>> {llm.name = "x"})
      -> (tensor<?x20xf32, #llm.dims<[rows, 20]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
    %w = llm.get_weight @w : tensor<16x20xf32>
    %y = llm.linear %x, %w : (tensor<?x16xf32, #llm.dims<[rows, 16]>>, tensor<16x20xf32>) -> tensor<?x20xf32, #llm.dims<[rows, 20]>>
    return %y : tensor<?x20xf32, #llm.dims<[rows, 20]>>
  }
}
