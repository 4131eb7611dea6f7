// RUN: serrano-opt %s -llm-raise-rope -canonicalize -cse | FileCheck %s

llm.weight private @frequencies : tensor<1x4x1xf32> from [#llm.view<"m", offset = 0, length = 16, shape = [1, 4, 1], strides = [4, 1, 1]>]

// As optimum and PyTorch write it: heads before positions, each cosine twice.
// The transpositions end at the rope's operand and result.
// CHECK-LABEL: func.func @exported
// CHECK: %[[F:.*]] = llm.reshape %{{.*}} : tensor<1x4x1xf32> to tensor<4xf32>
// CHECK: %[[C:.*]], %[[S:.*]] = llm.rope_angles %arg1, %[[F]] : (tensor<?x?xi64, {{.*}}>, tensor<4xf32>) -> tensor<?x?x4xf32, #llm.dims<[batch, seq, 4]>>
// CHECK-NEXT: %[[R:.*]] = llm.rope %arg0, %[[C]], %[[S]]
// CHECK-NEXT: return %[[R]]
func.func @exported(%x: tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>, %positions: tensor<?x?xi64, #llm.dims<[batch, seq]>>)
    -> tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>> {
  %w = llm.get_weight @frequencies : tensor<1x4x1xf32>
  %0 = llm.broadcast %w : tensor<1x4x1xf32> to tensor<?x4x1xf32, #llm.dims<[batch, 4, 1]>>
  %1 = llm.reshape %positions : tensor<?x?xi64, #llm.dims<[batch, seq]>> to tensor<?x1x?xi64, #llm.dims<[batch, 1, seq]>>
  %2 = llm.cast %1 : tensor<?x1x?xi64, #llm.dims<[batch, 1, seq]>> to tensor<?x1x?xf32, #llm.dims<[batch, 1, seq]>>
  %3 = llm.matmul %0, %2 : (tensor<?x4x1xf32, #llm.dims<[batch, 4, 1]>>, tensor<?x1x?xf32, #llm.dims<[batch, 1, seq]>>) -> tensor<?x4x?xf32, #llm.dims<[batch, 4, seq]>>
  %4 = llm.transpose %3 [0, 2, 1] : tensor<?x4x?xf32, #llm.dims<[batch, 4, seq]>> to tensor<?x?x4xf32, #llm.dims<[batch, seq, 4]>>
  %5 = llm.concat %4, %4 along 2 : (tensor<?x?x4xf32, #llm.dims<[batch, seq, 4]>>, tensor<?x?x4xf32, #llm.dims<[batch, seq, 4]>>) -> tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
  %cos = llm.unary cos %5 : tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
  %sin = llm.unary sin %5 : tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
  %c = llm.reshape %cos : tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>> to tensor<?x1x?x8xf32, #llm.dims<[batch, 1, seq, 8]>>
  %s = llm.reshape %sin : tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>> to tensor<?x1x?x8xf32, #llm.dims<[batch, 1, seq, 8]>>
  %t = llm.transpose %x [0, 2, 1, 3] : tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>> to tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>>
  %straight = llm.binary mul %t, %c : (tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>>, tensor<?x1x?x8xf32, #llm.dims<[batch, 1, seq, 8]>>) -> tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>>
  %low = llm.slice %t at [0, 0, 0, 0] steps [1, 1, 1, 1] : tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>> to tensor<?x2x?x4xf32, #llm.dims<[batch, 2, seq, 4]>>
  %high = llm.slice %t at [0, 0, 0, 4] steps [1, 1, 1, 1] : tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>> to tensor<?x2x?x4xf32, #llm.dims<[batch, 2, seq, 4]>>
  %neg = llm.unary neg %high : tensor<?x2x?x4xf32, #llm.dims<[batch, 2, seq, 4]>>
  %rotated = llm.concat %neg, %low along 3 : (tensor<?x2x?x4xf32, #llm.dims<[batch, 2, seq, 4]>>, tensor<?x2x?x4xf32, #llm.dims<[batch, 2, seq, 4]>>) -> tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>>
  %crossed = llm.binary mul %rotated, %s : (tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>>, tensor<?x1x?x8xf32, #llm.dims<[batch, 1, seq, 8]>>) -> tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>>
  %sum = llm.binary add %straight, %crossed : (tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>>, tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>>) -> tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>>
  %r = llm.transpose %sum [0, 2, 1, 3] : tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>> to tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>
  return %r : tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>
}

// Halves that are exchanged but not negated are no rotation.
// CHECK-LABEL: func.func @not_negated
// CHECK-NOT: llm.rope
func.func @not_negated(%t: tensor<1x2x3x8xf32>, %h: tensor<1x3x4xf32>) -> tensor<1x2x3x8xf32> {
  %d = llm.concat %h, %h along 2 : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x8xf32>
  %c = llm.reshape %d : tensor<1x3x8xf32> to tensor<1x1x3x8xf32>
  %straight = llm.binary mul %t, %c : (tensor<1x2x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x2x3x8xf32>
  %low = llm.slice %t at [0, 0, 0, 0] steps [1, 1, 1, 1] : tensor<1x2x3x8xf32> to tensor<1x2x3x4xf32>
  %high = llm.slice %t at [0, 0, 0, 4] steps [1, 1, 1, 1] : tensor<1x2x3x8xf32> to tensor<1x2x3x4xf32>
  %swapped = llm.concat %high, %low along 3 : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x8xf32>
  %crossed = llm.binary mul %swapped, %c : (tensor<1x2x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x2x3x8xf32>
  %sum = llm.binary add %straight, %crossed : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  return %sum : tensor<1x2x3x8xf32>
}
