// One layer of a decoder's step: an embedding, a norm, rotary positions, attention of two
// heads for each of two key heads over a paged cache, a gated projection of three blocks of
// columns, and the rows that have logits.

llm.weight private @table : tensor<10x16xf32> from [#llm.view<"weights.bin", offset = 0, length = 640, shape = [10, 16], strides = [16, 1]>]
llm.weight private @q : tensor<16x32xf32> from [#llm.view<"weights.bin", offset = 640, length = 2048, shape = [16, 32], strides = [32, 1]>]
llm.weight private @k : tensor<16x16xf32> from [#llm.view<"weights.bin", offset = 2688, length = 1024, shape = [16, 16], strides = [16, 1]>]
llm.weight private @v : tensor<16x16xf32> from [#llm.view<"weights.bin", offset = 3712, length = 1024, shape = [16, 16], strides = [16, 1]>]
llm.weight private @o : tensor<32x16xf32> from [#llm.view<"weights.bin", offset = 4736, length = 2048, shape = [32, 16], strides = [16, 1]>]
llm.weight private @gate : tensor<16x24xf32> from [#llm.view<"weights.bin", offset = 6784, length = 1536, shape = [16, 24], strides = [24, 1]>]
llm.weight private @up : tensor<16x24xf32> from [#llm.view<"weights.bin", offset = 8320, length = 1536, shape = [16, 24], strides = [24, 1]>]
llm.weight private @down : tensor<24x16xf32> from [#llm.view<"weights.bin", offset = 9856, length = 1536, shape = [24, 16], strides = [16, 1]>]
llm.weight private @head : tensor<16x10xf32> from [#llm.view<"weights.bin", offset = 11392, length = 640, shape = [16, 10], strides = [10, 1]>]
llm.weight private @scale : tensor<16xf32> from [#llm.view<"weights.bin", offset = 12032, length = 64, shape = [16], strides = [1]>]
llm.weight private @frequencies : tensor<4xf32> from [#llm.view<"weights.bin", offset = 12096, length = 16, shape = [4], strides = [1]>]
llm.cache @kv layers 1 kv_heads 2 head_size 8 : f32

func.func @step(%ids: tensor<?xi32, #llm.dims<[tokens]>> {llm.role = "token_ids"},
    %positions: tensor<?xi32, #llm.dims<[tokens]>> {llm.role = "positions"},
    %starts: tensor<?xi32, #llm.dims<[sequences + 1]>> {llm.role = "query_starts"},
    %lengths: tensor<?xi32, #llm.dims<[sequences]>> {llm.role = "kv_lengths"},
    %tables: tensor<?x?xi32, #llm.dims<[sequences, blocks]>> {llm.role = "block_tables"},
    %rows: tensor<?xi32, #llm.dims<[logit_rows]>> {llm.role = "logit_rows"})
    -> (tensor<?x10xf32, #llm.dims<[logit_rows, 10]>> {llm.name = "logits"}) attributes {llm.entry = "step"} {
  %layer = arith.constant 0 : index
  %table = llm.get_weight @table : tensor<10x16xf32>
  %q = llm.get_weight @q : tensor<16x32xf32>
  %k = llm.get_weight @k : tensor<16x16xf32>
  %v = llm.get_weight @v : tensor<16x16xf32>
  %o = llm.get_weight @o : tensor<32x16xf32>
  %gate = llm.get_weight @gate : tensor<16x24xf32>
  %up = llm.get_weight @up : tensor<16x24xf32>
  %down = llm.get_weight @down : tensor<24x16xf32>
  %head = llm.get_weight @head : tensor<16x10xf32>
  %scale = llm.get_weight @scale : tensor<16xf32>
  %frequencies = llm.get_weight @frequencies : tensor<4xf32>
  %cosine, %sine = llm.rope_angles %positions, %frequencies : (tensor<?xi32, #llm.dims<[tokens]>>, tensor<4xf32>) -> tensor<?x4xf32, #llm.dims<[tokens, 4]>>
  %x = llm.embedding %table[%ids] : (tensor<10x16xf32>, tensor<?xi32, #llm.dims<[tokens]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %n = llm.rms_norm %x, %scale epsilon 1.0e-05 : tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16xf32>
  %q0 = llm.linear %n, %q : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x32xf32>) -> tensor<?x32xf32, #llm.dims<[tokens, 32]>>
  %q1 = llm.reshape %q0 : tensor<?x32xf32, #llm.dims<[tokens, 32]>> to tensor<?x4x8xf32, #llm.dims<[tokens, 4, 8]>>
  %q2 = llm.rope %q1, %cosine, %sine : tensor<?x4x8xf32, #llm.dims<[tokens, 4, 8]>>, tensor<?x4xf32, #llm.dims<[tokens, 4]>>, tensor<?x4xf32, #llm.dims<[tokens, 4]>>
  %k0 = llm.linear %n, %k : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x16xf32>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %k1 = llm.reshape %k0 : tensor<?x16xf32, #llm.dims<[tokens, 16]>> to tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>
  %k2 = llm.rope %k1, %cosine, %sine : tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>, tensor<?x4xf32, #llm.dims<[tokens, 4]>>, tensor<?x4xf32, #llm.dims<[tokens, 4]>>
  %v0 = llm.linear %n, %v : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x16xf32>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %v1 = llm.reshape %v0 : tensor<?x16xf32, #llm.dims<[tokens, 16]>> to tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>
  %a = llm.cached_attention @kv[%layer] %q2, %k2, %v1 at %positions of %starts, %lengths, %tables scale 0.35
    : (tensor<?x4x8xf32, #llm.dims<[tokens, 4, 8]>>, tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>, tensor<?x2x8xf32, #llm.dims<[tokens, 2, 8]>>, tensor<?xi32, #llm.dims<[tokens]>>, tensor<?xi32, #llm.dims<[sequences + 1]>>, tensor<?xi32, #llm.dims<[sequences]>>, tensor<?x?xi32, #llm.dims<[sequences, blocks]>>) -> tensor<?x4x8xf32, #llm.dims<[tokens, 4, 8]>>
  %a0 = llm.reshape %a : tensor<?x4x8xf32, #llm.dims<[tokens, 4, 8]>> to tensor<?x32xf32, #llm.dims<[tokens, 32]>>
  %o0 = llm.linear %a0, %o : (tensor<?x32xf32, #llm.dims<[tokens, 32]>>, tensor<32x16xf32>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %r = llm.binary add %x, %o0 : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<?x16xf32, #llm.dims<[tokens, 16]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %g0 = llm.linear %r, %gate : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x24xf32>) -> tensor<?x24xf32, #llm.dims<[tokens, 24]>>
  %g1 = llm.unary silu %g0 : tensor<?x24xf32, #llm.dims<[tokens, 24]>>
  %u = llm.linear %r, %up : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<16x24xf32>) -> tensor<?x24xf32, #llm.dims<[tokens, 24]>>
  %m = llm.binary mul %g1, %u : (tensor<?x24xf32, #llm.dims<[tokens, 24]>>, tensor<?x24xf32, #llm.dims<[tokens, 24]>>) -> tensor<?x24xf32, #llm.dims<[tokens, 24]>>
  %d = llm.linear %m, %down : (tensor<?x24xf32, #llm.dims<[tokens, 24]>>, tensor<24x16xf32>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %y = llm.binary add %r, %d : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<?x16xf32, #llm.dims<[tokens, 16]>>) -> tensor<?x16xf32, #llm.dims<[tokens, 16]>>
  %chosen = llm.gather %y[%rows] along 0 : (tensor<?x16xf32, #llm.dims<[tokens, 16]>>, tensor<?xi32, #llm.dims<[logit_rows]>>) -> tensor<?x16xf32, #llm.dims<[logit_rows, 16]>>
  %logits = llm.linear %chosen, %head : (tensor<?x16xf32, #llm.dims<[logit_rows, 16]>>, tensor<16x10xf32>) -> tensor<?x10xf32, #llm.dims<[logit_rows, 10]>>
  return %logits : tensor<?x10xf32, #llm.dims<[logit_rows, 10]>>
}
