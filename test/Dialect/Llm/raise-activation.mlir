// RUN: serrano-opt %s -llm-raise-activation | FileCheck %s

// CHECK-LABEL: func.func @silu
// CHECK-NEXT: llm.unary silu %arg0
// CHECK-NEXT: return
func.func @silu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = llm.unary sigmoid %x : tensor<4xf32>
  %1 = llm.binary mul %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// CHECK-LABEL: func.func @gelu_erf
// CHECK: llm.unary gelu_erf %arg0
// CHECK-NEXT: return
func.func @gelu_erf(%x: tensor<4xf32>) -> tensor<4xf32> {
  %root = arith.constant dense<1.41421354> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %0 = llm.binary div %x, %root : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = llm.unary erf %0 : tensor<4xf32>
  %2 = llm.binary add %1, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = llm.binary mul %x, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = llm.binary mul %3, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %4 : tensor<4xf32>
}

// GPT-2's order: the half first, the cube as a power; sqrt(2 / pi) = 0.797884583.
// CHECK-LABEL: func.func @gelu_tanh
// CHECK: llm.unary gelu_tanh %arg0
// CHECK-NEXT: return
func.func @gelu_tanh(%x: tensor<4xf32>) -> tensor<4xf32> {
  %half = arith.constant dense<0.5> : tensor<f32>
  %three = arith.constant dense<3.0> : tensor<f32>
  %c = arith.constant dense<0.044715> : tensor<f32>
  %s = arith.constant dense<0.797884583> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %0 = llm.binary mul %x, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = llm.binary pow %x, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = llm.binary mul %1, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = llm.binary add %x, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = llm.binary mul %3, %s : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %5 = llm.unary tanh %4 : tensor<4xf32>
  %6 = llm.binary add %5, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %7 = llm.binary mul %0, %6 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %7 : tensor<4xf32>
}

// Another constant is another function.
// CHECK-LABEL: func.func @no_gelu
// CHECK: llm.unary erf
func.func @no_gelu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %root = arith.constant dense<1.5> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %0 = llm.binary div %x, %root : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = llm.unary erf %0 : tensor<4xf32>
  %2 = llm.binary add %1, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = llm.binary mul %x, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = llm.binary mul %3, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %4 : tensor<4xf32>
}
