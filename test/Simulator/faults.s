; What the ISA forbids stops the run: one message with the instruction, where it
; stands, its source operator and the reason, and exit code 1.

; DEFINE: %{file} =
; DEFINE: %{as} = serrano-as %t/%{file}.s --target serrano-tiny -o %t/%{file}.srn
; DEFINE: %{fails} = not serrano-sim %t/%{file}.srn --stats %t/s.json --trace %t/t.json 2>&1 | FileCheck %t/%{file}.s --implicit-check-not=Stack

; RUN: split-file %s %t
; REDEFINE: %{file} = out-of-bounds
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = negative-address
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = hbm-bounds
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = overflow
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = negative-count
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = large-count
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = misaligned
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = misaligned-stride
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = misaligned-scalar
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = misaligned-ring
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = scalar-bounds
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = empty-ring
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = ring-ahead
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = pop-ahead
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = slot-overread
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = slot-write
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = two-pops
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = unfilled-slots
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = slot-too-large
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = setup-busy
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = too-many-orders
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = deadlock
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = deadlock-empty-order
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = table-entry
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = gather-entry
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = gather-index
; RUN: %{as}
; REDEFINE: %{file} = gather-in-place
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = dst-overlap
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = dst-rows
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = dst-broadcast
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = dma-rows
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = copy-overlap
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = i32-weights
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = dtype-pair
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = dst-dtype
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = mul-space
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = no-weights
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = large-weights
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = and-of-floats
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = state-dtype
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = no-group
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = division
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = modulo
; RUN: %{as}
; RUN: %{fails}
; REDEFINE: %{file} = halt-code
; RUN: %{as}
; RUN: %{fails}
; Nothing is left behind.
; RUN: not ls %t/s.json
; RUN: not ls %t/t.json

