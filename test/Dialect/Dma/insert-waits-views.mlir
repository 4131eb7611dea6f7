// RUN: serrano-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(dma-insert-waits))' | FileCheck %s
// Waits are replaced, not added, and they suffice.
// RUN: serrano-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(dma-insert-waits,dma-insert-waits,dma-verify-races))' | FileCheck %s

// Counters are those of the queues: 0 DMA in, 1 DMA out, 2 matrix, 3 vector.

// Views of common bytes, of bytes apart, and of places that are known when the program runs.

// Rows 0 to 3 and rows 4 to 7 are different bytes, rows 3 to 6 are some of both.

// CHECK-LABEL: func.func @views
// CHECK: tile.fill 0.{{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.fill 1.{{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<0 lag 0>]}
tile.tensor @t temporary : memref<8x8xf32>
func.func @views(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %low = memref.reinterpret_cast %x to offset: [0], sizes: [4, 8], strides: [8, 1] : memref<8x8xf32> to memref<4x8xf32, strided<[8, 1]>>
  %high = memref.reinterpret_cast %x to offset: [32], sizes: [4, 8], strides: [8, 1] : memref<8x8xf32> to memref<4x8xf32, strided<[8, 1], offset: 32>>
  %both = memref.reinterpret_cast %x to offset: [24], sizes: [4, 8], strides: [8, 1] : memref<8x8xf32> to memref<4x8xf32, strided<[8, 1], offset: 24>>
  dma.load @t[%n, %n] to %low rows %n : memref<4x8xf32, strided<[8, 1]>>
  tile.fill 0.0 to %high rows %n cols %n : memref<4x8xf32, strided<[8, 1], offset: 32>>
  tile.fill 1.0 to %both rows %n cols %n : memref<4x8xf32, strided<[8, 1], offset: 24>>
  return
}

// -----

// The offset of a view of a view is from the start of the buffer.

// CHECK-LABEL: func.func @view_of_a_view
// CHECK: tile.fill {{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @view_of_a_view(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %high = memref.reinterpret_cast %x to offset: [32], sizes: [4, 8], strides: [8, 1] : memref<8x8xf32> to memref<4x8xf32, strided<[8, 1], offset: 32>>
  %low = memref.reinterpret_cast %high to offset: [0], sizes: [4, 8], strides: [8, 1] : memref<4x8xf32, strided<[8, 1], offset: 32>> to memref<4x8xf32, strided<[8, 1]>>
  %first = memref.reinterpret_cast %x to offset: [0], sizes: [1, 8], strides: [8, 1] : memref<8x8xf32> to memref<1x8xf32, strided<[8, 1]>>
  dma.load @t[%n, %n] to %first rows %n : memref<1x8xf32, strided<[8, 1]>>
  tile.fill 0.0 to %low rows %n cols %n : memref<4x8xf32, strided<[8, 1]>>
  return
}

// -----

// An offset that is known when the program runs may be anywhere in the buffer, also
// behind a cast that says where.

// CHECK-LABEL: func.func @dynamic_offset
// CHECK: tile.fill 0.{{.*}} dma.waits = [#dma.wait<0 lag 1>]
// CHECK: tile.fill 1.{{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @dynamic_offset(%n: index, %offset: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %row = memref.reinterpret_cast %x to offset: [%offset], sizes: [1, 8], strides: [8, 1] : memref<8x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
  %other = memref.reinterpret_cast %y to offset: [%offset], sizes: [1, 8], strides: [8, 1] : memref<8x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
  %claim = memref.cast %other : memref<1x8xf32, strided<[8, 1], offset: ?>> to memref<1x8xf32, strided<[8, 1]>>
  %last = memref.reinterpret_cast %x to offset: [56], sizes: [1, 8], strides: [8, 1] : memref<8x8xf32> to memref<1x8xf32, strided<[8, 1], offset: 56>>
  %last_of_other = memref.reinterpret_cast %y to offset: [56], sizes: [1, 8], strides: [8, 1] : memref<8x8xf32> to memref<1x8xf32, strided<[8, 1], offset: 56>>
  dma.load @t[%n, %n] to %row rows %n : memref<1x8xf32, strided<[8, 1], offset: ?>>
  dma.load @t[%n, %n] to %claim rows %n : memref<1x8xf32, strided<[8, 1]>>
  tile.fill 0.0 to %last rows %n cols %n : memref<1x8xf32, strided<[8, 1], offset: 56>>
  tile.fill 1.0 to %last_of_other rows %n cols %n : memref<1x8xf32, strided<[8, 1], offset: 56>>
  return
}

