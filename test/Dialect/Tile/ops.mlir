// RUN: serrano-opt %s | serrano-opt | FileCheck %s --match-full-lines

// What is outside the core.

//      CHECK:module {
// CHECK-NEXT:  tile.dimension @batch max 8
// CHECK-NEXT:  tile.limit tokens "batch * seq" max 512
// CHECK-NEXT:  tile.limit sequences "batch" max 8
// CHECK-NEXT:  tile.paged_cache block 128 blocks 64 context 1000
// CHECK-NEXT:  tile.tensor @ids input "input_ids" "i64" ["batch", "seq"] below "1000" scalar : memref<1x512xi32>
// CHECK-NEXT:  tile.tensor @logits output "logits" "f32" ["batch", "seq", "384"] : memref<512x384xf32>
// CHECK-NEXT:  tile.tensor @embedding constant of @embeddings.word : memref<1000x384xbf16>
// CHECK-NEXT:  tile.tensor @spilled temporary : memref<512x384xf32>
// CHECK-NEXT:  tile.tensor @work temporary scalar : memref<1x16xi32>
// CHECK-NEXT:  tile.tensor @kv cache : memref<1536x32xbf16>
// CHECK-NEXT:  tile.packed @stream [@q, @k] sizes [384, 384, 384, 100] tile 128 x 128 : bf16
// CHECK-NEXT:  tile.packed @narrow [@l0.q, @l0.k] sizes [384, 384, 384, 100] tile 128 x 128 groups [2] narrow_at [1] : bf16
// CHECK-NEXT:  tile.packed @groups [@l0.q, @l0.k, @l0.gate, @l0.up] sizes [384, 384, 384, 100, 384, 512, 384, 512] tile 128 x 128 groups [2, 2] interleaved [1] ends [0] : bf16
// CHECK-NEXT:  tile.vectors @vectors [@bias, @scale] at [0, 384] length 768 : f32
tile.dimension @batch max 8
tile.limit tokens "batch * seq" max 512
tile.limit sequences "batch" max 8
tile.paged_cache block 128 blocks 64 context 1000
tile.tensor @ids input "input_ids" "i64" ["batch", "seq"] below "1000" scalar : memref<1x512xi32>
tile.tensor @logits output "logits" "f32" ["batch", "seq", "384"] : memref<512x384xf32>
tile.tensor @embedding constant of @embeddings.word : memref<1000x384xbf16>
tile.tensor @spilled temporary : memref<512x384xf32>
tile.tensor @work temporary scalar : memref<1x16xi32>
tile.tensor @kv cache : memref<1536x32xbf16>
tile.packed @stream [@q, @k] sizes [384, 384, 384, 100] tile 128 x 128 : bf16
tile.packed @narrow [@l0.q, @l0.k] sizes [384, 384, 384, 100] tile 128 x 128 groups [2] narrow_at [1] : bf16
tile.packed @groups [@l0.q, @l0.k, @l0.gate, @l0.up] sizes [384, 384, 384, 100, 384, 512, 384, 512] tile 128 x 128 groups [2, 2] interleaved [1] ends [0] : bf16
tile.vectors @vectors [@bias, @scale] at [0, 384] length 768 : f32

// CHECK-NEXT:  func.func @transfers(%arg0: index) {
// CHECK-NEXT:    %0 = tile.extent @batch
// CHECK-NEXT:    %1 = tile.read @ids[%arg0]
// CHECK-NEXT:    tile.write %1 to @work[%arg0]
// CHECK-NEXT:    %2 = tile.slot : memref<512x384xf32>
// CHECK-NEXT:    %3 = tile.slot : memref<512x384xbf16>
// CHECK-NEXT:    tile.load @vectors[%arg0, %arg0] to %2 rows %0 : memref<512x384xf32>
// CHECK-NEXT:    tile.gather @embedding by @ids[%arg0] to %3 rows %1 : memref<512x384xbf16>
// CHECK-NEXT:    tile.store %2 to @logits[%arg0, %arg0] rows %0 : memref<512x384xf32>
func.func @transfers(%row: index) {
  %batch = tile.extent @batch
  %id = tile.read @ids[%row]
  tile.write %id to @work[%row]
  %x = tile.slot : memref<512x384xf32>
  %embedded = tile.slot : memref<512x384xbf16>
  tile.load @vectors[%row, %row] to %x rows %batch : memref<512x384xf32>
  tile.gather @embedding by @ids[%row] to %embedded rows %id : memref<512x384xbf16>
  tile.store %x to @logits[%row, %row] rows %batch : memref<512x384xf32>
  return
}

