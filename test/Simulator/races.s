; What `--check=races,init` reports, and that what waits is not reported.

; DEFINE: %{file} =
; DEFINE: %{sim} = serrano-as %t/%{file}.s --target serrano-tiny -o %t/%{file}.srn
; DEFINE: %{fails} = not serrano-sim %t/%{file}.srn --check=races,init 2>&1 | FileCheck %t/%{file}.s

; RUN: split-file %s %t
; REDEFINE: %{file} = missing-wait
; RUN: %{sim}
; RUN: %{fails}
; Without the check the program runs.
; RUN: serrano-sim %t/missing-wait.srn
; RUN: serrano-sim %t/missing-wait.srn --check=init
; REDEFINE: %{file} = large-lag
; RUN: %{sim}
; RUN: %{fails}
; REDEFINE: %{file} = write-after-read
; RUN: %{sim}
; RUN: %{fails}
; REDEFINE: %{file} = unwritten
; RUN: %{sim}
; RUN: %{fails}
; RUN: serrano-sim %t/unwritten.srn --check=races
; REDEFINE: %{file} = partly-unwritten
; RUN: %{sim}
; RUN: %{fails}
; REDEFINE: %{file} = scalar
; RUN: %{sim}
; RUN: %{fails}
; REDEFINE: %{file} = hbm
; RUN: %{sim}
; RUN: %{fails}
; REDEFINE: %{file} = ring-region
; RUN: %{sim}
; RUN: %{fails}
; REDEFINE: %{file} = ring-peek
; RUN: %{sim}
; RUN: %{fails}
; REDEFINE: %{file} = table
; RUN: %{sim}
; RUN: %{fails}
; REDEFINE: %{file} = sound
; RUN: %{sim}
; RUN: serrano-sim %t/sound.srn --check=races,init
; REDEFINE: %{file} = two-pop
; RUN: %{sim}
; RUN: serrano-sim %t/two-pop.srn --check=races

