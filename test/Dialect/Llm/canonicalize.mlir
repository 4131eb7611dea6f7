// RUN: serrano-opt %s -canonicalize | FileCheck %s

// The scale that TorchScript computes from the head size, 1 / sqrt(32).
// CHECK-LABEL: func.func @scale
// CHECK: arith.constant dense<0.176776692> : tensor<1xf32>
func.func @scale() -> tensor<1xf32> {
  %size = arith.constant dense<32> : tensor<1xi64>
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %0 = llm.cast %size : tensor<1xi64> to tensor<1xf32>
  %1 = llm.unary sqrt %0 : tensor<1xf32>
  %2 = llm.binary div %one, %1 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  return %2 : tensor<1xf32>
}

// CHECK-LABEL: func.func @neutral
// CHECK-NEXT: return %arg0
func.func @neutral(%x: tensor<?xf32, #llm.dims<[seq]>>) -> tensor<?xf32, #llm.dims<[seq]>> {
  %one = arith.constant dense<1.0> : tensor<f32>
  %0 = llm.binary mul %x, %one : (tensor<?xf32, #llm.dims<[seq]>>, tensor<f32>) -> tensor<?xf32, #llm.dims<[seq]>>
  %1 = llm.binary div %0, %one : (tensor<?xf32, #llm.dims<[seq]>>, tensor<f32>) -> tensor<?xf32, #llm.dims<[seq]>>
  return %1 : tensor<?xf32, #llm.dims<[seq]>>
}

// -0 + 0 is +0, so this is no neutral addition.
// CHECK-LABEL: func.func @zero
// CHECK: llm.binary add
func.func @zero(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %0 = llm.binary add %x, %zero : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Sums and products of integers wrap; the one quotient that would is left to the target, as is one by 0.
// CHECK-LABEL: func.func @limits
// CHECK-DAG: arith.constant dense<-9223372036854775808>
// CHECK-DAG: arith.constant dense<9223372036854775807>
// CHECK-DAG: llm.binary div
func.func @limits() -> (tensor<i64>, tensor<i64>, tensor<i64>) {
  %least = arith.constant dense<-9223372036854775808> : tensor<i64>
  %minusOne = arith.constant dense<-1> : tensor<i64>
  %0 = llm.binary div %least, %minusOne : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %1 = llm.binary add %least, %minusOne : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %2 = llm.binary mul %least, %minusOne : (tensor<i64>, tensor<i64>) -> tensor<i64>
  return %0, %1, %2 : tensor<i64>, tensor<i64>, tensor<i64>
}

// CHECK-LABEL: func.func @transposes
// CHECK-NEXT: return %arg0
func.func @transposes(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = llm.transpose %x [2, 0, 1] : tensor<2x3x4xf32> to tensor<4x2x3xf32>
  %1 = llm.transpose %0 [1, 2, 0] : tensor<4x2x3xf32> to tensor<2x3x4xf32>
  return %1 : tensor<2x3x4xf32>
}

// How PyTorch's exporter transposes keys: through one batch dimension.
// CHECK-LABEL: func.func @collapsed
// CHECK-NEXT: %[[T:.*]] = llm.transpose %arg0 [0, 1, 3, 2] : tensor<?x9x?x64xf32, {{.*}}> to tensor<?x9x64x?xf32, #llm.dims<[batch, 9, 64, seq]>>
// CHECK-NEXT: return %[[T]]
func.func @collapsed(%x: tensor<?x9x?x64xf32, #llm.dims<[batch, 9, seq, 64]>>) -> tensor<?x9x64x?xf32, #llm.dims<[batch, 9, 64, seq]>> {
  %0 = llm.reshape %x : tensor<?x9x?x64xf32, #llm.dims<[batch, 9, seq, 64]>> to tensor<?x?x64xf32, #llm.dims<[9 * batch, seq, 64]>>
  %1 = llm.transpose %0 [0, 2, 1] : tensor<?x?x64xf32, #llm.dims<[9 * batch, seq, 64]>> to tensor<?x64x?xf32, #llm.dims<[9 * batch, 64, seq]>>
  %2 = llm.reshape %1 : tensor<?x64x?xf32, #llm.dims<[9 * batch, 64, seq]>> to tensor<?x9x64x?xf32, #llm.dims<[batch, 9, 64, seq]>>
  return %2 : tensor<?x9x64x?xf32, #llm.dims<[batch, 9, 64, seq]>>
}

// BERT's position ids: a stored vector 0, 1, 2, ... cut to the sequence.
// CHECK-LABEL: func.func @positions
// CHECK: llm.iota from [2] step 1 : tensor<?xi64, #llm.dims<[seq]>>
func.func @positions() -> tensor<1x?xi64, #llm.dims<[1, seq]>> {
  %0 = llm.iota from [0] step 1 : tensor<512xi64>
  %1 = llm.reshape %0 : tensor<512xi64> to tensor<1x512xi64>
  %2 = llm.slice %1 at [0, 2] steps [1, 1] : tensor<1x512xi64> to tensor<1x?xi64, #llm.dims<[1, seq]>>
  return %2 : tensor<1x?xi64, #llm.dims<[1, seq]>>
}
