// RUN: serrano-opt %s -llm-fold-weight-views | FileCheck %s

// A transposition is a view with the strides exchanged.
// CHECK: llm.weight private @tied_0 : tensor<4x8xf32> from [#llm.view<"m", offset = 0, length = 128, shape = [4, 8], strides = [1, 4]>]
llm.weight private @tied : tensor<8x4xf32> from [#llm.view<"m", offset = 0, length = 128, shape = [8, 4], strides = [4, 1]>]

// Columns 0-3, 4-5 and 6-7 of a packed q|k|v weight; f32 column 4 begins at byte 16.
// CHECK-DAG: llm.weight private @[[Q:packed_.]] : tensor<4x4xf32> from [#llm.view<"m", offset = 128, length = 128, shape = [4, 4], strides = [8, 1]>]
// CHECK-DAG: llm.weight private @[[K:packed_.]] : tensor<4x2xf32> from [#llm.view<"m", offset = 144, length = 112, shape = [4, 2], strides = [8, 1]>]
llm.weight private @packed : tensor<4x8xf32> from [#llm.view<"m", offset = 128, length = 128, shape = [4, 8], strides = [8, 1]>]
llm.weight private @bias : tensor<8xf32> from [#llm.view<"m", offset = 256, length = 32, shape = [8], strides = [1]>]

// CHECK-LABEL: func.func @tied_embedding
// CHECK: %[[W:.*]] = llm.get_weight @tied_0 : tensor<4x8xf32>
// CHECK: llm.linear %arg0, %[[W]]
func.func @tied_embedding(%x: tensor<2x4xf32>) -> tensor<2x8xf32> {
  %0 = llm.get_weight @tied : tensor<8x4xf32>
  %1 = llm.transpose %0 [1, 0] : tensor<8x4xf32> to tensor<4x8xf32>
  %2 = llm.linear %x, %1 : (tensor<2x4xf32>, tensor<4x8xf32>) -> tensor<2x8xf32>
  return %2 : tensor<2x8xf32>
}

// CHECK-LABEL: func.func @packed_projection
// CHECK-DAG: %[[WQ:.*]] = llm.get_weight @[[Q]]
// CHECK-DAG: %[[WK:.*]] = llm.get_weight @[[K]]
// CHECK-DAG: llm.linear %arg0, %[[WQ]], %{{.*}} : (tensor<2x4xf32>, tensor<4x4xf32>, tensor<4xf32>)
// CHECK-DAG: llm.linear %arg0, %[[WK]], %{{.*}} : (tensor<2x4xf32>, tensor<4x2xf32>, tensor<2xf32>)
// CHECK-NOT: llm.slice
func.func @packed_projection(%x: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x2xf32>) {
  %w = llm.get_weight @packed : tensor<4x8xf32>
  %b = llm.get_weight @bias : tensor<8xf32>
  %0 = llm.linear %x, %w, %b : (tensor<2x4xf32>, tensor<4x8xf32>, tensor<8xf32>) -> tensor<2x8xf32>
  %q = llm.slice %0 at [0, 0] steps [1, 1] : tensor<2x8xf32> to tensor<2x4xf32>
  %k = llm.slice %0 at [0, 4] steps [1, 1] : tensor<2x8xf32> to tensor<2x2xf32>
  return %q, %k : tensor<2x4xf32>, tensor<2x2xf32>
}

// What is used whole is not cut.
// CHECK-LABEL: func.func @also_whole
// CHECK: llm.slice
func.func @also_whole(%x: tensor<2x4xf32>) -> (tensor<2x8xf32>, tensor<2x2xf32>) {
  %w = llm.get_weight @packed : tensor<4x8xf32>
  %0 = llm.linear %x, %w : (tensor<2x4xf32>, tensor<4x8xf32>) -> tensor<2x8xf32>
  %k = llm.slice %0 at [0, 4] steps [1, 1] : tensor<2x8xf32> to tensor<2x2xf32>
  return %0, %k : tensor<2x8xf32>, tensor<2x2xf32>
}