;--- out-of-bounds.s
; CHECK: fault at `v.fill {{.*}}` at 0x8 of operator 'layer': dst leaves the scratchpad: it begins at byte 32736 and touches 1 x 64 bytes with stride 64, but there are 32768 bytes
.op 1, "layer"
.entry main
func main {
  mark op=1
  v.fill dst=spm[32736]:64:f32, rows=1, cols=16
  halt
}
;--- negative-address.s
; CHECK: a leaves the accumulators: it begins at byte -64 
.entry main
func main {
  s.li rd=r1, imm=-64
  v.unary dst=spm[0]:64:f32, a=acc[r1]:64:f32, rows=1, cols=16
  halt
}
;--- hbm-bounds.s
; CHECK: src leaves the hbm: it begins at byte 4032 and touches 2 x 64 bytes with stride 64, but there are 4096 bytes
.hbm x, 4096
.entry main
func main {
  dma.load dst=spm[0], src=hbm[4032], bytes=64, n1=2, n2=1, n3=1, ss1=64, ds1=64
  halt
}
;--- overflow.s
; CHECK: src leaves the hbm
.hbm x, 4096
.entry main
func main {
  s.li rd=r1, imm=1 << 48
  s.mul rd=r1, a=r1, b=1 << 14
  dma.load dst=spm[0], src=hbm[x], bytes=64, n1=2, n2=3, n3=2, ss1=64, ss2=r1, ss3=r1, ds1=64, ds2=128, ds3=512
  halt
}
;--- negative-count.s
; CHECK: rows is -1, expected a number that is not negative
.entry main
func main {
  v.fill dst=spm[0]:64:f32, rows=-1, cols=16
  halt
}
;--- large-count.s
; CHECK: cols is 4294967296, expected at most 2147483647
.entry main
func main {
  s.li rd=r1, imm=1 << 32
  v.fill dst=spm[0]:64:f32, rows=1, cols=r1
  halt
}
;--- misaligned.s
; CHECK: a is misaligned: address 2 and stride 64 must be multiples of 4 for f32
.entry main
func main {
  v.unary dst=spm[64]:64:f32, a=spm[2]:64:f32, rows=1, cols=4
  halt
}
;--- misaligned-stride.s
; CHECK: dst is misaligned: address 0 and stride 6 must be multiples of 4 for f32
.entry main
func main {
  v.fill dst=spm[0]:6:f32, rows=2, cols=1
  halt
}
;--- misaligned-scalar.s
; CHECK: fault at `s.load rd=r1, address=6` at 0x0: address 6 is misaligned
.entry main
func main {
  s.load rd=r1, address=6
  halt
}
;--- misaligned-ring.s
; CHECK: ring 0 is misaligned: base 32 and slot_bytes 64 must be multiples of 64
.entry main
func main {
  ring.setup ring=0, slots=2, base=32, slot_bytes=64
  halt
}
;--- scalar-bounds.s
; CHECK: address leaves the scalar memory
.entry main
func main {
  s.store a=r1, address=8192
  halt
}
;--- empty-ring.s
; CHECK: fault at `mx.load {{.*}}`{{.*}}: src reads ring 0, which is empty: every slot ordered so far has been popped
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=1, bytes=64, stride=64, passes=1
  mx.load src=pop0[0]:16:bf16, k=1, n=8
  mx.load src=pop0[0]:16:bf16, k=1, n=8
  halt
}
;--- ring-ahead.s
; CHECK: src reads 1 slots after the oldest of ring 0, which has 2 slots, 1 of them ordered and not popped
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=1, bytes=64, stride=64, passes=1
  mx.load src=ring0[64]:16:bf16, k=1, n=8
  halt
}
;--- pop-ahead.s
; CHECK: src pops ring 0 at an offset beyond the slot's 64 bytes; only the oldest slot is popped
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=2, bytes=64, stride=64, passes=1
  mx.load src=pop0[64]:16:bf16, k=1, n=8
  halt
}
;--- slot-overread.s
; CHECK: src reads bytes 0 to 64 of a slot of ring 0 that holds 48
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.table ring=0, src=hbm[x], table=0, count=1, bytes=64, tail_bytes=48, stride=64, bound=1, passes=1
  mx.load src=pop0[0]:16:bf16, k=4, n=8
  halt
}
;--- slot-write.s
; CHECK: dst is a ring's slot, which only the ring writes
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=1, bytes=64, stride=64, passes=1
  v.fill dst=ring0[0]:64:f32, rows=1, cols=16
  halt
}
;--- two-pops.s
; CHECK: b uses ring 0, whose slot another operand pops; only the last may
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=2, bytes=64, stride=64, passes=1
  v.binary dst=spm[1024]:64:f32, a=pop0[0]:64:f32, b=pop0[0]:64:f32, rows=1, cols=16
  halt
}
;--- unfilled-slots.s
; CHECK: fault at `halt` at {{.*}}: ring 1 cannot fill all that was ordered: 4 slots were ordered, 1 were popped, and it has room for 2; pop every slot before halt, or order fewer
.hbm x, 4096
.entry main
func main {
  ring.setup ring=1, slots=2, base=0, slot_bytes=64
  ring.fill ring=1, src=hbm[x], count=4, bytes=64, stride=64, passes=1
  v.unary fn=copy, dst=spm[1024]:64:f32, a=pop1[0]:64:f32, rows=1, cols=16
  halt
}
;--- slot-too-large.s
; CHECK: a slot of 65 bytes is ordered from ring 0, whose slots hold 1 to 64
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=1, bytes=65, stride=64, passes=1
  halt
}
;--- setup-busy.s
; CHECK: ring 0 still has 1 slots that were ordered and not popped
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=1, bytes=64, stride=64, passes=1
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  halt
}
;--- too-many-orders.s
; CHECK: fault at `ring.fill {{.*}}` at 0x18: deadlock: this waits for room in the queue of ring 0, which holds 8 orders; 0x18 waits for room for slot 1 of its 1; only pops that are dispatched later make room; order fewer ahead
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  loop count=20 {
    ring.fill ring=0, src=hbm[x], count=1, bytes=64, stride=64, passes=1
  }
  halt
}
;--- deadlock.s
; CHECK: fault at `sync waiter=sequencer, wait0=c1`{{.*}}: deadlock: this waits for c1; that waits for all slots of the order at 0x10 of ring 0; 0x10 waits for room for slot 3 of its 3; only pops that are dispatched later make room; pop before the wait, or give the ring more slots
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=3, bytes=64, stride=64, passes=1, signal=c1
  sync waiter=sequencer, wait0=c1
  halt
}
;--- deadlock-empty-order.s
; CHECK: fault at `v.fill {{.*}}` at 0x60: deadlock: this waits for c2; that waits for all slots of the order at 0x38 of ring 0; which comes after 0x10 in the queue; 0x10 waits for room for slot 3 of its 3; only
.hbm x, 4096
.entry main
func main {
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.fill ring=0, src=hbm[x], count=3, bytes=64, stride=64, passes=1
  ring.fill ring=0, src=hbm[x], count=0, bytes=64, stride=64, passes=1, signal=c2
  v.fill wait0=c2, dst=spm[1024]:64:f32, rows=1, cols=16
  halt
}
;--- table-entry.s
; CHECK: ring 0: block id 1 is 7, outside 0 to 3 (ordered by the ring.table at 0x20)
.hbm x, 4096
.entry main
func main {
  s.li rd=r1, imm=7
  s.store a=r1, address=4
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  ring.table ring=0, src=hbm[x], table=0, count=2, bytes=64, tail_bytes=64, stride=64, bound=4, passes=1
  halt
}
;--- gather-entry.s
; CHECK: table entry 0 is -1, outside 0 to 3
.hbm x, 4096
.entry main
func main {
  s.li rd=r1, imm=-1
  s.store a=r1, address=4
  dma.gather dst=spm[0], src=hbm[x], table=4, n=1, bytes=64, stride=64, bound=4, local_stride=64
  halt
}
;--- gather-index.s
; CHECK: index 5 is outside 0 to 3
.entry main
func main {
  v.fill dst=spm[0]:4:i32, imm=5.0, rows=1, cols=1
  v.fill dst=spm[64]:4:f32, rows=4, cols=1
  v.gather dst=spm[128]:4:f32, a=spm[64]:4:f32, index=spm[0]:4:i32, bound=4, rows=1, cols=1
  halt
}
;--- gather-in-place.s
; CHECK: dst is the table; rows of it would be gone before they are taken
.entry main
func main {
  v.fill dst=spm[0]:4:i32, imm=0.0, rows=4, cols=1
  v.fill dst=spm[64]:4:f32, rows=4, cols=1
  v.gather dst=spm[64]:4:f32, a=spm[64]:4:f32, index=spm[0]:4:i32, bound=4, rows=4, cols=1
  halt
}
;--- dst-overlap.s
; CHECK: dst overlaps another operand without being the same tile, at scratchpad 4
.entry main
func main {
  v.unary dst=spm[4]:64:f32, a=spm[0]:64:f32, rows=1, cols=16
  halt
}
;--- dst-rows.s
; CHECK: rows of dst overlap: each has 64 bytes, but the stride is 32
.entry main
func main {
  v.fill dst=spm[0]:32:f32, rows=2, cols=16
  halt
}
;--- dst-broadcast.s
; CHECK: dst is broadcast, which only an operand that is read can be
.entry main
func main {
  v.fill dst=spm[0]:32:f32:bcast, rows=2, cols=16
  halt
}
;--- dma-rows.s
; CHECK: rows of dst overlap: a stride of 32 lies inside the 64 bytes before it
.hbm x, 4096
.entry main
func main {
  dma.load dst=spm[0], src=hbm[x], bytes=64, n1=2, n2=1, n3=1, ss1=64, ds1=32
  halt
}
;--- copy-overlap.s
; CHECK: src and dst overlap in scratchpad; they must be disjoint
.entry main
func main {
  dma.copy dst=spm[64], src=spm[0], bytes=64, n1=2, n2=1, n3=1, ss1=64, ds1=64
  halt
}
;--- i32-weights.s
; CHECK: the matrix engine does not multiply i32; convert to i8 or to a floating-point type
.entry main
func main {
  mx.load src=spm[0]:32:i32, k=1, n=8
  halt
}
;--- dtype-pair.s
; CHECK: src is f16, but the loaded weights are bf16
.entry main
func main {
  mx.load src=spm[0]:16:bf16, k=8, n=8
  mx.mul dst=acc[0]:32:f32, src=spm[0]:16:f16, m=1
  halt
}
;--- dst-dtype.s
; CHECK: dst is bf16, expected f32
.entry main
func main {
  mx.load src=spm[0]:16:bf16, k=8, n=8
  mx.mul dst=acc[0]:32:bf16, src=spm[0]:16:bf16, m=1
  halt
}
;--- mul-space.s
; CHECK: dst must be in the accumulators
.entry main
func main {
  mx.load src=spm[0]:16:bf16, k=8, n=8
  mx.mul dst=spm[0]:32:f32, src=spm[0]:16:bf16, m=1
  halt
}
;--- no-weights.s
; CHECK: multiplies before any mx.load
.entry main
func main {
  mx.mul dst=acc[0]:32:f32, src=spm[0]:16:bf16, m=1
  halt
}
;--- large-weights.s
; CHECK: weights of 9 x 8 exceed the array's 8 x 8 for bf16
.entry main
func main {
  mx.load src=spm[0]:16:bf16, k=9, n=8
  halt
}
;--- and-of-floats.s
; CHECK: and is a function of integers, but an operand is f32
.entry main
func main {
  v.scalar fn=and, dst=spm[0]:64:i32, a=spm[64]:64:f32, imm=1.0, rows=1, cols=16
  halt
}
;--- state-dtype.s
; CHECK: state is bf16, expected f32
.entry main
func main {
  v.softmax group=1, dst=spm[0]:64:f32, a=spm[64]:64:f32, state=spm[128]:12:bf16, scale=1.0, rows=1, cols=16
  halt
}
;--- no-group.s
; CHECK: group is 0, expected the number of rows that share a limit
.entry main
func main {
  v.softmax dst=spm[0]:64:f32, a=spm[64]:64:f32, state=spm[128]:12:f32, scale=1.0, rows=1, cols=16
  halt
}
;--- division.s
; CHECK: fault at `s.div rd=r1, a=r2` at 0x8: s.div divides 9 by 0
.entry main
func main {
  s.li rd=r2, imm=9
  s.div rd=r1, a=r2
  halt
}
;--- modulo.s
; CHECK: s.mod divides 9 by 0
.entry main
func main {
  s.li rd=r2, imm=9
  s.mod rd=r1, a=r2
  halt
}
;--- halt-code.s
; CHECK: halt-code.srn: the program halted with code 7 at `halt code=7` at 0x0
.entry main
func main {
  halt code=7
  halt
}
