// RUN: serrano-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(dma-insert-waits))' | FileCheck %s
// Waits are replaced, not added, and they suffice.
// RUN: serrano-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(dma-insert-waits,dma-insert-waits,dma-verify-races))' | FileCheck %s

// Counters are those of the queues: 0 DMA in, 1 DMA out, 2 matrix, 3 vector.

// Loops: what has surely come before, where it is waited for, and who signals.

// The loop may run zero times: no load has surely followed the first.

// CHECK-LABEL: func.func @after_a_loop_that_may_not_run
// CHECK: tile.fill {{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @after_a_loop_that_may_not_run(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    dma.load @t[%n, %n] to %y rows %n : memref<8x8xf32>
  }
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// This one runs: one load has surely followed, of which the fill need not wait.

// CHECK-LABEL: func.func @after_a_loop_that_runs
// CHECK: tile.fill {{.*}} dma.waits = [#dma.wait<0 lag 1>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @after_a_loop_that_runs(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  scf.for %i = %c0 to %c5 step %c1 {
    dma.load @t[%n, %n] to %y rows %n : memref<8x8xf32>
  }
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// As unsigned numbers the lower bound is beyond the upper one: it does not run.

// CHECK-LABEL: func.func @after_an_unsigned_loop
// CHECK: tile.fill {{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @after_an_unsigned_loop(%n: index) {
  %lower = arith.constant -1 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  scf.for unsigned %i = %lower to %c1 step %c1 {
    dma.load @t[%n, %n] to %y rows %n : memref<8x8xf32>
  }
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// The inner loop's store may be the last before the outer loop's next load, and
// it may not have run since the one before.

// CHECK-LABEL: func.func @nested_loops
// CHECK: dma.load {{.*}} {dma.signal = 0 : i64, dma.waits = [#dma.wait<1 lag 0>]}
// CHECK: dma.store {{.*}} {dma.signal = 1 : i64, dma.waits = [#dma.wait<0 lag 0>]}
tile.tensor @t temporary : memref<8x8xf32>
tile.tensor @u temporary : memref<8x8xf32>
func.func @nested_loops(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
    scf.for %j = %c0 to %n step %c1 {
      dma.store %x to @u[%n, %n] rows %n : memref<8x8xf32>
    }
  }
  return
}

// -----

// The product of each round reads what is written before the loop: a wait for that in
// the loop would have the lag that is right in the first round, 1 for the load, and hold
// up every later round for a load of the round before. So it stands before the loop, once.
// The wait for the load of the own round stays.

// CHECK-LABEL: func.func @hoisted
// CHECK: tile.fill
// CHECK: dma.load {{.*}} {dma.signal = 0 : i64} :
// CHECK-NEXT: dma.sync matrix {dma.waits = [#dma.wait<3 lag 0>]}
// CHECK-NEXT: scf.for
// CHECK-NOT: dma.sync
// CHECK: dma.load {{.*}} {dma.signal = 0 : i64, dma.waits = [#dma.wait<2 lag 0>]} :
// CHECK: tile.matmul {{.*}} {dma.signal = 2 : i64, dma.waits = [#dma.wait<0 lag 0>]} :
// CHECK: tile.fill {{.*}} {dma.signal = 3 : i64} :
tile.tensor @t temporary : memref<8x8xf32>
func.func @hoisted(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %z = mem.buffer scratchpad at 512 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  %w = mem.buffer scratchpad at 768 : memref<8x8xf32>
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  dma.load @t[%n, %n] to %w rows %n : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    dma.load @t[%n, %n] to %y rows %n : memref<8x8xf32>
    tile.load_weights %x k %n n %n : memref<8x8xf32>
    tile.matmul %y to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
    tile.fill 0.0 to %z rows %n cols %n : memref<8x8xf32>
  }
  return
}

// -----

// Of nested loops the outermost that runs an unknown number of times is meant: what the
// static one around it waits for is waited for in each of its rounds.

// CHECK-LABEL: func.func @hoisted_from_nested_loops
// CHECK: scf.for %{{.*}} to %c2
// CHECK-NEXT: tile.fill
// CHECK-NEXT: dma.sync matrix {dma.waits = [#dma.wait<3 lag 0>]}
// CHECK-NEXT: scf.for
// CHECK-NEXT: scf.for
// CHECK-NEXT: tile.matmul {{.*}} {dma.signal = 2 : i64} :
func.func @hoisted_from_nested_loops(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %z = mem.buffer scratchpad at 512 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  scf.for %i = %c0 to %c2 step %c1 {
    tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
    scf.for %j = %c0 to %n step %c1 {
      scf.for %k = %c0 to %n step %c1 {
        tile.matmul %x to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
      }
      tile.fill 0.0 to %z rows %n cols %n : memref<8x8xf32>
    }
  }
  return
}

// -----

// The loop over portions is the whole model: its loops are the outermost ones.

