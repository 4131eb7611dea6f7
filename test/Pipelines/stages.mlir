// RUN: serrano-opt %s --serrano-tile="target=serrano-tiny precision=f32 max-tokens=8" | FileCheck %s --check-prefixes=CHECK,TILE
// RUN: serrano-opt %s --serrano-tile="target=serrano-tiny precision=f32 max-tokens=8" --serrano-place | FileCheck %s --check-prefixes=CHECK,MEM
// RUN: serrano-opt %s --serrano-tile="target=serrano-tiny precision=f32 max-tokens=8" --serrano-place --serrano-schedule | FileCheck %s --check-prefixes=CHECK,DMA
// RUN: serrano-opt %s --serrano-tile="target=serrano-tiny precision=f32 max-tokens=8" --serrano-place --serrano-schedule --serrano-emit | FileCheck %s --check-prefixes=CHECK,ISA

// One projection of looked-up rows through all stages: what is true after each.

llm.weight private @table : tensor<10x8xf32> from [#llm.view<"weights.bin", offset = 0, length = 320, shape = [10, 8], strides = [8, 1]>]
llm.weight private @w : tensor<8x8xf32> from [#llm.view<"weights.bin", offset = 320, length = 256, shape = [8, 8], strides = [8, 1]>]

// No tensor is left after the first stage, no slot without a place after the second, no
// transfer without a queue after the third, and nothing but instructions after the last.

// CHECK-NOT: llm.linear
// TILE: tile.stream
// TILE: tile.slot
// MEM-NOT: tile.slot
// MEM: mem.ring 0 of @weights at {{[0-9]+}} slots {{[0-9]+}}
// MEM: mem.buffer scratchpad at {{[0-9]+}}
// DMA: dma.order
// DMA-NOT: tile.gather
// DMA: dma.gather @{{.*}} {dma.signal = 0 : i64
// DMA: tile.matmul {{.*}}dma.waits
// ISA-NOT: func.func
// ISA: isa.func
// ISA: isa.dma.gather
// ISA: isa.mx.mul wait0=
// ISA: isa.halt
func.func @project(%ids: tensor<?xi64, #llm.dims<[tokens]>> {llm.name = "ids"})
    -> (tensor<?x8xf32, #llm.dims<[tokens, 8]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
  %table = llm.get_weight @table : tensor<10x8xf32>
  %w = llm.get_weight @w : tensor<8x8xf32>
  %x = llm.embedding %table[%ids] : (tensor<10x8xf32>, tensor<?xi64, #llm.dims<[tokens]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %y = llm.linear %x, %w : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  return %y : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
}
