; What stands beside instructions in a disassembly: at the head of a block the
; operator that the block computes, though it is named inside, and where a
; transfer's address lies in HBM. A name is one line, whatever is in it.

; RUN: serrano-as %s --target serrano-tiny -o %t.srn
; RUN: serrano-objdump %t.srn | FileCheck %s
; RUN: serrano-objdump %t.srn | serrano-as - --target serrano-tiny -o %t.again.srn
; RUN: cmp %t.srn %t.again.srn

.hbm x, 4096
.hbm y, 4096

.op 1, "first"
.op 2, "second\nhalf"

func main {
  ; CHECK:      mark op=1 ; 0x0 first
  ; CHECK-NEXT: v.fill {{.*}} ; 0x8{{$}}
  mark op=1
  v.fill dst=spm[0]:4:f32, rows=1, cols=1
  ; Scalar instructions before the mark prepare what it names.
  ; CHECK-NEXT: loop {{.*}} ; 0x28 second\nhalf{{$}}
  ; CHECK-NEXT: s.add {{.*}} ; 0x30{{$}}
  ; CHECK-NEXT: mark op=2 ; 0x38 second\nhalf{{$}}
  loop index=r1, count=2 {
    s.add rd=r2, a=r1, b=1
    mark op=2
    v.fill dst=spm[0]:4:f32, rows=1, cols=1
  }
  ; The work of an engine before the mark still belongs to the operator before.
  ; CHECK:      loop {{.*}} ; 0x60 second\nhalf{{$}}
  loop index=r1, count=2 {
    v.fill dst=spm[0]:4:f32, rows=1, cols=1
    mark op=1
  }
  ; CHECK: dma.load {{.*}} src=x{{$}}
  ; CHECK: dma.load {{.*}} src=y+64{{$}}
  ; CHECK: dma.load {{.*}} ; 0x{{[0-9a-f]+}}{{$}}
  dma.load signal=c0, src=hbm[x], dst=spm[0], bytes=64, n1=1, n2=1, n3=1
  dma.load signal=c0, src=hbm[r2+y+64], dst=spm[0], bytes=64, n1=1, n2=1, n3=1
  dma.load signal=c0, src=hbm[8192], dst=spm[0], bytes=64, n1=1, n2=1, n3=1
  halt
}
