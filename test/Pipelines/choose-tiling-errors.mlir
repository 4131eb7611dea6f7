// RUN: not serrano-opt %s -choose-tiling="target=serrano-2" 2>&1 | FileCheck %s
// RUN: not serrano-opt %s -choose-tiling="target=serrano-tiny precision=f64" -convert-llm-to-tile="target=serrano-tiny precision=f64" 2>&1 | FileCheck %s --check-prefix=PRECISION

// CHECK: target 'serrano-2': expected one of serrano-1

// A trial that fails says nothing; the conversion itself does, once.
// PRECISION: error: precision is 'f64'; expected f32 or bf16
// PRECISION-NOT: error:
module {}
