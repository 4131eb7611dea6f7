// RUN: serrano-opt %s -split-input-file -verify-diagnostics

func.func @dynamic() {
  // expected-error @+1 {{has type 'memref<?x4xf32>'; expected a static shape without layout}}
  %0 = mem.buffer scratchpad : memref<?x4xf32>
  return
}

// -----

func.func @bits() {
  // expected-error @+1 {{has elements of 'i1'; expected whole bytes}}
  %0 = mem.buffer scratchpad : memref<4x4xi1>
  return
}

// -----

func.func @index() {
  // expected-error @+1 {{has elements of 'index'; expected whole bytes}}
  %0 = mem.buffer scratchpad : memref<4x4xindex>
  return
}

// -----

func.func @unaligned() {
  // expected-error @+1 {{is at address 96; expected a multiple of 64}}
  %0 = mem.buffer scratchpad at 96 : memref<4x4xf32>
  return
}

// -----

tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32
func.func @unaligned() {
  // expected-error @+1 {{is at address 96; expected a multiple of 64}}
  %0 = mem.ring 0 of @stream at 96 slots 2 : !tile.stream<memref<8x8xf32>>
  return
}

// -----

tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32
func.func @slots() {
  // expected-error @+1 {{has no slots; expected at least 1}}
  %0 = mem.ring 0 of @stream slots 0 : !tile.stream<memref<8x8xf32>>
  return
}

// -----

func.func @missing() {
  // expected-error @+1 {{names no tile.packed and no cache: 'stream'}}
  %0 = mem.ring 0 of @stream : !tile.stream<memref<8x8xf32>>
  return
}

// -----

// expected-error @+1 {{cannot have the attribute 'mem.address'}}
func.func private @function() attributes {mem.address = 0 : i64}

// -----

// expected-error @+1 {{cannot have the attribute 'mem.hbm_bytes'}}
tile.dimension @seq max 8 {mem.hbm_bytes = 0 : i64}

// -----

// expected-error @+1 {{has 'mem.address' = -4 : i64; expected a number of bytes}}
tile.dimension @seq max 8 {mem.address = -4 : i64}

// -----

// expected-error @+1 {{has 'mem.address' = "here"; expected a number of bytes}}
tile.dimension @seq max 8 {mem.address = "here"}

// -----

// expected-error @+1 {{has 'mem.placement' = 1 : i64; expected an array of dictionaries}}
module attributes {mem.placement = 1 : i64} {
}

// -----

// expected-error @+1 {{cannot have the attribute 'mem.placement'}}
func.func private @function() attributes {mem.placement = []}

// -----

tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32
func.func @ring_number() {
  // expected-error @+1 {{is ring 16; expected a number from 0 to 15}}
  %w = mem.ring 16 of @stream : !tile.stream<memref<8x8xf32>>
  return
}
