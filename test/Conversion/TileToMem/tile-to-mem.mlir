// RUN: serrano-opt %s -convert-tile-to-mem | FileCheck %s

tile.packed @a [@v] sizes [8, 8] tile 8 x 8 : f32
tile.packed @b [@w] sizes [8, 8] tile 8 x 8 : f32

// CHECK-LABEL: func.func @slots
func.func @slots(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: %[[X:.*]] = mem.buffer scratchpad : memref<8x8xf32>
  %x = tile.slot : memref<8x8xf32>
  // CHECK: %[[ACC:.*]] = mem.buffer accumulators : memref<8x8xf32>
  %acc = tile.slot accumulator : memref<8x8xf32>
  // CHECK: tile.unary exp %[[X]] to %[[ACC]]
  tile.unary exp %x to %acc rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    // CHECK: %[[INNER:.*]] = mem.buffer scratchpad : memref<4x4xf32>
    // CHECK: memref.reinterpret_cast %[[INNER]]
    %inner = tile.slot : memref<4x4xf32>
    %row = memref.reinterpret_cast %inner to offset: [0], sizes: [1, 4], strides: [4, 1] : memref<4x4xf32> to memref<1x4xf32, strided<[4, 1]>>
    tile.fill 0.0 to %row rows %n cols %n : memref<1x4xf32, strided<[4, 1]>>
  }
  return
}

// Numbered in program order, by functions. What is said about room stays.

// CHECK-LABEL: func.func @streams
func.func @streams(%n: index) {
  // CHECK: %[[A:.*]] = mem.ring 0 of @a : <memref<8x8xf32>>
  // CHECK: %[[B:.*]] = mem.ring 1 of @b slots 3 : <memref<8x8xf32>>
  %b = tile.stream @a : !tile.stream<memref<8x8xf32>>
  %a = tile.stream @b slots 3 : !tile.stream<memref<8x8xf32>>
  // CHECK: tile.next %[[B]]
  // CHECK: tile.next %[[A]]
  %0 = tile.next %a : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  %1 = tile.next %b : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  return
}

// CHECK-LABEL: func.func @streams_of_another_function
func.func @streams_of_another_function() {
  // CHECK: mem.ring 0 of @b
  %w = tile.stream @b : !tile.stream<memref<8x8xf32>>
  return
}
