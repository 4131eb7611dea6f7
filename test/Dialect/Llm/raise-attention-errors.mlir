// RUN: serrano-opt %s -llm-raise-attention -split-input-file -verify-diagnostics | FileCheck %s

// A bias is no mask.
// CHECK-LABEL: func.func @bias
// CHECK: llm.attention %arg0, %arg0, %arg0 mask %arg1
func.func @bias(%q: tensor<1x3x4x8xf32>, %bias: tensor<3x3xf32>) -> tensor<1x3x4x8xf32> {
  // expected-remark @+1 {{attention keeps its mask as an operand: depends on an argument that holds no integers}}
  %0 = llm.attention %q, %q, %q mask %bias scale 1.0 : (tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32>, tensor<3x3xf32>) -> tensor<1x3x4x8xf32>
  return %0 : tensor<1x3x4x8xf32>
}

// -----

// A mask that only lowers scores.
func.func @lowered(%q: tensor<1x3x4x8xf32>, %m: tensor<1x3xi64>) -> tensor<1x3x4x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %low = arith.constant dense<-5.0> : tensor<f32>
  %0 = llm.cast %m : tensor<1x3xi64> to tensor<1x3xi1>
  %mask = llm.select %0, %zero, %low : (tensor<1x3xi1>, tensor<f32>, tensor<f32>) -> tensor<1x3xf32>
  // expected-remark @+1 {{attention keeps its mask as an operand: its values are not 0 and minus infinity}}
  %1 = llm.attention %q, %q, %q mask %mask scale 1.0 : (tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32>, tensor<1x3xf32>) -> tensor<1x3x4x8xf32>
  return %1 : tensor<1x3x4x8xf32>
}

// -----

// Only keys after the query: the wrong way round.
func.func @backwards(%q: tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>) -> tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  %j = llm.iota from [0] step 1 : tensor<?xi64, #llm.dims<[seq]>>
  %i = llm.reshape %j : tensor<?xi64, #llm.dims<[seq]>> to tensor<?x1xi64, #llm.dims<[seq, 1]>>
  %after = llm.compare ge %j, %i : (tensor<?xi64, #llm.dims<[seq]>>, tensor<?x1xi64, #llm.dims<[seq, 1]>>) -> tensor<?x?xi1, #llm.dims<[seq, seq]>>
  %mask = llm.select %after, %zero, %low : (tensor<?x?xi1, #llm.dims<[seq, seq]>>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32, #llm.dims<[seq, seq]>>
  // expected-remark @+1 {{attention keeps its mask as an operand: it keeps keys where}}
  %0 = llm.attention %q, %q, %q mask %mask scale 1.0 : (tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>, tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>, tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>, tensor<?x?xf32, #llm.dims<[seq, seq]>>) -> tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>
  return %0 : tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>
}
