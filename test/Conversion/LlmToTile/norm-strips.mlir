// A norm is fed by the projection before it: what is scaled goes to the matrix engine and comes early, a block's sums come one
// block later. Each sum waits for the one before; other blocks' work goes on in between.

// RUN: serrano-opt %s -split-input-file -convert-llm-to-tile="target=serrano-1 precision=f32 max-tokens=4" -canonicalize -cse | FileCheck %s
// RUN: serrano-opt %s -split-input-file -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=4" -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=ROUND

// Of 224 columns a block has 128, four strips of 32, the other three. The first strip comes before the second block is scaled,
// in the time that its sum takes to be there.
// CHECK: %[[X:.*]] = tile.slot : memref<4x224xf32>
// CHECK: tile.binary add {{.*}} cols %c128
// CHECK-NOT: tile.reduce
// CHECK: tile.binary mul {{.*}} cols %c128
// CHECK-NOT: tile.reduce
// CHECK: tile.binary add {{.*}} cols %c96
// CHECK-NEXT: %[[STRIP:.*]] = memref.reinterpret_cast %[[X]] to offset: [0], sizes: [4, 32]
// CHECK-NEXT: tile.reduce sumsq %[[STRIP]] to %[[SUM:[^ ]*]] accumulate
// CHECK-NOT: tile.reduce
// CHECK: tile.binary mul {{.*}} cols %c96
// CHECK: %[[STRIP:.*]] = memref.reinterpret_cast %[[X]] to offset: [32], sizes: [4, 32]
// CHECK-NEXT: tile.reduce sumsq %[[STRIP]] to %[[SUM]] accumulate
// CHECK-NEXT: %[[STRIP:.*]] = memref.reinterpret_cast %[[X]] to offset: [64], sizes: [4, 32]
// CHECK-NEXT: tile.reduce sumsq %[[STRIP]] to %[[SUM]] accumulate
// CHECK-NEXT: %[[STRIP:.*]] = memref.reinterpret_cast %[[X]] to offset: [96], sizes: [4, 32]
// CHECK-NEXT: tile.reduce sumsq %[[STRIP]] to %[[SUM]] accumulate
// CHECK-NEXT: %[[STRIP:.*]] = memref.reinterpret_cast %[[X]] to offset: [128], sizes: [4, 32]
// CHECK-NEXT: tile.reduce sumsq %[[STRIP]] to %[[SUM]] accumulate
// CHECK-NEXT: %[[STRIP:.*]] = memref.reinterpret_cast %[[X]] to offset: [160], sizes: [4, 32]
// CHECK-NEXT: tile.reduce sumsq %[[STRIP]] to %[[SUM]] accumulate
// CHECK-NEXT: %[[STRIP:.*]] = memref.reinterpret_cast %[[X]] to offset: [192], sizes: [4, 32]
// CHECK-NEXT: tile.reduce sumsq %[[STRIP]] to %[[SUM]] accumulate
// CHECK-NEXT: tile.scalar div %[[SUM]]