// -----

// Columns 0 to 3 of all rows lie between columns 4 to 7 of them, and share no byte with
// them; columns 3 to 6 share bytes with both.

// CHECK-LABEL: func.func @columns
// CHECK: tile.fill 0.{{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.fill 1.{{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<0 lag 0>]}
tile.tensor @t temporary : memref<8x8xf32>
func.func @columns(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %left = memref.reinterpret_cast %x to offset: [0], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1]>>
  %right = memref.reinterpret_cast %x to offset: [4], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: 4>>
  %middle = memref.reinterpret_cast %x to offset: [3], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: 3>>
  dma.load @t[%n, %n] to %left rows %n : memref<8x4xf32, strided<[8, 1]>>
  tile.fill 0.0 to %right rows %n cols %n : memref<8x4xf32, strided<[8, 1], offset: 4>>
  tile.fill 1.0 to %middle rows %n cols %n : memref<8x4xf32, strided<[8, 1], offset: 3>>
  return
}

// -----

// Columns that begin in one row and end in the next: 6, 7 and 0, 1. They share bytes
// with columns 0 and 1, but not with 2 to 5.

// CHECK-LABEL: func.func @columns_around_the_end
// CHECK: tile.fill 0.{{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.fill 1.{{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<0 lag 0>]}
tile.tensor @t temporary : memref<8x8xf32>
func.func @columns_around_the_end(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %around = memref.reinterpret_cast %x to offset: [6], sizes: [7, 4], strides: [8, 1] : memref<8x8xf32> to memref<7x4xf32, strided<[8, 1], offset: 6>>
  %between = memref.reinterpret_cast %x to offset: [2], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: 2>>
  %left = memref.reinterpret_cast %x to offset: [0], sizes: [8, 2], strides: [8, 1] : memref<8x8xf32> to memref<8x2xf32, strided<[8, 1]>>
  dma.load @t[%n, %n] to %around rows %n : memref<7x4xf32, strided<[8, 1], offset: 6>>
  tile.fill 0.0 to %between rows %n cols %n : memref<8x4xf32, strided<[8, 1], offset: 2>>
  tile.fill 1.0 to %left rows %n cols %n : memref<8x2xf32, strided<[8, 1]>>
  return
}

// -----

// Rows of 4 against columns of rows of 8: what is taken of them are all columns.

// CHECK-LABEL: func.func @columns_of_other_rows
// CHECK: tile.fill {{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @columns_of_other_rows(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %left = memref.reinterpret_cast %x to offset: [0], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1]>>
  %short = memref.reinterpret_cast %x to offset: [4], sizes: [8, 4], strides: [4, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[4, 1], offset: 4>>
  dma.load @t[%n, %n] to %left rows %n : memref<8x4xf32, strided<[8, 1]>>
  tile.fill 0.0 to %short rows %n cols %n : memref<8x4xf32, strided<[4, 1], offset: 4>>
  return
}

// -----

// Every second row of the left columns and all rows of the right ones never meet.

