; A trace is JSON that Perfetto opens: the slices of a track do not overlap, and
; they add up to the engine's busy cycles; arrows lead to the slices that waited,
; and counters add up to the run's bytes and joules. The same run gives the same
; bytes.

; RUN: rm -rf %t && mkdir %t
; RUN: serrano-as %s --target serrano-tiny -o %t/p.srn
; RUN: serrano-sim %t/p.srn --stats %t/s.json --trace %t/t.json
; RUN: %python %S/Inputs/check_trace.py %t/s.json %t/t.json | FileCheck %s
; RUN: serrano-sim %t/p.srn --stats %t/s2.json --trace %t/t2.json
; RUN: cmp %t/s.json %t/s2.json
; RUN: cmp %t/t.json %t/t2.json

; CHECK-DAG: dma in: 2 slices
; CHECK-DAG: dma out: 12 slices
; CHECK-DAG: matrix: 12 slices
; CHECK-DAG: weight port: 12 slices
; CHECK-DAG: vector: 13 slices
; CHECK-DAG: ring 0: 12 slices
; CHECK-DAG: names: prepare, step "one"
; What a ring brings is of the operator that uses it, not of the one that ordered:
; CHECK-DAG: prepare: 8192 bytes read
; CHECK-DAG: step "one": 1536 bytes read
; CHECK-DAG: dma in -> matrix: 1 arrows
; CHECK-DAG: matrix -> vector: {{[0-9]+}} arrows
; CHECK-DAG: vector -> matrix: {{[0-9]+}} arrows
; CHECK-DAG: vector -> dma out: {{[0-9]+}} arrows
; CHECK-DAG: ring 0 -> weight port: {{[0-9]+}} arrows
; CHECK-DAG: ring 0: {{[0-9]+}} slot cycles

.hbm x, 16384
.op 1, "prepare"
.op 2, "step \"one\""
.reg i, r1
.reg at, r2
.entry main
func main {
  mark op=1
  ring.setup ring=0, slots=3, base=0, slot_bytes=128
  ring.fill ring=0, src=hbm[x], count=12, bytes=128, stride=128, passes=1
  dma.load dst=spm[2048], src=hbm[x], bytes=8192, n1=1, n2=1, n3=1, signal=c0
  dma.copy dst=spm[1024], src=spm[2048], bytes=256, n1=1, n2=1, n3=1, signal=c0
  v.fill dst=acc[2048]:64:f32, rows=1, cols=16
  loop index=i, count=12 {
    mark op=2, layer=i
    s.and rd=at, a=i, b=1
    s.mul rd=at, a=at, b=512
    mx.load src=pop0[0]:16:bf16, k=8, n=8
    mx.mul wait0=c0, wait1=c2-1, signal=c1, dst=acc[at]:32:f32, src=spm[1024]:16:bf16, m=16
    v.unary wait0=c1, wait1=c3-1, signal=c2, fn=gelu, dst=spm[at + 12288]:32:f32,
            a=acc[at]:32:f32, rows=16, cols=8
    dma.store wait0=c2, signal=c3, src=spm[at + 12288], dst=hbm[x + 8192], bytes=512,
              n1=1, n2=1, n3=1
  }
  halt
}
