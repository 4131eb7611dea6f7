// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=4" -verify-diagnostics
// RUN: serrano-opt %s -choose-tiling="target=serrano-tiny precision=f32 max-tokens=4" -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=4" -verify-diagnostics
// RUN: serrano-opt %s -choose-tiling="target=serrano-tiny precision=f32 max-tokens=4 search=true" -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=4" -verify-diagnostics

// A model without attention has nothing of that to choose. It is told once, however many
// programs are tried.

// expected-warning @+1 {{#tile.choices<lanes = 2, encoder_keys = 64> changes nothing, since no kernel of the model has that to choose; leave it out}}
module attributes {tile.choices = #tile.choices<accumulators = 2, lanes = 2, encoder_keys = 64>} {
  llm.weight private @w : tensor<8x24xf32> from [#llm.view<"weights.bin", offset = 0, length = 768, shape = [8, 24], strides = [24, 1]>]
  func.func @main(%x: tensor<?x8xf32, #llm.dims<[tokens, 8]>> {llm.name = "x"})
      -> (tensor<?x24xf32, #llm.dims<[tokens, 24]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
    %w = llm.get_weight @w : tensor<8x24xf32>
    %y = llm.linear %x, %w : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<8x24xf32>) -> tensor<?x24xf32, #llm.dims<[tokens, 24]>>
    return %y : tensor<?x24xf32, #llm.dims<[tokens, 24]>>
  }
}
