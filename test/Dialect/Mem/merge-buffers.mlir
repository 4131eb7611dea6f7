// RUN: serrano-opt %s --split-input-file --mem-merge-buffers | FileCheck %s
// RUN: serrano-opt %s --split-input-file --mem-merge-buffers --remarks-filter=mem-merge-buffers -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// The operand dies, so the result is written over it.

// CHECK-LABEL: func.func @in_place
func.func @in_place(%n: index) {
  %c8 = arith.constant 8 : index
  // CHECK: %[[A:.+]] = mem.buffer
  // CHECK-NOT: mem.buffer
  %a = mem.buffer scratchpad : memref<8x8xf32>
  %b = mem.buffer scratchpad : memref<8x8xf32>
  tile.fill 1.0 to %a rows %n cols %c8 : memref<8x8xf32>
  // CHECK: tile.unary exp %[[A]] to %[[A]]
  // REMARK: [Passed] InPlace | Category:mem-merge-buffers | Function=in_place | Bytes=256
  tile.unary exp %a to %b rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
  tile.reduce sum %b to %b rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// A value that a loop carries is computed where the next round expects it: what it
// was is read no more when it is written.

// CHECK-LABEL: func.func @carried
func.func @carried(%n: index, %count: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  // CHECK: %[[CARRIED:.+]] = mem.buffer scratchpad
  %carried = mem.buffer scratchpad : memref<8x8xf32>
  tile.fill 1.0 to %carried rows %n cols %c8 : memref<8x8xf32>
  scf.for %i = %c0 to %count step %c1 {
    // CHECK: %[[MIDDLE:.+]] = mem.buffer
    // CHECK-NOT: mem.buffer
    %middle = mem.buffer scratchpad : memref<8x8xbf16>
    %next = mem.buffer scratchpad : memref<8x8xf32>
    tile.unary silu %carried to %middle rows %n cols %c8 : memref<8x8xf32>, memref<8x8xbf16>
    // In blocks of four columns, whose place depends on the round.
    scf.for %j = %c0 to %c2 step %c1 {
      %at = arith.muli %j, %c4 : index
      %from = memref.reinterpret_cast %middle to offset: [%at], sizes: [8, 4], strides: [8, 1] : memref<8x8xbf16> to memref<8x4xbf16, strided<[8, 1], offset: ?>>
      // CHECK: %[[BLOCK:.+]] = memref.reinterpret_cast %[[CARRIED]]
      %to = memref.reinterpret_cast %next to offset: [%at], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: ?>>
      // CHECK: tile.unary exp {{.*}} to %[[BLOCK]]
      tile.unary exp %from to %to rows %n cols %c4 : memref<8x4xbf16, strided<[8, 1], offset: ?>>, memref<8x4xf32, strided<[8, 1], offset: ?>>
    }
    // CHECK-NOT: tile.unary copy
    // REMARK: [Passed] CopyRemoved | Category:mem-merge-buffers | Function=carried | Bytes=256
    tile.unary copy %next to %carried rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
  }
  return
}

// -----

// What is carried is read after the next value was begun: it needs a place of its own.

// CHECK-LABEL: func.func @still_read
func.func @still_read(%n: index, %count: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %carried = mem.buffer scratchpad : memref<8x8xf32>
  tile.fill 1.0 to %carried rows %n cols %c8 : memref<8x8xf32>
  scf.for %i = %c0 to %count step %c1 {
    %next = mem.buffer scratchpad : memref<8x8xf32>
    tile.fill 2.0 to %next rows %n cols %c8 : memref<8x8xf32>
    tile.binary add %carried, %next to %next rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
    // CHECK: tile.unary copy
    // REMARK: [Missed] CopyRemoved | {{.*}}Reason="the result's place is in use while the operand is"
    tile.unary copy %next to %carried rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
  }
  return
}

// -----

// CHECK-LABEL: func.func @used_later
func.func @used_later(%n: index) {
  %c8 = arith.constant 8 : index
  %a = mem.buffer scratchpad : memref<8x8xf32>
  %b = mem.buffer scratchpad : memref<8x8xf32>
  tile.fill 1.0 to %a rows %n cols %c8 : memref<8x8xf32>
  // CHECK: tile.unary copy
  // REMARK: Reason="the operand is used later"
  tile.unary copy %a to %b rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
  tile.binary add %a, %b to %b rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// The second row of `a` would take the place of what `b` keeps there.

// CHECK-LABEL: func.func @fewer_rows
func.func @fewer_rows(%n: index, %one: index) {
  %c8 = arith.constant 8 : index
  %a = mem.buffer scratchpad : memref<8x8xf32>
  %b = mem.buffer scratchpad : memref<8x8xf32>
  tile.fill 0.0 to %b rows %n cols %c8 : memref<8x8xf32>
  tile.fill 1.0 to %a rows %n cols %c8 : memref<8x8xf32>
  // CHECK: tile.unary copy
  // REMARK: Reason="the operand has more rows than the result"
  tile.unary copy %a to %b rows %one cols %c8 : memref<8x8xf32>, memref<8x8xf32>
  tile.reduce sum %b to %b rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// Four of the columns stay what they were.

// CHECK-LABEL: func.func @fewer_columns
func.func @fewer_columns(%n: index) {
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %a = mem.buffer scratchpad : memref<8x8xf32>
  %b = mem.buffer scratchpad : memref<8x8xf32>
  tile.fill 0.0 to %b rows %n cols %c8 : memref<8x8xf32>
  tile.fill 1.0 to %a rows %n cols %c8 : memref<8x8xf32>
  // CHECK: tile.unary copy
  // REMARK: Reason="the result has columns that are not written"
  tile.unary copy %a to %b rows %n cols %c4 : memref<8x8xf32>, memref<8x8xf32>
  tile.reduce sum %b to %b rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// An element of the result needs the first one of its row.

// CHECK-LABEL: func.func @other_elements
func.func @other_elements(%n: index) {
  %c8 = arith.constant 8 : index
  // CHECK-COUNT-2: mem.buffer
  %a = mem.buffer scratchpad : memref<8x8xf32>
  %b = mem.buffer scratchpad : memref<8x8xf32>
  tile.fill 1.0 to %a rows %n cols %c8 : memref<8x8xf32>
  %first = memref.reinterpret_cast %a to offset: [0], sizes: [8, 8], strides: [8, 0] : memref<8x8xf32> to memref<8x8xf32, strided<[8, 0]>>
  tile.binary sub %a, %first to %b rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32, strided<[8, 0]>>, memref<8x8xf32>
  return
}

// -----

// What the result's buffer held is read by the operation itself.

// CHECK-LABEL: func.func @sum
func.func @sum(%n: index) {
  %c8 = arith.constant 8 : index
  // CHECK-COUNT-2: mem.buffer
  %total = mem.buffer scratchpad : memref<8x8xf32>
  %term = mem.buffer scratchpad : memref<8x8xf32>
  tile.fill 0.0 to %total rows %n cols %c8 : memref<8x8xf32>
  tile.fill 1.0 to %term rows %n cols %c8 : memref<8x8xf32>
  tile.binary add %total, %term to %total rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
  tile.binary add %term, %total to %total rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// A residual: what the loop carries becomes the sum in the middle of a layer, and
// that becomes what it carries again, block of columns by block of columns. One
// buffer is enough.

// CHECK-LABEL: func.func @residual
func.func @residual(%n: index, %count: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  // CHECK: %[[CARRIED:.+]] = mem.buffer scratchpad
  %carried = mem.buffer scratchpad : memref<8x8xf32>
  // CHECK-NEXT: mem.buffer accumulators
  %acc = mem.buffer accumulators : memref<8x4xf32>
  tile.fill 1.0 to %carried rows %n cols %c8 : memref<8x8xf32>
  scf.for %i = %c0 to %count step %c1 {
    // CHECK-NOT: mem.buffer
    %middle = mem.buffer scratchpad : memref<8x8xf32>
    scf.for %j = %c0 to %c2 step %c1 {
      %at = arith.muli %j, %c4 : index
      // CHECK: %[[FROM:.+]] = memref.reinterpret_cast %[[CARRIED]]
      // CHECK: %[[TO:.+]] = memref.reinterpret_cast %[[CARRIED]]
      %from = memref.reinterpret_cast %carried to offset: [%at], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: ?>>
      %to = memref.reinterpret_cast %middle to offset: [%at], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: ?>>
      // CHECK: tile.binary add {{.*}}, %[[FROM]] to %[[TO]]
      // REMARK: [Passed] InPlace | Category:mem-merge-buffers | Function=residual | Bytes=256
      tile.binary add %acc, %from to %to rows %n cols %c4 : memref<8x4xf32>, memref<8x4xf32, strided<[8, 1], offset: ?>>, memref<8x4xf32, strided<[8, 1], offset: ?>>
    }
    tile.reduce sum %middle to %acc rows %n cols %c8 : memref<8x8xf32>, memref<8x4xf32>
    scf.for %j = %c0 to %c2 step %c1 {
      %at = arith.muli %j, %c4 : index
      %from = memref.reinterpret_cast %middle to offset: [%at], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: ?>>
      %to = memref.reinterpret_cast %carried to offset: [%at], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: ?>>
      tile.binary add %acc, %from to %to rows %n cols %c4 : memref<8x4xf32>, memref<8x4xf32, strided<[8, 1], offset: ?>>, memref<8x4xf32, strided<[8, 1], offset: ?>>
    }
  }
  return
}

// -----

// The windows of two rounds overlap: the second round would read what the first one
// wrote.

// CHECK-LABEL: func.func @overlapping
func.func @overlapping(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  // CHECK-COUNT-2: mem.buffer
  %a = mem.buffer scratchpad : memref<8x8xf32>
  %b = mem.buffer scratchpad : memref<8x8xf32>
  tile.fill 1.0 to %a rows %n cols %c8 : memref<8x8xf32>
  scf.for %j = %c0 to %c2 step %c1 {
    %at = arith.muli %j, %c2 : index
    %from = memref.reinterpret_cast %a to offset: [%at], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: ?>>
    %to = memref.reinterpret_cast %b to offset: [%at], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: ?>>
    tile.unary exp %from to %to rows %n cols %c4 : memref<8x4xf32, strided<[8, 1], offset: ?>>, memref<8x4xf32, strided<[8, 1], offset: ?>>
  }
  tile.reduce sum %b to %b rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// A part of what is carried stays what it was: it would be lost.

// CHECK-LABEL: func.func @partly_carried
func.func @partly_carried(%n: index, %count: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  // CHECK-COUNT-2: mem.buffer
  %carried = mem.buffer scratchpad : memref<8x8xf32>
  tile.fill 1.0 to %carried rows %n cols %c8 : memref<8x8xf32>
  scf.for %i = %c0 to %count step %c1 {
    %middle = mem.buffer scratchpad : memref<8x8xf32>
    tile.unary exp %carried to %middle rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
    %from = memref.reinterpret_cast %middle to offset: [0], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1]>>
    %to = memref.reinterpret_cast %carried to offset: [0], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1]>>
    tile.unary exp %from to %to rows %n cols %c4 : memref<8x4xf32, strided<[8, 1]>>, memref<8x4xf32, strided<[8, 1]>>
  }
  return
}

// -----

// CHECK-LABEL: func.func @given
func.func @given(%n: index) {
  %c8 = arith.constant 8 : index
  // CHECK: mem.buffer scratchpad at 0
  // CHECK: mem.buffer scratchpad at 256
  %a = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %b = mem.buffer scratchpad at 256 : memref<8x8xf32>
  tile.fill 1.0 to %a rows %n cols %c8 : memref<8x8xf32>
  // REMARK: Reason="an address is given"
  tile.unary copy %a to %b rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// A slot of the loop around it is the same one in each round.

// CHECK-LABEL: func.func @outlives
func.func @outlives(%n: index, %count: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  // CHECK-COUNT-2: mem.buffer
  %a = mem.buffer scratchpad : memref<8x8xf32>
  tile.fill 1.0 to %a rows %n cols %c8 : memref<8x8xf32>
  scf.for %i = %c0 to %count step %c1 {
    %b = mem.buffer scratchpad : memref<8x8xf32>
    // REMARK: Reason="the operand outlives the block"
    tile.unary copy %a to %b rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
    tile.reduce sum %b to %b rows %n cols %c8 : memref<8x8xf32>, memref<8x8xf32>
  }
  return
}
