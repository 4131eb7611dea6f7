// RUN: serrano-opt %s -split-input-file -choose-tiling="target=serrano-tiny precision=f32 max-tokens=100" | FileCheck %s
// RUN: serrano-opt %s -split-input-file -choose-tiling="target=serrano-tiny precision=f32 max-tokens=100" -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=100" | FileCheck %s --check-prefix=TILE
// RUN: serrano-opt %s -split-input-file -choose-tiling="target=serrano-tiny precision=f32 max-tokens=1000" | FileCheck %s --check-prefix=MANY
// RUN: serrano-opt %s -split-input-file -choose-tiling="target=serrano-tiny precision=f32 max-tokens=100 search=true" -remarks-filter=choose-tiling 2>&1 | FileCheck %s --check-prefix=SEARCH

// serrano-tiny has an array of 8 x 8, 32768 bytes of scratchpad and 8192 of accumulators.

// Rows of 8 features: all 100 have a place. Of 1000, whose accumulators would take 32000
// bytes, 16 tiles of 8 are taken at once.

// With a search, each of the kernels' choices is looked at, for as many rows as there is room
// for and for fewer. Half the rows at a time would take longer; there is only one
// block of columns, so that it makes no difference how many accumulators or places for results
// on their way there could be.
// SEARCH-DAG: Workload | Category:choose-tiling | Cycles={{[0-9]+}}, Lengths=tokens=100, Roof={{[0-9]+}}
// SEARCH-DAG: Alternative | Category:choose-tiling | Choice=rows, Reason="tokens=25 takes {{[0-9.]+}} % longer", Value=56
// SEARCH-DAG: Alternative | Category:choose-tiling | Choice=accumulators, Reason="gives the same program as another choice", Value=8
// SEARCH-DAG: Choice | Category:choose-tiling | Choice=rows, Reason="no alternative is known to take less time", Value=100
// SEARCH-DAG: Choice | Category:choose-tiling | Choice=written_units, Reason="by rule: of little influence", Value=8
// SEARCH-DAG: module attributes {tile.choices = #tile.choices<rows = 100, accumulators = 4, written_units = 8, staged_blocks = 4>}

// CHECK: module attributes {tile.choices = #tile.choices<rows = 100>}
// TILE: tile.slot accumulator : memref<100x8xf32>
// MANY: module attributes {tile.choices = #tile.choices<rows = 128>}
llm.weight private @table : tensor<10x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 320, shape = [10, 8], strides = [8, 1]>]
llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
func.func @narrow(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"})
    -> (tensor<?x8xf32, #llm.dims<[tokens, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x8xf32>
  %w = llm.get_weight @w : tensor<8x8xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x8xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %y = llm.linear %x, %w : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  return %y : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
}

// -----

// Rows of 256 features take 1024 bytes, as what is looked up and as the operand are one
// buffer in the end: 32 of them would leave nothing for the weights' ring, 24 do.

// What had no room is said too.
// SEARCH-DAG: Alternative | Category:choose-tiling | Choice=rows, Reason="scratchpad: buffer 0 of 102400 bytes does not fit the memory's 32768{{.*}}", Value=100
// SEARCH-DAG: Alternative | Category:choose-tiling | Choice=rows, Reason="ring 0 has room for 0 slots of 256 bytes{{.*}}", Value=32
// SEARCH-DAG: module attributes {tile.choices = #tile.choices<rows = 24, accumulators = 4,

// CHECK: module attributes {tile.choices = #tile.choices<rows = 24>}
// TILE: tile.slot accumulator : memref<24x8xf32>
// MANY: module attributes {tile.choices = #tile.choices<rows = 24>}
llm.weight private @table : tensor<10x256xf32> from [#llm.view<"weights.bin", offset = 0, length = 10240, shape = [10, 256], strides = [256, 1]>]
llm.weight private @w : tensor<256x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 8192, shape = [256, 8], strides = [8, 1]>]
func.func @wide(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"})
    -> (tensor<?x8xf32, #llm.dims<[tokens, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x256xf32>
  %w = llm.get_weight @w : tensor<256x8xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x256xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x256xf32, #llm.dims<[tokens, 256]>>
  %y = llm.linear %x, %w : (tensor<?x256xf32, #llm.dims<[tokens, 256]>>, tensor<256x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  return %y : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
}

// -----

// A number that is there stays, and is followed.

// SEARCH-DAG: Choice | Category:choose-tiling | Choice=rows, Reason=given, Value=3
// SEARCH-DAG: module attributes {tile.choices = #tile.choices<rows = 3, accumulators = 4,

// CHECK: module attributes {tile.choices = #tile.choices<rows = 3>}
// TILE: tile.slot accumulator : memref<3x8xf32>
// MANY: module attributes {tile.choices = #tile.choices<rows = 3>}
module attributes {tile.choices = #tile.choices<rows = 3>} {
  llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
  func.func @given(%x: tensor<?x8xf32, #llm.dims<[tokens, 8]>> {llm.name = "x"})
      -> (tensor<?x8xf32, #llm.dims<[tokens, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
    %w = llm.get_weight @w : tensor<8x8xf32>
    %y = llm.linear %x, %w : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
    return %y : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  }
}

// -----

// Where rows that are always as many do not fit, nothing is said: the passes that need the
// room say for what.

// SEARCH-DAG: Search | Category:choose-tiling | Reason="no program by rule to compare with: scratchpad: {{.*}}"
// SEARCH-DAG: module attributes {tile.choices = #tile.choices<rows = 1>}

// CHECK: module attributes {tile.choices = #tile.choices<rows = 1>}
// MANY: module attributes {tile.choices = #tile.choices<rows = 1>}
llm.weight private @w : tensor<1024x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 32768, shape = [1024, 8], strides = [8, 1]>]
func.func @fixed(%x: tensor<64x1024xf32> {llm.name = "x"}) -> (tensor<64x8xf32> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %w = llm.get_weight @w : tensor<1024x8xf32>
  %y = llm.linear %x, %w : (tensor<64x1024xf32>, tensor<1024x8xf32>) -> tensor<64x8xf32>
  return %y : tensor<64x8xf32>
}
