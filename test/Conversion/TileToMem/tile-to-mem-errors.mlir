// RUN: serrano-opt %s -split-input-file -convert-tile-to-mem -verify-diagnostics

// What is chosen is obeyed when operations become tiles. Whoever edits it later is told.

// expected-warning @+1 {{'tile.choices' changes nothing once operations are tiles; put it on the module before convert-llm-to-tile}}
module attributes {tile.choices = #tile.choices<lanes = 1>} {
}

// -----

// What the kernels have done is no choice.
module attributes {tile.made = #tile.choices<lanes = 1>} {
}
