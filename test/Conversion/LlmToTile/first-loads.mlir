// What a program brings on the core first: what its first computation reads, and behind that constants that it meets later.

// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-1 precision=f32 max-tokens=4" -canonicalize -cse | FileCheck %s
// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=4" -canonicalize -cse | FileCheck %s --check-prefix=NARROW

// The features come in pieces of 128, as many as an array of 128 x 128 takes at once, which are 8 bursts of 64 bytes. Behind
// the first of them comes the norm's scale; the other vector and the table come last.
// CHECK: %[[VECTORS:.*]] = tile.slot : memref<1x224xf32>
// CHECK: tile.order_tiles
// CHECK: %[[X:.*]] = tile.slot : memref<4x160xf32>
// CHECK: %[[X0:.*]] = memref.reinterpret_cast %[[X]] to offset: [0], sizes: [4, 128], strides: [160, 1]
// CHECK: tile.load @arg0[%c0, %c0] to %[[X0]] rows %c4
// CHECK: %[[SCALE:.*]] = memref.reinterpret_cast %[[VECTORS]] to offset: [0], sizes: [1, 160]
// CHECK: tile.load @vectors[%c0, %c0] to %[[SCALE]] rows %c1
// CHECK: %[[X1:.*]] = memref.reinterpret_cast %[[X]] to offset: [128], sizes: [4, 32], strides: [160, 1]
// CHECK: tile.load @arg0[%c0, %c128] to %[[X1]] rows %c4
// CHECK: %[[BIAS:.*]] = memref.reinterpret_cast %[[VECTORS]] to offset: [160], sizes: [1, 64]
// CHECK: tile.load @vectors[%c0, %c160] to %[[BIAS]] rows %c1
// CHECK: tile.load @table.half_0
// CHECK-NOT: tile.load @

// The second piece is scaled while the first 32 squares are added, each strip of which waits for the one before.
// CHECK: tile.binary mul %[[X0]], {{.*}} rows %c4 cols %c128
// CHECK: %[[STRIP:.*]] = memref.reinterpret_cast %[[X]] to offset: [0], sizes: [4, 32]
// CHECK-NEXT: tile.reduce sumsq %[[STRIP]] to %[[SUM:[^ ]*]] accumulate rows %c4 cols %c32
// CHECK: tile.binary mul %[[X1]], {{.*}} rows %c4 cols %c32
// CHECK-NEXT: %[[STRIP:.*]] = memref.reinterpret_cast %[[X]] to offset: [32], sizes: [4, 32]
// CHECK-NEXT: tile.reduce sumsq %[[STRIP]] to %[[SUM]] accumulate rows %c4 cols %c32
// CHECK-NEXT: %[[STRIP:.*]] = memref.reinterpret_cast %[[X]] to offset: [64], sizes: [4, 32]
// CHECK-NEXT: tile.reduce sumsq %[[STRIP]] to %[[SUM]] accumulate rows %c4 cols %c32
// CHECK-NEXT: %[[STRIP:.*]] = memref.reinterpret_cast %[[X]] to offset: [96], sizes: [4, 32]
// CHECK-NEXT: tile.reduce sumsq %[[STRIP]] to %[[SUM]] accumulate rows %c4 cols %c32
// CHECK-NEXT: tile.reduce sumsq %[[X1]] to %[[SUM]] accumulate rows %c4 cols %c32
// CHECK-NEXT: tile.scalar div %[[SUM]]
// CHECK-NEXT: tile.unary rsqrt %[[SUM]]

// Of an array of 8 x 8 a row of a piece would be half a burst, and so move twice the bytes.
// NARROW: tile.load @arg0[%c0, %c0] {{.*}} : memref<4x160xf32>
// NARROW: tile.load @vectors[%c0, %c0] {{.*}} : memref<1x160xf32
// NARROW: tile.load @vectors[%c0, %c160] {{.*}} : memref<1x64xf32
// NARROW: tile.load @table.half_0
// NARROW-NOT: tile.load @
llm.weight private @half : tensor<1x4x16xf32> from [#llm.view<"w", offset = 0, length = 256, shape = [1, 4, 16], strides = [64, 16, 1]>]
llm.weight private @scale : tensor<160xf32> from [#llm.view<"w", offset = 0, length = 640, shape = [160], strides = [1]>]
llm.weight private @bias : tensor<64xf32> from [#llm.view<"w", offset = 0, length = 256, shape = [64], strides = [1]>]
llm.weight private @w : tensor<160x64xf32> from [#llm.view<"w", offset = 0, length = 40960, shape = [160, 64], strides = [64, 1]>]
func.func @features(%x: tensor<1x4x160xf32> {llm.name = "x"}) -> (tensor<1x4x64xf32> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %half = llm.get_weight @half : tensor<1x4x16xf32>
  %scale = llm.get_weight @scale : tensor<160xf32>
  %bias = llm.get_weight @bias : tensor<64xf32>
  %w = llm.get_weight @w : tensor<160x64xf32>
  %n = llm.rms_norm %x, %scale epsilon 1.0e-05 : tensor<1x4x160xf32>, tensor<160xf32>
  %p = llm.linear %n, %w, %bias : (tensor<1x4x160xf32>, tensor<160x64xf32>, tensor<64xf32>) -> tensor<1x4x64xf32>
  %h = llm.reshape %p : tensor<1x4x64xf32> to tensor<1x4x2x32xf32>
  %r = llm.rope %h, %half, %half : tensor<1x4x2x32xf32>, tensor<1x4x16xf32>, tensor<1x4x16xf32>
  %y = llm.reshape %r : tensor<1x4x2x32xf32> to tensor<1x4x64xf32>
  return %y : tensor<1x4x64xf32>
}
