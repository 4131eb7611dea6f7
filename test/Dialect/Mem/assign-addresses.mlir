// RUN: serrano-opt %s -split-input-file -mem-assign-addresses | FileCheck %s
// What has addresses keeps them.
// RUN: serrano-opt %s -split-input-file -mem-assign-addresses -mem-assign-addresses | FileCheck %s
// RUN: serrano-opt %s -split-input-file -mem-assign-addresses -mem-verify-placement | FileCheck %s
// RUN: serrano-opt %s -split-input-file -mem-assign-addresses=ring-fraction=0.5 | FileCheck %s --check-prefix=HALF

// serrano-tiny has 32768 bytes of scratchpad, 8192 of accumulators and of scalar
// memory; bursts are of 64 bytes.

// CHECK-LABEL: func.func @alive_together
module attributes {tile.target = "serrano-tiny"} {
  func.func @alive_together(%n: index) {
    // The largest first: 512 bytes, then 256.
    // CHECK: mem.buffer scratchpad at 512 : memref<8x8xf32>
    // CHECK: mem.buffer scratchpad at 0 : memref<16x8xf32>
    %small = mem.buffer scratchpad : memref<8x8xf32>
    %large = mem.buffer scratchpad : memref<16x8xf32>
    tile.unary copy %small to %large rows %n cols %n : memref<8x8xf32>, memref<16x8xf32>
    return
  }
}

// -----

// CHECK-LABEL: func.func @one_after_the_other
module attributes {tile.target = "serrano-tiny"} {
  func.func @one_after_the_other(%n: index) {
    // CHECK: mem.buffer scratchpad at 0 : memref<8x8xf32>
    // CHECK: mem.buffer scratchpad at 0 : memref<8x8xf32>
    %first = mem.buffer scratchpad : memref<8x8xf32>
    %second = mem.buffer scratchpad : memref<8x8xf32>
    tile.fill 0.0 to %first rows %n cols %n : memref<8x8xf32>
    tile.fill 0.0 to %second rows %n cols %n : memref<8x8xf32>
    return
  }
}

// -----

// Both are alive as long as the loop: its next round uses `first` again.

// CHECK-LABEL: func.func @in_a_loop
module attributes {tile.target = "serrano-tiny"} {
  func.func @in_a_loop(%n: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    // CHECK: mem.buffer scratchpad at 0 : memref<8x8xf32>
    // CHECK: mem.buffer scratchpad at 256 : memref<8x8xf32>
    %first = mem.buffer scratchpad : memref<8x8xf32>
    %second = mem.buffer scratchpad : memref<8x8xf32>
    scf.for %i = %c0 to %n step %c1 {
      tile.fill 0.0 to %first rows %n cols %n : memref<8x8xf32>
      tile.fill 0.0 to %second rows %n cols %n : memref<8x8xf32>
    }
    return
  }
}

// -----

// A round of the loop has buffers of its own, one after the other; what is outside
// stays.

// CHECK-LABEL: func.func @of_a_loop
module attributes {tile.target = "serrano-tiny"} {
  func.func @of_a_loop(%n: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    // CHECK: mem.buffer scratchpad at 0 : memref<8x8xf32>
    %outside = mem.buffer scratchpad : memref<8x8xf32>
    scf.for %i = %c0 to %n step %c1 {
      // CHECK: mem.buffer scratchpad at 256 : memref<8x8xf32>
      // CHECK: mem.buffer scratchpad at 256 : memref<8x8xf32>
      %first = mem.buffer scratchpad : memref<8x8xf32>
      %second = mem.buffer scratchpad : memref<8x8xf32>
      tile.unary copy %outside to %first rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
      tile.unary copy %outside to %second rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
    }
    return
  }
}

// -----

// Buffers that are in the loop begin each round undefined: their lives are as short as
// they look. The one outside lives as long as the loop.

// CHECK-LABEL: func.func @of_a_loop
module attributes {tile.target = "serrano-tiny"} {
  func.func @of_a_loop(%n: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    // CHECK: mem.buffer scratchpad at 0 : memref<8x8xf32>
    %outside = mem.buffer scratchpad : memref<8x8xf32>
    scf.for %i = %c0 to %n step %c1 {
      // CHECK: mem.buffer scratchpad at 256 : memref<8x8xf32>
      // CHECK: mem.buffer scratchpad at 256 : memref<8x8xf32>
      %first = mem.buffer scratchpad : memref<8x8xf32>
      %second = mem.buffer scratchpad : memref<8x8xf32>
      tile.fill 0.0 to %first rows %n cols %n : memref<8x8xf32>
      tile.fill 0.0 to %second rows %n cols %n : memref<8x8xf32>
      tile.fill 0.0 to %outside rows %n cols %n : memref<8x8xf32>
    }
    return
  }
}

