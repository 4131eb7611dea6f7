; `--threads` and SERRANO_THREADS: any number gives the same outputs, statistics
; and faults.

; RUN: rm -rf %t && split-file %s %t && cd %t
; RUN: serrano-as product.s --target serrano-tiny -o product.srn
; RUN: %python inputs.py
; RUN: serrano-sim product.srn --inputs in.npz --outputs 1.npz --stats 1.json --threads=1 | FileCheck %s
; CHECK: main: {{[0-9]+}} cycles
; RUN: serrano-sim product.srn --inputs in.npz --outputs 2.npz --stats 2.json --threads=2
; RUN: cmp 1.npz 2.npz && cmp 1.json 2.json
; RUN: serrano-sim product.srn --inputs in.npz --outputs 8.npz --stats 8.json --threads=8 --check=races,init
; RUN: cmp 1.npz 8.npz && cmp 1.json 8.json
; RUN: env SERRANO_THREADS=3 serrano-sim product.srn --inputs in.npz --outputs 3.npz --stats 3.json --trace 3.trace
; RUN: cmp 1.npz 3.npz && cmp 1.json 3.json
; RUN: serrano-sim product.srn --inputs in.npz --outputs one.npz --threads=1 --trace 1.trace
; RUN: cmp 1.trace 3.trace

; The first fault in program order, though the second is found without waiting
; for anything.
; RUN: serrano-as faults.s --target serrano-tiny -o faults.srn
; RUN: not serrano-sim faults.srn --threads=1 2> 1.txt
; RUN: not serrano-sim faults.srn --threads=8 2> 8.txt
; RUN: cmp 1.txt 8.txt
; RUN: FileCheck %s --check-prefix=FAULT < 8.txt
; FAULT: fault at `v.gather {{.*}}: index 9 is outside 0 to 3

; RUN: not serrano-sim product.srn --threads=0 2>&1 | FileCheck %s --check-prefix=NONE
; NONE: serrano-sim: error: --threads is 0; expected a number of threads, 1 to 64
; RUN: not serrano-sim product.srn --inputs in.npz --threads=65 2>&1 | FileCheck %s --check-prefix=MANY
; MANY: serrano-sim: error: 65 threads were asked for; expected 1 to 64
; RUN: not serrano-sim product.srn --threads=two 2>&1 | FileCheck %s --check-prefix=TEXT
; TEXT: for the --threads option: 'two' value invalid
; RUN: env SERRANO_THREADS=many not serrano-sim product.srn --inputs in.npz 2>&1 | FileCheck %s --check-prefix=VARIABLE
; VARIABLE: serrano-sim: error: the environment's SERRANO_THREADS is 'many'; expected a number of threads, 1 to 64
; What is asked for counts.
; RUN: env SERRANO_THREADS=many serrano-sim product.srn --inputs in.npz --threads=2

;--- inputs.py
import numpy as np

np.savez("in.npz", x=np.random.default_rng(0).standard_normal((8, 8), np.float32))
;--- product.s
.hbm x, 256
.hbm y, 256
.op 1, "product"
.entry main
.input x, f32, [8, 8], hbm=x
.output y, f32, [8, 8], hbm=y
func main {
  mark op=1
  dma.load signal=c0, dst=spm[0], src=hbm[x], bytes=256, n1=1, n2=1, n3=1
  v.fill signal=c1, dst=acc[0]:32:f32, imm=0.0, rows=8, cols=8
  loop count=100 {
    v.unary wait0=c0, signal=c1, fn=copy, dst=spm[1024]:16:bf16, a=spm[0]:32:f32, rows=8, cols=8
    mx.load wait0=c1, src=spm[1024]:16:bf16, k=8, n=8
    mx.mul signal=c2, accumulate, dst=acc[0]:32:f32, src=spm[1024]:16:bf16, m=8
    v.scalar wait0=c2, signal=c1, fn=mul, dst=spm[0]:32:f32, a=acc[0]:32:f32, imm=0.125, rows=8, cols=8
    sync waiter=sequencer, wait0=c1
  }
  dma.store wait0=c1, src=spm[0], dst=hbm[y], bytes=256, n1=1, n2=1, n3=1
  halt
}
;--- faults.s
.entry main
func main {
  loop count=200 {
    v.fill dst=spm[1024]:1024:f32, imm=1.0, rows=8, cols=256
  }
  v.fill dst=spm[128]:4:i32, imm=9.0, rows=1, cols=1
  v.gather dst=spm[256]:4:f32, a=spm[64]:4:f32, index=spm[128]:4:i32, bound=4, rows=1, cols=1
  v.fill dst=spm[32736]:64:f32, imm=1.0, rows=1, cols=16
  halt
}
