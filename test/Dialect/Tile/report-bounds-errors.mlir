// RUN: serrano-opt %s --split-input-file --tile-report-bounds="dimensions=n=4" --remarks-filter=tile-report-bounds --verify-diagnostics
// RUN: not serrano-opt %S/report-bounds.mlir --split-input-file --tile-report-bounds="dimensions=n=four" --remarks-filter=tile-report-bounds 2>&1 | FileCheck %s --check-prefix=SIZE
// RUN: not serrano-opt %S/report-bounds.mlir --split-input-file --tile-report-bounds="sequences=9 tokens=2" --remarks-filter=tile-report-bounds 2>&1 | FileCheck %s --check-prefix=STEP

// SIZE: error: dimension 'n=four' is given; expected NAME=SIZE
// STEP: error: has no step of 9 sequences with 2 new tokens each and 64 after it; expected at most 16 tokens in all and 64 of a sequence

// expected-error @+1 {{names no target; set 'tile.target' or the pass's option 'target'}}
module {
  tile.dimension @n max 8
}

// -----

// expected-error @+1 {{has no dimension 'n'}}
module attributes {tile.target = "serrano-tiny"} {
  tile.dimension @m max 8
}

// -----

module attributes {tile.target = "serrano-tiny"} {
  tile.dimension @n max 8
  // expected-error @+1 {{has arguments or several blocks; expected none, and structured control flow}}
  func.func @main(%count: index) attributes {tile.entry = "main"} {
    return
  }
}

// -----

module attributes {tile.target = "serrano-tiny"} {
  tile.dimension @n max 8
  func.func private @count() -> index
  func.func @main() attributes {tile.entry = "main"} {
    %slot = tile.slot : memref<8x8xf32>
    // expected-error @+1 {{has a value that is not known before a run}}
    %0 = func.call @count() : () -> index
    tile.fill 0.0 to %slot rows %0 cols %0 : memref<8x8xf32>
    return
  }
}

// -----

module attributes {tile.target = "serrano-tiny"} {
  tile.dimension @n max 8
  func.func @main() attributes {tile.entry = "main"} {
    %c0 = arith.constant 0 : index
    %c8 = arith.constant 8 : index
    // expected-error @+1 {{has a step of 0 and 0 results; expected at least 1, and none}}
    scf.for %i = %c0 to %c8 step %c0 {
    }
    return
  }
}
