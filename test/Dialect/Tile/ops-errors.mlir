// RUN: serrano-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{'batch' has the limit 0; expected at least 1}}
tile.dimension @batch max 0

// -----

// expected-error @+1 {{allows at most 0 sequences; expected at least 1}}
tile.limit sequences "batch" max 0

// -----

// expected-error @+1 {{has 4 blocks of 0 tokens for sequences of 8; expected at least 1 of each}}
tile.paged_cache block 0 blocks 4 context 8

// -----

// expected-error @+1 {{'x' has a bound, but is no input of indices in i32}}
tile.tensor @x input "x" "f32" ["4", "4"] below "4" : memref<4x4xf32>

// -----

// expected-error @+1 {{'x' has a bound, but is no input of indices in i32}}
tile.tensor @x temporary below "4" : memref<4x4xi32>

// -----

func.func @missing() {
  // expected-error @+1 {{names no tile.dimension: 'batch'}}
  %0 = tile.extent @batch
  return
}

// -----

// expected-error @+1 {{'x' is an input or output and needs the source's name, type and shape}}
tile.tensor @x input : memref<4x4xf32>

// -----

// expected-error @+1 {{'x' has a source's name but is neither input nor output}}
tile.tensor @x temporary "x" "f32" ["4", "4"] : memref<4x4xf32>

// -----

// expected-error @+1 {{'x' must name a weight if, and only if, it is a constant}}
tile.tensor @x constant : memref<4x4xf32>

// -----

// expected-error @+1 {{'x' must name a weight if, and only if, it is a constant}}
tile.tensor @x temporary of @weight : memref<4x4xf32>

// -----

// expected-error @+1 {{'x' has type 'memref<?x4xf32>'; expected the static shape that the limits allow}}
tile.tensor @x temporary : memref<?x4xf32>

// -----

// expected-error @+1 {{attribute 'type' failed to satisfy constraint: type attribute of slot of rank 2}}
tile.tensor @x temporary : memref<4xf32>

// -----

// expected-error @+1 {{has tiles of 0 x 8; expected positive sizes}}
tile.packed @stream [@w] sizes [8, 8] tile 0 x 8 : f32

// -----

// expected-error @+1 {{packs no weight}}
tile.packed @stream [] sizes [] tile 8 x 8 : f32

// -----

// expected-error @+1 {{has 2 weights but 3 sizes; expected K and N of each}}
tile.packed @stream [@v, @w] sizes [8, 8, 8] tile 8 x 8 : f32

// -----

// expected-error @+1 {{packs a weight without elements}}
tile.packed @stream [@w] sizes [8, 0] tile 8 x 8 : f32

// -----

// expected-error @+1 {{has a group of 0 weights after 1 of 2; expected groups of at least one weight}}
tile.packed @stream [@v, @w] sizes [8, 8, 8, 8] tile 8 x 8 groups [1, 0, 1] : f32

// -----

// expected-error @+1 {{has a group of 2 weights after 1 of 2; expected groups of at least one weight}}
tile.packed @stream [@v, @w] sizes [8, 8, 8, 8] tile 8 x 8 groups [1, 2] : f32

// -----

// expected-error @+1 {{has groups of 1 weights in all; expected 2}}
tile.packed @stream [@v, @w] sizes [8, 8, 8, 8] tile 8 x 8 groups [1] : f32

// -----

// Weights of one group are multiplied by the same rows of features.
// expected-error @+1 {{has weights of 8 and 16 rows in one group; expected the same K}}
tile.packed @stream [@v, @w] sizes [8, 8, 16, 8] tile 8 x 8 groups [2] : f32

// -----

// Of two weights in one group there is no group 1.
// expected-error @+1 {{names group 1 of 1}}
tile.packed @stream [@v, @w] sizes [8, 8, 8, 8] tile 8 x 8 groups [2] interleaved [1] : f32

// -----

// Without groups each weight is one.
// expected-error @+1 {{names group 2 of 2}}
tile.packed @stream [@v, @w] sizes [8, 8, 8, 8] tile 8 x 8 ends [0, 2] : f32

// -----

// expected-error @+1 {{names group -1 of 2}}
tile.packed @stream [@v, @w] sizes [8, 8, 8, 8] tile 8 x 8 ends [-1] : f32

// -----

// expected-error @+1 {{'tile.packed' op has 1 places of narrow blocks; expected one for each of 2 groups}}
tile.packed @stream [@v, @w] sizes [8, 12, 8, 12] tile 8 x 8 narrow_at [0] : f32

// -----

