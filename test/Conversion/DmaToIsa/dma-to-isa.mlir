// RUN: serrano-opt %s -split-input-file -convert-dma-to-isa | FileCheck %s

// An operand of an instruction is a register and an immediate. Element 8 of the row is
// byte 4096 + 8 * 4 = 4128 of HBM; the block's first element is byte 64 + 8 * 4 = 96 of
// the scratchpad. Row %n of @y is byte 64 * %n from its address.

// CHECK: isa.zeroes "t" at 4096 bytes 512
// CHECK: isa.zeroes "y" at 8192 bytes 512
// CHECK: isa.entry @transfers
// CHECK-SAME: dims [{max = 8 : i64, name = "seq", smem = 4 : i64}]
// CHECK-SAME: inputs [{address = 8 : i64, dtype = "i64", name = "ids", shape = ["seq"], space = "smem", stored = "i32"}]
// CHECK-SAME: outputs [{address = 8192 : i64, dtype = "f32", name = "y", shape = ["seq", "16"], space = "hbm", stored = "f32"}]
// CHECK: isa.func @transfers
// CHECK-NEXT: isa.s.load rd=r1, address=4
// CHECK-NEXT: isa.s.mul rd=r2, a=r1, b=4
// CHECK-NEXT: isa.s.load rd=r3, address=r2+8
// CHECK-NEXT: isa.dma.load signal=c0, src=hbm[4128], dst=spm[96], bytes=32, n1=r1, n2=1, n3=1, ss1=64, ds1=64
// CHECK-NEXT: isa.dma.gather wait0=c3-2, signal=c0, src=hbm[4096], dst=spm[64], table=8, n=r1, bytes=64, stride=64, bound=8, local_stride=64
// CHECK-NEXT: isa.sync waiter=dma_out, wait0=c0, wait1=c2, wait2=c3-1
// CHECK-NEXT: isa.s.mul rd=[[ROW:r[0-9]+]], a=r1, b=64
// CHECK-NEXT: isa.dma.store signal=c1, src=spm[64], dst=hbm{{\[}}[[ROW]]+8192], bytes=64, n1=r1, n2=1, n3=1, ss1=64, ds1=64
// CHECK-NEXT: isa.halt

