; What the assembler says of directives that are wrong.

; RUN: not serrano-as %s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %s
; RUN: not serrano-as %s -DNAME --target serrano-tiny -o %t.srn 2>&1 | FileCheck %s --check-prefix NO-VALUE
; RUN: not serrano-as %s --target serrano-9 -o %t.srn 2>&1 | FileCheck %s --check-prefix TARGET

; NO-VALUE: serrano-as: error: -DNAME: expected -DNAME=VALUE with a whole number
; TARGET: serrano-as: error: {{.*}}serrano-9

; CHECK: :[[@LINE+1]]:1: error: the directive belongs to an entry; put .entry NAME before it
.dim n, max=3, smem=0
.equ a, 3
; CHECK: :[[@LINE+1]]:6: error: 'a' is already defined; choose another name
.equ a, 4
; CHECK: :[[@LINE+1]]:6: error: 'r3' cannot be defined: it is a part of the language; choose another name
.equ r3, 4
; CHECK: :[[@LINE+1]]:18: error: the alignment 3 is not a power of two
.hbm x, 4, align=3
.hbm y, 128
; CHECK: :[[@LINE+1]]:6: error: 'z' overlaps 'y', which is at 0 .. 127
.hbm z, 128, at=64
; CHECK: :[[@LINE+1]]:9: error: the size is 0, outside 1 .. 4398046511103
.hbm w, 0
.entry f
; CHECK: :[[@LINE+1]]:8: error: 'f' is already an entry
.entry f
; CHECK: :[[@LINE+1]]:6: error: dimension 'n' needs max= and smem=
.dim n, max=3
; CHECK: :[[@LINE+1]]:21: error: smem is 2, not a multiple of 4
.dim n, max=3, smem=2
; CHECK: :[[@LINE+1]]:11: error: 'f33' is not an element type of NumPy: expected one of f32, f16, f64
.input i, f33, [3], hbm=y
; CHECK: :[[@LINE+1]]:8: error: the chip has no type 'i64'; say with stored= how 'i' is kept: f32, bf16
.input i, i64, [3], hbm=y
; CHECK: :[[@LINE+1]]:8: error: 'i' needs an address: hbm= or smem=
.input i, i32, [3]
; CHECK: :[[@LINE+1]]:17: error: 'm' is not defined
.input i, i32, [m], hbm=y
.op 1, "one"
; CHECK: :[[@LINE+1]]:8: error: operator 1 is already named 'one'
.op 1, "two"
; CHECK: :[[@LINE+1]]:8: error: expected the operator's name in double quotes, found 'three'
.op 3, three
func f {
; CHECK: :[[@LINE+1]]:3: error: the directive belongs outside of functions
  .entry f
; The same error is not repeated for every i.
; CHECK: :[[@LINE+2]]:19: error: 'j' is not defined
  .for i = 0, 3 {
  s.li rd=r1, imm=j
  }
; CHECK-NOT: error: 'j'
; CHECK: :[[@LINE+1]]:8: error: the .for blocks of the source repeat more than 16777216 times; use loop
  .for i = 0, 1 << 40 { }
  halt
}