// expected-error @+1 {{'tile.packed' op has the narrow block of group 1 at place 2 of 2; expected -1, or a place among the blocks of a group that has one}}
tile.packed @stream [@v, @w] sizes [8, 12, 8, 12] tile 8 x 8 narrow_at [-1, 2] : f32

// -----

// All blocks are as wide as the array.
// expected-error @+1 {{'tile.packed' op has the narrow block of group 0 at place 0 of 2; expected -1,}}
tile.packed @stream [@v] sizes [8, 16] tile 8 x 8 narrow_at [0] : f32

// -----

// expected-error @+1 {{'tile.packed' op has the narrow block of group 0 at place 1 of 4; expected -1,}}
tile.packed @stream [@v, @w] sizes [8, 12, 8, 12] tile 8 x 8 groups [2] interleaved [0] narrow_at [1] : f32

// -----

// expected-error @+1 {{has 2 weights but 1 offsets}}
tile.vectors @vectors [@v, @w] at [0] length 8 : f32

// -----

// The vector of 8 elements ends at 7.
// expected-error @+1 {{places a vector at 8, outside its length of 8}}
tile.vectors @vectors [@v, @w] at [0, 8] length 8 : f32

// -----

// expected-error @+1 {{places a vector at -1, outside its length of 8}}
tile.vectors @vectors [@v] at [-1] length 8 : f32

// -----

func.func @dynamic() {
  // expected-error @+1 {{has type 'memref<?x4xf32>'; expected a static shape without layout}}
  %0 = tile.slot : memref<?x4xf32>
  return
}

// -----

func.func @layout() {
  // expected-error @+1 {{expected a static shape without layout}}
  %0 = tile.slot : memref<4x4xf32, strided<[8, 1]>>
  return
}

// -----

func.func @narrow() {
  // expected-error @+1 {{is in the accumulators, whose elements have 32 bits; found 'bf16'}}
  %0 = tile.slot accumulator : memref<4x4xbf16>
  return
}

// -----

func.func @missing() {
  // expected-error @+1 {{names no tile.packed and no cache: 'stream'}}
  %0 = tile.stream @stream : !tile.stream<memref<8x8xf32>>
  return
}

// -----

// expected-note @+1 {{the tiles are packed here}}
tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32
func.func @shape() {
  // expected-error @+1 {{gives tiles of 'memref<8x4xf32>' but 'stream' has others}}
  %0 = tile.stream @stream : !tile.stream<memref<8x4xf32>>
  return
}

// -----

// expected-note @+1 {{the tiles are packed here}}
tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32
func.func @element() {
  // expected-error @+1 {{gives tiles of 'memref<8x8xbf16>' but 'stream' has others}}
  %0 = tile.stream @stream : !tile.stream<memref<8x8xbf16>>
  return
}

// -----

tile.packed @stream [@w] sizes [8, 8] tile 8 x 8 : f32
func.func @slots() {
  // expected-error @+1 {{has room for 1 tiles; expected at least 2, to fill one while another is read}}
  %0 = tile.stream @stream slots 1 : !tile.stream<memref<8x8xf32>>
  return
}

// -----

func.func @order_first(%w: !tile.stream<memref<8x8xf32>>, %n: index) {
  // expected-error @+1 {{orders 4 tiles from number -1 on; expected at least one of those there are}}
  tile.order_tiles %w from -1 count 4 passes %n : !tile.stream<memref<8x8xf32>>
  return
}

// -----

// Weights of 16 x 8 fill two tiles of 8 x 8.

// expected-note @+1 {{the tiles are packed here}}
tile.packed @packed [@w] sizes [16, 8] tile 8 x 8 : f32
func.func @order_beyond(%n: index) {
  %w = tile.stream @packed : !tile.stream<memref<8x8xf32>>
  tile.order_tiles %w from 1 count 1 passes %n : !tile.stream<memref<8x8xf32>>
  // expected-error @+1 {{orders 2 tiles from number 1 on, but 'packed' has 2; expected no more than those}}
  tile.order_tiles %w from 1 count 2 passes %n : !tile.stream<memref<8x8xf32>>
  return
}

// -----

func.func @order_none(%w: !tile.stream<memref<8x8xf32>>, %n: index) {
  // expected-error @+1 {{orders 0 tiles from number 2 on; expected at least one of those there are}}
  tile.order_tiles %w from 2 count 0 passes %n : !tile.stream<memref<8x8xf32>>
  return
}

// -----

