// RUN: serrano-opt %s -split-input-file -verify-diagnostics

// A constant count is checked against each view that the operation reads or writes.

tile.tensor @x temporary : memref<16x8xf32>
func.func @load(%x: memref<8x8xf32>, %n: index) {
  %c9 = arith.constant 9 : index
  // expected-error @+1 {{takes 9 rows of 'memref<8x8xf32>'; expected 0 to 8}}
  tile.load @x[%n, %n] to %x rows %c9 : memref<8x8xf32>
  return
}

// -----

tile.tensor @x temporary : memref<16x8xf32>
func.func @store(%x: memref<8x8xf32>, %n: index) {
  %c9 = arith.constant 9 : index
  // expected-error @+1 {{takes 9 rows of 'memref<8x8xf32>'; expected 0 to 8}}
  tile.store %x to @x[%n, %n] rows %c9 : memref<8x8xf32>
  return
}

// -----

tile.tensor @x temporary : memref<16x8xf32>
tile.tensor @ids temporary scalar : memref<1x16xi32>
func.func @gather(%x: memref<8x8xf32>, %n: index) {
  %c9 = arith.constant 9 : index
  // expected-error @+1 {{takes 9 rows of 'memref<8x8xf32>'; expected 0 to 8}}
  tile.gather @x by @ids[%n] to %x rows %c9 : memref<8x8xf32>
  return
}

// -----

func.func @weights_k(%w: memref<8x4xf32>, %n: index) {
  %c9 = arith.constant 9 : index
  // expected-error @+1 {{takes 9 rows of 'memref<8x4xf32>'; expected 0 to 8}}
  tile.load_weights %w k %c9 n %n : memref<8x4xf32>
  return
}

// -----

func.func @weights_n(%w: memref<8x4xf32>, %n: index) {
  %c5 = arith.constant 5 : index
  // expected-error @+1 {{takes 5 columns of 'memref<8x4xf32>'; expected 0 to 4}}
  tile.load_weights %w k %n n %c5 : memref<8x4xf32>
  return
}

// -----

// Transposed, 8 rows of 4 are n = 8 and k = 4.
func.func @weights_transposed(%w: memref<8x4xf32>) {
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  tile.load_weights %w k %c4 n %c8 transpose : memref<8x4xf32>
  // expected-error @+1 {{takes 8 columns of 'memref<8x4xf32>'; expected 0 to 4}}
  tile.load_weights %w k %c8 n %c4 transpose : memref<8x4xf32>
  return
}

// -----

func.func @matmul_moving(%x: memref<4x8xf32>, %acc: memref<8x8xf32>) {
  %c5 = arith.constant 5 : index
  // expected-error @+1 {{takes 5 rows of 'memref<4x8xf32>'; expected 0 to 4}}
  tile.matmul %x to %acc m %c5 : memref<4x8xf32>, memref<8x8xf32>
  return
}

// -----

func.func @matmul_transposed(%w: memref<8x4xf32>, %acc: memref<8x8xf32>) {
  %c5 = arith.constant 5 : index
  // expected-error @+1 {{takes 5 columns of 'memref<8x4xf32>'; expected 0 to 4}}
  tile.matmul %w to %acc m %c5 transpose : memref<8x4xf32>, memref<8x8xf32>
  return
}

// -----

func.func @matmul_accumulator(%x: memref<8x8xf32>, %acc: memref<4x8xf32>) {
  %c5 = arith.constant 5 : index
  // expected-error @+1 {{takes 5 rows of 'memref<4x8xf32>'; expected 0 to 4}}
  tile.matmul %x to %acc m %c5 : memref<8x8xf32>, memref<4x8xf32>
  return
}

// -----

func.func @unary(%x: memref<8x8xf32>, %y: memref<8x4xf32>) {
  %c5 = arith.constant 5 : index
  // expected-error @+1 {{takes 5 columns of 'memref<8x4xf32>'; expected 0 to 4}}
  tile.unary exp %x to %y rows %c5 cols %c5 : memref<8x8xf32>, memref<8x4xf32>
  return
}

// -----