;--- missing-wait.s
; CHECK: missing-wait.srn: fault at `v.unary {{.*}}` at 0x48 of operator 'layer', layer 3:
; CHECK-SAME: race on scratchpad bytes 0 to 63:
; CHECK-SAME: `dma.load signal=c0, {{.*}}` at 0x8 writes them in the dma in queue,
; CHECK-SAME: `v.unary {{.*}}` at 0x48 reads them in the vector queue, and neither waits for the other
.hbm x, 64
.op 1, "layer"
.entry main
func main {
  mark op=1, layer=r0 + 3
  dma.load signal=c0, dst=spm[0], src=hbm[x], bytes=64, n1=1, n2=1, n3=1
  v.unary dst=spm[1024]:64:f32, a=spm[0]:64:f32, rows=1, cols=16
  halt
}
;--- large-lag.s
; The second load may be outstanding, and it is what the wait is for.
; CHECK: race on scratchpad bytes 64 to 127: `dma.load {{.*}}` at 0x40 writes them in the dma in queue
.hbm x, 64
.entry main
func main {
  dma.load signal=c0, dst=spm[0], src=hbm[x], bytes=64, n1=1, n2=1, n3=1
  dma.load signal=c0, dst=spm[64], src=hbm[x], bytes=64, n1=1, n2=1, n3=1
  v.unary wait0=c0-1, dst=spm[1024]:64:f32, a=spm[0]:64:f32, rows=2, cols=16
  halt
}
;--- write-after-read.s
; CHECK: race on scratchpad bytes 8 to 15: `dma.store {{.*}}` at 0x20 reads them in the dma out queue, `v.fill {{.*}}` at 0x60 writes them in the vector queue
.hbm x, 64
.entry main
func main {
  v.fill signal=c1, dst=spm[0]:64:f32, rows=1, cols=16
  dma.store wait0=c1, src=spm[8], dst=hbm[x], bytes=8, n1=1, n2=1, n3=1
  v.fill dst=spm[0]:64:f32, rows=1, cols=16
  halt
}
;--- unwritten.s
; CHECK: fault at `v.unary {{.*}}` at 0x0: reads scratchpad bytes 0 to 63, which were never written
.entry main
func main {
  v.unary dst=spm[1024]:64:f32, a=spm[0]:64:f32, rows=1, cols=16
  halt
}
;--- partly-unwritten.s
; CHECK: fault at `v.unary {{.*}}` at 0x20: reads accumulators bytes 32 to 63, which were never written
.entry main
func main {
  v.fill dst=acc[0]:64:f32, rows=1, cols=8
  v.unary dst=spm[1024]:64:f32, a=acc[0]:64:f32, rows=1, cols=16
  halt
}
;--- scalar.s
; `s.load` of what a DMA writes needs a sync of the sequencer.
; CHECK: fault at `s.load rd=r1, address=64`{{.*}}: race on scalar memory bytes 64 to 67: `dma.load {{.*}}` at 0x0 writes them in the dma in queue, `s.load {{.*}} reads them in the sequencer queue
.hbm x, 64
.entry main
func main {
  dma.load signal=c0, dst=smem[64], src=hbm[x], bytes=64, n1=1, n2=1, n3=1
  sync waiter=vector, wait0=c0
  s.load rd=r1, address=64
  halt
}
;--- hbm.s
; CHECK: race on hbm bytes 0 to 63: `dma.store {{.*}} writes them in the dma out queue, `dma.load {{.*}} reads them in the dma in queue
.hbm x, 64
.entry main
func main {
  v.fill signal=c0, dst=spm[0]:64:f32, rows=1, cols=16
  dma.store wait0=c0, src=spm[0], dst=hbm[x], bytes=64, n1=1, n2=1, n3=1
  dma.load dst=spm[64], src=hbm[x], bytes=64, n1=1, n2=1, n3=1
  halt
}
;--- ring-region.s
; A ring's slot is filled where the vector engine may still write.
; CHECK: race on scratchpad bytes 0 to 63: `v.fill {{.*}} writes them in the vector queue, `ring.fill {{.*}} writes them in the ring 2 queue
.hbm x, 64
.entry main
func main {
  v.fill dst=spm[0]:64:f32, rows=1, cols=16
  ring.setup ring=2, slots=1, base=0, slot_bytes=64
  ring.fill ring=2, src=hbm[x], count=1, bytes=64, stride=64, passes=1
  halt
}
;--- ring-peek.s
; The vector engine looks at a slot that the matrix engine pops: the next fill does
; not wait for the vector engine.
; CHECK: race on scratchpad bytes 0 to 63: `v.unary {{.*}} reads them in the vector queue, `ring.fill {{.*}} writes them in the ring 0 queue
.hbm x, 128
.entry main
func main {
  ring.setup ring=0, slots=1, base=0, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=2, bytes=64, stride=64, passes=1
  v.unary dst=spm[1024]:64:f32, a=ring0[0]:64:f32, rows=1, cols=16
  mx.load src=pop0[0]:16:bf16, k=4, n=8
  halt
}
;--- table.s
; The table is read when a slot is filled: it changes too early.
; CHECK: race on scalar memory bytes 64 to 67: `ring.table {{.*}} reads them in the ring 0 queue, `s.store {{.*}} writes them in the sequencer queue
.hbm x, 128
.entry main
func main {
  ring.setup ring=0, slots=1, base=0, slot_bytes=64
  ring.table signal=c0, ring=0, src=hbm[x], table=64, count=1, bytes=64, tail_bytes=64, stride=64, bound=2, passes=1
  s.store a=r0, address=64
  halt
}
;--- sound.s
.hbm x, 128
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.table signal=c0, ring=0, src=hbm[x], table=64, count=2, bytes=64, tail_bytes=64, stride=64, bound=2, passes=1
  ; No slots: its signal comes after the orders before it.
  ring.fill signal=c1, ring=0, src=hbm[x], bytes=64, passes=1
  sync waiter=sequencer, wait0=c0, wait1=c1
  s.store a=r0, address=64
  ; Both slots at once, then the oldest alone.
  v.binary fn=add, dst=spm[1024]:64:f32, a=ring0[0]:64:f32, b=ring0[64]:64:f32, rows=1, cols=16
  v.unary signal=c2, dst=spm[1024]:64:f32, a=pop0[0]:64:f32, rows=1, cols=16
  v.unary signal=c2, dst=spm[1088]:64:f32, a=pop0[0]:64:f32, rows=1, cols=16
  ring.setup ring=0, slots=1, base=1024, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=1, bytes=64, stride=64, passes=1
  dma.store wait0=c2, src=spm[1088], dst=hbm[x + 64], bytes=64, n1=1, n2=1, n3=1
  v.unary dst=spm[1152]:64:f32, a=pop0[0]:64:f32, rows=1, cols=16
  halt
}
;--- two-pop.s
; A ring moves when all its slots have been popped, by whatever queue: that of the first
; slot need not be that of the last.
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=2, bytes=64, stride=64, passes=1
  v.unary dst=spm[1024]:64:f32, a=pop0[0]:64:f32, rows=1, cols=16
  mx.load src=pop0[0]:16:f32, k=4, n=4
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  dma.load dst=spm[0], src=hbm[x], bytes=64, n1=1, n2=1, n3=1
  halt
}
