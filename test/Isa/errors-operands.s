; What the assembler says of operands that cannot be.

; RUN: not serrano-as %s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %s

.equ big, 1 << 40
.reg t, r5

func f {
; CHECK: :[[@LINE+1]]:11: error: 'r64' does not exist: they are numbered r0 .. r63
  s.li rd=r64
; CHECK: :[[@LINE+1]]:11: error: expected a register: r0 .. r63, or a name that .reg gave one
  s.li rd=3
; CHECK: :[[@LINE+1]]:19: error: s.li: field 'imm' has value 562949953421312, outside -562949953421312 .. 562949953421311
  s.li rd=r1, imm=1 << 49
; CHECK: :[[@LINE+1]]:12: error: mx.mul: field 'm' has immediate 33554432, outside -33554432 .. 33554431; load it into a register with s.li
  mx.mul m=1 << 25
; CHECK: :[[@LINE+1]]:13: error: offset 1099511627776 does not fit; load it into a register with s.li
  mx.mul m=t+big
; CHECK: :[[@LINE+1]]:14: error: expected a tile: spm[register + offset]:stride:dtype, or with acc, ring2 or pop2 for spm
  mx.mul dst=hbm[0]:4:f32
; CHECK: :[[@LINE+1]]:23: error: expected one of f32, bf16, f16, f8e4m3, f8e5m2, i32, i8, u8
  mx.mul dst=acc[0]:4:f64
; CHECK: :[[@LINE+1]]:14: error: 'ring16' does not exist: they are numbered ring0 .. ring15
  mx.mul src=ring16[0]:4:f32
; CHECK: :[[@LINE+1]]:27: error: expected 'bcast' or the end of the operand
  mx.mul src=spm[0]:4:f32:broadcast
; CHECK: :[[@LINE+1]]:18: error: offset -4 does not fit: it cannot be negative
  mx.mul src=spm[-4]:4:f32
; CHECK: :[[@LINE+1]]:23: error: expected a number, found ']'
  dma.load src=hbm[r1+]
; CHECK: :[[@LINE+1]]:16: error: expected a wait: c3, or c3-1 for all but the last increment
  mx.mul wait0=3
; CHECK: :[[@LINE+1]]:19: error: lag is 64, outside 0 .. 63
  mx.mul wait0=c1-64
; CHECK: :[[@LINE+1]]:17: error: 'c64' does not exist: they are numbered c0 .. c63
  mx.mul signal=c64
; CHECK: :[[@LINE+1]]:16: error: 'one' is not defined; define it before with .equ or -D
  mx.mul group=one
; CHECK: :[[@LINE+1]]:19: error: 'bigg' is not defined; did you mean 'big'?
  s.li rd=r1, imm=bigg
; CHECK: :[[@LINE+1]]:19: error: the target has no number 'row'; did you mean 'rows'?
  s.li rd=r1, imm=$row
; CHECK: :[[@LINE+1]]:21: error: division by zero
  s.li rd=r1, imm=1 / 0
; CHECK: :[[@LINE+1]]:23: error: expected a number, found 'one'
  s.li rd=r1, imm=1 + "one"
; CHECK: :[[@LINE+1]]:19: error: 't' is a register; a number is needed here
  s.li rd=r1, imm=t
; CHECK: too many errors, the rest is not shown
; CHECK-NOT: error: 'never'
  s.li rd=r1, imm=never
  halt
}
