// RUN: serrano-opt %s -split-input-file -convert-dma-to-isa -verify-diagnostics

// expected-error @+1 {{has no address; run mem-assign-addresses first}}
tile.dimension @seq max 8

// -----

func.func @buffer() {
  // expected-error @+1 {{has no address; run mem-assign-addresses first}}
  %x = mem.buffer scratchpad : memref<8x8xf32>
  return
}

// -----

tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32 {mem.address = 0 : i64}
func.func @ring() {
  // expected-error @+1 {{has no address; run mem-assign-addresses first}}
  %w = mem.ring 0 of @stream at 0 : !tile.stream<memref<8x8xf32>>
  return
}

// -----

tile.dimension @seq max 8 {mem.address = 0 : i64}
func.func @start() {
  %c1 = arith.constant 1 : index
  %n = tile.extent @seq
  // expected-error @+1 {{is not a loop from 0 in steps of 1 without results}}
  scf.for %i = %c1 to %n step %c1 {
  }
  return
}

// -----

tile.dimension @seq max 8 {mem.address = 0 : i64}
func.func @branch(%condition: i1) {
  // expected-error @+1 {{has no instruction}}
  scf.if %condition {
  }
  return
}

// -----

func.func @constant() {
  // expected-error @+1 {{has no instruction}}
  %0 = arith.constant 1.0 : f32
  return
}

// -----

tile.dimension @seq max 8 {mem.address = 0 : i64}
func.func @remainder() {
  %c3 = arith.constant 3 : index
  %n = tile.extent @seq
  // expected-error @+1 {{is index arithmetic that no instruction does}}
  %0 = arith.remui %n, %c3 : index
  return
}

// -----

tile.dimension @seq max 8 {mem.address = 0 : i64}
func.func @divisor() {
  %c3 = arith.constant 3 : index
  %n = tile.extent @seq
  // expected-error @+1 {{divides by what is not a positive constant}}
  %0 = arith.ceildivui %c3, %n : index
  return
}

// -----

// Rows of 2^24 elements of 4 bytes; an immediate has 26 bits with its sign.
tile.dimension @seq max 8 {mem.address = 0 : i64}
tile.tensor @t temporary : memref<2x16777216xf32> {mem.address = 0 : i64}
func.func @factor() {
  %c0 = arith.constant 0 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %n = tile.extent @seq
  // expected-error @+1 {{scales an index by 67108864, which no immediate holds}}
  dma.load @t[%n, %c0] to %x rows %n : memref<8x8xf32>
  return
}

// -----

// Its slot would be given back twice.
tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32 {mem.address = 0 : i64}
func.func @read_twice() {
  %c8 = arith.constant 8 : index
  %w = mem.ring 0 of @stream at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  // expected-error @+1 {{gives a tile that is not read exactly once; its slot can be given back by one reader only}}
  %tile = tile.next %w : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  tile.load_weights %tile k %c8 n %c8 : memref<8x8xf32>
  tile.load_weights %tile k %c8 n %c8 : memref<8x8xf32>
  return
}

// -----

func.func @argument(%x: memref<8x8xf32>) {
  %c8 = arith.constant 8 : index
  // expected-error @+1 {{uses a slot that has no place}}
  tile.fill 0.0 to %x rows %c8 cols %c8 : memref<8x8xf32>
  return
}

// -----

func.func @element() {
  %c8 = arith.constant 8 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf64>
  // expected-error @+1 {{uses elements of 'f64', which the instruction set does not have}}
  tile.fill 0.0 to %x rows %c8 cols %c8 : memref<8x8xf64>
  return
}

// -----

func.func @columns() {
  %c4 = arith.constant 4 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %even = memref.reinterpret_cast %x to offset: [0], sizes: [8, 4], strides: [8, 2] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 2]>>
  // expected-error @+1 {{expected an element stride of 0 or 1}}
  tile.fill 0.0 to %even rows %c4 cols %c4 : memref<8x4xf32, strided<[8, 2]>>
  return
}

// -----

func.func @backwards() {
  %c2 = arith.constant 2 : index
  %x = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %rows = memref.reinterpret_cast %x to offset: [8], sizes: [2, 8], strides: [-8, 1] : memref<8x8xf32> to memref<2x8xf32, strided<[-8, 1], offset: 8>>
  // expected-error @+1 {{needs offset 32 and stride -32, which do not fit 24 and 22 bits}}
  tile.fill 0.0 to %rows rows %c2 cols %c2 : memref<2x8xf32, strided<[-8, 1], offset: 8>>
  return
}

// -----

// Addresses end at 2^24.
func.func @offset() {
  %c2 = arith.constant 2 : index
  %x = mem.buffer scratchpad at 16777216 : memref<8x8xf32>
  // expected-error @+1 {{needs offset 16777216 and stride 32, which do not fit 24 and 22 bits}}
  tile.fill 0.0 to %x rows %c2 cols %c2 : memref<8x8xf32>
  return
}
