// RUN: serrano-opt %s -llm-raise-linear | FileCheck %s

llm.weight private @w : tensor<4x8xf32> from [#llm.view<"m", offset = 0, length = 128, shape = [4, 8], strides = [8, 1]>]
llm.weight private @b : tensor<8xf32> from [#llm.view<"m", offset = 128, length = 32, shape = [8], strides = [1]>]

// PyTorch adds the bias from the left.
// CHECK-LABEL: func.func @bias
// CHECK: llm.linear %arg0, %{{.*}}, %{{.*}} : (tensor<2x3x4xf32>, tensor<4x8xf32>, tensor<8xf32>) -> tensor<2x3x8xf32>
// CHECK-NOT: llm.binary
func.func @bias(%x: tensor<2x3x4xf32>) -> tensor<2x3x8xf32> {
  %w = llm.get_weight @w : tensor<4x8xf32>
  %b = llm.get_weight @b : tensor<8xf32>
  %0 = llm.matmul %x, %w : (tensor<2x3x4xf32>, tensor<4x8xf32>) -> tensor<2x3x8xf32>
  %1 = llm.binary add %b, %0 : (tensor<8xf32>, tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
  return %1 : tensor<2x3x8xf32>
}

// GPT-2's Conv1D is a Gemm on collapsed rows; the rows need not be collapsed.
// CHECK-LABEL: func.func @gemm
// CHECK-NEXT: %[[W:.*]] = llm.get_weight
// CHECK-NEXT: %[[R:.*]] = llm.reshape %arg0 : {{.*}} to tensor<?x?x4xf32, #llm.dims<[batch, seq, 4]>>
// CHECK-NEXT: %[[L:.*]] = llm.linear %[[R]], %[[W]]
// CHECK-NEXT: return %[[L]]
func.func @gemm(%x: tensor<?x?x2x2xf32, #llm.dims<[batch, seq, 2, 2]>>) -> tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>> {
  %w = llm.get_weight @w : tensor<4x8xf32>
  %0 = llm.reshape %x : tensor<?x?x2x2xf32, #llm.dims<[batch, seq, 2, 2]>> to tensor<?x4xf32, #llm.dims<[batch * seq, 4]>>
  %1 = llm.matmul %0, %w : (tensor<?x4xf32, #llm.dims<[batch * seq, 4]>>, tensor<4x8xf32>) -> tensor<?x8xf32, #llm.dims<[batch * seq, 8]>>
  %2 = llm.reshape %1 : tensor<?x8xf32, #llm.dims<[batch * seq, 8]>> to tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
  return %2 : tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
}

// CHECK-LABEL: func.func @embedding
// CHECK: llm.embedding %{{.*}}[%arg0]
func.func @embedding(%ids: tensor<2x3xi64>) -> tensor<2x3x8xf32> {
  %w = llm.get_weight @w : tensor<4x8xf32>
  %0 = llm.gather %w[%ids] along 0 : (tensor<4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x8xf32>
  return %0 : tensor<2x3x8xf32>
}

// A matrix that is computed is no weight.
// CHECK-LABEL: func.func @computed
// CHECK: llm.matmul
func.func @computed(%x: tensor<2x4xf32>, %y: tensor<4x8xf32>) -> tensor<2x8xf32> {
  %0 = llm.matmul %x, %y : (tensor<2x4xf32>, tensor<4x8xf32>) -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}