// A block of an array of 8 x 8 is a strip. Rounds of a loop leave none to each other, nor does what comes before them: the last
// strip of four blocks is added behind the last block.
// ROUND-LABEL: func.func @fed
// ROUND-COUNT-3: tile.reduce
// ROUND-NOT: tile.reduce
// ROUND: tile.binary mul
// ROUND-NEXT: tile.reduce
// ROUND-NEXT: scf.for
// ROUND: tile.binary add %{{.*}}, %[[FIRST:[^ ]*]] to %[[FIRST]] rows
// ROUND-NOT: tile.reduce
// ROUND: tile.binary add %{{.*}}, %[[SECOND:[^ ]*]] to %[[SECOND]] rows
// ROUND-NEXT: tile.reduce sumsq %[[FIRST]] to
// ROUND: tile.binary add %{{.*}}, %[[THIRD:[^ ]*]] to %[[THIRD]] rows
// ROUND-NEXT: tile.reduce sumsq %[[SECOND]] to
// ROUND: tile.binary add %{{.*}}, %[[FOURTH:[^ ]*]] to %[[FOURTH]] rows
// ROUND-NEXT: tile.reduce sumsq %[[THIRD]] to
// ROUND-NOT: tile.reduce
// ROUND: tile.binary mul %[[FOURTH]],
// ROUND-NEXT: tile.reduce sumsq %[[FOURTH]] to
// ROUND-NEXT: }
// ROUND-COUNT-4: tile.reduce
// ROUND-NOT: tile.reduce
// ROUND: tile.scalar div
llm.weight private @w : tensor<32x224xf32> from [#llm.view<"w", offset = 0, length = 28672, shape = [32, 224], strides = [224, 1]>]
llm.weight private @scale : tensor<224xf32> from [#llm.view<"w", offset = 0, length = 896, shape = [224], strides = [1]>]
llm.weight private @v : tensor<224x8xf32> from [#llm.view<"w", offset = 0, length = 7168, shape = [224, 8], strides = [8, 1]>]
func.func @fed(%x: tensor<1x4x32xf32> {llm.name = "x"}, %r: tensor<1x4x224xf32> {llm.name = "r"}) -> (tensor<1x4x8xf32> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %w = llm.get_weight @w : tensor<32x224xf32>
  %scale = llm.get_weight @scale : tensor<224xf32>
  %v = llm.get_weight @v : tensor<224x8xf32>
  %p = llm.linear %x, %w : (tensor<1x4x32xf32>, tensor<32x224xf32>) -> tensor<1x4x224xf32>
  %s = llm.binary add %r, %p : (tensor<1x4x224xf32>, tensor<1x4x224xf32>) -> tensor<1x4x224xf32>
  %n = llm.rms_norm %s, %scale epsilon 1.0e-05 : tensor<1x4x224xf32>, tensor<224xf32>
  %y = llm.linear %n, %v : (tensor<1x4x224xf32>, tensor<224x8xf32>) -> tensor<1x4x8xf32>
  return %y : tensor<1x4x8xf32>
}

// -----

// Nobody can begin with a layer norm before its sums are there, so that they do not wait for another block.
// CHECK-LABEL: func.func @layer_norm
// CHECK: tile.binary add {{.*}} cols %c128
// CHECK-COUNT-4: tile.reduce sumsq
// CHECK: tile.binary add {{.*}} cols %c96
// CHECK-COUNT-3: tile.reduce sumsq
// CHECK-NOT: tile.reduce
// CHECK: tile.scalar div
llm.weight private @w : tensor<32x224xf32> from [#llm.view<"w", offset = 0, length = 28672, shape = [32, 224], strides = [224, 1]>]
llm.weight private @scale : tensor<224xf32> from [#llm.view<"w", offset = 0, length = 896, shape = [224], strides = [1]>]
llm.weight private @v : tensor<224x8xf32> from [#llm.view<"w", offset = 0, length = 7168, shape = [224, 8], strides = [8, 1]>]
func.func @layer_norm(%x: tensor<1x4x32xf32> {llm.name = "x"}, %r: tensor<1x4x224xf32> {llm.name = "r"}) -> (tensor<1x4x8xf32> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %w = llm.get_weight @w : tensor<32x224xf32>
  %scale = llm.get_weight @scale : tensor<224xf32>
  %v = llm.get_weight @v : tensor<224x8xf32>
  %p = llm.linear %x, %w : (tensor<1x4x32xf32>, tensor<32x224xf32>) -> tensor<1x4x224xf32>
  %s = llm.binary add %r, %p : (tensor<1x4x224xf32>, tensor<1x4x224xf32>) -> tensor<1x4x224xf32>
  %n = llm.layer_norm %s, %scale epsilon 1.0e-05 : tensor<1x4x224xf32>, tensor<224xf32>
  %y = llm.linear %n, %v : (tensor<1x4x224xf32>, tensor<224x8xf32>) -> tensor<1x4x8xf32>
  return %y : tensor<1x4x8xf32>
}
