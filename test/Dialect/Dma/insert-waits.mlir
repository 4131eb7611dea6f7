// RUN: serrano-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(dma-insert-waits))' | FileCheck %s
// Waits are replaced, not added, and they suffice.
// RUN: serrano-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(dma-insert-waits,dma-insert-waits,dma-verify-races))' | FileCheck %s

// Counters are those of the queues: 0 DMA in, 1 DMA out, 2 matrix, 3 vector.

// CHECK-LABEL: func.func @reads_what_is_loaded
// CHECK: dma.load {{.*}} {dma.signal = 0 : i64}
// CHECK: tile.unary {{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<0 lag 0>]}
tile.tensor @t temporary : memref<8x8xf32>
func.func @reads_what_is_loaded(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  tile.unary exp %x to %y rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// CHECK-LABEL: func.func @writes_what_was_read
// CHECK: tile.unary {{.*}} {dma.signal = 3 : i64} :
// CHECK: dma.load {{.*}} {dma.signal = 0 : i64, dma.waits = [#dma.wait<3 lag 0>]}
tile.tensor @t temporary : memref<8x8xf32>
func.func @writes_what_was_read(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  tile.unary exp %x to %y rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  return
}

// -----

// Reading what another queue reads, writing other bytes, and following an operation
// of the own queue need no wait. Buffers that share bytes in turn are no others.

// CHECK-LABEL: func.func @independent
// CHECK: dma.load {{.*}} {dma.signal = 0 : i64} :
// CHECK: dma.load {{.*}} {dma.signal = 0 : i64} :
// CHECK: tile.fill {{.*}} {dma.signal = 3 : i64} :
// CHECK: dma.store {{.*}} {dma.signal = 1 : i64, dma.waits = [#dma.wait<0 lag 0>]} :
// CHECK: tile.unary {{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<0 lag 0>]} :
tile.tensor @t temporary : memref<8x8xf32>
tile.tensor @u temporary : memref<8x8xf32>
func.func @independent(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  tile.fill 0.0 to %y rows %n cols %n : memref<8x8xf32>
  dma.store %x to @u[%n, %n] rows %n : memref<8x8xf32>
  tile.unary exp %x to %y rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// The first fill waits for all but the last load. What it has waited for, the last
// operation need not wait for again.

// CHECK-LABEL: func.func @lags
// CHECK: tile.fill {{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<0 lag 1>]}
// CHECK: tile.fill {{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<0 lag 0>]}
// CHECK: tile.fill {{.*}} {dma.signal = 3 : i64} :
tile.tensor @t temporary : memref<8x8xf32>
func.func @lags(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  dma.load @t[%n, %n] to %y rows %n : memref<8x8xf32>
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  tile.fill 0.0 to %y rows %n cols %n : memref<8x8xf32>
  tile.fill 1.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// Two accumulators: the matrix engine fills one while the vector engine still reads
// the other, so it waits for all but the last of the vector queue.

// CHECK-LABEL: func.func @two_accumulators
// CHECK: scf.for
// CHECK: tile.matmul {{.*}} {dma.signal = 2 : i64, dma.waits = [#dma.wait<3 lag 1>]}
// CHECK: tile.unary {{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<2 lag 0>]}
// CHECK: tile.matmul {{.*}} {dma.signal = 2 : i64, dma.waits = [#dma.wait<3 lag 1>]}
// CHECK: tile.unary {{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<2 lag 0>]}
func.func @two_accumulators(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %even = mem.buffer accumulators at 0 : memref<8x8xf32>
  %odd = mem.buffer accumulators at 256 : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    tile.matmul %x to %even m %n : memref<8x8xf32>, memref<8x8xf32>
    tile.unary exp %even to %y rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
    tile.matmul %x to %odd m %n : memref<8x8xf32>, memref<8x8xf32>
    tile.unary exp %odd to %y rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
  }
  return
}

// -----

// One accumulator: the matrix engine waits for the vector engine of the round before.

// CHECK-LABEL: func.func @one_accumulator
// CHECK: tile.matmul {{.*}} {dma.signal = 2 : i64, dma.waits = [#dma.wait<3 lag 0>]}
func.func @one_accumulator(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    tile.matmul %x to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
    tile.unary exp %acc to %y rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
  }
  return
}

// -----

// The load that may have been skipped is waited for; it may also be the last.

// CHECK-LABEL: func.func @branches
// CHECK: tile.fill {{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @branches(%n: index, %condition: i1) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  scf.if %condition {
    dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  } else {
    dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
    dma.load @t[%n, %n] to %y rows %n : memref<8x8xf32>
  }
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// A wait in a branch is none for the other.