// CHECK-LABEL: func.func @hoisted_within_portions
// CHECK: tile.fill
// CHECK-NOT: dma.sync
// CHECK: scf.for
// CHECK: tile.matmul {{.*}} {dma.signal = 2 : i64, dma.waits = [#dma.wait<3 lag 0>]} :
// CHECK: tile.fill
// CHECK-NEXT: dma.sync matrix {dma.waits = [#dma.wait<3 lag 0>]}
// CHECK-NEXT: scf.for
// CHECK: tile.matmul {{.*}} {dma.signal = 2 : i64} :
func.func @hoisted_within_portions(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %z = mem.buffer scratchpad at 512 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    tile.matmul %x to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
    tile.fill 0.0 to %y rows %n cols %n : memref<8x8xf32>
    scf.for %j = %c0 to %n step %c1 {
      tile.matmul %y to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
      tile.fill 0.0 to %z rows %n cols %n : memref<8x8xf32>
    }
  } {tile.portions}
  return
}

// -----

// A loop that depends on nothing before it gets no sync.

// CHECK-LABEL: func.func @nothing_to_hoist
// CHECK-NOT: dma.sync
func.func @nothing_to_hoist(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %z = mem.buffer scratchpad at 512 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  tile.fill 0.0 to %y rows %n cols %n : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    tile.matmul %x to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
    tile.fill 0.0 to %z rows %n cols %n : memref<8x8xf32>
  }
  return
}

// -----

// In a loop of nothing but matrix work a lag is the same in all rounds: it waits itself, and only
// for what it needs.

// CHECK-LABEL: func.func @matrix_work_alone
// CHECK-NOT: dma.sync
// CHECK: tile.matmul {{.*}} {dma.signal = 2 : i64, dma.waits = [#dma.wait<3 lag 1>]} :
func.func @matrix_work_alone(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  tile.fill 0.0 to %y rows %n cols %n : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    tile.matmul %x to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
  }
  return
}

// -----

// Vector work that perhaps is not done leaves the signal to what follows it, past loops and
// operations of other queues that need not wait for it: the matmul's lag counts nothing but
// the last fill, whether the loop ran or not.

// CHECK-LABEL: func.func @signalled_later
// CHECK: tile.fill 0.{{.*}} {dma.signal = 3 : i64} :
// CHECK: scf.for
// CHECK-NEXT: tile.fill 1.0{{.*}} cols %{{[a-z0-9]+}} :
// CHECK: tile.matmul
// CHECK: tile.fill 2.{{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.matmul {{.*}} dma.waits = [#dma.wait<3 lag 1>]
func.func @signalled_later(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %z = mem.buffer scratchpad at 512 : memref<8x8xf32>
  %w = mem.buffer scratchpad at 768 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    tile.fill 1.0 to %y rows %n cols %n : memref<8x8xf32>
  }
  scf.for %i = %c0 to %n step %c1 {
    tile.matmul %w to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
  }
  tile.fill 2.0 to %z rows %n cols %n : memref<8x8xf32>
  tile.matmul %x to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// Who needs it before anything follows waits for its own signal.

// CHECK-LABEL: func.func @needed_before_what_follows
// CHECK: scf.for
// CHECK-NEXT: tile.fill 1.0{{.*}} {dma.signal = 3 : i64} :
// CHECK: scf.for
// CHECK-NEXT: tile.matmul {{.*}} dma.waits = [#dma.wait<3 lag 0>]
func.func @needed_before_what_follows(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %z = mem.buffer scratchpad at 512 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    tile.fill 1.0 to %y rows %n cols %n : memref<8x8xf32>
  }
  scf.for %i = %c0 to %n step %c1 {
    tile.matmul %y to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
  }
  tile.fill 2.0 to %z rows %n cols %n : memref<8x8xf32>
  return
}

// -----

// A sync has room for what a loop waits for of all three other queues.

// CHECK-LABEL: func.func @sync_of_three
// CHECK: dma.sync matrix {dma.waits = [{{#dma.wait<[013] lag 0>, #dma.wait<[013] lag 0>, #dma.wait<[013] lag 0>}}]}
// CHECK-NEXT: scf.for
tile.tensor @t temporary : memref<8x8xf32>
tile.tensor @u temporary : memref<8x8xf32>
func.func @sync_of_three(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %z = mem.buffer scratchpad at 512 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 0 : memref<8x8xf32>
  dma.store %acc to @u[%n, %n] rows %n : memref<8x8xf32>
  dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>
  tile.fill 0.0 to %y rows %n cols %n : memref<8x8xf32>
  scf.for %i = %c0 to %n step %c1 {
    tile.load_weights %y k %n n %n : memref<8x8xf32>
    tile.matmul %x to %acc m %n : memref<8x8xf32>, memref<8x8xf32>
    tile.fill 0.0 to %z rows %n cols %n : memref<8x8xf32>
  }
  return
}
