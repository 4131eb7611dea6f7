// RUN: serrano-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{dimension 1 has extent 'seq' in the encoding but size 4 in the shape}}
func.func private @encoding(tensor<?x4xf32, #llm.dims<[batch, seq]>>)

// -----

// expected-error @+1 {{a tensor of static shape has no extents to encode; remove the encoding}}
func.func private @encoding(tensor<4xf32, #llm.dims<[4]>>)

// -----

// The last element of a row-major 4x8 of f32 ends at byte 128.
// expected-error @+1 {{'w' needs 128 bytes of "model.onnx.data" but its view has 127}}
llm.weight @w : tensor<4x8xf32> from [#llm.view<"model.onnx.data", offset = 0, length = 127, shape = [4, 8], strides = [8, 1]>]

// -----

// An index has no number of bits.
// expected-error @+1 {{'w' has elements of type 'index'; expected integers or floats}}
llm.weight @w : tensor<4x4xindex> from [#llm.view<"a", offset = 0, length = 128, shape = [4, 4], strides = [4, 1]>]

// -----

// 2^31 * 2^33 is 2^64.
// expected-error @+1 {{'w' needs more bytes of "a" than fit the range of 64-bit integers}}
llm.weight @w : tensor<2147483649xf32> from [#llm.view<"a", offset = 0, length = 128, shape = [2147483649], strides = [8589934592]>]

// -----

// expected-error @+1 {{expected an extent: a sum of products of integers and symbols}}
func.func private @extent(tensor<?xf32, #llm.dims<[4611686018427387904 * 4 * n]>>)

// -----

// expected-error @+1 {{'w' has 2 views; say along which axis they are concatenated}}
llm.weight @w : tensor<2xf32> from [#llm.view<"a", offset = 0, length = 4, shape = [1], strides = [1]>, #llm.view<"b", offset = 0, length = 4, shape = [1], strides = [1]>]

// -----

// expected-note @+1 {{the weight is here}}
llm.weight @w : tensor<4xf32> from [#llm.view<"a", offset = 0, length = 16, shape = [4], strides = [1]>]
func.func @type() -> tensor<5xf32> {
  // expected-error @+1 {{has type 'tensor<5xf32>' but 'w' has 'tensor<4xf32>'}}
  %0 = llm.get_weight @w : tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

func.func @missing() {
  // expected-error @+1 {{names no llm.weight: 'nothing'}}
  %0 = llm.get_weight @nothing : tensor<5xf32>
  return
}

// -----

func.func @broadcast(%a: tensor<?xf32, #llm.dims<[seq]>>, %b: tensor<?xf32, #llm.dims<[past]>>) {
  // expected-error @+1 {{shapes [seq] and [past] do not broadcast: 'seq' against 'past'}}
  %0 = llm.binary add %a, %b : (tensor<?xf32, #llm.dims<[seq]>>, tensor<?xf32, #llm.dims<[past]>>) -> tensor<?xf32, #llm.dims<[seq]>>
  return
}

// -----

func.func @boolean(%a: tensor<4xf32>) {
  // expected-error @+1 {{'and' does not take 'f32'}}
  %0 = llm.binary and %a, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @reshape(%a: tensor<?x8xf32, #llm.dims<[seq, 8]>>) {
  // expected-error @+1 {{changes the number of elements from [seq, 8] to [seq, 9]}}
  %0 = llm.reshape %a : tensor<?x8xf32, #llm.dims<[seq, 8]>> to tensor<?x9xf32, #llm.dims<[seq, 9]>>
  return
}

// -----

func.func @linear(%a: tensor<2x8xf32>, %w: tensor<9x4xf32>) {
  // expected-error @+1 {{weight of shape [9, 4] does not fit the input's last extent '8'}}
  %0 = llm.linear %a, %w : (tensor<2x8xf32>, tensor<9x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @slice(%a: tensor<8xf32>) {
  // expected-error @+1 {{reads elements 4 to 8 of dimension 0, which has 8}}
  %0 = llm.slice %a at [4] steps [1] : tensor<8xf32> to tensor<5xf32>
  return
}

// -----

func.func @norm(%a: tensor<2x8xf32>, %w: tensor<4xf32>) {
  // expected-error @+1 {{scale has shape [4]; expected one element for each feature of the input, [2, 8]}}
  %0 = llm.rms_norm %a, %w epsilon 1.0e-5 : tensor<2x8xf32>, tensor<4xf32>
  return
}

// -----

func.func @heads(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x3x8xf32>) {
  // expected-error @+1 {{4 query heads are not a multiple of 3 key/value heads}}
  %0 = llm.attention %q, %k, %k scale 1.0 : (tensor<1x2x4x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @rope(%x: tensor<2x4x8xf32>, %c: tensor<2x5xf32>) {
  // expected-error @+1 {{rotates 2 * 5 features of a head of 8}}
  %0 = llm.rope %x, %c, %c : tensor<2x4x8xf32>, tensor<2x5xf32>, tensor<2x5xf32>
  return
}

// -----

llm.cache @kv layers 2 kv_heads 3 head_size 8 : f32
func.func @layer(%x: tensor<2x3x8xf32>, %p: tensor<2xi32>, %s: tensor<2xi32>, %l: tensor<1xi32>, %t: tensor<1x4xi32>) {
  %layer = arith.constant 2 : index
  // expected-error @+1 {{is layer 2 of 'kv', which has 2}}
  %0 = llm.cached_attention @kv[%layer] %x, %x, %x at %p of %s, %l, %t scale 1.0
    : (tensor<2x3x8xf32>, tensor<2x3x8xf32>, tensor<2x3x8xf32>, tensor<2xi32>, tensor<2xi32>, tensor<1xi32>, tensor<1x4xi32>) -> tensor<2x3x8xf32>
  return
}

// -----

// expected-note @+1 {{the cache is here}}
llm.cache @kv layers 2 kv_heads 4 head_size 8 : f32
func.func @heads(%x: tensor<2x3x8xf32>, %p: tensor<2xi32>, %s: tensor<2xi32>, %l: tensor<1xi32>, %t: tensor<1x4xi32>, %layer: index) {
  // expected-error @+1 {{stores keys of type 'tensor<2x3x8xf32>' but 'kv' holds 4 heads of 8 'f32'}}
  %0 = llm.cached_attention @kv[%layer] %x, %x, %x at %p of %s, %l, %t scale 1.0
    : (tensor<2x3x8xf32>, tensor<2x3x8xf32>, tensor<2x3x8xf32>, tensor<2xi32>, tensor<2xi32>, tensor<1xi32>, tensor<1x4xi32>) -> tensor<2x3x8xf32>
  return
}

// -----

llm.weight @w : tensor<4xf32> from [#llm.view<"a", offset = 0, length = 16, shape = [4], strides = [1]>]
func.func private @layer(index, tensor<8xf32>) -> tensor<8xf32>
func.func @count(%x: tensor<8xf32>) {
  // expected-error @+1 {{has a list of 1 weights for 2 calls}}
  %0 = llm.layers @layer from 0 count 2 carry(%x) share() weights [[@w]] : (tensor<8xf32>) -> tensor<8xf32>
  return
}
