// RUN: serrano-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(dma-verify-races))' -verify-diagnostics

tile.tensor @t temporary : memref<8x8xf32>
func.func @no_wait(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  // expected-note @+1 {{that operation is here}}
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
  // expected-error @+1 {{writes scratchpad bytes 0 to 255 without waiting for the dma_in queue, which writes there; wait for counter 0 with a lag of at most 0}}
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

tile.tensor @t temporary : memref<8x8xf32>
func.func @no_signal(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  // expected-note @+1 {{that operation is here}}
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  // expected-error @+1 {{without waiting for the dma_in queue, which writes there; let that operation, or a later one of its queue, signal}}
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<0 lag 0>]} : memref<8x8xf32>
  return
}

// -----

// Signalling before tells nothing of what comes after.
tile.tensor @t temporary : memref<8x8xf32>
func.func @early_signal(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.load @t[%n, %n] to %y rows %n {dma.signal = 0} : memref<8x8xf32>
  // expected-note @+1 {{that operation is here}}
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  // expected-error @+1 {{let that operation, or a later one of its queue, signal}}
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<0 lag 0>]} : memref<8x8xf32>
  return
}

// -----

// One load follows, so all but the last one are awaited, but not all but two.
tile.tensor @t temporary : memref<8x8xf32>
func.func @large_lag(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  // expected-note @+1 {{that operation is here}}
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
  dma.load @t[%n, %n] to %y rows %n {dma.signal = 0} : memref<8x8xf32>
  // expected-error @+1 {{wait for counter 0 with a lag of at most 1}}
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<0 lag 2>]} : memref<8x8xf32>
  return
}

// -----

