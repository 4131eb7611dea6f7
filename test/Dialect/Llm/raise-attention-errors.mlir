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

// -----

// One key after its query takes part.
func.func @one_odd_key(%q: tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32> {
  %mask = arith.constant dense<[[[[0.0, 0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0.0, 0.0, 0xFF800000], [0.0, 0.0, 0.0, 0xFF800000], [0.0, 0.0, 0.0, 0.0]]]]> : tensor<1x1x4x4xf32>
  // expected-remark @+1 {{attention keeps its mask as an operand: arith.constant has values that depend on more than the distance between query and key}}
  %a = llm.attention %q, %q, %q mask %mask scale 1.0 : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x2x8xf32>
  return %a : tensor<1x4x2x8xf32>
}

// -----

// Keys that are further away count less.
func.func @alibi(%q: tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32> {
  %mask = arith.constant dense<[[[[0.0, 0xFF800000, 0xFF800000, 0xFF800000], [-1.0, 0.0, 0xFF800000, 0xFF800000], [-1.0, -1.0, 0.0, 0xFF800000], [-1.0, -1.0, -1.0, 0.0]]]]> : tensor<1x1x4x4xf32>
  // expected-remark @+1 {{attention keeps its mask as an operand: arith.constant has more than two values}}
  %a = llm.attention %q, %q, %q mask %mask scale 1.0 : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x2x8xf32>
  return %a : tensor<1x4x2x8xf32>
}

// -----

// Keys at some distances.
func.func @gaps(%q: tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32> {
  %mask = arith.constant dense<[[[[0.0, 0xFF800000, 0xFF800000, 0xFF800000], [0xFF800000, 0.0, 0xFF800000, 0xFF800000], [0.0, 0xFF800000, 0.0, 0xFF800000], [0.0, 0.0, 0xFF800000, 0.0]]]]> : tensor<1x1x4x4xf32>
  // expected-remark @+1 {{attention keeps its mask as an operand: arith.constant keeps keys at distances with gaps}}
  %a = llm.attention %q, %q, %q mask %mask scale 1.0 : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x2x8xf32>
  return %a : tensor<1x4x2x8xf32>
}

// -----

// Keys after the query count less.
func.func @soft(%q: tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32> {
  %mask = arith.constant dense<[[[[0.0, -5.0, -5.0, -5.0], [0.0, 0.0, -5.0, -5.0], [0.0, 0.0, 0.0, -5.0], [0.0, 0.0, 0.0, 0.0]]]]> : tensor<1x1x4x4xf32>
  // expected-remark @+1 {{attention keeps its mask as an operand: its values are not 0 and minus infinity}}
  %a = llm.attention %q, %q, %q mask %mask scale 1.0 : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x2x8xf32>
  return %a : tensor<1x4x2x8xf32>
}

// -----

// A query does not see its own key.
func.func @strict(%q: tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32> {
  %mask = arith.constant dense<[[[[0xFF800000, 0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0.0, 0xFF800000, 0xFF800000], [0.0, 0.0, 0.0, 0xFF800000]]]]> : tensor<1x1x4x4xf32>
  // expected-remark @+1 {{attention keeps its mask as an operand: it keeps keys where "$key" - "$query" + 1 <= 0}}
  %a = llm.attention %q, %q, %q mask %mask scale 1.0 : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x2x8xf32>
  return %a : tensor<1x4x2x8xf32>
}

// -----

// A query sees the next key too.
func.func @later(%q: tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32> {
  %mask = arith.constant dense<[[[[0.0, 0.0, 0xFF800000, 0xFF800000], [0.0, 0.0, 0.0, 0xFF800000], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]]> : tensor<1x1x4x4xf32>
  // expected-remark @+1 {{attention keeps its mask as an operand: it keeps keys where "$key" - "$query" - 1 <= 0}}
  %a = llm.attention %q, %q, %q mask %mask scale 1.0 : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x2x8xf32>
  return %a : tensor<1x4x2x8xf32>
}

// -----

llm.weight private @large : tensor<1x1x2049x2049xf32> from [#llm.view<"m", offset = 0, length = 16793604, shape = [1, 1, 2049, 2049], strides = [4198401, 4198401, 2049, 1]>]
llm.weight private @missing : tensor<4x4xf32> from [#llm.view<"no such file", offset = 0, length = 64, shape = [4, 4], strides = [4, 1]>]
func.func @weights(%q: tensor<1x4x2x8xf32>, %long: tensor<1x2049x2x8xf32>) -> (tensor<1x2049x2x8xf32>, tensor<1x4x2x8xf32>) {
  %large = llm.get_weight @large : tensor<1x1x2049x2049xf32>
  // expected-remark @+1 {{llm.get_weight is not understood in a mask: 'large' has 16793604 bytes, more than the 16777216 of the largest table that is looked into}}
  %a = llm.attention %long, %long, %long mask %large scale 1.0 : (tensor<1x2049x2x8xf32>, tensor<1x2049x2x8xf32>, tensor<1x2049x2x8xf32>, tensor<1x1x2049x2049xf32>) -> tensor<1x2049x2x8xf32>
  %missing = llm.get_weight @missing : tensor<4x4xf32>
  // expected-remark @+1 {{llm.get_weight is not understood in a mask: no such file: cannot open}}
  %b = llm.attention %q, %q, %q mask %missing scale 1.0 : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<4x4xf32>) -> tensor<1x4x2x8xf32>
  return %a, %b : tensor<1x2049x2x8xf32>, tensor<1x4x2x8xf32>
}
