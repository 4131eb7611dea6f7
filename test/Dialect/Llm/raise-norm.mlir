// RUN: serrano-opt %s -llm-raise-norm -split-input-file | FileCheck %s

// Optimum's form: 1 / sqrt, the weight on the left.
llm.weight private @w : tensor<8xf32> from [#llm.view<"m", offset = 0, length = 32, shape = [8], strides = [1]>]
// CHECK-LABEL: func.func @rms_optimum
// CHECK: llm.rms_norm %arg0, %{{.*}} epsilon 9.99999974E-6 : tensor<?x8xf32, #llm.dims<[seq, 8]>>, tensor<8xf32>
func.func @rms_optimum(%x: tensor<?x8xf32, #llm.dims<[seq, 8]>>) -> tensor<?x8xf32, #llm.dims<[seq, 8]>> {
  %w = llm.get_weight @w : tensor<8xf32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %eps = arith.constant dense<9.99999974E-6> : tensor<f32>
  %0 = llm.binary pow %x, %two : (tensor<?x8xf32, #llm.dims<[seq, 8]>>, tensor<f32>) -> tensor<?x8xf32, #llm.dims<[seq, 8]>>
  %1 = llm.reduce mean %0 over [1] : tensor<?x8xf32, #llm.dims<[seq, 8]>> -> tensor<?x1xf32, #llm.dims<[seq, 1]>>
  %2 = llm.binary add %1, %eps : (tensor<?x1xf32, #llm.dims<[seq, 1]>>, tensor<f32>) -> tensor<?x1xf32, #llm.dims<[seq, 1]>>
  %3 = llm.unary sqrt %2 : tensor<?x1xf32, #llm.dims<[seq, 1]>>
  %4 = llm.binary div %one, %3 : (tensor<f32>, tensor<?x1xf32, #llm.dims<[seq, 1]>>) -> tensor<?x1xf32, #llm.dims<[seq, 1]>>
  %5 = llm.binary mul %x, %4 : (tensor<?x8xf32, #llm.dims<[seq, 8]>>, tensor<?x1xf32, #llm.dims<[seq, 1]>>) -> tensor<?x8xf32, #llm.dims<[seq, 8]>>
  %6 = llm.binary mul %w, %5 : (tensor<8xf32>, tensor<?x8xf32, #llm.dims<[seq, 8]>>) -> tensor<?x8xf32, #llm.dims<[seq, 8]>>
  return %6 : tensor<?x8xf32, #llm.dims<[seq, 8]>>
}

// -----

// PyTorch's form: reciprocal of the root. Gemma adds 1 to the weight.
llm.weight private @w : tensor<8xf32> from [#llm.view<"m", offset = 0, length = 32, shape = [8], strides = [1]>]
// CHECK-LABEL: func.func @rms_gemma
// CHECK: llm.rms_norm %arg0, %{{.*}} epsilon 9.99999974E-6 {scale_offset = 1.000000e+00 : f32}
func.func @rms_gemma(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %w = llm.get_weight @w : tensor<8xf32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %eps = arith.constant dense<9.99999974E-6> : tensor<f32>
  %0 = llm.binary pow %x, %two : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %1 = llm.reduce mean %0 over [1] : tensor<2x8xf32> -> tensor<2x1xf32>
  %2 = llm.binary add %1, %eps : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %3 = llm.unary sqrt %2 : tensor<2x1xf32>
  %4 = llm.unary reciprocal %3 : tensor<2x1xf32>
  %5 = llm.binary mul %x, %4 : (tensor<2x8xf32>, tensor<2x1xf32>) -> tensor<2x8xf32>
  %6 = llm.binary add %w, %one : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %7 = llm.binary mul %5, %6 : (tensor<2x8xf32>, tensor<8xf32>) -> tensor<2x8xf32>
  return %7 : tensor<2x8xf32>
}

// -----

// Layer normalisation before ONNX had an op for it (opset 13).
llm.weight private @w : tensor<8xf32> from [#llm.view<"m", offset = 0, length = 32, shape = [8], strides = [1]>]
// CHECK-LABEL: func.func @layer_norm
// CHECK: llm.layer_norm %arg0, %{{.*}}, %{{.*}} epsilon 9.99999996E-13
func.func @layer_norm(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %w = llm.get_weight @w : tensor<8xf32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %eps = arith.constant dense<9.99999996E-13> : tensor<f32>
  %mean = llm.reduce mean %x over [1] : tensor<2x8xf32> -> tensor<2x1xf32>
  %d = llm.binary sub %x, %mean : (tensor<2x8xf32>, tensor<2x1xf32>) -> tensor<2x8xf32>
  %0 = llm.binary pow %d, %two : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %1 = llm.reduce mean %0 over [1] : tensor<2x8xf32> -> tensor<2x1xf32>
  %2 = llm.binary add %1, %eps : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %3 = llm.unary sqrt %2 : tensor<2x1xf32>
  %4 = llm.binary div %d, %3 : (tensor<2x8xf32>, tensor<2x1xf32>) -> tensor<2x8xf32>
  %5 = llm.binary mul %4, %w : (tensor<2x8xf32>, tensor<8xf32>) -> tensor<2x8xf32>
  %6 = llm.binary add %5, %w : (tensor<2x8xf32>, tensor<8xf32>) -> tensor<2x8xf32>
  return %6 : tensor<2x8xf32>
}

// -----

// Qwen3's norm of heads: positions and heads in one dimension, taken apart.
// CHECK-LABEL: func.func @heads
// CHECK-NEXT: %[[R:.*]] = llm.reshape %arg0 : {{.*}} to tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>
// CHECK-NEXT: %[[N:.*]] = llm.rms_norm %[[R]]
// CHECK-NEXT: return %[[N]]
func.func @heads(%x: tensor<?x?x32xf32, #llm.dims<[batch, seq, 32]>>, %w: tensor<8xf32>) -> tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>> {
  %0 = llm.reshape %x : tensor<?x?x32xf32, #llm.dims<[batch, seq, 32]>> to tensor<?x?x8xf32, #llm.dims<[batch, 4 * seq, 8]>>
  %1 = llm.rms_norm %0, %w epsilon 1.0e-6 : tensor<?x?x8xf32, #llm.dims<[batch, 4 * seq, 8]>>, tensor<8xf32>
  %2 = llm.reshape %1 : tensor<?x?x8xf32, #llm.dims<[batch, 4 * seq, 8]>> to tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>
  return %2 : tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>
}
