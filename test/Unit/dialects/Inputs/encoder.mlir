// One layer of an encoder: an embedding, a norm, attention over a key mask, and a
// projection of five blocks of columns with an activation and a residual.

llm.weight private @table : tensor<10x16xf32> from [#llm.view<"weights.bin", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
llm.weight private @q : tensor<16x16xf32> from [#llm.view<"weights.bin", offset = 640, length = 1024, shape = [16, 16], strides = [16, 1]>]
llm.weight private @k : tensor<16x16xf32> from [#llm.view<"weights.bin", offset = 1664, length = 1024, shape = [16, 16], strides = [16, 1]>]
llm.weight private @v : tensor<16x16xf32> from [#llm.view<"weights.bin", offset = 2688, length = 1024, shape = [16, 16], strides = [16, 1]>]
llm.weight private @o : tensor<16x16xf32> from [#llm.view<"weights.bin", offset = 3712, length = 1024, shape = [16, 16], strides = [16, 1]>]
llm.weight private @up : tensor<16x40xf32> from [#llm.view<"weights.bin", offset = 4736, length = 2560, shape = [16, 40], strides = [40, 1]>]
llm.weight private @down : tensor<40x16xf32> from [#llm.view<"weights.bin", offset = 7296, length = 2560, shape = [40, 16], strides = [16, 1]>]
llm.weight private @scale : tensor<16xf32> from [#llm.view<"weights.bin", offset = 9856, length = 64, shape = [16], strides = [1]>]
llm.weight private @bias : tensor<16xf32> from [#llm.view<"weights.bin", offset = 9920, length = 64, shape = [16], strides = [1]>]
llm.weight private @up_bias : tensor<40xf32> from [#llm.view<"weights.bin", offset = 9984, length = 160, shape = [40], strides = [1]>]

func.func @encode(%ids: tensor<?x?xi64, #llm.dims<[batch, seq]>> {llm.name = "ids"}, %mask: tensor<?x?xi64, #llm.dims<[batch, seq]>> {llm.name = "mask"})
    -> (tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x16xf32>
  %q = llm.get_weight @q : tensor<16x16xf32>
  %k = llm.get_weight @k : tensor<16x16xf32>
  %v = llm.get_weight @v : tensor<16x16xf32>
  %o = llm.get_weight @o : tensor<16x16xf32>
  %up = llm.get_weight @up : tensor<16x40xf32>
  %down = llm.get_weight @down : tensor<40x16xf32>
  %scale = llm.get_weight @scale : tensor<16xf32>
  %bias = llm.get_weight @bias : tensor<16xf32>
  %up_bias = llm.get_weight @up_bias : tensor<40xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x16xf32>, tensor<?x?xi64, #llm.dims<[batch, seq]>>) -> tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>
  %n = llm.layer_norm %x, %scale, %bias epsilon 1.0e-05 : tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>, tensor<16xf32>, tensor<16xf32>
  %q0 = llm.linear %n, %q, %bias : (tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>
  %q1 = llm.reshape %q0 : tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>> to tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>
  %k0 = llm.linear %n, %k, %bias : (tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>
  %k1 = llm.reshape %k0 : tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>> to tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>
  %v0 = llm.linear %n, %v, %bias : (tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>
  %v1 = llm.reshape %v0 : tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>> to tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>
  %a = llm.attention %q1, %k1, %v1 key_mask %mask scale 0.35 : (tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>, tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>, tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>, tensor<?x?xi64, #llm.dims<[batch, seq]>>) -> tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>>
  %a0 = llm.reshape %a : tensor<?x?x2x8xf32, #llm.dims<[batch, seq, 2, 8]>> to tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>
  %o0 = llm.linear %a0, %o, %bias : (tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>
  %r = llm.binary add %x, %o0 : (tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>, tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>) -> tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>
  %u = llm.linear %r, %up, %up_bias : (tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>, tensor<16x40xf32>, tensor<40xf32>) -> tensor<?x?x40xf32, #llm.dims<[batch, seq, 40]>>
  %g = llm.unary gelu_erf %u : tensor<?x?x40xf32, #llm.dims<[batch, seq, 40]>>
  %d = llm.linear %g, %down, %bias : (tensor<?x?x40xf32, #llm.dims<[batch, seq, 40]>>, tensor<40x16xf32>, tensor<16xf32>) -> tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>
  %y = llm.binary add %r, %d : (tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>, tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>) -> tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>
  return %y : tensor<?x?x16xf32, #llm.dims<[batch, seq, 16]>>
}
