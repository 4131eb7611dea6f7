; Programs whose form is wrong, one fault each, reported at its line.

; RUN: rm -f %t.srn
; RUN: split-file %s %t
; RUN: not serrano-as %t/falls-off.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/falls-off.s
; RUN: not serrano-as %t/entry-returns.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/entry-returns.s
; RUN: not serrano-as %t/ret-in-loop.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/ret-in-loop.s
; RUN: not serrano-as %t/no-function.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/no-function.s
; RUN: not serrano-as %t/recursion.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/recursion.s
; RUN: not serrano-as %t/loop-depth.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/loop-depth.s
; RUN: not serrano-as %t/loop-depth-calls.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/loop-depth-calls.s
; RUN: not serrano-as %t/call-depth.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/call-depth.s
; RUN: not serrano-as %t/two-queues.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/two-queues.s
; RUN: not serrano-as %t/two-rings.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/two-rings.s
; RUN: not serrano-as %t/no-signal.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/no-signal.s
; RUN: not serrano-as %t/no-setup.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/no-setup.s
; RUN: not serrano-as %t/no-operator.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/no-operator.s
; RUN: not serrano-as %t/outside-hbm.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/outside-hbm.s
; RUN: not serrano-as %t/entry-missing.s --target serrano-tiny -o %t.srn 2>&1 | FileCheck %t/entry-missing.s
; RUN: not ls %t.srn
; RUN: serrano-as %t/sound.s --target serrano-tiny -o %t.srn

;--- falls-off.s
func f {
  skip a=r1 {
; CHECK: :[[@LINE+1]]:5: error: function 'f' runs off its end; add ret, or halt to an entry
    halt
  }
}
;--- entry-returns.s
.entry f
func f {
; CHECK: :[[@LINE+1]]:3: error: returns from an entry; end it with halt
  ret
}
;--- ret-in-loop.s
func f {
  loop count=3 {
; CHECK: :[[@LINE+1]]:5: error: returns from inside a loop; leave the loop first
    ret
  }
  ret
}
;--- no-function.s
func f {
; CHECK: :[[@LINE+1]]:15: error: no function 'norn'; did you mean 'norm'?
  call callee=norn
  halt
}
func norm { ret }
;--- recursion.s
func f {
  call callee=g
  ret
}
func g {
; CHECK: :[[@LINE+1]]:3: error: calls 'f', which is active here: recursion is not possible
  call callee=f
  ret
}
;--- loop-depth.s
func f {
; CHECK: :[[@LINE+1]]:123: error: loops nest more than 8 deep
  loop count=1 { loop count=1 { loop count=1 { loop count=1 { loop count=1 { loop count=1 { loop count=1 { loop count=1 { loop count=1 {
    mark
  } } } } } } } } }
  halt
}
;--- loop-depth-calls.s
func f {
  loop count=1 { loop count=1 { loop count=1 { loop count=1 { loop count=1 {
; CHECK: :[[@LINE+1]]:5: error: calls 'g', so that loops nest 9 deep; 8 are possible
    call callee=g
  } } } } }
  halt
}
func g {
  loop count=1 { loop count=1 { loop count=1 { loop count=1 {
    mark
  } } } }
  ret
}
;--- call-depth.s
func a { call callee=b
  halt }
func b { call callee=c
  ret }
func c { call callee=d
  ret }
func d { call callee=e
  ret }
func e { call callee=f
  ret }
func f { call callee=g
  ret }
func g { call callee=h
  ret }
func h { call callee=i
  ret }
; CHECK: :[[@LINE+1]]:10: error: calls nest more than 8 deep
func i { call callee=j
  ret }
func j { ret }
;--- two-queues.s
func f {
  mx.mul signal=c1
; CHECK: :[[@LINE+1]]:3: error: the queue vector signals c1, which the queue matrix signals at 0x0; take a counter for each queue
  v.fill signal=c1
  halt
}
;--- two-rings.s
func f {
  ring.setup ring=1, slots=2
  ring.setup ring=2, slots=2
  ring.fill signal=c1, ring=1
; CHECK: :[[@LINE+1]]:3: error: the queue ring 2 signals c1, which the queue ring 1 signals at 0x20; take a counter for each queue
  ring.fill signal=c1, ring=2
  halt
}
;--- no-signal.s
func f {
; CHECK: :[[@LINE+1]]:3: error: waits for c1, which nothing signals; give the instruction to wait for signal=c1
  mx.mul wait0=c1
  halt
}
;--- no-setup.s
.entry f
func f {
  call callee=g
  ring.setup ring=3, slots=2
  halt
}
func g {
; CHECK: :[[@LINE+1]]:3: error: uses ring 3 before any ring.setup of it
  mx.load src=pop3[0]:4:f32
  ret
}
;--- no-operator.s
func f {
; CHECK: :[[@LINE+1]]:3: error: names operator 2, which the program does not list; add .op 2, "name"
  mark op=2
  halt
}
;--- outside-hbm.s
.hbm x, 64
; CHECK: :[[@LINE+1]]:8: error: 'i' of entry 'f' is at 64, outside the 64 bytes of hbm that the program reserves
.entry f
.input i, f32, [1], hbm=64
func f { halt }
;--- entry-missing.s
; CHECK: :[[@LINE+1]]:8: error: entry 'f' has no function 'f'
.entry f
func g { halt }
;--- sound.s
; Nearly every fault above, but not quite.
.entry f
.op 2, "two"
func f {
  skip a=r1 {
    mx.load src=pop3[0]:4:f32 ; if it runs, something else set the ring up
  }
  loop count=1 { loop count=1 { loop count=1 { loop count=1 {
    call callee=g
  } } } }
  mx.load src=pop3[0]:4:f32, wait0=c1, wait1=c300
  halt
}
func g {
  ring.setup ring=3, slots=2
  loop count=1 { loop count=1 { loop count=1 { loop count=1 {
    mark op=2
  } } } }
  ring.fill ring=3, signal=c1
  skip a=r1 { ret }
  ring.fill ring=3, signal=c1
  ret
}
