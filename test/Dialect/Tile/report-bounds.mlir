// RUN: serrano-opt %s --split-input-file --tile-report-bounds --remarks-filter=tile-report-bounds -o /dev/null 2>&1 | FileCheck %s
// RUN: serrano-opt %s --split-input-file --tile-report-bounds="dimensions=n=1 context=20" --remarks-filter=tile-report-bounds -o /dev/null 2>&1 | FileCheck %s --check-prefix=SHORT
// Without remarks nothing is looked at.
// RUN: serrano-opt %s --split-input-file --tile-report-bounds -o /dev/null 2>&1 | count 0

// Ten tiles of 8 x 8 in bf16, 64 rows, on serrano-tiny:
//   memory   10 * 128 bytes at 7.36 bytes per cycle are 173.9 cycles
//   weights  10 * 128 bytes at 32 per cycle
//   matrix   10 * 64 cycles, one for each row
//   core     4 cycles until the first tile is in the array, 640, and 16 until the
//            last result is out
// One row: a product takes 4 cycles at least, as a load does, so the array is never
// without work: 4 + 40 + 16 cycles.

// CHECK: remark: loc("project"): [Analysis] Bound | Category:tile-report-bounds | Function=main | Bound=matrix, CoreCycles=660, Cycles=640, Lengths=n=64, Macs=40960, MatrixCycles=640, MemoryBytes=1280, MemoryCycles=174, Operations=30, VectorCycles=0, WeightPortCycles=40
// SHORT: remark: loc("project"): [Analysis] Bound | {{.*}} | Bound=memory, CoreCycles=60, Cycles=174, Lengths=n=1, Macs=640, MatrixCycles=40, MemoryBytes=1280, MemoryCycles=174, Operations=30, Reason="1280 bytes cross HBM; the core could do its work in 60 cycles", VectorCycles=0, WeightPortCycles=40

// 64 rows of 8 in f32, 4 elements per cycle, after 4 cycles: 132; 8 cycles later
// there is somebody to read them. One row: 4 + 2 cycles.

// CHECK: remark: loc("activate"): {{.*}} | Bound=vector, CoreCycles=140, Cycles=132, {{.*}}VectorCycles=132
// SHORT: remark: loc("activate"): {{.*}} | Bound=latency, CoreCycles=14, Cycles=14, {{.*}}Reason="1 operations wait for each other's results; the busiest engine works 6 cycles of it", VectorCycles=6

module attributes {tile.target = "serrano-tiny"} {
  tile.packed @weights [@w] sizes [80, 8] tile 8 x 8 : bf16
  tile.dimension @n max 64
  func.func @main() attributes {tile.entry = "main"} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %c10 = arith.constant 10 : index
    %n = tile.extent @n
    %stream = tile.stream @weights : !tile.stream<memref<8x8xbf16>>
    tile.order_tiles %stream from 0 count 10 passes %c1 : !tile.stream<memref<8x8xbf16>>
    %x = tile.slot : memref<64x8xbf16>
    %acc = tile.slot accumulator : memref<64x8xf32>
    scf.for %i = %c0 to %c10 step %c1 {
      %w = tile.next %stream : !tile.stream<memref<8x8xbf16>> -> memref<8x8xbf16> loc("project")
      tile.load_weights %w k %c8 n %c8 : memref<8x8xbf16> loc("project")
      tile.matmul %x to %acc m %n accumulate : memref<64x8xbf16>, memref<64x8xf32> loc("project")
    }
    tile.unary silu %acc to %acc rows %n cols %c8 : memref<64x8xf32>, memref<64x8xf32> loc("activate")
    return
  }
}

// -----

// One token after 19: of the three blocks before it two are whole and one has three
// rows, twice for two heads: 2 * 19 rows of 64 bytes are 330.4 cycles. The layers are
// one loop, of which one round says what all cost: 3 * 2,432 bytes. After the longest
// context, 64 tokens, it is 63 rows.

// 3 * 2 * 63 rows of 64 bytes are 24192. What is ordered for the next layer is not
// ordered in the last one.
// CHECK: remark: loc("attend"): {{.*}}Lengths=1@64, {{.*}}MemoryBytes=24192,
// SHORT: remark: loc("attend"): {{.*}} | Bound=memory, {{.*}}Cycles={{[0-9]+}}, Lengths=1@20, {{.*}}MemoryBytes=7296, MemoryCycles=992, Operations=3,
// CHECK: remark: loc("ahead"): {{.*}}, MemoryBytes=16128, {{.*}}Operations=2,
// SHORT: remark: loc("ahead"): {{.*}}, MemoryBytes=4864, {{.*}}Operations=2,

