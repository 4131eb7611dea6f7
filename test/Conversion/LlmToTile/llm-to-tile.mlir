// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=4" -canonicalize | FileCheck %s

// A projection of 16 to 36 features on an array of 8 x 8, after the rows are looked up.
// Its weight is the only group of the stream, its bias the only vector.

// CHECK-DAG: tile.vectors @vectors [@bias] at [0] length 36 : f32
// CHECK-DAG: tile.packed @weights [@w] sizes [16, 36] tile 8 x 8 groups [1] {{.*}}ends [0] : f32
// CHECK-DAG: tile.tensor @arg0 input "ids" "i64" ["tokens"] below "10" scalar : memref<1x4xi32>
// CHECK-DAG: tile.tensor @result0 output "y" "f32" ["tokens", "36"] : memref<4x36xf32>
// CHECK-DAG: tile.dimension @tokens max 4
// CHECK-DAG: tile.limit tokens "tokens" max 4
llm.weight private @table : tensor<10x16xf32> from [#llm.view<"weights.bin", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
llm.weight private @w : tensor<16x36xf32> from [#llm.view<"weights.bin", offset = 0, length = 2304, shape = [16, 36], strides = [36, 1]>]
llm.weight private @bias : tensor<36xf32> from [#llm.view<"weights.bin", offset = 0, length = 144, shape = [36], strides = [1]>]

// CHECK: func.func @project() attributes {tile.entry = "project"}
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[C4:.*]] = arith.constant 4 : index
// CHECK-DAG: %[[C8:.*]] = arith.constant 8 : index
// CHECK-DAG: %[[C16:.*]] = arith.constant 16 : index
// CHECK-DAG: %[[C24:.*]] = arith.constant 24 : index
// CHECK-DAG: %[[C32:.*]] = arith.constant 32 : index
// CHECK: %[[WEIGHTS:.*]] = tile.stream @weights
// CHECK: tile.load @vectors[%[[C0]], %[[C0]]]

// All tiles are ordered before anything is looked up: 36 columns are four blocks of 8,
// whose 16 rows are two tiles each, and one of 4, whose rows are one.
// CHECK: tile.order_tiles %[[WEIGHTS]] from 0 count 9 passes %[[C1]]
// CHECK: tile.gather @{{.*}} by @arg0[%[[C0]]]

// Blocks take four accumulators in turn, all in one slot. The second tile is added to the
// first, and the bias on the way out.
// CHECK: %[[ALL:.*]] = tile.slot accumulator : memref<16x8xf32>
// CHECK: %[[ACC0:.*]] = memref.reinterpret_cast %[[ALL]] to offset: [0], sizes: [4, 8]
// CHECK: %[[ACC1:.*]] = memref.reinterpret_cast %[[ALL]] to offset: [32], sizes: [4, 8]
// CHECK: %[[ACC2:.*]] = memref.reinterpret_cast %[[ALL]] to offset: [64], sizes: [4, 8]
// CHECK: %[[ACC3:.*]] = memref.reinterpret_cast %[[ALL]] to offset: [96], sizes: [4, 8]
// CHECK: tile.matmul %{{.*}} to %[[ACC0]] m %{{[0-9]+}} :
// CHECK: tile.matmul %{{.*}} to %[[ACC0]] m %{{[0-9]+}} accumulate
// CHECK: tile.binary add %[[ACC0]]
// CHECK: tile.store {{.*}} @result0[%[[C0]], %[[C0]]]
// CHECK: tile.matmul %{{.*}} to %[[ACC1]] m %{{[0-9]+}} :
// CHECK: tile.matmul %{{.*}} to %[[ACC1]] m %{{[0-9]+}} accumulate
// CHECK: tile.binary add %[[ACC1]]
// CHECK: tile.store {{.*}} @result0[%[[C0]], %[[C8]]]
// CHECK: tile.binary add %[[ACC2]]
// CHECK: tile.store {{.*}} @result0[%[[C0]], %[[C16]]]
// CHECK: tile.binary add %[[ACC3]]
// CHECK: tile.store {{.*}} @result0[%[[C0]], %[[C24]]]

// The rows of the block that is left have 4 elements and follow each other in one tile:
// 8 of them from element 0 on, the others from element 32 on, which gives the tile back.
// CHECK: %[[LAST:.*]] = tile.peek %[[WEIGHTS]]
// CHECK: %[[TOP:.*]] = memref.reinterpret_cast %[[LAST]] to offset: [0], sizes: [8, 4], strides: [4, 1]
// CHECK: tile.load_weights %[[TOP]] k %[[C8]] n %[[C4]]
// CHECK: %[[SAME:.*]] = tile.next %[[WEIGHTS]]
// CHECK: %[[BOTTOM:.*]] = memref.reinterpret_cast %[[SAME]] to offset: [32], sizes: [8, 4], strides: [4, 1]
// CHECK: tile.load_weights %[[BOTTOM]] k %[[C8]] n %[[C4]]
// CHECK-NOT: {{tile.peek|tile.next}}
// CHECK: tile.store {{.*}} @result0[%[[C0]], %[[C32]]] {{.*}} : memref<4x4xf32
func.func @project(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"})
    -> (tensor<?x36xf32, #llm.dims<[tokens, 36]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x16xf32>
  %w = llm.get_weight @w : tensor<16x36xf32>
  %bias = llm.get_weight @bias : tensor<36xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x16xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %y = llm.linear %x, %w, %bias : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x36xf32>, tensor<36xf32>) -> tensor<?x36xf32, #llm.dims<[tokens, 36]>>
  return %y : tensor<?x36xf32, #llm.dims<[tokens, 36]>>
}
