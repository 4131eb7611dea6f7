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

// CHECK: func.func private @declared()
func.func private @declared()
