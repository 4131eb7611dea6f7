// RUN: rm -rf %t && mkdir %t
// RUN: serrano-opt %s --mem-export-problems="folder=%t" -o /dev/null
// RUN: ls %t | FileCheck %s --check-prefix=FILES
// RUN: FileCheck %s --input-file=%t/main.scratchpad.csv
// RUN: serrano-place %t/main.scratchpad.csv -o %t/solved.csv 2>&1 | FileCheck %s --check-prefix=SAID
// RUN: FileCheck %s --check-prefix=SOLVED --input-file=%t/solved.csv
// RUN: serrano-place --check %t/solved.csv 2>&1 | FileCheck %s --check-prefix=CHECKED

// FILES: main.accumulators.csv
// FILES-NEXT: main.scratchpad.csv
// FILES-NOT: {{.}}

// serrano-tiny has 32,768 bytes of scratchpad. An operation is alive from its
// beginning to its end, two moments.

// CHECK: # capacity: 32768
// CHECK-NEXT: # alignment: 64
// CHECK-NEXT: id,lower,upper,size,offset
// CHECK-NEXT: buffer 0,[[FROM:[0-9]+]],{{[0-9]+}},256,{{$}}
// CHECK-NEXT: buffer 1,{{[0-9]+}},{{[0-9]+}},128,512
// CHECK-NEXT: ring 0,0,{{[0-9]+}},512,1024
// CHECK-NOT: {{.}}

// The ring ends at 1024 + 512, where it was put.
// SAID: main.scratchpad.csv: 3 buffers in 1536 bytes of 32768; no placement takes less than 1536 (gap 0.0%, 0 steps)
// SOLVED: buffer 0,{{[0-9]+}},{{[0-9]+}},256,0
// CHECKED: solved.csv: 3 buffers in 1536 bytes of 32768

module attributes {tile.target = "serrano-tiny"} {
  tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32
  func.func @main(%n: index) {
    %0 = mem.buffer scratchpad : memref<8x8xf32>
    %1 = mem.buffer scratchpad at 512 : memref<4x8xf32>
    %2 = mem.buffer accumulators : memref<8x8xf32>
    %3 = mem.ring 0 of @stream at 1024 slots 2 : !tile.stream<memref<8x8xf32>>
    %4 = mem.ring 1 of @stream : !tile.stream<memref<8x8xf32>>
    tile.unary copy %0 to %2 rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
    tile.fill 0.0 to %1 rows %n cols %n : memref<4x8xf32>
    return
  }
}
