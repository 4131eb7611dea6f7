// RUN: serrano-opt %s -mem-verify-placement | FileCheck %s
// RUN: serrano-opt %s -mem-verify-placement=target=serrano-tiny | FileCheck %s

// What lies one after the other in place or in time passes, and nothing changes.

// CHECK: tile.dimension @seq max 8 {mem.address = 0 : i64}
// CHECK: mem.buffer scratchpad at 0 : memref<8x8xf32>
// CHECK: mem.buffer scratchpad at 256 : memref<8x8xf32>
// CHECK: mem.buffer scratchpad at 0 : memref<8x8xf32>
// CHECK: mem.ring 0 of @stream at 512 slots 126 : <memref<8x8xf32>>
module attributes {tile.target = "serrano-tiny"} {
  tile.dimension @seq max 8 {mem.address = 0 : i64}
  tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32 {mem.address = 0 : i64}
  // It begins where the tile of 256 bytes ends.
  tile.tensor @x temporary : memref<1x1xf32> {mem.address = 256 : i64}
  func.func @fits(%n: index) {
    %early = mem.buffer scratchpad at 0 : memref<8x8xf32>
    %always = mem.buffer scratchpad at 256 : memref<8x8xf32>
    %late = mem.buffer scratchpad at 0 : memref<8x8xf32>
    // 512 + 126 * 256 = 32768, the end of the scratchpad.
    %w = mem.ring 0 of @stream at 512 slots 126 : !tile.stream<memref<8x8xf32>>
    tile.unary copy %early to %always rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
    tile.unary copy %always to %late rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
    return
  }
}
