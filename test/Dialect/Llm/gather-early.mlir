// RUN: serrano-opt %s -split-input-file -llm-gather-early -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s

// The end of a decoder's last layer. What follows the attention is done for the rows that
// have logits, and what is added to it is taken too. Of the source's tensor there
// are those rows only.

// CHECK-LABEL: func.func @last_layer
// CHECK: %[[ATTENTION:.*]] = llm.rope
// CHECK: %[[FLAT:.*]] = llm.reshape %[[ATTENTION]]
// CHECK-DAG: %[[ROWS:.*]] = llm.gather %[[FLAT]][%{{.*}}] along 0 : {{.*}} -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
// CHECK-DAG: %[[STREAM:.*]] = llm.gather %arg1[%{{.*}}] along 0 : {{.*}} -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
// CHECK: %[[OUT:.*]] = llm.linear %[[ROWS]]{{.*}} -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>> loc(fused<[#llm.source_tensor<0, ["o"], shape = <[1, logit_rows, 8]>, strides = <[8 * logit_rows, 8, 1]>>]>
// CHECK: %[[SUM:.*]] = llm.binary add %[[STREAM]], %[[OUT]] : {{.*}} -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
// CHECK: %[[NORM:.*]] = llm.rms_norm %[[SUM]]
// CHECK: %[[UP:.*]] = llm.linear %[[NORM]]
// CHECK: %[[SILU:.*]] = llm.unary silu %[[UP]]
// CHECK: %[[END:.*]] = llm.binary add %[[SUM]], %[[SILU]]
// CHECK-NOT: llm.gather
// CHECK: return %[[END]]
func.func @last_layer(%x: tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>>, %stream: tensor<?x8xf32, #llm.dims<[tokens, 8]>>,
    %angles: tensor<?x2xf32, #llm.dims<[tokens, 2]>>, %rows: tensor<?xi32, #llm.dims<[logit_rows]>>,
    %w: tensor<8x8xf32>, %scale: tensor<8xf32>) -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>> {
  // Heads are not rows of features: this stands for the attention.
  %a = llm.rope %x, %angles, %angles : tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>>, tensor<?x2xf32, #llm.dims<[tokens, 2]>>, tensor<?x2xf32, #llm.dims<[tokens, 2]>>
  %flat = llm.reshape %a : tensor<?x2x4xf32, #llm.dims<[tokens, 2, 4]>> to tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %o = llm.linear %flat, %w : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>> loc(fused<[#llm.source_tensor<0, ["o"], shape = <[1, tokens, 8]>, strides = <[8 * tokens, 8, 1]>>]>["node"])
  %sum = llm.binary add %stream, %o : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?x8xf32, #llm.dims<[tokens, 8]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %norm = llm.rms_norm %sum, %scale epsilon 1.0e-5 : tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<8xf32>
  %up = llm.linear %norm, %w : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %silu = llm.unary silu %up : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %end = llm.binary add %sum, %silu : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?x8xf32, #llm.dims<[tokens, 8]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %taken = llm.gather %end[%rows] along 0 : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?xi32, #llm.dims<[logit_rows]>>) -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
  return %taken : tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
}

// -----

// Somebody else uses all rows of the sum: the gather goes no further up, but what comes
// after the sum is done for its rows.

// CHECK-LABEL: func.func @used_elsewhere
// CHECK: %[[SUM:.*]] = llm.binary add
// CHECK: %[[TAKEN:.*]] = llm.gather %[[SUM]]
// CHECK: %[[SILU:.*]] = llm.unary silu %[[TAKEN]]
// CHECK: return %[[SUM]], %[[SILU]]
func.func @used_elsewhere(%x: tensor<?x8xf32, #llm.dims<[tokens, 8]>>, %rows: tensor<?xi32, #llm.dims<[logit_rows]>>)
    -> (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>) {
  %sum = llm.binary add %x, %x : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?x8xf32, #llm.dims<[tokens, 8]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %silu = llm.unary silu %sum : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %taken = llm.gather %silu[%rows] along 0 : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?xi32, #llm.dims<[logit_rows]>>) -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
  return %sum, %taken : tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
}

// -----

// Nothing to do: an embedding's table has other rows, and its ids are no rows that a
// later operation computed.

// CHECK-LABEL: func.func @embedding
// CHECK: %[[X:.*]] = llm.embedding
// CHECK: llm.gather %[[X]]
func.func @embedding(%table: tensor<10x8xf32>, %ids: tensor<?xi32, #llm.dims<[tokens]>>, %rows: tensor<?xi32, #llm.dims<[logit_rows]>>)
    -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>> {
  %x = llm.embedding %table[%ids] : (tensor<10x8xf32>, tensor<?xi32, #llm.dims<[tokens]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %taken = llm.gather %x[%rows] along 0 : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?xi32, #llm.dims<[logit_rows]>>) -> tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
  return %taken : tensor<?x8xf32, #llm.dims<[logit_rows, 8]>>
}
