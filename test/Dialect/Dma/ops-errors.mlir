// RUN: serrano-opt %s -split-input-file -verify-diagnostics

func.func @missing(%slot: memref<8x8xf32>, %n: index) {
  // expected-error @+1 {{names no tile.tensor or tile.vectors: 'x'}}
  dma.load @x[%n, %n] to %slot rows %n : memref<8x8xf32>
  return
}

// -----

tile.tensor @x temporary : memref<8x8xbf16>
func.func @element(%slot: memref<8x8xf32>, %n: index) {
  // expected-error @+1 {{moves rows between 'memref<8x8xbf16>' and 'memref<8x8xf32>'; expected the same element type and as many columns}}
  dma.store %slot to @x[%n, %n] rows %n : memref<8x8xf32>
  return
}

// -----

tile.tensor @ids temporary scalar : memref<8x8xi32>
func.func @scalar(%slot: memref<8x8xi32>, %n: index) {
  // expected-error @+1 {{moves rows of 'ids', which is in scalar memory; expected a tensor in HBM}}
  dma.load @ids[%n, %n] to %slot rows %n : memref<8x8xi32>
  return
}

// -----

tile.tensor @x temporary : memref<8x8xf32>
func.func @table(%slot: memref<8x8xf32>, %n: index) {
  // expected-error @+1 {{takes indices from 'x', which is not a tensor of i32 in scalar memory}}
  dma.gather @x by @x[%n] to %slot rows %n : memref<8x8xf32>
  return
}

// -----

// expected-error @+1 {{runs on no queue and cannot have the attribute 'dma.signal'}}
func.func private @function() attributes {dma.signal = 0 : i64}

// -----

func.func @signal(%x: memref<8x8xf32>, %n: index) {
  // expected-error @+1 {{signals 64 : i64; expected a counter from 0 to 63}}
  tile.fill 0.0 to %x rows %n cols %n {dma.signal = 64 : i64} : memref<8x8xf32>
  return
}

// -----

func.func @sync() {
  // expected-error @+1 {{cannot signal: it does no work}}
  dma.sync vector {dma.signal = 3 : i64}
  return
}

// -----

// Who reads the blocks waits for them by their ring.
tile.tensor @ids temporary scalar : memref<1x8xi32>
tile.tensor @kv cache : memref<64x8xf32>
func.func @ring_signal(%n: index) {
  %kv = mem.ring 0 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  // expected-error @+1 {{cannot signal: who reads a ring's tile waits for it in any case}}
  dma.order_blocks %kv[%n] by @ids[%n] bound 4 step 8 count %n tail %n passes %n {dma.signal = 4 : i64} : !tile.stream<memref<8x8xf32>>
  return
}

// -----

func.func @ring_sync() {
  // expected-error @+1 {{is of a ring, whose orders wait by themselves}}
  dma.sync ring {dma.waits = [#dma.wait<1 lag 0>]}
  return
}

// -----

// Weights are never written.
tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32
func.func @tiles_wait(%n: index) {
  %w = mem.ring 0 of @stream at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  // expected-error @+1 {{runs on no queue and cannot have the attribute 'dma.waits'}}
  dma.order_tiles %w from 0 count 1 passes %n {dma.waits = [#dma.wait<1 lag 0>]} : !tile.stream<memref<8x8xf32>>
  return
}

// -----

func.func @tiles_none(%w: !tile.stream<memref<8x8xf32>>, %n: index) {
  // expected-error @+1 {{orders 0 tiles from number 2 on; expected at least one of those there are}}
  dma.order_tiles %w from 2 count 0 passes %n : !tile.stream<memref<8x8xf32>>
  return
}

// -----

func.func @tiles_before(%w: !tile.stream<memref<8x8xf32>>, %n: index) {
  // expected-error @+1 {{orders 4 tiles from number -1 on; expected at least one of those there are}}
  dma.order_tiles %w from -1 count 4 passes %n : !tile.stream<memref<8x8xf32>>
  return
}

// -----

// Weights of 16 x 8 fill two tiles of 8 x 8.
// expected-note @+1 {{the tiles are packed here}}
tile.packed @stream [@w] sizes [16, 8] tile 8 x 8 : f32
func.func @tiles_beyond(%n: index) {
  %w = mem.ring 0 of @stream at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  dma.order_tiles %w from 1 count 1 passes %n : !tile.stream<memref<8x8xf32>>
  // expected-error @+1 {{orders 9223372036854775807 tiles from number 1 on, but 'stream' has 2; expected no more than those}}
  dma.order_tiles %w from 1 count 9223372036854775807 passes %n : !tile.stream<memref<8x8xf32>>
  return
}

// -----

tile.tensor @ids temporary scalar : memref<1x8xi32>
func.func @blocks_apart(%kv: !tile.stream<memref<8x8xf32>>, %n: index) {
  // expected-error @+1 {{takes blocks below 4, 0 rows apart; expected both to be at least 1}}
  dma.order_blocks %kv[%n] by @ids[%n] bound 4 step 0 count %n tail %n passes %n : !tile.stream<memref<8x8xf32>>
  return
}

// -----

tile.tensor @kv cache : memref<64x8xf32>
func.func @blocks_table(%n: index) {
  %kv = mem.ring 0 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  // expected-error @+1 {{takes indices from 'kv', which is not a tensor of i32 in scalar memory}}
  dma.order_blocks %kv[%n] by @kv[%n] bound 4 step 8 count %n tail %n passes %n : !tile.stream<memref<8x8xf32>>
  return
}

// -----

func.func @unknown(%x: memref<8x8xf32>, %n: index) {
  // expected-error @+1 {{has the unknown attribute 'dma.wait'}}
  tile.fill 0.0 to %x rows %n cols %n {dma.wait = 0} : memref<8x8xf32>
  return
}

// -----

func.func @too_many(%x: memref<8x8xf32>, %n: index) {
  // expected-error @+1 {{expected up to 2 of #dma.wait}}
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<0 lag 0>, #dma.wait<1 lag 0>, #dma.wait<2 lag 0>]} : memref<8x8xf32>
  return
}

// -----

func.func @too_many() {
  // expected-error @+1 {{expected up to 6 of #dma.wait}}
  dma.sync vector {dma.waits = [#dma.wait<0 lag 0>, #dma.wait<0 lag 1>, #dma.wait<0 lag 2>, #dma.wait<0 lag 3>, #dma.wait<0 lag 4>, #dma.wait<0 lag 5>, #dma.wait<0 lag 6>]}
  return
}

// -----

// The instruction has six bits for the lag.
func.func @lag(%x: memref<8x8xf32>, %n: index) {
  // expected-error @+1 {{has the wait #dma.wait<2 lag 64>; expected a counter from 0 to 63 and a lag from 0 to 63}}
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<2 lag 64>]} : memref<8x8xf32>
  return
}

// -----

func.func @counter(%x: memref<8x8xf32>, %n: index) {
  // expected-error @+1 {{has the wait #dma.wait<64 lag 0>; expected a counter from 0 to 63 and a lag from 0 to 63}}
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [#dma.wait<64 lag 0>]} : memref<8x8xf32>
  return
}

// -----

func.func @kind(%x: memref<8x8xf32>, %n: index) {
  // expected-error @+1 {{has the wait 3 : i64; expected a counter from 0 to 63}}
  tile.fill 0.0 to %x rows %n cols %n {dma.waits = [3]} : memref<8x8xf32>
  return
}