// CHECK-LABEL: func.func @columns_of_every_second_row
// CHECK: dma.load {{.*}} {dma.signal = 0 : i64} :
// CHECK: tile.fill 0.{{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.fill 1.{{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<0 lag 0>]}
tile.tensor @t temporary : memref<8x8xf32>
func.func @columns_of_every_second_row(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %left = memref.reinterpret_cast %x to offset: [0], sizes: [4, 4], strides: [16, 1] : memref<8x8xf32> to memref<4x4xf32, strided<[16, 1]>>
  %right = memref.reinterpret_cast %x to offset: [4], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: 4>>
  %both = memref.reinterpret_cast %x to offset: [3], sizes: [8, 2], strides: [8, 1] : memref<8x8xf32> to memref<8x2xf32, strided<[8, 1], offset: 3>>
  dma.load @t[%n, %n] to %left rows %n : memref<4x4xf32, strided<[16, 1]>>
  tile.fill 0.0 to %right rows %n cols %n : memref<8x4xf32, strided<[8, 1], offset: 4>>
  tile.fill 1.0 to %both rows %n cols %n : memref<8x2xf32, strided<[8, 1], offset: 3>>
  return
}

// -----

// A loop of two rounds takes columns 2 * i + 1 and the one after: 1 to 4 in all. Another
// buffer lies below the first, row by row: its columns are found at their addresses.

// CHECK-LABEL: func.func @columns_of_a_loop
// CHECK: dma.load {{.*}} {dma.signal = 0 : i64} :
// CHECK: tile.fill 0.{{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.fill 1.{{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.fill 2.{{.*}} {dma.signal = 3 : i64, dma.waits = [#dma.wait<0 lag 0>]}
tile.tensor @t temporary : memref<8x8xf32>
func.func @columns_of_a_loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %first = memref.reinterpret_cast %x to offset: [0], sizes: [8, 1], strides: [8, 1] : memref<8x8xf32> to memref<8x1xf32, strided<[8, 1]>>
  %right = memref.reinterpret_cast %x to offset: [5], sizes: [8, 3], strides: [8, 1] : memref<8x8xf32> to memref<8x3xf32, strided<[8, 1], offset: 5>>
  %both = memref.reinterpret_cast %x to offset: [4], sizes: [8, 3], strides: [8, 1] : memref<8x8xf32> to memref<8x3xf32, strided<[8, 1], offset: 4>>
  scf.for %i = %c0 to %c2 step %c1 {
    %double = arith.muli %i, %c2 : index
    %column = arith.addi %double, %c1 : index
    %two = memref.reinterpret_cast %x to offset: [%column], sizes: [8, 2], strides: [8, 1] : memref<8x8xf32> to memref<8x2xf32, strided<[8, 1], offset: ?>>
    dma.load @t[%n, %n] to %two rows %n : memref<8x2xf32, strided<[8, 1], offset: ?>>
  }
  tile.fill 0.0 to %first rows %n cols %n : memref<8x1xf32, strided<[8, 1]>>
  tile.fill 1.0 to %right rows %n cols %n : memref<8x3xf32, strided<[8, 1], offset: 5>>
  tile.fill 2.0 to %both rows %n cols %n : memref<8x3xf32, strided<[8, 1], offset: 4>>
  return
}

// -----

// A loop that runs an unknown number of times, one that begins elsewhere and one with
// other steps may take any columns.

// CHECK-LABEL: func.func @columns_of_other_loops
// CHECK-COUNT-3: tile.fill {{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @columns_of_other_loops(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %right = memref.reinterpret_cast %x to offset: [5], sizes: [8, 3], strides: [8, 1] : memref<8x8xf32> to memref<8x3xf32, strided<[8, 1], offset: 5>>
  scf.for %i = %c0 to %n step %c1 {
    %column = memref.reinterpret_cast %x to offset: [%i], sizes: [8, 1], strides: [8, 1] : memref<8x8xf32> to memref<8x1xf32, strided<[8, 1], offset: ?>>
    dma.load @t[%n, %n] to %column rows %n : memref<8x1xf32, strided<[8, 1], offset: ?>>
  }
  tile.fill 0.0 to %right rows %n cols %n : memref<8x3xf32, strided<[8, 1], offset: 5>>
  scf.for %i = %c1 to %c3 step %c1 {
    %column = memref.reinterpret_cast %x to offset: [%i], sizes: [8, 1], strides: [8, 1] : memref<8x8xf32> to memref<8x1xf32, strided<[8, 1], offset: ?>>
    dma.load @t[%n, %n] to %column rows %n : memref<8x1xf32, strided<[8, 1], offset: ?>>
  }
  tile.fill 1.0 to %right rows %n cols %n : memref<8x3xf32, strided<[8, 1], offset: 5>>
  scf.for %i = %c0 to %c3 step %c2 {
    %column = memref.reinterpret_cast %x to offset: [%i], sizes: [8, 1], strides: [8, 1] : memref<8x8xf32> to memref<8x1xf32, strided<[8, 1], offset: ?>>
    dma.load @t[%n, %n] to %column rows %n : memref<8x1xf32, strided<[8, 1], offset: ?>>
  }
  tile.fill 2.0 to %right rows %n cols %n : memref<8x3xf32, strided<[8, 1], offset: 5>>
  return
}