module attributes {tile.target = "serrano-tiny"} {
  tile.paged_cache block 8 blocks 64 context 64
  tile.tensor @cache cache : memref<4096x32xbf16>
  tile.tensor @work temporary scalar : memref<1x1xi32>
  tile.tensor @starts input "query_starts" "i32" ["sequences + 1"] scalar : memref<1x9xi32>
  tile.tensor @lengths input "kv_lengths" "i32" ["sequences"] scalar : memref<1x8xi32>
  tile.tensor @tables input "block_tables" "i32" ["sequences", "blocks"] scalar : memref<1x64xi32>
  tile.dimension @tokens max 16
  tile.limit tokens "tokens" max 16
  tile.dimension @sequences max 8
  tile.dimension @blocks max 8
  func.func @step() attributes {tile.entry = "step"} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c8 = arith.constant 8 : index
    %stream = tile.stream @cache : !tile.stream<memref<8x32xbf16>>
    %sequences = tile.extent @sequences
    scf.for %layer = %c0 to %c3 step %c1 {
      scf.for %s = %c0 to %sequences step %c1 {
        %next = arith.addi %s, %c1 : index
        %begin = tile.read @starts[%s]
        %end = tile.read @starts[%next]
        %new = arith.subi %end, %begin : index
        %length = tile.read @lengths[%s]
        %computed = arith.subi %length, %new : index
        tile.write %computed to @work[%c0]
        %old = tile.read @work[%c0]
        %blocks = arith.ceildivui %old, %c8 : index
        %sum = arith.addi %old, %c8 : index
        %whole = arith.muli %blocks, %c8 : index
        %tail = arith.subi %sum, %whole : index
        tile.order %stream[%c0] by @tables[%c0] bound 64 step 8 count %blocks tail %tail passes %c2 : !tile.stream<memref<8x32xbf16>> loc("attend")
        %layers = arith.subi %c2, %layer : index
        %more = arith.minsi %layers, %c1 : index
        scf.for %next_layer = %c0 to %more step %c1 {
          tile.order %stream[%c0] by @tables[%c0] bound 64 step 8 count %blocks tail %tail passes %c2 : !tile.stream<memref<8x32xbf16>> loc("ahead")
        }
      }
    } {tile.first_layer = 0 : i64}
    return
  }
}

// -----

// The same product as the first, of 16 rows at a time: weights come four times, but
// once for one row. Each portion's last results are under way, 16 cycles, while the next
// one's products go on.

// CHECK: remark: loc("project"): {{.*}} | Bound=memory, CoreCycles=660, Cycles=696, Lengths=n=64, Macs=40960, MatrixCycles=640, MemoryBytes=5120, MemoryCycles=696, Operations=120,
// SHORT: remark: loc("project"): {{.*}} | Bound=memory, CoreCycles=60, Cycles=174, Lengths=n=1, Macs=640, MatrixCycles=40, MemoryBytes=1280,

module attributes {tile.target = "serrano-tiny"} {
  tile.packed @weights [@w] sizes [80, 8] tile 8 x 8 : bf16
  tile.dimension @n max 64
  func.func @main() attributes {tile.entry = "main"} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %c10 = arith.constant 10 : index
    %c16 = arith.constant 16 : index
    %n = tile.extent @n
    %stream = tile.stream @weights : !tile.stream<memref<8x8xbf16>>
    %portions = arith.ceildivui %n, %c16 : index
    tile.order_tiles %stream from 0 count 10 passes %portions : !tile.stream<memref<8x8xbf16>>
    scf.for %portion = %c0 to %portions step %c1 {
      %first = arith.muli %portion, %c16 : index
      %left = arith.subi %n, %first : index
      %rows = arith.minsi %left, %c16 : index
      %x = tile.slot : memref<16x8xbf16>
      %acc = tile.slot accumulator : memref<16x8xf32>
      scf.for %i = %c0 to %c10 step %c1 {
        %w = tile.next %stream : !tile.stream<memref<8x8xbf16>> -> memref<8x8xbf16> loc("project")
        tile.load_weights %w k %c8 n %c8 : memref<8x8xbf16> loc("project")
        tile.matmul %x to %acc m %rows accumulate : memref<16x8xbf16>, memref<16x8xf32> loc("project")
      }
    } {tile.portions}
    return
  }
}

// -----

// Two pieces of a slot: nobody waits for what is done beside it. 64 rows of 4 are 64
// cycles, after 4, and 8 later there is somebody to read them; with one slot for both the
// second copy would begin after that.

// CHECK: remark: loc("pieces"): {{.*}} | Bound=vector, CoreCycles=144, Cycles=136, {{.*}}VectorCycles=136

module attributes {tile.target = "serrano-tiny"} {
  tile.dimension @n max 64
  func.func @main() attributes {tile.entry = "main"} {
    %c4 = arith.constant 4 : index
    %n = tile.extent @n
    %x = tile.slot : memref<64x8xf32>
    %left = memref.reinterpret_cast %x to offset: [0], sizes: [64, 4], strides: [8, 1] : memref<64x8xf32> to memref<64x4xf32, strided<[8, 1]>>
    %right = memref.reinterpret_cast %x to offset: [4], sizes: [64, 4], strides: [8, 1] : memref<64x8xf32> to memref<64x4xf32, strided<[8, 1], offset: 4>>
    tile.unary abs %left to %left rows %n cols %c4 : memref<64x4xf32, strided<[8, 1]>>, memref<64x4xf32, strided<[8, 1]>> loc("pieces")
    tile.unary abs %right to %right rows %n cols %c4 : memref<64x4xf32, strided<[8, 1], offset: 4>>, memref<64x4xf32, strided<[8, 1], offset: 4>> loc("pieces")
    return
  }
}