// -----

// A view keeps its buffer alive.

// CHECK-LABEL: func.func @through_views
module attributes {tile.target = "serrano-tiny"} {
  func.func @through_views(%n: index) {
    // CHECK: mem.buffer scratchpad at 0 : memref<8x8xf32>
    // CHECK: mem.buffer scratchpad at 256 : memref<8x8xf32>
    %first = mem.buffer scratchpad : memref<8x8xf32>
    %second = mem.buffer scratchpad : memref<8x8xf32>
    %view = memref.reinterpret_cast %first to offset: [8], sizes: [1, 8], strides: [8, 1] : memref<8x8xf32> to memref<1x8xf32, strided<[8, 1], offset: 8>>
    tile.fill 0.0 to %second rows %n cols %n : memref<8x8xf32>
    tile.unary copy %view to %second rows %n cols %n : memref<1x8xf32, strided<[8, 1], offset: 8>>, memref<8x8xf32>
    return
  }
}

// -----

// The accumulators are a memory of their own.

// CHECK-LABEL: func.func @memories
module attributes {tile.target = "serrano-tiny"} {
  func.func @memories(%n: index) {
    // CHECK: mem.buffer scratchpad at 0 : memref<8x8xf32>
    // CHECK: mem.buffer accumulators at 0 : memref<8x8xf32>
    %x = mem.buffer scratchpad : memref<8x8xf32>
    %acc = mem.buffer accumulators : memref<8x8xf32>
    tile.unary copy %x to %acc rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
    return
  }
}

// -----

// CHECK-LABEL: func.func @given
module attributes {tile.target = "serrano-tiny"} {
  func.func @given(%n: index) {
    // 64 bytes fit below the given 128, 256 do not.
    // CHECK: mem.buffer scratchpad at 128 : memref<8x8xf32>
    // CHECK: mem.buffer scratchpad at 384 : memref<8x8xf32>
    // CHECK: mem.buffer scratchpad at 0 : memref<2x8xf32>
    %given = mem.buffer scratchpad at 128 : memref<8x8xf32>
    %large = mem.buffer scratchpad : memref<8x8xf32>
    %small = mem.buffer scratchpad : memref<2x8xf32>
    tile.binary add %given, %large to %small rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>, memref<2x8xf32>
    return
  }
}

// -----

// What the buffers leave, 32512 bytes, is for two rings: 16256 each, which are 63 tiles
// of 256 bytes and 31 of 512.

// CHECK: mem.placement = [{buffer_bytes = 256 : i64, capacity = 32768 : i64, function = "rings", lower_bound = 256 : i64, memory = "scratchpad", ring_bytes = 16384 : i64, rings = [{index = 0 : i64, slot_bytes = 256 : i64, slots = 32 : i64}, {index = 1 : i64, slot_bytes = 512 : i64, slots = 16 : i64}]}, {buffer_bytes = 0 : i64, {{.*}}memory = "accumulators"{{.*}}}, {{{.*}}memory = "hbm"{{.*}}}, {{{.*}}memory = "scalar memory"{{.*}}}]
// CHECK-LABEL: func.func @rings
module attributes {tile.target = "serrano-tiny"} {
  tile.packed @a [@v] sizes [8, 8] tile 8 x 8 : f32
  tile.packed @b [@w] sizes [8, 16] tile 8 x 16 : f32
  func.func @rings(%n: index) {
    // CHECK: mem.buffer scratchpad at 0 : memref<8x8xf32>
    // CHECK: mem.ring 0 of @a at 256 slots 63
    // CHECK: mem.ring 1 of @b at 16384 slots 31
    %x = mem.buffer scratchpad : memref<8x8xf32>
    %0 = mem.ring 0 of @a : !tile.stream<memref<8x8xf32>>
    %1 = mem.ring 1 of @b : !tile.stream<memref<8x16xf32>>
    tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
    return
  }
}

// -----

// The option leaves half of the scratchpad to the rings: 8192 bytes each.

// HALF-LABEL: func.func @half
module attributes {tile.target = "serrano-tiny"} {
  tile.packed @a [@v] sizes [8, 8] tile 8 x 8 : f32
  tile.packed @b [@w] sizes [8, 16] tile 8 x 16 : f32
  func.func @half(%n: index) {
    // HALF: mem.ring 0 of @a at 256 slots 32
    // HALF: mem.ring 1 of @b at 8448 slots 16
    %x = mem.buffer scratchpad : memref<8x8xf32>
    %0 = mem.ring 0 of @a : !tile.stream<memref<8x8xf32>>
    %1 = mem.ring 1 of @b : !tile.stream<memref<8x16xf32>>
    tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
    return
  }
}