// -----

// A loop of three rounds at most, a place of two rows at most and rows that nothing is known of take the
// first two columns of whatever rows: the third column is apart, in whatever row. With an odd number of
// columns before it a place may take any column.

// CHECK-LABEL: func.func @rows_of_a_limited_loop
// CHECK: scf.for
// CHECK: dma.load {{.*}} {dma.signal = 0 : i64} :
// CHECK: tile.fill 0.{{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.fill 1.{{.*}} dma.waits = [#dma.wait<0 lag 0>]
// CHECK: dma.load {{.*}} :
// CHECK: tile.fill 2.{{.*}} {dma.signal = 3 : i64} :
// CHECK: dma.load {{.*}} :
// CHECK: tile.fill 3.{{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.fill 4.{{.*}} dma.waits = [#dma.wait<0 lag 0>]
// CHECK: dma.load {{.*}} :
// CHECK: tile.fill 5.{{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @rows_of_a_limited_loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %third = memref.reinterpret_cast %x to offset: [2], sizes: [8, 1], strides: [8, 1] : memref<8x8xf32> to memref<8x1xf32, strided<[8, 1], offset: 2>>
  %second = memref.reinterpret_cast %x to offset: [1], sizes: [8, 1], strides: [8, 1] : memref<8x8xf32> to memref<8x1xf32, strided<[8, 1], offset: 1>>
  %half = arith.divui %n, %c2 : index
  %few = arith.minsi %half, %c3 : index
  scf.for %i = %c0 to %few step %c1 {
    %row = arith.muli %i, %c8 : index
    %two = memref.reinterpret_cast %x to offset: [%row], sizes: [2, 2], strides: [8, 1] : memref<8x8xf32> to memref<2x2xf32, strided<[8, 1], offset: ?>>
    dma.load @t[%n, %n] to %two rows %n : memref<2x2xf32, strided<[8, 1], offset: ?>>
  }
  tile.fill 0.0 to %third rows %n cols %n : memref<8x1xf32, strided<[8, 1], offset: 2>>
  tile.fill 1.0 to %second rows %n cols %n : memref<8x1xf32, strided<[8, 1], offset: 1>>
  %place = arith.muli %few, %c8 : index
  %there = memref.reinterpret_cast %x to offset: [%place], sizes: [2, 2], strides: [8, 1] : memref<8x8xf32> to memref<2x2xf32, strided<[8, 1], offset: ?>>
  dma.load @t[%n, %n] to %there rows %n : memref<2x2xf32, strided<[8, 1], offset: ?>>
  tile.fill 2.0 to %third rows %n cols %n : memref<8x1xf32, strided<[8, 1], offset: 2>>
  %any = arith.minsi %n, %c3 : index
  %where = arith.muli %any, %c8 : index
  %wherever = memref.reinterpret_cast %x to offset: [%where], sizes: [2, 2], strides: [8, 1] : memref<8x8xf32> to memref<2x2xf32, strided<[8, 1], offset: ?>>
  dma.load @t[%n, %n] to %wherever rows %n : memref<2x2xf32, strided<[8, 1], offset: ?>>
  tile.fill 3.0 to %third rows %n cols %n : memref<8x1xf32, strided<[8, 1], offset: 2>>
  tile.fill 4.0 to %second rows %n cols %n : memref<8x1xf32, strided<[8, 1], offset: 1>>
  %shifted = arith.subi %where, %n : index
  %unknown = memref.reinterpret_cast %x to offset: [%shifted], sizes: [2, 2], strides: [8, 1] : memref<8x8xf32> to memref<2x2xf32, strided<[8, 1], offset: ?>>
  dma.load @t[%n, %n] to %unknown rows %n : memref<2x2xf32, strided<[8, 1], offset: ?>>
  tile.fill 5.0 to %third rows %n cols %n : memref<8x1xf32, strided<[8, 1], offset: 2>>
  return
}

