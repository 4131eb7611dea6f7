; Breaks and watches: where a run is, and each access to bytes. The loop computes
; 1 + 2, 3 + 2, 5 + 2 in place, as layers 1 to 3 of operator "add".

; RUN: rm -rf %t && mkdir %t
; RUN: serrano-as %s --target serrano-tiny -o %t/p.srn
; RUN: %python -c "import numpy; numpy.savez('%t/in.npz', one=numpy.ones(2, 'f4'))"
; DEFINE: %{sim} = serrano-sim %t/p.srn --inputs %t/in.npz

; A break at an operator: once for each of its layers, with nothing else printed.
; RUN: %{sim} --break add < /dev/null > %t/add.txt
; RUN: FileCheck %s --check-prefix=ADD < %t/add.txt
; RUN: grep -c "^break" %t/add.txt | FileCheck %s --check-prefix=THREE
; THREE: {{^3$}}
; ADD: break 1: `v.scalar {{.*}}` at 0x70 of operator 'add', layer 1
; ADD-NEXT: cycle [[#%u,FIRST:]]
; ADD-NEXT: registers r2=1 r9=-5
; ADD-NEXT: queues dma in: 1 waiting from 0x10
; ADD-NEXT: counters c0 (dma in): 0 of 1
; ADD-NEXT: break 2: `v.scalar {{.*}}` at 0x70 of operator 'add', layer 2
; ADD-NEXT: cycle [[#%u,SECOND:]]
; ADD-NEXT: registers r1=1 r2=2 r9=-5
; ADD: counters c0 (dma in): {{[01]}} of 1, c1 (vector): {{[01]}} of 1
; ADD: break 3:
; ADD: main: {{[0-9]+}} cycles

; One layer of it, an address, and the end of the run at a break.
; RUN: %{sim} --break add@2 < /dev/null | grep -c "^break 1:.*layer 2" | FileCheck %s --check-prefix=ONE
; ONE: {{^1$}}
; RUN: %{sim} --break 0x70 --break-limit 2 --outputs %t/none.npz < /dev/null | FileCheck %s --check-prefix=LIMIT
; RUN: not test -e %t/none.npz
; LIMIT: break 1: {{.*}} layer 1
; LIMIT: break 2: {{.*}} layer 2
; LIMIT-NOT: break 3
; LIMIT: the debugger ended the run at `v.scalar {{.*}}` at 0x70
; LIMIT-NOT: main:
; RUN: not %{sim} --break 0x70 --break-limit=-1 < /dev/null 2>&1 | FileCheck %s --check-prefix=BELOW
; BELOW-NOT: break 1
; BELOW: error: --break-limit is -1; expected the number of a break, from 1, or 0 to go on at all

; The same run with and without breaks takes the same time.
; RUN: %{sim} --stats %t/plain.json --outputs %t/plain.npz
; RUN: %{sim} --break 'a*' --watch spm:0+4:rw --stats %t/debug.json --outputs %t/debug.npz < /dev/null
; RUN: cmp %t/plain.json %t/debug.json
; RUN: cmp %t/plain.npz %t/debug.npz

; A watch: each write with the bytes before and after it, here 1, 3, 5, 7 in f32.
; RUN: %{sim} --watch spm:0+4 | FileCheck %s --check-prefix=WATCH
; WATCH: watch spm:0x0+4: written at 0x0 by `dma.load {{.*}}` at 0x10 of operator 'load': 00 00 00 00 -> 00 00 80 3f
; WATCH-NEXT: written at 0x0 by `v.scalar {{.*}}` at 0x70 of operator 'add', layer 1: 00 00 80 3f -> 00 00 40 40
; WATCH-NEXT: operator 'add', layer 2: 00 00 40 40 -> 00 00 a0 40
; WATCH-NEXT: operator 'add', layer 3: 00 00 a0 40 -> 00 00 e0 40
; WATCH-NEXT: main:

; Effects do not wait for other threads when somebody looks.
; RUN: %{sim} --watch spm:0+4 --threads=3 | FileCheck %s --check-prefix=WATCH
; RUN: %{sim} --break add --threads=3 < /dev/null | diff %t/add.txt -

; Reads, of which there are as many and one more, for the output.
; RUN: %{sim} --watch spm:0x2+1:r | FileCheck %s --check-prefix=READ
; READ-COUNT-3: read at 0x2 by `v.scalar {{.*}}` at 0x70
; READ-NEXT: read at 0x2 by `dma.store {{.*}}`{{.*}}: e0
; READ-NEXT: main:

; Scalar memory and a ring's slots, which the ring fills by itself.
; RUN: %{sim} --watch smem:8+4:rw --watch spm:1024+2 | FileCheck %s --check-prefix=OTHER
; OTHER-DAG: watch smem:0x8+4: written at 0x8 by `s.store {{.*}}`{{.*}}: 00 00 00 00 -> fb ff ff ff
; OTHER-DAG: watch smem:0x8+4: read at 0x8 by `s.load {{.*}}`{{.*}}: fb ff ff ff
; OTHER-DAG: watch spm:0x400+2: written at 0x400 by `ring.fill {{.*}}`{{.*}}: 00 00 -> 80 3f

; A person's commands.
; RUN: printf 'x spm:0+8 f32\nx smem:8+4\nt\ns 2\ni\nfoo\nx spm:9\nc\nq\n' | %{sim} --break 0x70 --interactive | FileCheck %s --check-prefix=ASK
; ASK: break 1:
; ASK: (serrano-sim) 0x00000000 1 1
; ASK: (serrano-sim) 0x00000008  fb ff ff ff
; ASK: (serrano-sim) x: float32, f32 at spm:0x0
; ASK: (serrano-sim) {{`.*}}
; ASK: (serrano-sim) {{`.*}}
; ASK: (serrano-sim) c, continue
; ASK: (serrano-sim) x: 'spm:9' names no bytes
; ASK: (serrano-sim) break 2:
; ASK: (serrano-sim) {{.*}}the debugger ended the run

; What is wrong.
; RUN: not %{sim} --break ad 2>&1 | FileCheck %s --check-prefix=NAME
; NAME: serrano-sim: error: --break: the program has no operator or tensor 'ad'; did you mean 'add'?
; RUN: not %{sim} --break 0x74 2>&1 | FileCheck %s --check-prefix=ADDRESS
; ADDRESS: serrano-sim: error: --break: no instruction starts at 0x74; serrano-objdump shows where they do
; RUN: not %{sim} --watch spm:100 2>&1 | FileCheck %s --check-prefix=RANGE
; RANGE: serrano-sim: error: --watch: 'spm:100' names no bytes; expected spm, acc, smem or hbm, an address and how many, as in spm:0x100+64
; RUN: not %{sim} --watch spm:0x7fff+2 2>&1 | FileCheck %s --check-prefix=BEYOND
; BEYOND: serrano-sim: error: what is to be watched: the host's access leaves the scratchpad
; RUN: not %{sim} --watch spm:0+4 --schedule=adversarial 2>&1 | FileCheck %s --check-prefix=ORDER
; ORDER: serrano-sim: error: what is looked at follows program order; leave out breaks, watches and dumps from a run with the adversarial schedule

.hbm one, 64
.hbm y, 64
.op 1, "load"
.op 2, "add"
.reg i, r1
.reg layer, r2
.entry main
.input one, f32, [2], hbm=one
.output y, f32, [2], hbm=y
func main {
  s.li rd=r9, imm=-5
  mark op=1
  dma.load signal=c0, dst=spm[0], src=hbm[one], bytes=8, n1=1, n2=1, n3=1
  s.store a=r9, address=8
  loop index=i, count=3 {
    s.add rd=layer, a=i, b=1
    mark op=2, layer=layer
    .tensor [x, x.2, x.3], f32, [2], spm=0, op=2, layer=1
    v.scalar wait0=c0, signal=c1, fn=add, dst=spm[0]:8:f32, a=spm[0]:8:f32, imm=2.0, rows=1, cols=2
  }
  mark op=1
  s.load rd=r3, address=8
  dma.store wait0=c1, src=spm[0], dst=hbm[y], bytes=8, n1=1, n2=1, n3=1
  ring.setup ring=0, slots=2, base=1024, slot_bytes=64
  ring.fill ring=0, src=hbm[one + 2], count=1, bytes=2, stride=0, passes=1
  halt
}
