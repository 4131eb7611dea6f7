// The columns of a constant table are twice the same, or not: its values say so.

// RUN: mkdir -p %t
// RUN: %python -c "import struct; rows = [[1, 2, 1, 2], [3, 4, 3, 4], [5, 6, 5, 7]]; open(r'%t/m', 'wb').write(b''.join(struct.pack('<4f', *row) for row in rows))"
// RUN: sed "s@FOLDER@%t@" %s | serrano-opt -llm-raise-rope -llm-fold-weight-views -canonicalize -cse | FileCheck %s

module attributes {llm.directory = "FOLDER"} {
  llm.weight private @doubled : tensor<1x1x2x4xf32> from [#llm.view<"m", offset = 0, length = 32, shape = [1, 1, 2, 4], strides = [8, 8, 4, 1]>]
  llm.weight private @different : tensor<1x1x2x4xf32> from [#llm.view<"m", offset = 16, length = 32, shape = [1, 1, 2, 4], strides = [8, 8, 4, 1]>]
  llm.weight private @missing : tensor<1x1x2x4xf32> from [#llm.view<"none", offset = 0, length = 32, shape = [1, 1, 2, 4], strides = [8, 8, 4, 1]>]
  // A table of one row for each position, for all heads; the rope's is half of
  // it, of the same bytes.
  // CHECK: llm.weight private @[[HALF:.*]] : tensor<1x2x2xf32> from [#llm.view<"m", offset = 0, length = 32, shape = [1, 2, 2], strides = [{{[0-9]+}}, 4, 1]>]
  // CHECK-LABEL: func.func @constant
  // CHECK-NEXT: %[[T:.*]] = llm.get_weight @[[HALF]] : tensor<1x2x2xf32>
  // CHECK-NEXT: %[[R:.*]] = llm.rope %arg0, %[[T]], %[[T]] : tensor<1x2x3x4xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>
  // CHECK-NEXT: return %[[R]]
  func.func @constant(%x: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
    %table = llm.get_weight @doubled : tensor<1x1x2x4xf32>
    %t = llm.transpose %x [0, 2, 1, 3] : tensor<1x2x3x4xf32> to tensor<1x3x2x4xf32>
    %straight = llm.binary mul %t, %table : (tensor<1x3x2x4xf32>, tensor<1x1x2x4xf32>) -> tensor<1x3x2x4xf32>
    %low = llm.slice %t at [0, 0, 0, 0] steps [1, 1, 1, 1] : tensor<1x3x2x4xf32> to tensor<1x3x2x2xf32>
    %high = llm.slice %t at [0, 0, 0, 2] steps [1, 1, 1, 1] : tensor<1x3x2x4xf32> to tensor<1x3x2x2xf32>
    %neg = llm.unary neg %high : tensor<1x3x2x2xf32>
    %rotated = llm.concat %neg, %low along 3 : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x4xf32>
    %crossed = llm.binary mul %rotated, %table : (tensor<1x3x2x4xf32>, tensor<1x1x2x4xf32>) -> tensor<1x3x2x4xf32>
    %sum = llm.binary add %straight, %crossed : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
    %r = llm.transpose %sum [0, 2, 1, 3] : tensor<1x3x2x4xf32> to tensor<1x2x3x4xf32>
    return %r : tensor<1x2x3x4xf32>
  }

  // CHECK-LABEL: func.func @not_doubled
  // CHECK-NOT: llm.rope
  func.func @not_doubled(%t: tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32> {
    %table = llm.get_weight @different : tensor<1x1x2x4xf32>
    %straight = llm.binary mul %t, %table : (tensor<1x3x2x4xf32>, tensor<1x1x2x4xf32>) -> tensor<1x3x2x4xf32>
    %low = llm.slice %t at [0, 0, 0, 0] steps [1, 1, 1, 1] : tensor<1x3x2x4xf32> to tensor<1x3x2x2xf32>
    %high = llm.slice %t at [0, 0, 0, 2] steps [1, 1, 1, 1] : tensor<1x3x2x4xf32> to tensor<1x3x2x2xf32>
    %neg = llm.unary neg %high : tensor<1x3x2x2xf32>
    %rotated = llm.concat %neg, %low along 3 : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x4xf32>
    %crossed = llm.binary mul %rotated, %table : (tensor<1x3x2x4xf32>, tensor<1x1x2x4xf32>) -> tensor<1x3x2x4xf32>
    %sum = llm.binary add %straight, %crossed : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
    return %sum : tensor<1x3x2x4xf32>
  }

  // What cannot be read is not known to be twice the same.
  // CHECK-LABEL: func.func @unreadable
  // CHECK-NOT: llm.rope
  func.func @unreadable(%t: tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32> {
    %table = llm.get_weight @missing : tensor<1x1x2x4xf32>
    %straight = llm.binary mul %t, %table : (tensor<1x3x2x4xf32>, tensor<1x1x2x4xf32>) -> tensor<1x3x2x4xf32>
    %low = llm.slice %t at [0, 0, 0, 0] steps [1, 1, 1, 1] : tensor<1x3x2x4xf32> to tensor<1x3x2x2xf32>
    %high = llm.slice %t at [0, 0, 0, 2] steps [1, 1, 1, 1] : tensor<1x3x2x4xf32> to tensor<1x3x2x2xf32>
    %neg = llm.unary neg %high : tensor<1x3x2x2xf32>
    %rotated = llm.concat %neg, %low along 3 : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x4xf32>
    %crossed = llm.binary mul %rotated, %table : (tensor<1x3x2x4xf32>, tensor<1x1x2x4xf32>) -> tensor<1x3x2x4xf32>
    %sum = llm.binary add %straight, %crossed : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
    return %sum : tensor<1x3x2x4xf32>
  }
}
