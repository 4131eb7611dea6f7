// RUN: serrano-opt %s | serrano-opt | FileCheck %s

// Printing and parsing keep weights, views and extents.

// CHECK: llm.weight private @rows : tensor<4x8xf32> from [#llm.view<"model.onnx.data", offset = 64, length = 128, shape = [4, 8], strides = [8, 1]>]
llm.weight private @rows : tensor<4x8xf32> from [#llm.view<"model.onnx.data", offset = 64, length = 128, shape = [4, 8], strides = [8, 1]>]
// CHECK: llm.weight @stacked : tensor<3x8xf32> from {{.*}}shape = [1, 8]{{.*}}shape = [2, 8]{{.*}} axis 0
llm.weight @stacked : tensor<3x8xf32> from [#llm.view<"a", offset = 0, length = 32, shape = [1, 8], strides = [8, 1]>, #llm.view<"b", offset = 0, length = 64, shape = [2, 8], strides = [8, 1]>] axis 0
// CHECK: llm.cache @kv layers 2 kv_heads 3 head_size 8 : f32
llm.cache @kv layers 2 kv_heads 3 head_size 8 : f32

// An extent is canonical: terms sorted by name, the constant last.
// CHECK-LABEL: func.func @extents
// CHECK-SAME: tensor<?x?xf32, #llm.dims<[past + seq, 2 * batch * seq - 1]>>
func.func @extents(%x: tensor<?x?xf32, #llm.dims<[seq + past, -1 + seq * 2 * batch]>>) {
  // CHECK: llm.extents [past, "a b" + 2] : tensor<2xi64>
  %0 = llm.extents [past, "a b" + 2] : tensor<2xi64>
  // CHECK: llm.iota from [past] step 1 : tensor<?xi64, #llm.dims<[seq]>>
  %1 = llm.iota from [past] step 1 : tensor<?xi64, #llm.dims<[seq]>>
  return
}

// CHECK-LABEL: func.func @step
func.func @step(%x: tensor<?x6x8xf32, #llm.dims<[tokens, 6, 8]>>, %kv: tensor<?x3x8xf32, #llm.dims<[tokens, 3, 8]>>,
                %positions: tensor<?xi32, #llm.dims<[tokens]>>, %starts: tensor<?xi32, #llm.dims<[sequences + 1]>>,
                %lengths: tensor<?xi32, #llm.dims<[sequences]>>, %tables: tensor<?x?xi32, #llm.dims<[sequences, blocks]>>)
    -> tensor<?x6x8xf32, #llm.dims<[tokens, 6, 8]>> {
  %layer = arith.constant 1 : index
  // CHECK: llm.cached_attention @kv[%{{.*}}] %{{.*}}, %{{.*}}, %{{.*}} at %{{.*}} of %{{.*}}, %{{.*}}, %{{.*}} scale 5.000000e-01 window 4
  %0 = llm.cached_attention @kv[%layer] %x, %kv, %kv at %positions of %starts, %lengths, %tables scale 5.000000e-01 window 4
    : (tensor<?x6x8xf32, #llm.dims<[tokens, 6, 8]>>, tensor<?x3x8xf32, #llm.dims<[tokens, 3, 8]>>, tensor<?x3x8xf32, #llm.dims<[tokens, 3, 8]>>, tensor<?xi32, #llm.dims<[tokens]>>, tensor<?xi32, #llm.dims<[sequences + 1]>>, tensor<?xi32, #llm.dims<[sequences]>>, tensor<?x?xi32, #llm.dims<[sequences, blocks]>>) -> tensor<?x6x8xf32, #llm.dims<[tokens, 6, 8]>>
  return %0 : tensor<?x6x8xf32, #llm.dims<[tokens, 6, 8]>>
}

func.func private @layer(%layer: index, %x: tensor<8xf32>, %shared: tensor<2xf32>, %w: tensor<4x8xf32>) -> tensor<8xf32> {
  return %x : tensor<8xf32>
}

// CHECK-LABEL: func.func @loop
func.func @loop(%x: tensor<8xf32>, %s: tensor<2xf32>) -> tensor<8xf32> {
  // CHECK: llm.layers @layer from 0 count 2 carry(%{{.*}}) share(%{{.*}}) weights {{\[\[}}@rows, @rows]]
  %0 = llm.layers @layer from 0 count 2 carry(%x) share(%s) weights [[@rows, @rows]] : (tensor<8xf32>, tensor<2xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
