// What happens to the names of the model's tensors, which are in locations: they move to what is equal, as a view to what
// a transposition or reshape was of, and go with everything else.

// RUN: serrano-opt %s -llm-raise-linear -llm-raise-attention -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s

// Of the lost transposition the shape, and strides over what stays.
// CHECK-LABEL: func.func @transposed
// CHECK: llm.unary silu {{.*}} loc(fused<[#llm.source_tensor<0, ["y"]>, #llm.source_tensor<0, ["t"], shape = <[batch, 2, seq, 8]>, strides = <[16 * seq, 8, 16, 1]>>]>["node"])
func.func @transposed(%x: tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>) -> tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>> {
  %y = llm.unary silu %x : tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>> loc(fused<[#llm.source_tensor<0, ["y"]>]>["node"])
  %t = llm.transpose %y [0, 2, 1, 3] : tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>> to tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>> loc(fused<[#llm.source_tensor<0, ["t"]>]>["there"])
  %u = llm.transpose %t [0, 2, 1, 3] : tensor<?x2x?x8xf32, #llm.dims<[batch, 2, seq, 8]>> to tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>> loc("back")
  return %u : tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>
}

// The sum is the projection's result now; the product alone is nowhere any more.
// CHECK-LABEL: func.func @bias
// CHECK: llm.linear {{.*}} loc(fused<[#llm.source_tensor<0, ["sum"]>]>[fused["matmul", "add"]])
// CHECK-NOT: "product"
llm.weight private @w : tensor<4x8xf32> from [#llm.view<"m", offset = 0, length = 128, shape = [4, 8], strides = [8, 1]>]
llm.weight private @b : tensor<8xf32> from [#llm.view<"m", offset = 128, length = 32, shape = [8], strides = [1]>]
func.func @bias(%x: tensor<2x3x4xf32>) -> tensor<2x3x8xf32> {
  %w = llm.get_weight @w : tensor<4x8xf32>
  %b = llm.get_weight @b : tensor<8xf32>
  %0 = llm.matmul %x, %w : (tensor<2x3x4xf32>, tensor<4x8xf32>) -> tensor<2x3x8xf32> loc(fused<[#llm.source_tensor<0, ["product"]>]>["matmul"])
  %1 = llm.binary add %b, %0 : (tensor<8xf32>, tensor<2x3x8xf32>) -> tensor<2x3x8xf32> loc(fused<[#llm.source_tensor<0, ["sum"]>]>["add"])
  return %1 : tensor<2x3x8xf32>
}

// In a step a batch of one has the tokens as its positions, and of equal layers there is one name each.
// RUN: sed -e 's/%n\([01]\) = .*/& loc(fused<[#llm.source_tensor<0, ["n.\1"]>]>["norm \1"])/' %S/outline-layers.mlir \
// RUN:   | serrano-opt -llm-promote-cache -llm-outline-layers -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s --check-prefix=LAYERS
// LAYERS: func.func private @layer
// LAYERS: llm.rms_norm {{.*}} loc(fused<[#llm.source_tensor<0, ["n.0", "n.1"], shape = <[1, tokens, 8]>, strides = <[8 * tokens, 8, 1]>>]>["norm 0"])

// Two layers are equal though one of them has no name, and then neither has.
// RUN: sed -e 's/%n0 = .*/& loc(fused<[#llm.source_tensor<0, ["n.0"]>]>["norm 0"])/' %S/outline-layers.mlir \
// RUN:   | serrano-opt -llm-promote-cache -llm-outline-layers -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s --check-prefix=UNNAMED
// UNNAMED: func.func private @layer
// UNNAMED: llm.rms_norm {{.*}} loc("norm 0")
