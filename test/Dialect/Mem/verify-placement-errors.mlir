// RUN: serrano-opt %s -split-input-file -mem-verify-placement -verify-diagnostics

module attributes {tile.target = "serrano-tiny"} {
  func.func @slot() {
    // expected-error @+1 {{has no place; run convert-tile-to-mem first}}
    %0 = tile.slot : memref<8x8xf32>
    return
  }
}

// -----

module attributes {tile.target = "serrano-tiny"} {
  tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32 {mem.address = 0 : i64}
  func.func @stream_left() {
    // expected-error @+1 {{has no place; run convert-tile-to-mem first}}
    %0 = tile.stream @stream : !tile.stream<memref<8x8xf32>>
    return
  }
}

// -----

module attributes {tile.target = "serrano-tiny"} {
  tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32 {mem.address = 0 : i64}
  func.func @slots() {
    // expected-error @+1 {{has no number of slots; run mem-assign-addresses first}}
    %0 = mem.ring 0 of @stream : !tile.stream<memref<8x8xf32>>
    return
  }
}

// -----

module attributes {tile.target = "serrano-tiny"} {
  // expected-error @+1 {{scratchpad: buffer 0 has no address}}
  func.func @address() {
    %0 = mem.buffer scratchpad : memref<8x8xf32>
    return
  }
}

// -----

// The loop's next round reads `first` again.
module attributes {tile.target = "serrano-tiny"} {
  // expected-error @+1 {{scratchpad: buffer 0 at 0 and buffer 1 at 192 are alive together and overlap}}
  func.func @overlap(%n: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %first = mem.buffer scratchpad at 0 : memref<8x8xf32>
    %second = mem.buffer scratchpad at 192 : memref<8x8xf32>
    scf.for %i = %c0 to %n step %c1 {
      tile.fill 0.0 to %first rows %n cols %n : memref<8x8xf32>
      tile.fill 0.0 to %second rows %n cols %n : memref<8x8xf32>
    }
    return
  }
}

// -----

// Rings are alive before the first operation and after the last. The ring has 2
// slots of 256 bytes.
module attributes {tile.target = "serrano-tiny"} {
  tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32 {mem.address = 0 : i64}
  // expected-error @+1 {{scratchpad: buffer 0 at 448 and ring 0 at 0 are alive together and overlap}}
  func.func @ring(%n: index) {
    %x = mem.buffer scratchpad at 448 : memref<8x8xf32>
    %w = mem.ring 0 of @stream at 0 slots 2 : !tile.stream<memref<8x8xf32>>
    tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
    return
  }
}

// -----

module attributes {tile.target = "serrano-tiny"} {
  // expected-error @+1 {{accumulators: buffer 0 ends at 8256, beyond the memory's 8192 bytes}}
  func.func @end() {
    %0 = mem.buffer accumulators at 8000 : memref<8x8xf32>
    return
  }
}

// -----

// expected-error @+1 {{memory: 'x' has no address}}
module attributes {tile.target = "serrano-tiny"} {
  tile.tensor @x temporary : memref<4x4xf32>
}

// -----

// expected-error @+1 {{scalar memory: 'seq' has no address}}
module attributes {tile.target = "serrano-tiny"} {
  tile.dimension @seq max 8
}

// -----

// 64 bytes from 0 and from 32.
// expected-error @+1 {{memory: 'x' at 0 and 'y' at 32 are alive together and overlap}}
module attributes {tile.target = "serrano-tiny"} {
  tile.tensor @x temporary : memref<4x4xf32> {mem.address = 0 : i64}
  tile.tensor @y temporary : memref<4x4xf32> {mem.address = 32 : i64}
}

// -----

// expected-error @+1 {{memory: 'x' ends at 1000000032, beyond the memory's 1000000000 bytes}}
module attributes {tile.target = "serrano-tiny"} {
  tile.tensor @x temporary : memref<4x4xf32> {mem.address = 999999968 : i64}
}

// -----

// expected-error @+1 {{scalar memory: 'seq' is at address 2; expected a multiple of 4}}
module attributes {tile.target = "serrano-tiny"} {
  tile.dimension @seq max 8 {mem.address = 2 : i64}
}
