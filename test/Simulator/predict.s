; A prediction needs lengths and nothing else, agrees with the run, and refuses what it cannot know.

; RUN: rm -rf %t && mkdir %t && cd %t
; RUN: serrano-as %s --target serrano-tiny -o p.srn
; RUN: %python -c "import numpy; numpy.savez('in.npz', x=numpy.arange(12, dtype='f4').reshape(3, 4))"
; RUN: serrano-sim p.srn --entry main --inputs in.npz --stats ran.json --trace ran-trace.json --report ran.html --summary > ran.txt
; RUN: serrano-sim p.srn --entry main --predict --lengths T=3 --stats s.json --trace t.json --report r.html --summary > predicted.txt
; RUN: cmp ran.json s.json && cmp ran-trace.json t.json && cmp ran.html r.html && cmp ran.txt predicted.txt
; RUN: FileCheck %s < predicted.txt
; CHECK: main: {{[0-9]+}} cycles, {{[0-9.]+}} us, 128 bytes over hbm, 0 multiply-accumulates

; Other lengths cost something else.
; RUN: serrano-sim p.srn --entry main --predict --lengths T=8 --stats long.json > /dev/null
; RUN: not cmp ran.json long.json

; RUN: not serrano-sim p.srn --entry main --predict 2>&1 | FileCheck %s --check-prefix=MISSING
; MISSING: serrano-sim: error: the size of dimension 'T' of entry 'main' is missing; its dimensions are T
; RUN: not serrano-sim p.srn --entry main --predict --lengths T=9 2>&1 | FileCheck %s --check-prefix=LONG
; LONG: serrano-sim: error: 'T' is 9, but the program takes at most 8
; RUN: not serrano-sim p.srn --entry main --predict --lengths tokens 2>&1 | FileCheck %s --check-prefix=SYNTAX
; SYNTAX: serrano-sim: error: --lengths: 'tokens' is neither NEW@CONTEXT, for example 1@128, nor NAME=SIZE, for example batch=32
; RUN: not serrano-sim p.srn --entry main --lengths T=3 --inputs in.npz 2>&1 | FileCheck %s --check-prefix=ALONE
; ALONE: serrano-sim: error: --lengths are of a prediction; add --predict, or give arrays with --inputs
; RUN: not serrano-sim p.srn --entry main --predict --lengths T=3 --inputs in.npz 2>&1 | FileCheck %s --check-prefix=INPUTS
; INPUTS: serrano-sim: error: --predict computes nothing; leave out --inputs
; RUN: not serrano-sim p.srn --entry main --predict --lengths T=3 --outputs out.npz 2>&1 | FileCheck %s --check-prefix=OUTPUTS
; OUTPUTS: serrano-sim: error: --predict computes nothing; leave out --outputs
; RUN: not serrano-sim p.srn --entry main --predict --lengths T=3 --check=races 2>&1 | FileCheck %s --check-prefix=CHECKS
; CHECKS: serrano-sim: error: --predict computes nothing; leave out --check
; RUN: not serrano-sim p.srn --entry main --predict --lengths T=3 --schedule=adversarial 2>&1 | FileCheck %s --check-prefix=ORDER
; ORDER: serrano-sim: error: --predict computes nothing; leave out --schedule=adversarial
; RUN: not serrano-sim p.srn --entry main --predict --lengths T=3 --threads=2 2>&1 | FileCheck %s --check-prefix=THREADS
; THREADS: serrano-sim: error: --predict computes nothing; leave out --threads

; RUN: not serrano-sim p.srn --entry main --predict --lengths T=3 --break double 2>&1 | FileCheck %s --check-prefix=BREAK
; BREAK: serrano-sim: error: --predict computes nothing; leave out --break
; RUN: not serrano-sim p.srn --entry main --predict --lengths T=3 --break-limit 1 2>&1 | FileCheck %s --check-prefix=LIMIT
; LIMIT: serrano-sim: error: --predict computes nothing; leave out --break-limit
; RUN: not serrano-sim p.srn --entry main --predict --lengths T=3 --interactive 2>&1 | FileCheck %s --check-prefix=ASK
; ASK: serrano-sim: error: --predict computes nothing; leave out --interactive
; RUN: not serrano-sim p.srn --entry main --predict --lengths T=3 --watch spm:0+4 2>&1 | FileCheck %s --check-prefix=WATCH
; WATCH: serrano-sim: error: --predict computes nothing; leave out --watch
; RUN: not serrano-sim p.srn --entry main --predict --lengths T=3 --dump-at double=no.npz 2>&1 | FileCheck %s --check-prefix=DUMP
; DUMP: serrano-sim: error: --predict computes nothing; leave out --dump-at

; What is refused leaves no file behind.
; RUN: not serrano-sim p.srn --entry other --predict --stats no.json --trace no-trace.json --report no.html 2>&1 | FileCheck %s --check-prefix=DATA
; DATA: serrano-sim: error: p.srn: fault at `loop index=r2, count=r1` at {{.*}}: r1 comes from scalar memory that lengths alone do not determine, and is more than an address in hbm: the time depends on data; run it with inputs instead of predicting
; RUN: not ls no.json no-trace.json no.html no.npz

.hbm x, 8 * 16
.op 1, "double"
.entry main
.dim T, max=8, smem=64
.input x, f32, [T, 4], hbm=x
.entry other
func main {
  mark op=1
  s.load rd=r1, address=64
  dma.load signal=c0, dst=spm[0], src=hbm[x], bytes=16, n1=r1, n2=1, n3=1, ss1=16, ds1=16
  loop index=r2, count=r1 {
    s.mul rd=r3, a=r2, b=16
    v.scalar wait0=c0, signal=c1, fn=mul, dst=spm[r3 + 256]:16:f32, a=spm[r3]:16:f32, imm=2.0, rows=1, cols=4
  }
  dma.store wait0=c1, src=spm[256], dst=hbm[x], bytes=16, n1=r1, n2=1, n3=1, ss1=16, ds1=16
  halt
}
func other {
  s.load rd=r1, address=128
  loop index=r2, count=r1 {
    v.fill dst=spm[0]:16:f32, imm=0.0, rows=1, cols=4
  }
  halt
}