func.func @next(%w: !tile.stream<memref<8x8xf32>>) {
  // expected-error @+1 {{gives 'memref<8x4xf32>' from a stream of 'memref<8x8xf32>'}}
  %0 = tile.next %w : !tile.stream<memref<8x8xf32>> -> memref<8x4xf32>
  return
}

// -----

func.func @missing(%x: memref<4x4xf32>, %n: index) {
  // expected-error @+1 {{names no tile.tensor or tile.vectors: 'x'}}
  tile.load @x[%n, %n] to %x rows %n : memref<4x4xf32>
  return
}

// -----

tile.tensor @x temporary : memref<4x4xbf16>
func.func @element(%x: memref<4x4xf32>, %n: index) {
  // expected-error @+1 {{moves rows between 'memref<4x4xbf16>' and 'memref<4x4xf32>'; expected the same element type and as many columns}}
  tile.store %x to @x[%n, %n] rows %n : memref<4x4xf32>
  return
}

// -----

tile.vectors @vectors [@v] at [0] length 3 : f32
func.func @columns(%x: memref<1x4xf32>, %n: index) {
  // expected-error @+1 {{moves rows between 'memref<1x3xf32>' and 'memref<1x4xf32>'}}
  tile.load @vectors[%n, %n] to %x rows %n : memref<1x4xf32>
  return
}

// -----

tile.tensor @ids temporary scalar : memref<4x4xi32>
func.func @scalar(%x: memref<4x4xi32>, %n: index) {
  // expected-error @+1 {{moves rows of 'ids', which is in scalar memory; expected a tensor in HBM}}
  tile.load @ids[%n, %n] to %x rows %n : memref<4x4xi32>
  return
}

// -----

tile.tensor @ids input "ids" "i32" ["n"] scalar : memref<1x4xi32>
func.func @write_to_an_input(%n: index) {
  // expected-error @+1 {{writes 'ids', which is not a temporary tensor of i32 in scalar memory}}
  tile.write %n to @ids[%n]
  return
}

// -----

tile.tensor @x temporary : memref<4x4xi32>
func.func @write_to_hbm(%n: index) {
  // expected-error @+1 {{writes 'x', which is not a temporary tensor of i32 in scalar memory}}
  tile.write %n to @x[%n]
  return
}

// -----

tile.tensor @ids temporary : memref<4x4xi32>
func.func @read(%n: index) {
  // expected-error @+1 {{reads 'ids', which is not a tensor of i32 in scalar memory}}
  %0 = tile.read @ids[%n]
  return
}

// -----

tile.tensor @x temporary : memref<4x4xf32>
tile.tensor @ids temporary scalar : memref<1x4xf32>
func.func @table(%x: memref<4x4xf32>, %n: index) {
  // expected-error @+1 {{takes indices from 'ids', which is not a tensor of i32 in scalar memory}}
  tile.gather @x by @ids[%n] to %x rows %n : memref<4x4xf32>
  return
}

// -----

func.func @weights(%w: memref<8x8xi32>, %n: index) {
  // expected-error @+1 {{loads 'i32', which the matrix engine does not multiply}}
  tile.load_weights %w k %n n %n : memref<8x8xi32>
  return
}

// -----

func.func @accumulator(%x: memref<8x8xbf16>, %n: index) {
  // expected-error @+1 {{accumulates in 'bf16'; expected 32 bits}}
  tile.matmul %x to %x m %n : memref<8x8xbf16>, memref<8x8xbf16>
  return
}

// -----