tile.dimension @seq max 8 {mem.address = 4 : i64}
tile.tensor @ids input "ids" "i64" ["seq"] scalar : memref<1x8xi32> {mem.address = 8 : i64}
tile.tensor @t temporary : memref<8x16xf32> {mem.address = 4096 : i64}
tile.tensor @y output "y" "f32" ["seq", "16"] : memref<8x16xf32> {mem.address = 8192 : i64}
tile.packed @stream [@w] sizes [8, 16] tile 8 x 8 : f32 {mem.address = 0 : i64}
func.func @transfers() attributes {tile.entry = "graph"} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = tile.extent @seq
  %id = tile.read @ids[%n]
  %x = mem.buffer scratchpad at 64 : memref<8x16xf32>
  %block = memref.reinterpret_cast %x to offset: [8], sizes: [8, 8], strides: [16, 1] : memref<8x16xf32> to memref<8x8xf32, strided<[16, 1], offset: 8>>
  dma.load @t[%c0, %c8] to %block rows %n {dma.signal = 0 : i64} : memref<8x8xf32, strided<[16, 1], offset: 8>>
  dma.gather @t by @ids[%c0] to %x rows %n {dma.signal = 0 : i64, dma.waits = [#dma.wait<3 lag 2>]} : memref<8x16xf32>
  dma.sync dma_out {dma.waits = [#dma.wait<0 lag 0>, #dma.wait<2 lag 0>, #dma.wait<3 lag 1>]}
  dma.store %x to @y[%n, %c0] rows %n {dma.signal = 1 : i64} : memref<8x16xf32>
  return
}

// -----

// The ring has 8 x 24 weights in three tiles of 256 bytes, of which the last two are
// ordered, twice: they begin at byte 256. The first is taken from its slot.

// CHECK: isa.func @engines
// CHECK-NEXT: isa.s.load rd=r1, address=4
// CHECK-NEXT: isa.ring.setup slots=2, slot_bytes=256
// CHECK-NEXT: isa.ring.fill src=hbm[256], count=2, bytes=256, stride=256, passes=r1
// CHECK-NEXT: isa.mx.load signal=c2, src=pop0[0]:32:f32, k=8, n=8
// CHECK-NEXT: isa.mx.mul wait0=c3-1, wait1=c0, signal=c2, accumulate, dst=acc[256]:32:f32, src=spm[1024]:32:f32, m=r1
// CHECK-NEXT: isa.mx.mul transpose, dst=acc[256]:32:f32, src=spm[1024]:32:f32, m=r1
// CHECK-NEXT: isa.v.unary signal=c3, fn=gelu, dst=spm[1024]:32:f32, a=acc[256]:32:f32, rows=r1, cols=8
// CHECK-NEXT: isa.halt

tile.packed @stream [@w] sizes [8, 24] tile 8 x 8 : f32 {mem.address = 0 : i64}
tile.dimension @seq max 8 {mem.address = 4 : i64}
func.func @engines() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %n = tile.extent @seq
  %x = mem.buffer scratchpad at 1024 : memref<8x8xf32>
  %acc = mem.buffer accumulators at 256 : memref<8x8xf32>
  %w = mem.ring 0 of @stream at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  dma.order_tiles %w from 1 count 2 passes %n : !tile.stream<memref<8x8xf32>>
  %tile = tile.next %w : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  tile.load_weights %tile k %c8 n %c8 {dma.signal = 2 : i64} : memref<8x8xf32>
  tile.matmul %x to %acc m %n accumulate {dma.signal = 2 : i64, dma.waits = [#dma.wait<3 lag 1>, #dma.wait<0 lag 0>]} : memref<8x8xf32>, memref<8x8xf32>
  tile.matmul %x to %acc m %n transpose : memref<8x8xf32>, memref<8x8xf32>
  tile.unary gelu %acc to %x rows %n cols %c8 {dma.signal = 3 : i64} : memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

// Sums with constants are no instructions: r1+2 is the count, and 16 elements more are 64
// bytes more, 1024 + 64 = 1088. A row stride of 0 stays one, an element stride of 0 is a
// broadcast. The registers of a loop are free again after it.

// CHECK: isa.func @registers
// CHECK-NEXT: isa.s.load rd=r1, address=4
// CHECK-NEXT: isa.loop index=r2, count=r1+2 {
// CHECK-NEXT: isa.s.mul rd=[[OFFSET:r[0-9]+]], a=r2, b=16
// CHECK-NEXT: isa.s.mul rd=[[DST:r[0-9]+]], a=[[OFFSET]], b=4
// CHECK-NEXT: isa.s.mul rd=[[SRC:r[0-9]+]], a=[[OFFSET]], b=4
// CHECK-NEXT: isa.v.unary fn=copy, dst=spm{{\[}}[[DST]]+1088]:64:f32, a=spm{{\[}}[[SRC]]+1024]:0:f32, rows=1, cols=16
// CHECK-NEXT: }
// CHECK-NEXT: isa.loop index=r2, count=r1 {
// CHECK-NEXT: isa.v.unary fn=copy, dst=spm[1024]:64:f32, a=spm[1044]:64:f32:bcast, rows=1, cols=r2

tile.dimension @seq max 8 {mem.address = 4 : i64}
func.func @registers() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %n = tile.extent @seq
  %x = mem.buffer scratchpad at 1024 : memref<16x16xf32>
  %m = arith.addi %n, %c2 : index
  scf.for %i = %c0 to %m step %c1 {
    %offset = arith.muli %i, %c16 : index
    %next = arith.addi %offset, %c16 : index
    %row = memref.reinterpret_cast %x to offset: [%next], sizes: [1, 16], strides: [16, 1] : memref<16x16xf32> to memref<1x16xf32, strided<[16, 1], offset: ?>>
    %same = memref.reinterpret_cast %x to offset: [%offset], sizes: [4, 16], strides: [0, 1] : memref<16x16xf32> to memref<4x16xf32, strided<[0, 1], offset: ?>>
    tile.unary copy %same to %row rows %c1 cols %c16 : memref<4x16xf32, strided<[0, 1], offset: ?>>, memref<1x16xf32, strided<[16, 1], offset: ?>>
  }
  scf.for %i = %c0 to %n step %c1 {
    %one = memref.reinterpret_cast %x to offset: [5], sizes: [1, 16], strides: [16, 0] : memref<16x16xf32> to memref<1x16xf32, strided<[16, 0], offset: 5>>
    tile.unary copy %one to %x rows %c1 cols %i : memref<1x16xf32, strided<[16, 0], offset: 5>>, memref<16x16xf32>
  }
  return
}

// -----

// The offset of a view of a view is from the start of the buffer: 1024 + 4 * 4.

// CHECK: isa.func @view_of_a_view
// CHECK-NEXT: isa.v.fill dst=spm[1040]:32:f32, rows=1, cols=1
func.func @view_of_a_view() {
  %c1 = arith.constant 1 : index
  %x = mem.buffer scratchpad at 1024 : memref<8x8xf32>
  %high = memref.reinterpret_cast %x to offset: [32], sizes: [4, 8], strides: [8, 1] : memref<8x8xf32> to memref<4x8xf32, strided<[8, 1], offset: 32>>
  %low = memref.reinterpret_cast %high to offset: [4], sizes: [1, 4], strides: [8, 1] : memref<4x8xf32, strided<[8, 1], offset: 32>> to memref<1x4xf32, strided<[8, 1], offset: 4>>
  tile.fill 0.0 to %low rows %c1 cols %c1 : memref<1x4xf32, strided<[8, 1], offset: 4>>
  return
}

// -----

// A row of the cache has 8 x 4 = 32 bytes, a tile 8 rows, and a block begins 16 rows, 512
// bytes, after the one before. The table's second entry is at 8 + 4. A pass takes the same
// blocks again. Keys are read from the oldest slot or from one after it, 256 bytes further
// each; values 4 elements further, and that gives the slot back. The two pieces of a row
// of 16 have 32 bytes and go 8 rows of the cache apart.

// CHECK: isa.func @cache
// CHECK-NEXT: isa.s.load rd=[[N:r[0-9]+]], address=4
// CHECK-NEXT: isa.ring.setup ring=1, slots=2, slot_bytes=256
// CHECK-NEXT: isa.s.mul rd=[[ROW:r[0-9]+]], a=[[N]], b=32
// CHECK-NEXT: isa.s.mul rd=[[TAIL:r[0-9]+]], a=[[N]], b=32
// CHECK-NEXT: isa.ring.table wait0=c1-1, ring=1, src=hbm{{\[}}[[ROW]]+4096], table=12, count=[[N]], bytes=256, tail_bytes=[[TAIL]], stride=512, bound=4, passes=[[N]]
// CHECK-NEXT: isa.mx.load signal=c2, transpose, src=ring1[0]:32:f32, k=4, n=8
// CHECK-NEXT: isa.mx.load signal=c2, transpose, src=ring1[256]:32:f32, k=4, n=8
// CHECK-NEXT: isa.s.mul rd=[[AHEAD:r[0-9]+]], a=[[N]], b=256
// CHECK-NEXT: isa.mx.load signal=c2, transpose, src=ring1{{\[}}[[AHEAD]]]:32:f32, k=4, n=8
// CHECK-NEXT: isa.mx.load signal=c2, src=pop1[16]:32:f32, k=8, n=4
// CHECK-NEXT: isa.s.mul rd=[[TO:r[0-9]+]], a=[[N]], b=32
// CHECK-NEXT: isa.dma.store signal=c1, src=spm[1024], dst=hbm{{\[}}[[TO]]+4096], bytes=32, n1=[[N]], n2=2, n3=1, ss1=64, ss2=32, ds1=32, ds2=256
// CHECK-NEXT: isa.halt

tile.dimension @seq max 8 {mem.address = 4 : i64}
tile.tensor @table input "table" "i32" ["4"] scalar : memref<1x4xi32> {mem.address = 8 : i64}
tile.tensor @kv cache : memref<64x8xf32> {mem.address = 4096 : i64}
func.func @cache() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %n = tile.extent @seq
  %new = mem.buffer scratchpad at 1024 : memref<8x16xf32>
  %kv = mem.ring 1 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  dma.order_blocks %kv[%n] by @table[%c1] bound 4 step 16 count %n tail %n passes %n {dma.waits = [#dma.wait<1 lag 1>]} : !tile.stream<memref<8x8xf32>>
  %keys = tile.peek %kv : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  %k = memref.reinterpret_cast %keys to offset: [0], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1]>>
  tile.load_weights %k k %c4 n %c8 transpose {dma.signal = 2 : i64} : memref<8x4xf32, strided<[8, 1]>>
  %next = tile.peek %kv ahead %c1 : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  %k1 = memref.reinterpret_cast %next to offset: [0], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1]>>
  tile.load_weights %k1 k %c4 n %c8 transpose {dma.signal = 2 : i64} : memref<8x4xf32, strided<[8, 1]>>
  %later = tile.peek %kv ahead %n : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  %kn = memref.reinterpret_cast %later to offset: [0], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1]>>
  tile.load_weights %kn k %c4 n %c8 transpose {dma.signal = 2 : i64} : memref<8x4xf32, strided<[8, 1]>>
  %values = tile.next %kv : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  %v = memref.reinterpret_cast %values to offset: [4], sizes: [8, 4], strides: [8, 1] : memref<8x8xf32> to memref<8x4xf32, strided<[8, 1], offset: 4>>
  tile.load_weights %v k %c8 n %c4 {dma.signal = 2 : i64} : memref<8x4xf32, strided<[8, 1], offset: 4>>
  dma.store %new to @kv[%n, %c0] rows %n pieces 2 step 8 {dma.signal = 1 : i64} : memref<8x16xf32>
  return
}

// -----

// A view at %i within a tile that is %i ahead: both offsets are added up, 256 bytes for
// the tile and 4 for each element.

// CHECK: isa.func @view_of_a_later_tile
// CHECK: isa.s.mul rd=[[AHEAD:r[0-9]+]], a=[[N:r[0-9]+]], b=256
// CHECK: isa.s.mul rd=[[ELEMENTS:r[0-9]+]], a=[[N]], b=4
// CHECK: isa.s.add rd=[[SUM:r[0-9]+]], a=[[AHEAD]], b=[[ELEMENTS]]
// CHECK: isa.mx.load {{.*}}src=ring1{{\[}}[[SUM]]]:32:f32
tile.dimension @seq max 8 {mem.address = 4 : i64}
tile.tensor @kv cache : memref<64x8xf32> {mem.address = 4096 : i64}
func.func @view_of_a_later_tile() {
  %c4 = arith.constant 4 : index
  %n = tile.extent @seq
  %kv = mem.ring 1 of @kv at 0 slots 2 : !tile.stream<memref<8x8xf32>>
  %later = tile.peek %kv ahead %n : !tile.stream<memref<8x8xf32>> -> memref<8x8xf32>
  %k = memref.reinterpret_cast %later to offset: [%n], sizes: [4, 4], strides: [8, 1] : memref<8x8xf32> to memref<4x4xf32, strided<[8, 1], offset: ?>>
  tile.load_weights %k k %c4 n %c4 {dma.signal = 2 : i64} : memref<4x4xf32, strided<[8, 1], offset: ?>>
  return
}

// -----

// What can be looked at is no instruction: it says where, as of which operator, and in a loop over layers from which
// layer on. At the end of a loop's body a mark is the place that each round comes to.

// CHECK-LABEL: isa.func @observed
// CHECK: isa.mark op=1
// CHECK-NEXT: isa.v.fill
// CHECK-NEXT: isa.observe {address = 64 : i64, dtype = "f32", names = ["h"], operator = 1 : i64, shape = ["8", "16"], space = "spm", stored = "bf16"}
// CHECK-NEXT: isa.loop
// CHECK: isa.observe {address = 64 : i64, dtype = "f32", extents = ["16", "8"], layer = 3 : i64, names = ["a", "b"], operator = 1 : i64, shape = ["16", "8"], space = "spm", stored = "bf16", strides = ["1", "16"]}
// CHECK-NEXT: isa.v.fill
// CHECK-NEXT: isa.observe {address = 64 : i64, dtype = "f32", layer = 3 : i64, names = ["c", "d"], operator = 1 : i64, shape = ["8", "16"], space = "spm", stored = "bf16"}
// CHECK-NEXT: isa.mark op=1, layer=r
// CHECK-NEXT: }
// CHECK-NEXT: isa.observe {address = 8192 : i64, dtype = "f32", names = ["out"], operator = 1 : i64, shape = ["8", "16"], space = "hbm", stored = "f32"}
// CHECK-NEXT: isa.halt

tile.tensor @y output "y" "f32" ["8", "16"] : memref<8x16xf32> {mem.address = 8192 : i64}
func.func @observed() attributes {tile.entry = "graph"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %x = mem.buffer scratchpad at 64 : memref<8x16xbf16>
  tile.fill 0.0 to %x rows %c8 cols %c16 : memref<8x16xbf16> loc("node")
  tile.observe %x : memref<8x16xbf16> is ["h"] "f32" ["8", "16"] loc("node")
  scf.for %i = %c0 to %c2 step %c1 {
    tile.fill 0.0 to %x rows %c8 cols %c16 : memref<8x16xbf16> loc("node")
    tile.observe %x : memref<8x16xbf16> is ["a", "b"] "f32" ["16", "8"] extents ["16", "8"] strides ["1", "16"] loc("node")
    tile.fill 0.0 to %x rows %c8 cols %c16 : memref<8x16xbf16> loc("node")
    tile.observe %x : memref<8x16xbf16> is ["c", "d"] "f32" ["8", "16"] loc("node")
  } {tile.first_layer = 2 : i64}
  tile.observe @y is ["out"] "f32" ["8", "16"] loc("node")
  return
}

// -----

// Layers are marked without names of operators too, once in each round.

// CHECK: isa.func @nameless
// CHECK-NEXT: isa.v.fill
// CHECK-NEXT: isa.loop index=[[I:r[0-9]+]], count=2 {
// CHECK-NEXT: isa.mark layer=[[I]]+3
// CHECK-NEXT: isa.v.fill
// CHECK-NEXT: isa.v.fill
// CHECK-NEXT: }
// CHECK-NEXT: isa.mark{{$}}
// CHECK-NEXT: isa.v.fill
func.func @nameless() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %x = mem.buffer scratchpad at 64 : memref<8x16xbf16>
  tile.fill 0.0 to %x rows %c8 cols %c16 : memref<8x16xbf16>
  scf.for %i = %c0 to %c2 step %c1 {
    tile.fill 0.0 to %x rows %c8 cols %c16 : memref<8x16xbf16>
    tile.fill 0.0 to %x rows %c8 cols %c16 : memref<8x16xbf16>
  } {tile.first_layer = 2 : i64}
  tile.fill 0.0 to %x rows %c8 cols %c16 : memref<8x16xbf16>
  return
}

// -----

// Numbers are written to scalar memory and read again. A constant needs a register.

// CHECK: isa.func @work
// CHECK-NEXT: isa.s.load rd=[[N:r[0-9]+]], address=4
// CHECK-NEXT: isa.s.mul rd=[[AT:r[0-9]+]], a=[[N]], b=4
// CHECK-NEXT: isa.s.store a=[[N]], address=[[AT]]+16
// CHECK-NEXT: isa.s.li rd=[[SEVEN:r[0-9]+]], imm=7
// CHECK-NEXT: isa.s.store a=[[SEVEN]], address=20
// CHECK-NEXT: isa.s.load rd=[[READ:r[0-9]+]], address=20

tile.dimension @seq max 8 {mem.address = 4 : i64}
tile.tensor @table temporary scalar : memref<1x16xi32> {mem.address = 16 : i64}
func.func @work() {
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %n = tile.extent @seq
  tile.write %n to @table[%n]
  tile.write %c7 to @table[%c1]
  %again = tile.read @table[%c1]
  %x = mem.buffer scratchpad at 1024 : memref<8x8xf32>
  tile.fill 0.0 to %x rows %again cols %c7 : memref<8x8xf32>
  return
}