// CHECK-LABEL: func.func @wait_in_a_branch
// CHECK: scf.if
// CHECK: tile.fill 0.{{.*}} dma.waits = [#dma.wait<0 lag 0>]
// CHECK: tile.fill 1.{{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @wait_in_a_branch(%n: index, %condition: i1) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  scf.if %condition {
    tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  }
  tile.fill 1.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// An instruction has room for two waits; the third is a `dma.sync` of its queue.

// CHECK-LABEL: func.func @three_queues
// CHECK: dma.sync vector {dma.waits = [#dma.wait<2 lag 0>]}
// CHECK-NEXT: tile.ternary {{.*}} dma.waits = [#dma.wait<0 lag 0>, #dma.wait<1 lag 0>]
// CHECK-NOT: dma.sync
tile.tensor @t temporary : memref<8x8xf32>
tile.tensor @u temporary : memref<8x8xf32>
func.func @three_queues(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  dma.store %y to @u[%n, %n] rows %n : memref<8x8xf32>
  tile.matmul %y to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  tile.ternary fma %x, %acc, %acc to %y rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// Bytes in HBM: a tensor is one thing, whatever the rows.

// CHECK-LABEL: func.func @tensors
// CHECK: dma.load @u{{.*}} {dma.signal = 0 : i64} :
// CHECK: dma.load @t{{.*}} {dma.signal = 0 : i64, dma.waits = [#dma.wait<1 lag 0>]}
// CHECK: dma.store {{.*}} @u{{.*}} {dma.signal = 1 : i64, dma.waits = [#dma.wait<0 lag 1>]}
tile.tensor @t temporary : memref<8x8xf32>
tile.tensor @u temporary : memref<8x8xf32>
func.func @tensors(%n: index, %other: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.store %x to @t[%n, %n] rows %n : memref<8x8xf32>
  dma.load @u[%n, %n] to %y rows %n : memref<8x8xf32>
  dma.load @t[%other, %n] to %y rows %n : memref<8x8xf32>
  dma.store %x to @u[%n, %n] rows %n : memref<8x8xf32>
  return
}

// -----

// A ring fills and frees its own slots, with weights that nobody writes.

// CHECK-LABEL: func.func @ring
// CHECK: dma.order_tiles %{{.*}} from 0 count 1 passes %{{.*}} : <memref<8x8xf32>>
// CHECK: tile.load_weights {{.*}} {dma.signal = 2 : i64} :
tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32
func.func @ring(%n: index) {
  %w = mem.ring 0 of @stream at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  dma.order_tiles %w from 0 count 1 passes %n : !tile.stream<memref<8x8xf32>>
  %tile = tile.next %w : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  tile.load_weights %tile k %n n %n : memref<8x8xf32>
  return
}

// -----

// A ring of a cache reads what was stored: it waits for the stores to that cache before
// it, but not for the last one, which is to another. What is stored later is to other
// rows, and who reads a tile waits by the ring itself.

// CHECK-LABEL: func.func @order_blocks
// CHECK: dma.store {{.*}} to @kv{{.*}} {dma.signal = 1 : i64} :
// CHECK: dma.store {{.*}} to @other{{.*}} {dma.signal = 1 : i64} :
// CHECK: dma.order_blocks {{.*}} {dma.waits = [#dma.wait<1 lag 1>]} :
// CHECK: dma.order_blocks {{.*}} passes %{{[a-z0-9]+}} :
// CHECK: tile.load_weights {{.*}} {dma.signal = 2 : i64} :
// CHECK: dma.store {{.*}} to @kv{{.*}} {dma.signal = 1 : i64} :
tile.tensor @ids temporary scalar : memref<1x8xi32>
tile.tensor @kv cache : memref<64x8xf32>
tile.tensor @other cache : memref<64x8xf32>
func.func @order_blocks(%n: index) {
  %x = mem.buffer scratchpad at 4096 : memref<8x8xf32>
  %ring = mem.ring 0 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  dma.store %x to @kv[%n, %n] rows %n : memref<8x8xf32>
  dma.store %x to @other[%n, %n] rows %n : memref<8x8xf32>
  dma.order_blocks %ring[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n : !tile.stream<memref<8x8xf32>>
  dma.order_blocks %ring[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n : !tile.stream<memref<8x8xf32>>
  %tile = tile.next %ring : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  tile.load_weights %tile k %n n %n : memref<8x8xf32>
  dma.store %x to @kv[%n, %n] rows %n : memref<8x8xf32>
  return
}

// -----

// Each ring has a queue of its own: that one has waited is nothing to the other.

// CHECK-LABEL: func.func @order_blocks_of_two_rings
// CHECK: dma.store
// CHECK: dma.order_blocks {{.*}} {dma.waits = [#dma.wait<1 lag 0>]} :
// CHECK: dma.order_blocks {{.*}} {dma.waits = [#dma.wait<1 lag 0>]} :
tile.tensor @ids temporary scalar : memref<1x8xi32>
tile.tensor @kv cache : memref<64x8xf32>
func.func @order_blocks_of_two_rings(%n: index) {
  %x = mem.buffer scratchpad at 4096 : memref<8x8xf32>
  %ring = mem.ring 0 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  %other = mem.ring 1 of @kv at 512 slots 2 : !tile.stream<memref<8x8xf32>>
  dma.store %x to @kv[%n, %n] rows %n : memref<8x8xf32>
  dma.order_blocks %ring[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n : !tile.stream<memref<8x8xf32>>
  dma.order_blocks %other[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n : !tile.stream<memref<8x8xf32>>
  return
}

// -----

// In a loop the ring waits for the store of the round before, the matrix engine for
// nothing: the first round's blocks are ordered before any store.

// CHECK-LABEL: func.func @order_in_a_loop
// CHECK-NOT: dma.sync
// CHECK: scf.for
// CHECK: dma.order_blocks {{.*}} {dma.waits = [#dma.wait<1 lag 0>]} :
// CHECK: tile.load_weights {{.*}} {dma.signal = 2 : i64} :
// CHECK: dma.store {{.*}} {dma.signal = 1 : i64} :
tile.tensor @ids temporary scalar : memref<1x8xi32>
tile.tensor @kv cache : memref<64x8xf32>
func.func @order_in_a_loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 4096 : memref<8x8xf32>
  %ring = mem.ring 0 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  scf.for %i = %c0 to %n step %c1 {
    dma.order_blocks %ring[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n : !tile.stream<memref<8x8xf32>>
    %tile = tile.next %ring : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
    tile.load_weights %tile k %n n %n : memref<8x8xf32>
    dma.store %x to @kv[%n, %n] rows %n : memref<8x8xf32>
  }
  return
}

// -----

// What was there is replaced.

// CHECK-LABEL: func.func @again
// CHECK-NOT: dma.sync
// CHECK: tile.fill {{.*}} {dma.signal = 3 : i64} :
func.func @again(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  dma.sync vector {dma.waits = [#dma.wait<0 lag 0>]}
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<1 lag 0>, #dma.wait<2 lag 0>]} : memref<8x8xf32>
  return
}

// -----

// CHECK: func.func private @declared()
func.func private @declared()

// -----

// The matrix engine has waited for the load when the vector engine waits for it: the fill
// need not wait for the load again.

// CHECK-LABEL: func.func @through_another_queue
// CHECK: dma.load {{.*}} {dma.signal = 0 : i64} :
// CHECK: tile.matmul {{.*}} {dma.signal = 2 : i64, dma.waits = [#dma.wait<0 lag 0>]} :
// CHECK: tile.unary {{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<2 lag 0>]} :
tile.tensor @t temporary : memref<8x8xf32>
func.func @through_another_queue(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  tile.matmul %x to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
  tile.unary exp %acc to %x rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
  return
}
