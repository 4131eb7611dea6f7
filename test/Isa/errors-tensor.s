; What the assembler says of tensors of the source model that are not said right.

; RUN: not serrano-as %s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %s
; RUN: not serrano-as %s -D good=1 --target serrano-tiny -o %t.srn 2>&1 | FileCheck %s --check-prefix=PROGRAM

.equ good, 0
.op 1, "op"
.entry f
.dim n, max=3, smem=0
.if good == 0 {
; CHECK: :[[@LINE+1]]:3: error: the directive belongs into a function, before the instruction at which the tensor is complete
  .tensor x, f32, [n], spm=0
}
func f {
.if good == 0 {
; CHECK: :[[@LINE+1]]:3: error: 'x' needs an address: spm= or hbm=
  .tensor x, f32, [n]
; CHECK: :[[@LINE+1]]:24: error: unknown option 'smem': expected spm, hbm, stored, op, layer, extents or strides
  .tensor x, f32, [n], smem=0
; CHECK: :[[@LINE+1]]:14: error: 'f33' is not an element type of NumPy: expected one of f32,
  .tensor x, f33, [n], spm=0
; CHECK: :[[@LINE+1]]:3: error: the chip has no type 'f64'; say with stored= how 'x' is kept: f32,
  .tensor x, f64, [n], spm=0
; CHECK: :[[@LINE+1]]:3: error: 'x' has 2 extents and 1 strides; expected a stride for each extent
  .tensor x, f32, [n], spm=0, extents=[n, 2], strides=[2]
; CHECK: :[[@LINE+1]]:3: error: 'x' has 2 names, which are those of layers; say with layer= which is the first
  .tensor [x, y], f32, [n], spm=0
}
.if good {
; PROGRAM: :[[@LINE+3]]:3: error: tensor 'x' is of operator 7, which the program does not list
  .tensor x, f32, [n], spm=0, op=7
}
  halt
}
