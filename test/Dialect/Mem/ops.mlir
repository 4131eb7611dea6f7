// RUN: serrano-opt %s | serrano-opt | FileCheck %s

// CHECK: module attributes {mem.hbm_bytes = 4096 : i64}
module attributes {mem.hbm_bytes = 4096 : i64} {
  // CHECK: tile.dimension @seq max 8 {mem.address = 0 : i64}
  tile.dimension @seq max 8 {mem.address = 0 : i64}
  // CHECK: tile.tensor @spilled temporary : memref<4x4xf32> {mem.address = 4096 : i64}
  tile.tensor @spilled temporary : memref<4x4xf32> {mem.address = 4096 : i64}
  // CHECK: tile.vectors @vectors {{.*}} {mem.address = 8192 : i64}
  tile.vectors @vectors [@bias] at [0] length 8 : f32 {mem.address = 8192 : i64}
  tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32

  // CHECK-LABEL: func.func @buffers
  func.func @buffers() {
    // CHECK: mem.buffer scratchpad at 4096 : memref<4x4xf32>
    %0 = mem.buffer scratchpad at 4096 : memref<4x4xf32>
    // CHECK: mem.buffer accumulators : memref<4x4xf32>
    %1 = mem.buffer accumulators : memref<4x4xf32>
    // CHECK: mem.ring 0 of @stream at 64 slots 2 : <memref<8x8xf32>>
    %2 = mem.ring 0 of @stream at 64 slots 2 : !tile.stream<memref<8x8xf32>>
    // CHECK: mem.ring 1 of @stream : <memref<8x8xf32>>
    %3 = mem.ring 1 of @stream : !tile.stream<memref<8x8xf32>>
    return
  }
}
