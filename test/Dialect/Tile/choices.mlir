// RUN: serrano-opt %s -split-input-file | FileCheck %s
// RUN: serrano-opt %s -split-input-file | serrano-opt -split-input-file | FileCheck %s

// What is chosen is written in one order; the rest is not there.

// CHECK: module attributes {tile.choices = #tile.choices<rows = 16, accumulators = 8, carry_norms = 0, encoder_lanes = 3>}
module attributes {tile.choices = #tile.choices<carry_norms = 0, encoder_lanes = 3, rows = 16, accumulators = 8>} {
}

// -----

// CHECK: module attributes {tile.choices = #tile.choices<>}
module attributes {tile.choices = #tile.choices<>} {
}
