// RUN: serrano-opt %s -convert-mem-to-dma | FileCheck %s

tile.tensor @x temporary : memref<8x16xf32>
tile.tensor @ids temporary scalar : memref<1x8xi32>
tile.tensor @kv cache : memref<64x8xf32>
tile.packed @stream [@w] sizes [8, 24] tile 8 x 8 : f32

// CHECK-LABEL: func.func @transfers
// CHECK-SAME: %[[ROW:.*]]: index, %[[COL:.*]]: index, %[[ROWS:.*]]: index
func.func @transfers(%row: index, %col: index, %rows: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: %[[SLOT:.*]] = mem.buffer
  %slot = mem.buffer scratchpad at 0 : memref<8x16xf32>
  // CHECK: dma.load @x[%[[ROW]], %[[COL]]] to %[[SLOT]] rows %[[ROWS]] : memref<8x16xf32>
  tile.load @x[%row, %col] to %slot rows %rows : memref<8x16xf32>
  scf.for %i = %c0 to %rows step %c1 {
    // CHECK: dma.gather @x by @ids[%[[ROW]]] to %[[SLOT]] rows %[[ROWS]] : memref<8x16xf32>
    tile.gather @x by @ids[%row] to %slot rows %rows : memref<8x16xf32>
    // CHECK: dma.store %[[SLOT]] to @x[%[[ROW]], %[[COL]]] rows %[[ROWS]] : memref<8x16xf32>
    tile.store %slot to @x[%row, %col] rows %rows : memref<8x16xf32>
  }
  // No waits yet, and what computes is as it was.
  // CHECK: tile.fill 0.000000e+00 to %[[SLOT]] rows %[[ROWS]] cols %[[ROWS]] : memref<8x16xf32>
  tile.fill 0.0 to %slot rows %rows cols %rows : memref<8x16xf32>
  return
}

// A ring orders what the kernels order, and nothing by itself.

// CHECK-LABEL: func.func @ring
// CHECK-SAME: %[[N:.*]]: index
func.func @ring(%n: index) {
  // CHECK: %[[RING:.*]] = mem.ring 0
  // CHECK-NEXT: dma.order_tiles %[[RING]] from 1 count 2 passes %[[N]]
  // CHECK-NEXT: tile.next %[[RING]]
  // CHECK-NOT: dma.order
  %w = mem.ring 0 of @stream at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  tile.order_tiles %w from 1 count 2 passes %n : !tile.stream<memref<8x8xf32>>
  %tile = tile.next %w : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  tile.load_weights %tile k %n n %n : memref<8x8xf32>
  return
}

// A cache gives only the blocks that are ordered.

// CHECK-LABEL: func.func @cache
// CHECK-SAME: %[[ROW:.*]]: index, %[[FIRST:.*]]: index, %[[COUNT:.*]]: index, %[[TAIL:.*]]: index, %[[PASSES:.*]]: index, %[[KEYS:.*]]: memref
func.func @cache(%row: index, %first: index, %count: index, %tail: index, %passes: index, %keys: memref<8x8xf32>) {
  // CHECK: %[[RING:.*]] = mem.ring 0 of @kv
  // CHECK-NEXT: dma.order_blocks %[[RING]][%[[ROW]]] by @ids[%[[FIRST]]] bound 4 step 16 count %[[COUNT]] tail %[[TAIL]] passes %[[PASSES]]
  // CHECK-NEXT: tile.peek %[[RING]]
  // CHECK: dma.store %[[KEYS]] to @kv[%[[ROW]], %[[FIRST]]] rows %[[COUNT]] pieces 2 step 8 : memref<8x8xf32>
  %kv = mem.ring 0 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  tile.order %kv[%row] by @ids[%first] bound 4 step 16 count %count tail %tail passes %passes : !tile.stream<memref<8x8xf32>>
  %tile = tile.peek %kv : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  tile.load_weights %tile k %tail n %count transpose : memref<8x8xf32>
  tile.store %keys to @kv[%row, %first] rows %count pieces 2 step 8 : memref<8x8xf32>
  return
}
