// RUN: serrano-opt %s | serrano-opt | FileCheck %s

tile.tensor @x temporary : memref<8x16xf32>
tile.tensor @ids temporary scalar : memref<1x8xi32>
tile.tensor @kv cache : memref<64x8xf32>
tile.packed @stream [@w] sizes [8, 24] tile 8 x 8 : f32

// CHECK-LABEL: func.func @transfers
func.func @transfers(%row: index, %col: index, %rows: index) {
  %slot = mem.buffer scratchpad at 0 : memref<8x16xf32>
  %block = mem.buffer scratchpad at 512 : memref<8x8xf32>
  %w = mem.ring 0 of @stream at 1024 slots 2 : !tile.stream<memref<8x8xf32>>
  // CHECK: dma.order_tiles %{{.*}} from 1 count 2 passes %{{.*}} : <memref<8x8xf32>>
  dma.order_tiles %w from 1 count 2 passes %rows : !tile.stream<memref<8x8xf32>>
  // CHECK: dma.load @x[%{{.*}}, %{{.*}}] to %{{.*}} rows %{{.*}} {dma.signal = 0 : i64} : memref<8x16xf32>
  dma.load @x[%row, %col] to %slot rows %rows {dma.signal = 0} : memref<8x16xf32>
  // Some of the tensor's columns.
  // CHECK: dma.load @x[%{{.*}}, %{{.*}}] to %{{.*}} rows %{{.*}} : memref<8x8xf32>
  dma.load @x[%row, %col] to %block rows %rows : memref<8x8xf32>
  // CHECK: dma.gather @x by @ids[%{{.*}}] to %{{.*}} rows %{{.*}} : memref<8x16xf32>
  dma.gather @x by @ids[%row] to %slot rows %rows : memref<8x16xf32>
  // CHECK: dma.store %{{.*}} to @x[%{{.*}}, %{{.*}}] rows %{{.*}} {dma.waits = [#dma.wait<0 lag 1>, #dma.wait<3 lag 63>]} : memref<8x16xf32>
  dma.store %slot to @x[%row, %col] rows %rows {dma.waits = [#dma.wait<0 lag 1>, #dma.wait<3 lag 63>]} : memref<8x16xf32>
  %kv = mem.ring 1 of @kv at 2048 slots 2 : !tile.stream<memref<8x8xf32>>
  // CHECK: dma.order_blocks %{{.*}}[%{{.*}}] by @ids[%{{.*}}] bound 4 step 16 count %{{.*}} tail %{{.*}} passes %{{.*}} {dma.waits = [#dma.wait<1 lag 2>]} : <memref<8x8xf32>>
  dma.order_blocks %kv[%row] by @ids[%col] bound 4 step 16 count %rows tail %rows passes %rows {dma.waits = [#dma.wait<1 lag 2>]} : !tile.stream<memref<8x8xf32>>
  // CHECK: dma.store %{{.*}} to @kv[%{{.*}}, %{{.*}}] rows %{{.*}} pieces 2 step 8 : memref<8x16xf32>
  dma.store %slot to @kv[%row, %col] rows %rows pieces 2 step 8 : memref<8x16xf32>
  // CHECK: dma.sync vector {dma.waits = [#dma.wait<0 lag 0>, #dma.wait<1 lag 0>, #dma.wait<2 lag 0>]}
  dma.sync vector {dma.waits = [#dma.wait<0 lag 0>, #dma.wait<1 lag 0>, #dma.wait<2 lag 0>]}
  return
}