// -----

// What is known of a place are the columns that it has in common with all places it can be: products by
// 8 and what is added to them or taken from them, also around the end of a row. A product by 4 moves by
// half a row.

// CHECK-LABEL: func.func @columns_of_unknown_rows
// CHECK: dma.load {{.*}} :
// CHECK: tile.fill 0.{{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.fill 1.{{.*}} dma.waits = [#dma.wait<0 lag 0>]
// CHECK: dma.load {{.*}} :
// CHECK: tile.fill 2.{{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.fill 3.{{.*}} dma.waits = [#dma.wait<0 lag 0>]
// CHECK: dma.load {{.*}} :
// CHECK: tile.fill 4.{{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @columns_of_unknown_rows(%n: index, %m: index) {
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %first = memref.reinterpret_cast %x to offset: [0], sizes: [8, 1], strides: [8, 1] : memref<8x8xf32> to memref<8x1xf32, strided<[8, 1]>>
  %third = memref.reinterpret_cast %x to offset: [2], sizes: [8, 1], strides: [8, 1] : memref<8x8xf32> to memref<8x1xf32, strided<[8, 1], offset: 2>>
  %last = memref.reinterpret_cast %x to offset: [7], sizes: [8, 1], strides: [8, 1] : memref<8x8xf32> to memref<8x1xf32, strided<[8, 1], offset: 7>>
  %rows = arith.muli %n, %c8 : index
  %after = arith.addi %rows, %c2 : index
  %columns23 = memref.reinterpret_cast %x to offset: [%after], sizes: [2, 2], strides: [8, 1] : memref<8x8xf32> to memref<2x2xf32, strided<[8, 1], offset: ?>>
  dma.load @t[%n, %n] to %columns23 rows %n : memref<2x2xf32, strided<[8, 1], offset: ?>>
  tile.fill 0.0 to %first rows %n cols %n : memref<8x1xf32, strided<[8, 1]>>
  tile.fill 1.0 to %third rows %n cols %n : memref<8x1xf32, strided<[8, 1], offset: 2>>
  %more = arith.muli %m, %rows : index
  %before = arith.subi %more, %c2 : index
  %columns67 = memref.reinterpret_cast %x to offset: [%before], sizes: [2, 2], strides: [8, 1] : memref<8x8xf32> to memref<2x2xf32, strided<[8, 1], offset: ?>>
  dma.load @t[%n, %n] to %columns67 rows %n : memref<2x2xf32, strided<[8, 1], offset: ?>>
  tile.fill 2.0 to %first rows %n cols %n : memref<8x1xf32, strided<[8, 1]>>
  tile.fill 3.0 to %last rows %n cols %n : memref<8x1xf32, strided<[8, 1], offset: 7>>
  %halves = arith.muli %n, %c4 : index
  %any = memref.reinterpret_cast %x to offset: [%halves], sizes: [2, 1], strides: [8, 1] : memref<8x8xf32> to memref<2x1xf32, strided<[8, 1], offset: ?>>
  dma.load @t[%n, %n] to %any rows %n : memref<2x1xf32, strided<[8, 1], offset: ?>>
  tile.fill 4.0 to %third rows %n cols %n : memref<8x1xf32, strided<[8, 1], offset: 2>>
  return
}

// -----

// Row stride 0 touches one row only; a negative one touches those before the offset.

