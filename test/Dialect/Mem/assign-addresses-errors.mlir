// RUN: serrano-opt %s -split-input-file -mem-assign-addresses -verify-diagnostics

// expected-error @+1 {{names no target; set 'tile.target' or the pass's option 'target'}}
module {
}

// -----

// expected-error @+1 {{target 'serrano-2': expected one of serrano-1}}
module attributes {tile.target = "serrano-2"} {
}

// -----

// serrano-tiny has 8192 bytes of accumulators; 4096 more than that are alive.
module attributes {tile.target = "serrano-tiny"} {
  func.func @too_much(%n: index) {
    %a = mem.buffer accumulators : memref<128x8xf32>
    %b = mem.buffer accumulators : memref<128x8xf32>
    // expected-error @+1 {{accumulators: buffer 2 of 4096 bytes does not fit: what is alive with it takes up to 8192 of the memory's 8192 bytes; compile for fewer tokens (--max-tokens)}}
    %c = mem.buffer accumulators : memref<128x8xf32>
    tile.binary add %a, %b to %c rows %n cols %n : memref<128x8xf32>, memref<128x8xf32>, memref<128x8xf32>
    return
  }
}

// -----

// Whatever a program is compiled for, there is at least one token.
module attributes {tile.target = "serrano-tiny", tile.made = #tile.choices<rows = 1>} {
  func.func @one_token() {
    // expected-error @+1 {{scratchpad: buffer 0 of 36864 bytes does not fit the memory's 32768; not even one token has room: compile for a target that has more (--target)}}
    %a = mem.buffer scratchpad : memref<1x9216xf32>
    return
  }
}

// -----

module attributes {tile.target = "serrano-tiny"} {
  tile.limit tokens "seq" max 128
  tile.limit tokens "64" max 128
  func.func @fixed() {
    // expected-error @+1 {{scratchpad: buffer 0 of 36864 bytes does not fit the memory's 32768; the model always takes 64 tokens at once: export it for fewer, or compile for a target that has more (--target)}}
    %a = mem.buffer scratchpad : memref<64x144xf32>
    return
  }
}

// -----

module attributes {tile.target = "serrano-tiny"} {
  func.func @too_large() {
    // expected-error @+1 {{scratchpad: buffer 0 of 36864 bytes does not fit the memory's 32768}}
    %a = mem.buffer scratchpad : memref<128x72xf32>
    return
  }
}

// -----

module attributes {tile.target = "serrano-tiny"} {
  // expected-error @+1 {{scratchpad: buffer 0 at 0 and buffer 1 at 64 are alive together and overlap}}
  func.func @given(%n: index) {
    %a = mem.buffer scratchpad at 0 : memref<8x8xf32>
    %b = mem.buffer scratchpad at 64 : memref<8x8xf32>
    tile.unary copy %a to %b rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
    return
  }
}

// -----

// 32768 - 126 * 256 = 512 bytes are left: one slot of 512, but a ring needs two.
module attributes {tile.target = "serrano-tiny"} {
  tile.packed @stream [@w] sizes [8, 16] tile 8 x 16 : f32
  func.func @ring(%n: index) {
    %a = mem.buffer scratchpad : memref<126x64xf32>
    // expected-error @+1 {{has room for 1 slots of 512 bytes; expected at least 2; compile for fewer tokens (--max-tokens)}}
    %w = mem.ring 0 of @stream : !tile.stream<memref<8x16xf32>>
    tile.fill 0.0 to %a rows %n cols %n : memref<126x64xf32>
    return
  }
}

// -----

// expected-error @+1 {{needs 8196 bytes of scalar memory; the target has 8192; compile for fewer tokens, fewer sequences or a shorter context (--max-tokens, --max-sequences, --max-context)}}
module attributes {tile.target = "serrano-tiny"} {
  tile.tensor @ids temporary scalar : memref<1x2048xi32>
  tile.dimension @seq max 8
}

// -----

// 2^28 elements of 4 bytes are 1073741824.
// expected-error @+1 {{needs 1073741824 bytes of memory; the target has 1000000000; compile for fewer sequences or a shorter context (--max-sequences, --max-context)}}
module attributes {tile.target = "serrano-tiny"} {
  tile.tensor @large temporary : memref<16384x16384xf32>
}
