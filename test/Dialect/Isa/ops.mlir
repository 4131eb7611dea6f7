// RUN: serrano-opt %s | FileCheck %s
// RUN: serrano-opt %s | serrano-opt | FileCheck %s
// RUN: serrano-opt --mlir-print-op-generic %s | serrano-opt | FileCheck %s

// CHECK: isa.zeroes "x" at 4096 bytes 256
isa.zeroes "x" at 4096 bytes 256

// CHECK:      isa.entry @step
// CHECK-SAME: dims [{max = 4 : i64, name = "n", smem = 0 : i64}]
// CHECK-SAME: limits [{max = 4 : i64, of = "tokens", size = "n"}]
// CHECK-SAME: cache {block = 8 : i64, blocks = 3 : i64, context = 16 : i64}
isa.entry @step dims [{name = "n", max = 4, smem = 0}]
  inputs [{name = "a", dtype = "f32", stored = "bf16", shape = ["n", "2*n"],
           space = "hbm", address = 4096}]
  outputs []
  limits [{of = "tokens", size = "n", max = 4}]
  cache {block = 8, blocks = 3, context = 16}

// CHECK-LABEL: isa.func @step {
isa.func @step {
  // CHECK-NEXT: isa.s.li rd=r3, imm=-5
  isa.s.li rd = r3, imm = -5
  // CHECK-NEXT: isa.loop index=r5, count=r6-1 {
  isa.loop index=r5, count=r6-1 {
    // Fields in any order are printed in the order of the instruction; those of
    // default value are left out.
    // CHECK-NEXT: isa.mx.mul wait0=c2-1, signal=c1, row_limit, group=4, dst=acc[r5+128]:512:f32, src=pop2[8]:1152:bf16:bcast, m=16
    isa.mx.mul m=16, row_limit, group=4, wait0=c2-1, signal=c1, limit=0,
      dst=acc[r5 + 128] : 512 : f32, src=pop2[8]:1152:bf16:bcast
    // CHECK-NEXT: isa.skip condition=ge, a=r6, b=r1 attributes {note = "kept"} {
    isa.skip condition=ge, a=r6, b=r1 attributes {note = "kept"} {
      // CHECK-NEXT: isa.call callee=@norm
      isa.call callee=@norm
    }
  }
  // CHECK: isa.v.softmax dst=spm[0]:4:f32, scale=1.0e-30
  isa.v.softmax dst=spm[0]:4:f32, scale=1.0e-30
  // CHECK-NEXT: isa.v.fill imm=-inf
  isa.v.fill imm=-inf
  // CHECK-NEXT: isa.v.fill imm=nan(0x7fc00001)
  isa.v.fill imm=nan(0x7fc00001)
  // CHECK-NEXT: isa.v.fill imm=-0.0
  isa.v.fill imm=-0.0
  // CHECK-NEXT: isa.halt
  // CHECK-NEXT: }
  isa.halt
}

// CHECK-LABEL: isa.func @norm {
isa.func @norm {
  // CHECK-NEXT: isa.dma.load wait0=c300, src=hbm[r3+4096], dst=smem[64], bytes=r2
  isa.dma.load wait0=c300, src=hbm[r3+4096], dst=smem[64], bytes=r2
  isa.ret
}