func.func @binary(%x: memref<8x8xf32>, %y: memref<4x8xf32>) {
  %c5 = arith.constant 5 : index
  // expected-error @+1 {{takes 5 rows of 'memref<4x8xf32>'; expected 0 to 4}}
  tile.binary add %x, %y to %x rows %c5 cols %c5 : memref<8x8xf32>, memref<4x8xf32>, memref<8x8xf32>
  return
}

// -----

func.func @negative(%x: memref<8x8xf32>) {
  %c1 = arith.constant 1 : index
  %negative = arith.constant -1 : index
  // expected-error @+1 {{takes -1 rows of 'memref<8x8xf32>'; expected 0 to 8}}
  tile.scalar add %x, 1.0 to %x rows %negative cols %c1 : memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

func.func @ternary(%x: memref<8x8xf32>, %y: memref<8x4xf32>, %n: index) {
  %c5 = arith.constant 5 : index
  // expected-error @+1 {{takes 5 columns of 'memref<8x4xf32>'; expected 0 to 4}}
  tile.ternary fma %x, %x, %y to %x rows %n cols %c5 : memref<8x8xf32>, memref<8x8xf32>, memref<8x4xf32>, memref<8x8xf32>
  return
}

// -----

func.func @fill(%x: memref<8x8xf32>, %n: index) {
  %c9 = arith.constant 9 : index
  // expected-error @+1 {{takes 9 columns of 'memref<8x8xf32>'; expected 0 to 8}}
  tile.fill 0.0 to %x rows %n cols %c9 : memref<8x8xf32>
  return
}

// -----

// The result of a reduction has one column, however many are read.
func.func @reduce(%x: memref<8x8xf32>, %y: memref<4x1xf32>) {
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  tile.reduce sum %x to %y rows %c4 cols %c8 : memref<8x8xf32>, memref<4x1xf32>
  // expected-error @+1 {{takes 8 rows of 'memref<4x1xf32>'; expected 0 to 4}}
  tile.reduce sum %x to %y rows %c8 cols %c8 : memref<8x8xf32>, memref<4x1xf32>
  return
}

// -----

func.func @softmax(%x: memref<8x8xf32>, %state: memref<4x3xf32>, %n: index) {
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  tile.softmax %x to %x state %state scale 1.0 limit %n rows %c4 cols %c8 : memref<8x8xf32>, memref<8x8xf32>, memref<4x3xf32>
  // expected-error @+1 {{takes 8 rows of 'memref<4x3xf32>'; expected 0 to 4}}
  tile.softmax %x to %x state %state scale 1.0 limit %n rows %c8 cols %c8 : memref<8x8xf32>, memref<8x8xf32>, memref<4x3xf32>
  return
}

// -----

func.func @rope(%x: memref<8x16xf32>, %angles: memref<4x4xf32>) {
  %c5 = arith.constant 5 : index
  %c8 = arith.constant 8 : index
  // expected-error @+1 {{takes 5 rows of 'memref<4x4xf32>'; expected 0 to 4}}
  tile.rope %x, %angles, %angles to %x heads 2 rotary 8 head_stride 8 rows %c5 cols %c8 : memref<8x16xf32>, memref<4x4xf32>, memref<4x4xf32>, memref<8x16xf32>
  return
}

// -----

func.func @rope_angles(%x: memref<8x16xf32>, %angles: memref<8x4xf32>, %n: index) {
  // expected-error @+1 {{turns 10 elements by the angles of 'memref<8x4xf32>'; expected one for each two}}
  tile.rope %x, %angles, %angles to %x heads 1 rotary 10 head_stride 16 rows %n cols %n : memref<8x16xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x16xf32>
  return
}

// -----

func.func @rope_odd(%x: memref<8x16xf32>, %angles: memref<8x4xf32>, %n: index) {
  // expected-error @+1 {{turns 7 elements of 2 heads; expected an even number of at least one head}}
  tile.rope %x, %angles, %angles to %x heads 2 rotary 7 head_stride 8 rows %n cols %n : memref<8x16xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x16xf32>
  return
}
