// RUN: serrano-opt %s -choose-tiling="target=serrano-tiny precision=f32 max-tokens=100" -verify-diagnostics

// Whatever the program is compiled for, there is no room.

llm.weight private @table : tensor<10x16384xf32> from [#llm.view<"weights.bin", offset = 0, length = 655360, shape = [10, 16384], strides = [16384, 1]>]
llm.weight private @w : tensor<16384x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 524288, shape = [16384, 8], strides = [8, 1]>]
func.func @widest(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"})
    -> (tensor<?x8xf32, #llm.dims<[tokens, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x16384xf32>
  %w = llm.get_weight @w : tensor<16384x8xf32>
  // expected-error @+1 {{scratchpad: buffer 0 of 65536 bytes does not fit the memory's 32768; not even one token has room: compile for a target that has more (--target)}}
  %x = llm.embedding %table[%ids] : (tensor<10x16384xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x16384xf32, #llm.dims<[tokens, 16384]>>
  %y = llm.linear %x, %w : (tensor<?x16384xf32, #llm.dims<[tokens, 16384]>>, tensor<16384x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  return %y : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
}