func.func @group(%x: memref<8x8xf32>, %n: index) {
  // expected-error @+1 {{has groups of 0 rows; expected at least 1}}
  tile.matmul %x to %x m %n limit %n {group = 0} : memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

func.func @scores(%x: memref<8x8xbf16>, %state: memref<8x3xf32>, %n: index) {
  // expected-error @+1 {{needs scores and state in f32}}
  tile.softmax %x to %x state %state scale 1.0 limit %n rows %n cols %n : memref<8x8xbf16>, memref<8x8xbf16>, memref<8x3xf32>
  return
}

// -----

func.func @state(%x: memref<8x8xf32>, %state: memref<8x2xf32>, %n: index) {
  // expected-error @+1 {{has a state of 2 columns; expected 3: maximum, sum, correction}}
  tile.softmax %x to %x state %state scale 1.0 limit %n rows %n cols %n : memref<8x8xf32>, memref<8x8xf32>, memref<8x2xf32>
  return
}

// -----

// expected-note @+1 {{the cache is here}}
tile.tensor @cache cache : memref<60x16xf32>
func.func @cache_rows() {
  // expected-error @+1 {{gives tiles of 'memref<8x16xf32>' of a cache of 'memref<60x16xf32>'; expected whole rows, of which the cache has a multiple}}
  %0 = tile.stream @cache : !tile.stream<memref<8x16xf32>>
  return
}

// -----

// expected-note @+1 {{the cache is here}}
tile.tensor @cache cache : memref<64x16xf32>
func.func @cache_columns() {
  // expected-error @+1 {{gives tiles of 'memref<8x8xf32>' of a cache of 'memref<64x16xf32>'}}
  %0 = tile.stream @cache : !tile.stream<memref<8x8xf32>>
  return
}

// -----

tile.tensor @cache cache : memref<64x16xf32>
tile.tensor @table temporary scalar : memref<1x4xi32>
func.func @bound(%n: index) {
  %kv = tile.stream @cache : !tile.stream<memref<8x16xf32>>
  // expected-error @+1 {{takes blocks below 0, 16 rows apart; expected both to be at least 1}}
  tile.order %kv[%n] by @table[%n] bound 0 step 16 count %n tail %n passes %n : !tile.stream<memref<8x16xf32>>
  return
}

// -----

tile.tensor @cache cache : memref<64x16xf32>
tile.tensor @table temporary scalar : memref<1x4xi32>
func.func @step(%n: index) {
  %kv = tile.stream @cache : !tile.stream<memref<8x16xf32>>
  // expected-error @+1 {{takes blocks below 4, 0 rows apart; expected both to be at least 1}}
  tile.order %kv[%n] by @table[%n] bound 4 step 0 count %n tail %n passes %n : !tile.stream<memref<8x16xf32>>
  return
}

// -----

tile.tensor @cache cache : memref<64x16xf32>
func.func @order_table(%n: index) {
  %kv = tile.stream @cache : !tile.stream<memref<8x16xf32>>
  // expected-error @+1 {{takes indices from 'cache', which is not a tensor of i32 in scalar memory}}
  tile.order %kv[%n] by @cache[%n] bound 4 step 8 count %n tail %n passes %n : !tile.stream<memref<8x16xf32>>
  return
}

// -----

tile.tensor @cache cache : memref<64x16xf32>
func.func @peek(%n: index) {
  %kv = tile.stream @cache : !tile.stream<memref<8x16xf32>>
  // expected-error @+1 {{gives 'memref<8x8xf32>' from a stream of 'memref<8x16xf32>'}}
  %0 = tile.peek %kv : !tile.stream<memref<8x16xf32>> -> memref<8x8xf32>
  return
}

// -----

tile.tensor @cache cache : memref<64x16xf32>
func.func @pieces(%x: memref<8x24xf32>, %n: index) {
  // expected-error @+1 {{cuts 24 columns into 5 pieces 8 rows apart; expected equal pieces and a step of at least 0}}
  tile.store %x to @cache[%n, %n] rows %n pieces 5 step 8 : memref<8x24xf32>
  return
}

// -----

tile.tensor @cache cache : memref<64x16xf32>
func.func @wide_pieces(%x: memref<8x40xf32>, %n: index) {
  // expected-error @+1 {{expected the same element type and as many columns}}
  tile.store %x to @cache[%n, %n] rows %n pieces 2 step 8 : memref<8x40xf32>
  return
}

// -----

func.func @observes_nothing() {
  // expected-error @+1 {{looks at nothing; expected one of them}}
  tile.observe is ["q"] "f32" ["8"]
  return
}

// -----

tile.tensor @y output "y" "f32" ["8", "16"] : memref<8x16xf32>
func.func @observes_both(%x: memref<8x16xf32>) {
  // expected-error @+1 {{looks at a slot and a tensor; expected one of them}}
  tile.observe %x : memref<8x16xf32> @y is ["q"] "f32" ["8", "16"]
  return
}

// -----

func.func @observes_nameless(%x: memref<8x16xf32>) {
  // expected-error @+1 {{has no name; expected one, or one for each layer}}
  tile.observe %x : memref<8x16xf32> is [] "f32" ["8", "16"]
  return
}

// -----

func.func @observes_unevenly(%x: memref<8x16xf32>) {
  // expected-error @+1 {{has 2 extents and 1 strides; expected as many of both}}
  tile.observe %x : memref<8x16xf32> is ["q"] "f32" ["8", "16"] extents ["8", "16"] strides ["1"]
  return
}

// -----

tile.dimension @y max 8
func.func @observes_no_tensor() {
  // expected-error @+1 {{looks at 'y', which is no tile.tensor}}
  tile.observe @y is ["q"] "f32" ["8", "16"]
  return
}
