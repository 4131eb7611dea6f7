// RUN: serrano-opt %s -llm-promote-cache -canonicalize -llm-outline-layers | FileCheck %s
// RUN: serrano-opt %s -llm-promote-cache -canonicalize -llm-outline-layers --remarks-filter=llm-outline-layers -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// REMARK: remark: [Passed] Layers | Category:llm-outline-layers | Function=step | Layers=2, Operations=7, OperationsOutside=4

// The two layers of promote-cache.mlir differ in a weight and in their index.

// CHECK: func.func private @layer(%[[I:[^:]*]]: index, %[[X:[^:]*]]: tensor<?x8xf32, {{[^>]*}}>>, %[[COS:[^:]*]]: tensor<?x2xf32, {{[^>]*}}>>, %[[SIN:[^:]*]]: tensor<?x2xf32, {{.*}}, %[[W:[^:]*]]: tensor<8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
// CHECK-NEXT: llm.rms_norm %[[X]], %[[W]]
// CHECK: llm.rope %{{.*}}, %[[COS]], %[[SIN]]
// CHECK: llm.cached_attention @kv[%[[I]]]
// CHECK: %[[R:.*]] = llm.binary add %[[X]]
// CHECK-NEXT: return %[[R]]

// CHECK: func.func @step
// CHECK: %[[E:.*]] = llm.embedding
// CHECK: %[[L:.*]] = llm.layers @layer from 0 count 2 carry(%[[E]]) share({{.*}}) weights {{\[\[}}@w0, @w1]]
// CHECK-NEXT: llm.gather %[[L]]
// CHECK-NOT: cached_attention

