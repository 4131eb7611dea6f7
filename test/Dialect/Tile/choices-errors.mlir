// RUN: serrano-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{'rows' is 0; expected 1 to 16777216, or nothing for the compiler to choose}}
module attributes {tile.choices = #tile.choices<rows = 0>} {
}

// -----

// expected-error @+1 {{'accumulators' is 6; expected a power of two from 1 to 16, or nothing}}
module attributes {tile.choices = #tile.choices<rows = 8, accumulators = 6>} {
}

// -----

// expected-error @+1 {{'stationary_rows' is 1025; expected 0 to 1024,}}
module attributes {tile.choices = #tile.choices<stationary_rows = 1025>} {
}

// -----

// expected-error @+1 {{'stationary_probabilities' is 2; expected 0 to 1,}}
module attributes {tile.choices = #tile.choices<stationary_probabilities = 2>} {
}

// -----

// What stands for no choice inside the compiler is none that anybody can write.

// expected-error @+1 {{'lanes' is -1; expected 1 to 64, or nothing for the compiler to choose}}
module attributes {tile.choices = #tile.choices<lanes = -1>} {
}

// -----

// expected-error @+1 {{'accumulators' is -1; expected a power of two from 1 to 16, or nothing}}
module attributes {tile.choices = #tile.choices<accumulators = -1, accumulators = 2>} {
}

// -----

// expected-error @+1 {{'values_by_block' is -1; expected 0 to 1, or nothing}}
module attributes {tile.made = #tile.choices<values_by_block = -1>} {
}

// -----

// expected-error @+1 {{'lanes' is 99999999999999999999; expected 1 to 64, or nothing}}
module attributes {tile.choices = #tile.choices<rows = 8, lanes = 99999999999999999999>} {
}

// -----

// expected-error @+1 {{'rows' is -99999999999999999999; expected 1 to 16777216, or nothing}}
module attributes {tile.choices = #tile.choices<rows = -99999999999999999999>} {
}

// -----

// expected-error @+1 {{'rows' is no whole number; expected 1 to 16777216, or nothing}}
module attributes {tile.choices = #tile.choices<rows = all>} {
}

// -----

// expected-error @+1 {{'lane' is not a choice; expected one of rows, accumulators, written_units,}}
module attributes {tile.choices = #tile.choices<lane = 1>} {
}

// -----

// expected-error @+1 {{'lanes' is chosen twice}}
module attributes {tile.choices = #tile.choices<lanes = 1, lanes = 1>} {
}

// -----

// expected-error @+1 {{has 'tile.choices'; expected it on a module, as #tile.choices<...>}}
module attributes {tile.choices = 3 : i64} {
}

// -----

// expected-error @+1 {{has 'tile.made'; expected it on a module, as #tile.choices<...>}}
module attributes {tile.made = "lanes = 1"} {
}

// -----

module {
  // expected-error @+1 {{has 'tile.choices'; expected it on a module}}
  func.func private @f() attributes {tile.choices = #tile.choices<rows = 1>}
}
