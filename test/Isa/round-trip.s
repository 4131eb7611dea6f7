; The disassembly of a program assembles to the same file, byte for byte, and
; one source assembles for every target.

; RUN: serrano-as %s --target serrano-tiny -o %t.srn
; RUN: serrano-objdump %t.srn > %t.s
; RUN: serrano-as %t.s --target serrano-tiny -o %t.again.srn
; RUN: cmp %t.srn %t.again.srn
; RUN: FileCheck %s --input-file %t.s
; RUN: serrano-as %s --target serrano-1 -o %t.large.srn
; RUN: serrano-objdump %t.large.srn | FileCheck %s --check-prefix LARGE

.equ depth, 2                    ; layers
.equ tile, $rows * $columns * 2  // bytes of a bf16 weight tile
.reg tokens, r6
.reg layer, r5

.hbm x, 4096
.hbm weights, 65536, align=4096
.hbm "kv cache", 128

; CHECK:      .hbm x, 4096, at=0
; CHECK-NEXT: .hbm weights, 65536, at=4096
; CHECK-NEXT: .hbm "kv cache", 128, at=69632

.op 1, "model.layers/mlp \"gate\""
.op 2, "norm"
; CHECK-NEXT: .op 1, "model.layers/mlp \"gate\""
; CHECK-NEXT: .op 2, "norm"

.entry step
.dim seq, max=512, smem=8
.input x, f32, [seq, $rows], hbm=x, stored=bf16
.output "logits/0", f16, [2*3*seq + 1, 4*2 + 1], hbm=x + 64
.input ids, i64, [], smem=16, stored=i32, below=seq*4
.cache block=$rows, blocks=2*3, context=40
.limit tokens, seq*2, max=512
.limit sequences, 3, max=4
; CHECK-NEXT: .entry step
; CHECK-NEXT: .dim seq, max=512, smem=8
; CHECK-NEXT: .input x, f32, [seq, 8], hbm=0, stored=bf16
; CHECK-NEXT: .input ids, i64, [], smem=16, stored=i32, below=seq*4
; CHECK-NEXT: .output "logits/0", f16, [6*seq + 1, 9], hbm=64
; CHECK-NEXT: .limit tokens, seq*2, max=512
; CHECK-NEXT: .limit sequences, 3, max=4
; CHECK-NEXT: .cache block=8, blocks=6, context=40

func step {
; CHECK:      func step { ; {{[0-9]+}} words
; CHECK-NEXT: s.load rd=r6, address=8 ; 0x0
  s.load rd=tokens, address=8
; CHECK-NEXT: ring.setup ring=3, slots=4, base=1024, slot_bytes=128
; LARGE:      ring.setup ring=3, slots=4, base=1024, slot_bytes=32768
  ring.setup ring=3, slots=4, base=1024, slot_bytes=tile
; CHECK-NEXT: ring.fill signal=c7, ring=3, src=hbm[4096], count=2, bytes=128, stride=128, passes=1
  ring.fill ring=3, src=hbm[weights], count=depth, bytes=tile, stride=tile,
            passes=1, signal=c7
; CHECK-NEXT: loop index=r5, count=2 {
  loop index=layer, count=depth {
; CHECK-NEXT: mark op=1, layer=r5 ; {{0x[0-9a-f]+}} model.layers/mlp "gate"
    mark op=1, layer=layer
; CHECK-NEXT: mx.load signal=c1, src=pop3[0]:16:bf16, k=8, n=8
    mx.load signal=c1, src=pop3[0]:$columns * 2:bf16, k=$rows, n=$columns
; CHECK-NEXT: mx.mul wait0=c2-1, signal=c1, row_limit, group=4, dst=acc[r5+128]:512:f32, src=spm[64]:1152:bf16, m=r6, limit=r6-4
    mx.mul wait0=c2-1, signal=c1, row_limit, group=4, dst=acc[layer+128]:512:f32,
           src=spm[64]:1152:bf16, m=tokens, limit=tokens - 4
; CHECK-NEXT: skip condition=ge, a=r6, b=r1 {
    skip condition=ge, a=tokens, b=r1 {
      call callee=norm
    }
; CHECK-NEXT: call callee=norm
; CHECK-NEXT: }
; CHECK-NEXT: }
  }
; CHECK-NEXT: sync waiter=sequencer, wait0=c2, wait1=c7
  sync waiter=sequencer, wait0=c2, wait1=c7
  halt
; CHECK-NEXT: halt
; CHECK-NEXT: }
}

func norm {
  mark op=2
; CHECK:      v.scalar wait0=c1, signal=c2, fn=mul, dst=acc[0]:4:f32, a=spm[r5+8]:16:f32:bcast, imm=0.125, rows=r6, cols=3
  v.scalar wait0=c1, signal=c2, fn=mul, dst=acc[0]:4:f32,
           a=spm[layer+8]:16:f32:bcast, imm=1.25e-1, rows=tokens, cols=7 % 4
.if $rows > 8 {
  v.fill dst=spm[0]:64:f8e4m3, imm=-inf, rows=1, cols=1
} .else {
  v.fill dst=spm[0]:64:u8, imm=nan(0x7fc00001), rows=1, cols=1
}
; CHECK-NEXT: v.fill dst=spm[0]:64:u8, imm=nan(0x7fc00001), rows=1, cols=1
; LARGE:      v.fill dst=spm[0]:64:f8e4m3, imm=-inf, rows=1, cols=1
.for i = 1, 3 {
  s.li rd=r(10 + i), imm=1 << 20 + i
}
; CHECK-NEXT: s.li rd=r11, imm=2097152
; CHECK-NEXT: s.li rd=r12, imm=4194304
; CHECK-NEXT: ret
; CHECK-NEXT: }
  ret
}
