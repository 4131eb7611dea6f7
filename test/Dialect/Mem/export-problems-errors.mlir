// RUN: not serrano-opt %s --mem-export-problems="folder=%t/absent" -o /dev/null 2>&1 | FileCheck %s
// RUN: not serrano-opt %s --mem-export-problems="target=none" -o /dev/null 2>&1 | FileCheck %s --check-prefix=TARGET

// CHECK: error: {{.*}}main.scratchpad.csv: cannot create: no such file or directory
// TARGET: error: target 'none': expected one of

module attributes {tile.target = "serrano-tiny"} {
  func.func @main(%n: index) {
    %0 = mem.buffer scratchpad : memref<8x8xf32>
    tile.fill 0.0 to %0 rows %n cols %n : memref<8x8xf32>
    return
  }
}