//      CHECK:  func.func @matrix(%arg0: memref<512x128xbf16>, %arg1: index) {
// CHECK-NEXT:    %0 = tile.stream @stream : <memref<128x128xbf16>>
// CHECK-NEXT:    tile.order_tiles %0 from 2 count 4 passes %arg1 : <memref<128x128xbf16>>
// CHECK-NEXT:    %1 = tile.next %0 : <memref<128x128xbf16>> -> memref<128x128xbf16>
// CHECK-NEXT:    %2 = tile.slot accumulator : memref<512x128xf32>
// CHECK-NEXT:    tile.load_weights %1 k %arg1 n %arg1 : memref<128x128xbf16>
// CHECK-NEXT:    tile.load_weights %arg0 k %arg1 n %arg1 transpose : memref<512x128xbf16>
// CHECK-NEXT:    tile.matmul %arg0 to %2 m %arg1 : memref<512x128xbf16>, memref<512x128xf32>
// CHECK-NEXT:    tile.matmul %arg0 to %2 m %arg1 accumulate : memref<512x128xbf16>, memref<512x128xf32>
// CHECK-NEXT:    tile.matmul %arg0 to %2 m %arg1 limit %arg1 {group = 3 : i64} : memref<512x128xbf16>, memref<512x128xf32>
// CHECK-NEXT:    tile.matmul %arg0 to %2 m %arg1 accumulate transpose : memref<512x128xbf16>, memref<512x128xf32>
func.func @matrix(%x: memref<512x128xbf16>, %n: index) {
  %w = tile.stream @stream : !tile.stream<memref<128x128xbf16>>
  tile.order_tiles %w from 2 count 4 passes %n : !tile.stream<memref<128x128xbf16>>
  %tile = tile.next %w : !tile.stream<memref<128x128xbf16>> -> memref<128x128xbf16>
  %acc = tile.slot accumulator : memref<512x128xf32>
  tile.load_weights %tile k %n n %n : memref<128x128xbf16>
  tile.load_weights %x k %n n %n transpose : memref<512x128xbf16>
  tile.matmul %x to %acc m %n : memref<512x128xbf16>, memref<512x128xf32>
  tile.matmul %x to %acc m %n accumulate : memref<512x128xbf16>, memref<512x128xf32>
  tile.matmul %x to %acc m %n limit %n {group = 3} : memref<512x128xbf16>, memref<512x128xf32>
  tile.matmul %x to %acc m %n accumulate transpose : memref<512x128xbf16>, memref<512x128xf32>
  return
}

//      CHECK:  func.func @cache(%arg0: memref<512x48xbf16>, %arg1: index) {
// CHECK-NEXT:    %0 = tile.stream @kv slots 10 : <memref<128x32xbf16>>
// CHECK-NEXT:    tile.order %0[%arg1] by @ids[%arg1] bound 4 step 256 count %arg1 tail %arg1 passes %arg1 : <memref<128x32xbf16>>
// CHECK-NEXT:    %1 = tile.peek %0 : <memref<128x32xbf16>> -> memref<128x32xbf16>
// CHECK-NEXT:    %2 = tile.peek %0 ahead %arg1 : <memref<128x32xbf16>> -> memref<128x32xbf16>
// CHECK-NEXT:    tile.store %arg0 to @kv[%arg1, %arg1] rows %arg1 pieces 3 step 128 : memref<512x48xbf16>
func.func @cache(%keys: memref<512x48xbf16>, %n: index) {
  %kv = tile.stream @kv slots 10 : !tile.stream<memref<128x32xbf16>>
  tile.order %kv[%n] by @ids[%n] bound 4 step 256 count %n tail %n passes %n : !tile.stream<memref<128x32xbf16>>
  %block = tile.peek %kv : !tile.stream<memref<128x32xbf16>> -> memref<128x32xbf16>
  %later = tile.peek %kv ahead %n : !tile.stream<memref<128x32xbf16>> -> memref<128x32xbf16>
  tile.store %keys to @kv[%n, %n] rows %n pieces 3 step 128 : memref<512x48xbf16>
  return
}