llm.weight private @table : tensor<16x8xf32> from [#llm.view<"m", offset = 0, length = 512, shape = [16, 8], strides = [8, 1]>]
llm.weight private @f : tensor<2xf32> from [#llm.view<"m", offset = 512, length = 8, shape = [2], strides = [1]>]
llm.weight private @w0 : tensor<8xf32> from [#llm.view<"m", offset = 520, length = 32, shape = [8], strides = [1]>]
llm.weight private @w1 : tensor<8xf32> from [#llm.view<"m", offset = 552, length = 32, shape = [8], strides = [1]>]
llm.weight private @head : tensor<8x16xf32> from [#llm.view<"m", offset = 0, length = 512, shape = [8, 16], strides = [1, 8]>]
func.func @main(%ids: tensor<?x?xi64, #llm.dims<[batch, seq]>> {llm.name = "input_ids"}, %mask: tensor<?x?xi64, #llm.dims<[batch, past + seq]>> {llm.name = "attention_mask"},
    %past_k0: tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past, 4]>> {llm.name = "past.0.key"}, %past_v0: tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past, 4]>> {llm.name = "past.0.value"},
    %past_k1: tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past, 4]>> {llm.name = "past.1.key"}, %past_v1: tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past, 4]>> {llm.name = "past.1.value"})
    -> (tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>> {llm.name = "logits"}, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>) attributes {llm.entry = "graph"} {
  %t = llm.get_weight @table : tensor<16x8xf32>
  %f = llm.get_weight @f : tensor<2xf32>
  %w0 = llm.get_weight @w0 : tensor<8xf32>
  %w1 = llm.get_weight @w1 : tensor<8xf32>
  %h = llm.get_weight @head : tensor<8x16xf32>
  %x0 = llm.embedding %t[%ids] : (tensor<16x8xf32>, tensor<?x?xi64, #llm.dims<[batch, seq]>>) -> tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
  // Positions counted on from the past ones, as exporters without position_ids do.
  %p = llm.iota from [past] step 1 : tensor<?xi64, #llm.dims<[seq]>>
  %p2 = llm.reshape %p : tensor<?xi64, #llm.dims<[seq]>> to tensor<1x?xi64, #llm.dims<[1, seq]>>
  %c1, %s1 = llm.rope_angles %p2, %f : (tensor<1x?xi64, #llm.dims<[1, seq]>>, tensor<2xf32>) -> tensor<1x?x2xf32, #llm.dims<[1, seq, 2]>>
  %cos = llm.broadcast %c1 : tensor<1x?x2xf32, #llm.dims<[1, seq, 2]>> to tensor<?x?x2xf32, #llm.dims<[batch, seq, 2]>>
  %sin = llm.broadcast %s1 : tensor<1x?x2xf32, #llm.dims<[1, seq, 2]>> to tensor<?x?x2xf32, #llm.dims<[batch, seq, 2]>>
  %n0 = llm.rms_norm %x0, %w0 epsilon 1.0e-5 : tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>, tensor<8xf32>
  %q0 = llm.reshape %n0 : tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>> to tensor<?x?x2x4xf32, #llm.dims<[batch, seq, 2, 4]>>
  %kv0 = llm.slice %q0 at [0, 0, 0, 0] steps [1, 1, 1, 1] : tensor<?x?x2x4xf32, #llm.dims<[batch, seq, 2, 4]>> to tensor<?x?x1x4xf32, #llm.dims<[batch, seq, 1, 4]>>
  %r0 = llm.rope %kv0, %cos, %sin : tensor<?x?x1x4xf32, #llm.dims<[batch, seq, 1, 4]>>, tensor<?x?x2xf32, #llm.dims<[batch, seq, 2]>>, tensor<?x?x2xf32, #llm.dims<[batch, seq, 2]>>
  %kt0 = llm.transpose %r0 [0, 2, 1, 3] : tensor<?x?x1x4xf32, #llm.dims<[batch, seq, 1, 4]>> to tensor<?x1x?x4xf32, #llm.dims<[batch, 1, seq, 4]>>
  %vt0 = llm.transpose %kv0 [0, 2, 1, 3] : tensor<?x?x1x4xf32, #llm.dims<[batch, seq, 1, 4]>> to tensor<?x1x?x4xf32, #llm.dims<[batch, 1, seq, 4]>>
  %pk0 = llm.concat %past_k0, %kt0 along 2 : (tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past, 4]>>, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, seq, 4]>>) -> tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>
  %pv0 = llm.concat %past_v0, %vt0 along 2 : (tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past, 4]>>, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, seq, 4]>>) -> tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>
  %k0 = llm.transpose %pk0 [0, 2, 1, 3] : tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>> to tensor<?x?x1x4xf32, #llm.dims<[batch, past + seq, 1, 4]>>
  %v0 = llm.transpose %pv0 [0, 2, 1, 3] : tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>> to tensor<?x?x1x4xf32, #llm.dims<[batch, past + seq, 1, 4]>>
  %a0 = llm.attention %q0, %k0, %v0 key_mask %mask scale 5.0e-01 causal : (tensor<?x?x2x4xf32, #llm.dims<[batch, seq, 2, 4]>>, tensor<?x?x1x4xf32, #llm.dims<[batch, past + seq, 1, 4]>>, tensor<?x?x1x4xf32, #llm.dims<[batch, past + seq, 1, 4]>>, tensor<?x?xi64, #llm.dims<[batch, past + seq]>>) -> tensor<?x?x2x4xf32, #llm.dims<[batch, seq, 2, 4]>>
  %o0 = llm.reshape %a0 : tensor<?x?x2x4xf32, #llm.dims<[batch, seq, 2, 4]>> to tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
  %x1 = llm.binary add %x0, %o0 : (tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>, tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>) -> tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
  %n1 = llm.rms_norm %x1, %w1 epsilon 1.0e-5 : tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>, tensor<8xf32>
  %q1 = llm.reshape %n1 : tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>> to tensor<?x?x2x4xf32, #llm.dims<[batch, seq, 2, 4]>>
  %kv1 = llm.slice %q1 at [0, 0, 0, 0] steps [1, 1, 1, 1] : tensor<?x?x2x4xf32, #llm.dims<[batch, seq, 2, 4]>> to tensor<?x?x1x4xf32, #llm.dims<[batch, seq, 1, 4]>>
  %r1 = llm.rope %kv1, %cos, %sin : tensor<?x?x1x4xf32, #llm.dims<[batch, seq, 1, 4]>>, tensor<?x?x2xf32, #llm.dims<[batch, seq, 2]>>, tensor<?x?x2xf32, #llm.dims<[batch, seq, 2]>>
  %kt1 = llm.transpose %r1 [0, 2, 1, 3] : tensor<?x?x1x4xf32, #llm.dims<[batch, seq, 1, 4]>> to tensor<?x1x?x4xf32, #llm.dims<[batch, 1, seq, 4]>>
  %vt1 = llm.transpose %kv1 [0, 2, 1, 3] : tensor<?x?x1x4xf32, #llm.dims<[batch, seq, 1, 4]>> to tensor<?x1x?x4xf32, #llm.dims<[batch, 1, seq, 4]>>
  %pk1 = llm.concat %past_k1, %kt1 along 2 : (tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past, 4]>>, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, seq, 4]>>) -> tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>
  %pv1 = llm.concat %past_v1, %vt1 along 2 : (tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past, 4]>>, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, seq, 4]>>) -> tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>
  %k1 = llm.transpose %pk1 [0, 2, 1, 3] : tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>> to tensor<?x?x1x4xf32, #llm.dims<[batch, past + seq, 1, 4]>>
  %v1 = llm.transpose %pv1 [0, 2, 1, 3] : tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>> to tensor<?x?x1x4xf32, #llm.dims<[batch, past + seq, 1, 4]>>
  %a1 = llm.attention %q1, %k1, %v1 key_mask %mask scale 5.0e-01 causal : (tensor<?x?x2x4xf32, #llm.dims<[batch, seq, 2, 4]>>, tensor<?x?x1x4xf32, #llm.dims<[batch, past + seq, 1, 4]>>, tensor<?x?x1x4xf32, #llm.dims<[batch, past + seq, 1, 4]>>, tensor<?x?xi64, #llm.dims<[batch, past + seq]>>) -> tensor<?x?x2x4xf32, #llm.dims<[batch, seq, 2, 4]>>
  %o1 = llm.reshape %a1 : tensor<?x?x2x4xf32, #llm.dims<[batch, seq, 2, 4]>> to tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
  %x2 = llm.binary add %x1, %o1 : (tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>, tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>) -> tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>
  %logits = llm.linear %x2, %h : (tensor<?x?x8xf32, #llm.dims<[batch, seq, 8]>>, tensor<8x16xf32>) -> tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>
  return %logits, %pk0, %pv0, %pk1, %pv1 : tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>, tensor<?x1x?x4xf32, #llm.dims<[batch, 1, past + seq, 4]>>
}