// The wait is the matrix queue's; what the vector queue knows is its own affair.
tile.tensor @t temporary : memref<8x8xf32>
func.func @other_queue_waits(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  // expected-note @+1 {{that operation is here}}
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
  dma.sync matrix {dma.waits = [#dma.wait<0 lag 0>]}
  // expected-error @+1 {{writes scratchpad bytes 0 to 255 without waiting for the dma_in queue}}
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// A wait for a counter that nothing increments waits for nothing.
tile.tensor @t temporary : memref<8x8xf32>
func.func @other_counter(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  // expected-note @+1 {{that operation is here}}
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
  // expected-error @+1 {{without waiting for the dma_in queue}}
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<17 lag 0>]} : memref<8x8xf32>
  return
}

// -----

// The first round needs no wait, all others do.
tile.tensor @t temporary : memref<8x8xf32>
func.func @next_round(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @+1 {{writes scratchpad bytes 0 to 255 without waiting for the vector queue, which writes there; wait for counter 3 with a lag of at most 0}}
    dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
    // expected-note @+1 {{that operation is here}}
    tile.fill 0.0 to %x rows %n cols %n {dma.signal = 3, dma.waits = [#dma.wait<0 lag 0>]} : memref<8x8xf32>
  }
  return
}

// -----

// With lag 1 the load of the second round still waits for nothing of the first.
tile.tensor @t temporary : memref<8x8xf32>
func.func @next_round_large_lag(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @+1 {{wait for counter 3 with a lag of at most 0}}
    dma.load @t[%n, %n] to %x rows %n {dma.signal = 0, dma.waits = [#dma.wait<3 lag 1>]} : memref<8x8xf32>
    // expected-note @+1 {{that operation is here}}
    tile.fill 0.0 to %x rows %n cols %n {dma.signal = 3, dma.waits = [#dma.wait<0 lag 0>]} : memref<8x8xf32>
  }
  return
}

// -----

// A loop that does not run signals nothing: the lag of 1 is right only if it does.
tile.tensor @t temporary : memref<8x8xf32>
func.func @zero_trips(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  // expected-note @+1 {{that operation is here}}
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    dma.load @t[%n, %n] to %y rows %n {dma.signal = 0} : memref<8x8xf32>
  }
  // expected-error @+1 {{wait for counter 0 with a lag of at most 0}}
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<0 lag 1>]} : memref<8x8xf32>
  return
}

// -----

// The wait in the loop is none if the loop does not run.
tile.tensor @t temporary : memref<8x8xf32>
func.func @wait_in_a_loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  // expected-note @+1 {{that operation is here}}
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    dma.sync vector {dma.waits = [#dma.wait<0 lag 0>]}
  }
  // expected-error @+1 {{wait for counter 0 with a lag of at most 0}}
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// Nor is that in a branch.
tile.tensor @t temporary : memref<8x8xf32>
func.func @wait_in_a_branch(%n: index, %condition: i1) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  // expected-note @+1 {{that operation is here}}
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
  scf.if %condition {
    dma.sync vector {dma.waits = [#dma.wait<0 lag 0>]}
  }
  // expected-error @+1 {{wait for counter 0 with a lag of at most 0}}
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// The fill of the outer loop's next round meets the store of the inner loop's last:
// the store of the inner loop's first was awaited, but it is another one.
tile.tensor @t temporary : memref<8x8xf32>
func.func @nested(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @+1 {{writes scratchpad bytes 0 to 255 without waiting for the dma_out queue, which reads there; wait for counter 1 with a lag of at most 0}}
    tile.fill 0.0 to %x rows %n cols %n {dma.signal = 3} : memref<8x8xf32>
    scf.for %j = %c0 to %n step %c1 {
      // expected-note @+1 {{that operation is here}}
      dma.store %x to @t[%n, %n] rows %n {dma.signal = 1, dma.waits = [#dma.wait<3 lag 0>]} : memref<8x8xf32>
      tile.fill 0.0 to %y rows %n cols %n {dma.signal = 3, dma.waits = [#dma.wait<1 lag 1>]} : memref<8x8xf32>
    }
  }
  return
}

// -----

// Half of the loaded rows.
tile.tensor @t temporary : memref<8x8xf32>
func.func @part(%n: index) {
  %x = mem.buffer scratchpad at 64 : memref<8x8xf32>
  %view = memref.reinterpret_cast %x to offset: [32], sizes: [8, 8], strides: [0, 1] : memref<8x8xf32> to memref<8x8xf32, strided<[0, 1], offset: 32>>
  // expected-note @+1 {{that operation is here}}
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0} : memref<8x8xf32>
  // Row 4 from byte 64 + 4 * 32 on, over and over.
  // expected-error @+1 {{writes scratchpad bytes 192 to 223 without}}
  tile.fill 0.0 to %view rows %n cols %n : memref<8x8xf32, strided<[0, 1], offset: 32>>
  return
}

// -----

// Two buffers of which one lies over the other.
tile.tensor @t temporary : memref<8x8xf32>
func.func @reuse(%n: index) {
  %x = mem.buffer accumulators at 0 : memref<8x8xf32>
  %y = mem.buffer accumulators at 192 : memref<8x8xf32>
  // expected-note @+1 {{that operation is here}}
  dma.store %x to @t[%n, %n] rows %n {dma.signal = 1} : memref<8x8xf32>
  // expected-error @+1 {{writes accumulators bytes 192 to 255 without waiting for the dma_out queue, which reads there}}
  tile.fill 0.0 to %y rows %n cols %n : memref<8x8xf32>
  return
}

// -----

tile.tensor @t temporary : memref<8x8xf32>
func.func @tensor(%n: index, %other: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  // expected-note @+1 {{that operation is here}}
  dma.store %x to @t[%n, %n] rows %n {dma.signal = 1} : memref<8x8xf32>
  // expected-error @+1 {{reads tensor 't' without waiting for the dma_out queue, which writes there}}
  dma.load @t[%other, %n] to %y rows %n {dma.signal = 0} : memref<8x8xf32>
  return
}

// -----

// A ring reads a cache after what was stored there.
tile.tensor @ids temporary scalar : memref<1x8xi32>
tile.tensor @kv cache : memref<64x8xf32>
func.func @order_blocks(%n: index) {
  %x = mem.buffer scratchpad at 4096 : memref<8x8xf32>
  %ring = mem.ring 0 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  // expected-note @+1 {{that operation is here}}
  dma.store %x to @kv[%n, %n] rows %n {dma.signal = 1} : memref<8x8xf32>
  // expected-error @+1 {{reads tensor 'kv' without waiting for the dma_out queue, which writes there; wait for counter 1 with a lag of at most 0}}
  dma.order_blocks %ring[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n {dma.waits = [#dma.wait<1 lag 1>]} : !tile.stream<memref<8x8xf32>>
  return
}

// -----

// What another queue waited for the ring does not know.
tile.tensor @ids temporary scalar : memref<1x8xi32>
tile.tensor @kv cache : memref<64x8xf32>
func.func @order_blocks_other_queue(%n: index) {
  %x = mem.buffer scratchpad at 4096 : memref<8x8xf32>
  %ring = mem.ring 0 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  // expected-note @+1 {{that operation is here}}
  dma.store %x to @kv[%n, %n] rows %n {dma.signal = 1} : memref<8x8xf32>
  dma.sync dma_in {dma.waits = [#dma.wait<1 lag 0>]}
  // expected-error @+1 {{reads tensor 'kv' without waiting for the dma_out queue}}
  dma.order_blocks %ring[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n : !tile.stream<memref<8x8xf32>>
  return
}

// -----

// Nor does it know what another ring waited for.
tile.tensor @ids temporary scalar : memref<1x8xi32>
tile.tensor @kv cache : memref<64x8xf32>
func.func @order_blocks_other_ring(%n: index) {
  %x = mem.buffer scratchpad at 4096 : memref<8x8xf32>
  %ring = mem.ring 0 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  %other = mem.ring 1 of @kv at 512 slots 2 : !tile.stream<memref<8x8xf32>>
  // expected-note @+1 {{that operation is here}}
  dma.store %x to @kv[%n, %n] rows %n {dma.signal = 1} : memref<8x8xf32>
  dma.order_blocks %ring[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n {dma.waits = [#dma.wait<1 lag 0>]} : !tile.stream<memref<8x8xf32>>
  // expected-error @+1 {{reads tensor 'kv' without waiting for the dma_out queue}}
  dma.order_blocks %other[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n : !tile.stream<memref<8x8xf32>>
  return
}

// -----

// Columns 4 to 7 of all rows are filled, columns 5 to 6 are in a loop's range.
tile.tensor @t temporary : memref<8x8xf32>
func.func @columns(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c5 = arith.constant 5 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %right = memref.reinterpret_cast %x to offset: [4], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: 4>>
  // expected-note @+1 {{that operation is here}}
  tile.fill 0.0 to %right rows %n cols %n {dma.signal = 3} : memref<8x4xf32, strided<[8, 1], offset: 4>>
  scf.for %i = %c0 to %c2 step %c1 {
    %at = arith.addi %i, %c5 : index
    %column = memref.reinterpret_cast %x to offset: [%at], sizes: [8, 1], strides: [8, 1] : memref<8x8xf32> to memref<8x1xf32, strided<[8, 1], offset: ?>>
    // expected-error @+1 {{without waiting for the vector queue, which writes there; wait for counter 3 with a lag of at most 0}}
    dma.load @t[%n, %n] to %column rows %n {dma.signal = 0} : memref<8x1xf32, strided<[8, 1], offset: ?>>
  }
  return
}

// -----

// A signal is its queue's: the counter of another one would tell of two.
func.func @foreign_signal(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  // expected-error @+1 {{signals counter 2; expected 3, the vector queue's}}
  tile.fill 0.0 to %x rows %n cols %n {dma.signal = 2} : memref<8x8xf32>
  return
}

// -----

// What the proof does not see it does not pass over.

func.func @no_address(%n: index) {
  // expected-note @+1 {{the buffer is here}}
  %x = mem.buffer scratchpad : memref<8x8xf32>
  // expected-error @+1 {{has operand 0 in a buffer without an address; run mem-assign-addresses first}}
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

func.func @slot(%n: index) {
  // expected-note @+1 {{it comes from here}}
  %x = tile.slot : memref<8x8xf32>
  // expected-error @+1 {{has operand 0 in no known buffer; expected a mem.buffer, a tile of a ring or a view of one}}
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// expected-note @+1 {{it comes from here}}
func.func @argument(%x: memref<8x8xf32>, %n: index) {
  // expected-error @+1 {{has operand 0 in no known buffer}}
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// Two buffers that change places with each round.
func.func @carried(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  // expected-error @+1 {{takes a slot but runs on no queue}}
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y) -> (memref<8x8xf32>, memref<8x8xf32>) {
    tile.fill 0.0 to %a rows %n cols %n : memref<8x8xf32>
    scf.yield %b, %a : memref<8x8xf32>, memref<8x8xf32>
  }
  return
}

// -----

func.func @chosen(%n: index, %condition: i1) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  // expected-error @+1 {{takes a slot but runs on no queue}}
  %z = arith.select %condition, %x, %y : memref<8x8xf32>
  tile.fill 0.0 to %z rows %n cols %n : memref<8x8xf32>
  return
}

// -----

tile.tensor @t temporary : memref<8x8xf32>
func.func @not_on_a_queue(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  // expected-error @+1 {{takes a slot but runs on no queue; run convert-mem-to-dma first}}
  tile.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  return
}

// -----

func.func private @callee()
func.func @call(%n: index) {
  // expected-error @+1 {{is a call, which waits are not known for; inline it first}}
  func.call @callee() : () -> ()
  return
}

// -----

func.func @while(%condition: i1) {
  // expected-error @+1 {{is control flow that waits are not known for; expected scf.for or scf.if}}
  scf.while : () -> () {
    scf.condition(%condition)
  } do {
    scf.yield
  }
  return
}

// -----

// expected-error @+1 {{has several blocks; expected structured control flow}}
func.func @blocks() {
  cf.br ^next
^next:
  return
}

// -----

// What the matrix queue learns after the increment that is waited for nobody learns from it.

tile.tensor @t temporary : memref<8x8xf32>
func.func @known_too_late_in_another_queue(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  %other = mem.buffer accumulators at 256 : memref<8x8xf32>
  // expected-note @below {{that operation is here}}
  dma.load @t[%n, %n] to %x rows %n {dma.signal = 0 : i64} : memref<8x8xf32>
  tile.matmul %y to %acc m %n {dma.signal = 2 : i64} : memref<8x8xf32>, memref<8x8xf32>
  tile.matmul %y to %other m %n {dma.signal = 2 : i64, dma.waits = [#dma.wait<0 lag 0>]} : memref<8x8xf32>, memref<8x8xf32>
  // expected-error @below {{without waiting for the dma_in queue, which writes there; wait for counter 0 with a lag of at most 0}}
  tile.unary exp %acc to %x rows %n cols %n {dma.waits = [#dma.wait<2 lag 1>]} : memref<8x8xf32>, memref<8x8xf32>
  return
}