//      CHECK:  func.func @vector(%arg0: memref<8x8xf32>, %arg1: memref<8x3xf32>, %arg2: index) {
// CHECK-NEXT:    tile.unary gelu %arg0 to %arg0 rows %arg2 cols %arg2 : memref<8x8xf32>, memref<8x8xf32>
// CHECK-NEXT:    tile.binary add %arg0, %arg1 to %arg0 rows %arg2 cols %arg2 : memref<8x8xf32>, memref<8x3xf32>, memref<8x8xf32>
// CHECK-NEXT:    tile.scalar div %arg0, 2.000000e+00 to %arg0 rows %arg2 cols %arg2 : memref<8x8xf32>, memref<8x8xf32>
// CHECK-NEXT:    tile.scalar sub reverse %arg0, 1.000000e+00 to %arg0 rows %arg2 cols %arg2 : memref<8x8xf32>, memref<8x8xf32>
// CHECK-NEXT:    tile.ternary fma %arg0, %arg0, %arg0 to %arg0 rows %arg2 cols %arg2 : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
// CHECK-NEXT:    tile.fill 0.000000e+00 to %arg0 rows %arg2 cols %arg2 : memref<8x8xf32>
// CHECK-NEXT:    tile.reduce sumsq %arg0 to %arg1 rows %arg2 cols %arg2 : memref<8x8xf32>, memref<8x3xf32>
// CHECK-NEXT:    tile.reduce max %arg0 to %arg1 accumulate rows %arg2 cols %arg2 : memref<8x8xf32>, memref<8x3xf32>
// CHECK-NEXT:    tile.softmax %arg0 to %arg0 state %arg1 scale 1.250000e-01 limit %arg2 rows %arg2 cols %arg2 {group = 4 : i64} : memref<8x8xf32>, memref<8x8xf32>, memref<8x3xf32>
// CHECK-NEXT:    tile.rope %arg0, %arg0, %arg0 to %arg0 heads 2 rotary 4 head_stride 4 rows %arg2 cols %arg2 : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
func.func @vector(%x: memref<8x8xf32>, %state: memref<8x3xf32>, %n: index) {
  tile.unary gelu %x to %x rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
  tile.binary add %x, %state to %x rows %n cols %n : memref<8x8xf32>, memref<8x3xf32>, memref<8x8xf32>
  tile.scalar div %x, 2.0 to %x rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
  tile.scalar sub reverse %x, 1.0 to %x rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>
  tile.ternary fma %x, %x, %x to %x rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
  tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>
  tile.reduce sumsq %x to %state rows %n cols %n : memref<8x8xf32>, memref<8x3xf32>
  tile.reduce max %x to %state accumulate rows %n cols %n : memref<8x8xf32>, memref<8x3xf32>
  tile.softmax %x to %x state %state scale 0.125 limit %n rows %n cols %n {group = 4} : memref<8x8xf32>, memref<8x8xf32>, memref<8x3xf32>
  tile.rope %x, %x, %x to %x heads 2 rotary 4 head_stride 4 rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
  return
}

//      CHECK:  func.func @observed(%arg0: memref<8x16xbf16>) {
// CHECK-NEXT:    tile.observe %arg0 : memref<8x16xbf16> is ["q"] "f32" ["batch", "seq", "16"]
// CHECK-NEXT:    tile.observe %arg0 : memref<8x16xbf16> is ["k.0", "k.1"] "f32" ["1", "2", "seq", "8"] extents ["2", "seq", "8"] strides ["8", "16", "1"]
// CHECK-NEXT:    tile.observe @logits is ["logits"] "f32" ["batch", "seq", "384"]
func.func @observed(%x: memref<8x16xbf16>) {
  tile.observe %x : memref<8x16xbf16> is ["q"] "f32" ["batch", "seq", "16"]
  tile.observe %x : memref<8x16xbf16> is ["k.0", "k.1"] "f32" ["1", "2", "seq", "8"] extents ["2", "seq", "8"] strides ["8", "16", "1"]
  tile.observe @logits is ["logits"] "f32" ["batch", "seq", "384"]
  return
}
