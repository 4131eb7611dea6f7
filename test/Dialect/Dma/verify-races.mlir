// RUN: serrano-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(dma-verify-races))' | FileCheck %s

// Programs without a race, whose waits no pass has written.

// A smaller lag than is needed waits for more.
// CHECK-LABEL: func.func @smaller_lag
tile.tensor @t temporary : memref<8x8xf32>
func.func @smaller_lag(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
  dma.load @t[%n, %n] to %y rows %n {dma.signal = 0} : memref<8x8xf32>
  // CHECK: #dma.wait<0 lag 0>
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<0 lag 0>]} : memref<8x8xf32>
  return
}

// -----

// The second load completes after the first and signals for both.
// CHECK-LABEL: func.func @later_signal
tile.tensor @t temporary : memref<8x8xf32>
func.func @later_signal(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  dma.load @t[%n, %n] to %y rows %n {dma.signal = 0} : memref<8x8xf32>
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<0 lag 0>]} : memref<8x8xf32>
  return
}

// -----

// A sync of the queue is a wait of all that follows on it.
// CHECK-LABEL: func.func @sync
tile.tensor @t temporary : memref<8x8xf32>
func.func @sync(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
  dma.sync vector {dma.waits = [#dma.wait<0 lag 0>]}
  tile.fill 0.0 to %y rows %n cols %n : memref<8x8xf32>
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// In a loop, the wait of one round holds for the next one's load too.
// CHECK-LABEL: func.func @loop
tile.tensor @t temporary : memref<8x8xf32>
func.func @loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    dma.load @t[%n, %n] to %x rows %n {dma.signal = 0, dma.waits = [#dma.wait<3 lag 0>]} : memref<8x8xf32>
    tile.fill 0.0 to %x rows %n cols %n {dma.signal = 3, dma.waits = [#dma.wait<0 lag 0>]} : memref<8x8xf32>
  }
  return
}

// -----

// Both branches wait.
// CHECK-LABEL: func.func @branches
tile.tensor @t temporary : memref<8x8xf32>
func.func @branches(%n: index, %condition: i1) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
  scf.if %condition {
    tile.fill 0.0 to %y rows %n cols %n {dma.waits = [#dma.wait<0 lag 0>]} : memref<8x8xf32>
  } else {
    dma.sync vector {dma.waits = [#dma.wait<0 lag 0>]}
  }
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// The ring's wait holds for its later orders, as on any queue; stores after it are to
// other rows.
// CHECK-LABEL: func.func @order_blocks
tile.tensor @ids temporary scalar : memref<1x8xi32>
tile.tensor @kv cache : memref<64x8xf32>
func.func @order_blocks(%n: index) {
  %x = mem.buffer scratchpad at 4096 : memref<8x8xf32>
  %ring = mem.ring 0 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  dma.store %x to @kv[%n, %n] rows %n {dma.signal = 1} : memref<8x8xf32>
  // CHECK: dma.order_blocks
  dma.order_blocks %ring[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n {dma.waits = [#dma.wait<1 lag 0>]} : !tile.stream<memref<8x8xf32>>
  dma.order_blocks %ring[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n : !tile.stream<memref<8x8xf32>>
  dma.store %x to @kv[%n, %n] rows %n {dma.signal = 1} : memref<8x8xf32>
  return
}

// -----

// One queue writes columns 0 to 3 of rows of 8, the other 4 to 7, at the same time.
// CHECK-LABEL: func.func @columns
tile.tensor @t temporary : memref<8x8xf32>
func.func @columns(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %left = memref.reinterpret_cast %x to offset: [0], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1]>>
  %right = memref.reinterpret_cast %x to offset: [4], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: 4>>
  // CHECK: dma.load
  dma.load @t[%n, %n] to %left rows %n {dma.signal = 0} : memref<8x4xf32, strided<[8, 1]>>
  tile.fill 0.0 to %right rows %n cols %n {dma.signal = 3} : memref<8x4xf32, strided<[8, 1], offset: 4>>
  return
}

// -----

// CHECK: func.func private @declared()
func.func private @declared()

// -----

// The vector queue knows of the load what the matrix queue knew when it multiplied.

// CHECK-LABEL: func.func @through_another_queue
tile.tensor @t temporary : memref<8x8xf32>
func.func @through_another_queue(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0 : i64} : memref<8x8xf32>
  tile.matmul %x to %acc m %n {dma.signal = 2 : i64, dma.waits = [#dma.wait<0 lag 0>]} : memref<8x8xf32>, memref<8x8xf32>
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<2 lag 0>]} : memref<8x8xf32>
  return
}