// CHECK-LABEL: func.func @strides
// CHECK: tile.binary {{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.fill {{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @strides(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %y = mem.buffer scratchpad at 256 : memref<8x8xf32>
  %first = memref.reinterpret_cast %x to offset: [0], sizes: [1, 8], strides: [8, 1] : memref<8x8xf32> to memref<1x8xf32, strided<[8, 1]>>
  %second = memref.reinterpret_cast %x to offset: [8], sizes: [8, 8], strides: [0, 1] : memref<8x8xf32> to memref<8x8xf32, strided<[0, 1], offset: 8>>
  %backwards = memref.reinterpret_cast %x to offset: [8], sizes: [2, 8], strides: [-8, 1] : memref<8x8xf32> to memref<2x8xf32, strided<[-8, 1], offset: 8>>
  dma.load @t[%n, %n] to %first rows %n : memref<1x8xf32, strided<[8, 1]>>
  tile.binary add %second, %y to %y rows %n cols %n : memref<8x8xf32, strided<[0, 1], offset: 8>>, memref<8x8xf32>, memref<8x8xf32>
  tile.fill 0.0 to %backwards rows %n cols %n : memref<2x8xf32, strided<[-8, 1], offset: 8>>
  return
}

// -----

// A rope's heads lie beside the columns that it names.

// CHECK-LABEL: func.func @heads
// CHECK: tile.rope {{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x8xf32>
func.func @heads(%n: index) {
  %x = mem.buffer scratchpad at 0 : memref<8x16xf32>
  %y = mem.buffer scratchpad at 512 : memref<8x16xf32>
  %second = memref.reinterpret_cast %y to offset: [120], sizes: [1, 8], strides: [16, 1] : memref<8x16xf32> to memref<1x8xf32, strided<[16, 1], offset: 120>>
  %head = memref.reinterpret_cast %y to offset: [0], sizes: [8, 8], strides: [16, 1] : memref<8x16xf32> to memref<8x8xf32, strided<[16, 1]>>
  dma.load @t[%n, %n] to %second rows %n : memref<1x8xf32, strided<[16, 1], offset: 120>>
  tile.rope %x, %x, %x to %head heads 2 rotary 8 head_stride 8 rows %n cols %n : memref<8x16xf32>, memref<8x16xf32>, memref<8x16xf32>, memref<8x8xf32, strided<[16, 1]>>
  return
}

// -----

// Where the number of columns is a constant, so is where the last head ends: two heads
// of 4 are the first 8 of the view's 8 columns, three are not.

// CHECK-LABEL: func.func @heads_within
// CHECK: tile.rope {{.*}} heads 2 {{.*}} {dma.signal = 3 : i64} :
// CHECK: tile.rope {{.*}} heads 3 {{.*}} dma.waits = [#dma.wait<0 lag 0>]
tile.tensor @t temporary : memref<8x16xf32>
func.func @heads_within(%n: index) {
  %c4 = arith.constant 4 : index
  %x = mem.buffer scratchpad at 0 : memref<8x16xf32>
  %y = mem.buffer scratchpad at 512 : memref<8x16xf32>
  %right = memref.reinterpret_cast %y to offset: [8], sizes: [8, 8], strides: [16, 1] : memref<8x16xf32> to memref<8x8xf32, strided<[16, 1], offset: 8>>
  %left = memref.reinterpret_cast %y to offset: [0], sizes: [8, 8], strides: [16, 1] : memref<8x16xf32> to memref<8x8xf32, strided<[16, 1]>>
  dma.load @t[%n, %n] to %right rows %n : memref<8x8xf32, strided<[16, 1], offset: 8>>
  tile.rope %x, %x, %x to %left heads 2 rotary 4 head_stride 4 rows %n cols %c4 : memref<8x16xf32>, memref<8x16xf32>, memref<8x16xf32>, memref<8x8xf32, strided<[16, 1]>>
  tile.rope %x, %x, %x to %left heads 3 rotary 4 head_stride 4 rows %n cols %c4 : memref<8x16xf32>, memref<8x16xf32>, memref<8x16xf32>, memref<8x8xf32, strided<[16, 1]>>
  return
}
