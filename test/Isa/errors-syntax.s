; What the assembler says of sources it does not understand.

; RUN: rm -f %t.srn
; RUN: not serrano-as %s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %s
; RUN: not ls %t.srn

func f {
; CHECK:      errors-syntax.s:[[@LINE+3]]:3: error: unknown instruction 'mx.mull'; did you mean 'mx.mul'?
; CHECK-NEXT: {{^}}  mx.mull m=3{{$}}
; CHECK-NEXT: {{^}}  ^{{$}}
  mx.mull m=3
; CHECK: :[[@LINE+1]]:10: error: mx.mul has no field 'dts'; did you mean 'dst'?
  mx.mul dts=acc[0]:4:f32
; CHECK: :[[@LINE+1]]:15: error: field 'm' is given twice
  mx.mul m=3, m=4
; CHECK: :[[@LINE+1]]:10: error: expected the name of a field, found '3'
  mx.mul 3
; CHECK: :[[@LINE+1]]:11: error: expected '=', found the end of the line
  mx.mul m
; CHECK: :[[@LINE+1]]:16: error: expected the end of the line, found 'halt'
  s.li rd=r1   halt
; CHECK: :[[@LINE+1]]:15: error: expected '{', found the end of the line
  loop count=3
; CHECK: :[[@LINE+1]]:3: error: unknown directive '.equu'; did you mean '.equ'?
  .equu a, 3
; CHECK: :[[@LINE+1]]:3: error: call needs the function: callee=NAME
  call
; The block of a loop that is wrong is still read.
; CHECK: :[[@LINE+1]]:8: error: loop has no field 'counts'; did you mean 'count'?
  loop counts=3 {
; CHECK: :[[@LINE+1]]:5: error: unknown instruction 'haltt'; did you mean 'halt'?
    haltt
  }
  halt
}
; CHECK: :[[@LINE+1]]:1: error: an instruction outside a function; put it into func NAME { ... }
halt
; CHECK: :[[@LINE+1]]:1: error: '}' without a '{'
}
; CHECK: :[[@LINE+1]]:6: error: function 'f' is already defined
func f { halt }
; CHECK: :[[@LINE+1]]:6: error: function 'empty' is empty; end it with ret or halt
func empty { }
; CHECK: :[[@LINE+1]]:15: error: a function inside a function; close the one before it
func g { func h { halt } }
; CHECK: :[[@LINE+1]]:8: error: the block that starts here is not closed: '}' is missing
func k {
; CHECK: serrano-as: error: {{.*}}errors-syntax.s: not assembled