// -----

// A ring whose number of slots is given gets that; the other gets what is left: 32768
// less 256 for the buffer and 1024 for the given slots is 31488, 61 tiles of 512 bytes.

// CHECK-LABEL: func.func @ring_with_slots
module attributes {tile.target = "serrano-tiny"} {
  tile.packed @a [@v] sizes [8, 8] tile 8 x 8 : f32
  tile.packed @b [@w] sizes [8, 16] tile 8 x 16 : f32
  func.func @ring_with_slots(%n: index) {
    // CHECK: mem.ring 0 of @a at {{[0-9]+}} slots 4
    // CHECK: mem.ring 1 of @b at {{[0-9]+}} slots 61
    %x = mem.buffer scratchpad : memref<8x8xf32>
    %0 = mem.ring 0 of @a slots 4 : !tile.stream<memref<8x8xf32>>
    %1 = mem.ring 1 of @b : !tile.stream<memref<8x16xf32>>
    tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
    return
  }
}

// -----

// The buffers take 32768 - 512 bytes in the best placement: `long` and `late` lie
// where `early` was. The ring gets the two slots of 256 bytes that are left, not
// the place that its size would have among the buffers.

// CHECK-LABEL: func.func @ring_gets_the_rest
module attributes {tile.target = "serrano-tiny"} {
  tile.packed @a [@v] sizes [8, 8] tile 8 x 8 : f32
  func.func @ring_gets_the_rest(%n: index) {
    // CHECK: mem.buffer scratchpad at 0 : memref<126x64xf32>
    // CHECK: mem.buffer scratchpad at 0 : memref<125x64xf32>
    // CHECK: mem.buffer scratchpad at 32000 : memref<1x64xf32>
    // CHECK: mem.ring 0 of @a at 32256 slots 2
    %early = mem.buffer scratchpad : memref<126x64xf32>
    %long = mem.buffer scratchpad : memref<125x64xf32>
    %late = mem.buffer scratchpad : memref<1x64xf32>
    %0 = mem.ring 0 of @a : !tile.stream<memref<8x8xf32>>
    tile.fill 0.0 to %early rows %n cols %n : memref<126x64xf32>
    tile.fill 0.0 to %long rows %n cols %n : memref<125x64xf32>
    tile.unary copy %long to %late rows %n cols %n : memref<125x64xf32>, memref<1x64xf32>
    return
  }
}

// -----

// Weights first, a page of 4096 bytes each, then the rest by bursts; 180 weights in
// tiles of 48, 192 bytes each, take 4 of them. Scalars of 4 bytes have a memory of their own.

// CHECK: module attributes {mem.hbm_bytes = 12288 : i64
// CHECK: tile.tensor @x {{.*}} {mem.address = 8192 : i64}
// CHECK: tile.dimension @seq max 8 {mem.address = 0 : i64}
// CHECK: tile.packed @stream {{.*}} {mem.address = 0 : i64}
// CHECK: tile.tensor @ids {{.*}} {mem.address = 4 : i64}
// CHECK: tile.tensor @table {{.*}} {mem.address = 4096 : i64}
// CHECK: tile.tensor @y {{.*}} {mem.address = 8256 : i64}
// CHECK: tile.dimension @batch max 8 {mem.address = 36 : i64}
module attributes {tile.target = "serrano-tiny"} {
  tile.tensor @x input "x" "f32" ["seq", "4"] : memref<3x4xf32>
  tile.dimension @seq max 8
  tile.packed @stream [@w] sizes [30, 6] tile 6 x 8 : f32
  tile.tensor @ids temporary scalar : memref<1x8xi32>
  tile.tensor @table constant of @embedding : memref<10x4xf32>
  tile.tensor @y temporary : memref<1x1xf32>
  tile.dimension @batch max 8
}

// -----

// What has an address is not moved, nor is anything put over it.

// CHECK: tile.tensor @given {{.*}} {mem.address = 64 : i64}
// CHECK: tile.tensor @x {{.*}} {mem.address = 4096 : i64}
// CHECK: tile.dimension @batch max 8 {mem.address = 12 : i64}
// CHECK: tile.dimension @seq max 8 {mem.address = 8 : i64}
module attributes {tile.target = "serrano-tiny"} {
  tile.tensor @given temporary : memref<4x4xf32> {mem.address = 64 : i64}
  tile.tensor @x temporary : memref<4x4xf32>
  tile.dimension @batch max 8
  tile.dimension @seq max 8 {mem.address = 8 : i64}
}

// -----

// A function without a body has no buffers.

// CHECK: func.func private @declared()
module attributes {tile.target = "serrano-tiny"} {
  func.func private @declared()
}
