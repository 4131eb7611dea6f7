; `--dump-at` writes the source model's tensors, as they are when they are complete, under
; their names, with the model's shape and type: of an operator, of a layer, by pattern.

; RUN: rm -rf %t && mkdir %t
; RUN: serrano-as %s --target serrano-tiny -o %t/p.srn
; RUN: %python -c "import numpy; numpy.savez('%t/in.npz', x=numpy.arange(6, dtype='f4').reshape(3, 2))"
; DEFINE: %{sim} = serrano-sim %t/p.srn --inputs %t/in.npz
; DEFINE: %{show} = %python -c "import numpy, sys; [print(n, a.dtype, a.shape, a.ravel().tolist()) for n, a in sorted(numpy.load(sys.argv[1]).items())]"

; RUN: %{sim} --dump-at "add=%t/add.npz" --outputs %t/out.npz
; RUN: %{show} %t/add.npz | FileCheck %s --check-prefix=ADD
; ADD: x.0 float32 (3, 2) [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
; ADD-NEXT: x.1 float32 (3, 2) [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
; ADD-NOT: {{.}}

; Another thread's work is not waited for, as there is none.
; RUN: %{sim} --dump-at "add=%t/add.npz" --threads=3
; RUN: %{show} %t/add.npz | FileCheck %s --check-prefix=ADD

; Under its own name, from bf16, with columns before rows, and in HBM.
; RUN: %{sim} --dump-at "half*=%t/half.npz" --dump-at "/y/out_0=%t/y.npz" --dump-at "x.1=%t/one.npz" --dump-at "add@1=%t/layer.npz"
; RUN: %{show} %t/half.npz | FileCheck %s --check-prefix=HALF
; HALF: half float32 (3, 2) [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
; HALF-NEXT: half.T float32 (1, 2, 3) [2.0, 4.0, 6.0, 3.0, 5.0, 7.0]
; RUN: %{show} %t/y.npz | FileCheck %s --check-prefix=Y
; Y: /y/out_0 float32 (3, 2) [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
; RUN: %{show} %t/one.npz | FileCheck %s --check-prefix=ONE
; ONE-NOT: x.0
; ONE: x.1 float32
; RUN: %{show} %t/layer.npz | FileCheck %s --check-prefix=LAYER
; LAYER: x.0 float32
; LAYER-NOT: x.1

; What was read did not change what came out, nor what it cost.
; RUN: %{sim} --outputs %t/plain.npz --stats %t/plain.json
; RUN: cmp %t/plain.npz %t/out.npz
; RUN: %{sim} --dump-at "x.?=%t/all.npz" --stats %t/dump.json
; RUN: cmp %t/plain.json %t/dump.json
; RUN: %{show} %t/all.npz | grep -c . | FileCheck %s --check-prefix=ALL
; ALL: {{^2$}}

; The text of a program says where its tensors are.
; RUN: serrano-objdump %t/p.srn | grep -v "^; " > %t/p.s
; RUN: FileCheck %s --check-prefix=TEXT < %t/p.s
; RUN: serrano-as %t/p.s --target serrano-tiny -o %t/again.srn
; RUN: serrano-objdump %t/again.srn | diff - %t/p.s
; TEXT: .tensor [x.0, x.1], f32, [tokens, 2], spm=0, op=1, layer=1
; TEXT-NEXT: s.add
; TEXT: .tensor half, f32, [tokens, 2], spm=4096, stored=bf16, op=2
; TEXT-NEXT: .tensor half.T, f32, [1, 2, tokens], spm=4096, stored=bf16, op=2, extents=[2, tokens], strides=[1, 2]
; TEXT-NEXT: mark

; What is wrong.
; RUN: not %{sim} --dump-at "x.2=%t/no.npz" 2>&1 | FileCheck %s --check-prefix=NAME
; NAME: serrano-sim: error: --dump-at: the program has no operator or tensor 'x.2'; did you mean 'x.0'?
; RUN: not %{sim} --dump-at "add" 2>&1 | FileCheck %s --check-prefix=FILE
; FILE: serrano-sim: error: --dump-at: 'add' names no file; expected an operator or tensor and a file, as in NAME=FILE.npz
; RUN: not %{sim} --dump-at "fused=%t/no.npz" 2>&1 | FileCheck %s --check-prefix=FUSED
; FUSED: serrano-sim: error: --dump-at: no tensor of 'fused' was in memory during the run
; RUN: not %{sim} --dump-at "beyond=%t/no.npz" 2>&1 | FileCheck %s --check-prefix=BEYOND
; BEYOND: serrano-sim: error: tensor 'beyond': it is larger than the 32768 bytes of its memory
; RUN: not %{sim} --dump-at "add=%t/in.npz" 2>&1 | FileCheck %s --check-prefix=TWICE
; TWICE: serrano-sim: error: {{.*}}in.npz: cannot write to the file twice, nor to one that is read
; RUN: not test -e %t/no.npz

.hbm x, 64
.hbm y, 64
.op 1, "add"
.op 2, "round"
.op 3, "fused"
.op 4, "large"
.reg i, r1
.reg layer, r2
.reg tokens_here, r4
.entry main
.dim tokens, max=4, smem=0
.input x, f32, [tokens, 2], hbm=x
.output out, f32, [tokens, 2], hbm=y
func main {
  s.load rd=tokens_here, address=0
  s.mul rd=r6, a=tokens_here, b=8
  dma.load signal=c0, dst=spm[0], src=hbm[x], bytes=r6, n1=1, n2=1, n3=1
  loop index=i, count=2 {
    s.add rd=layer, a=i, b=1
    mark op=1, layer=layer
    v.scalar wait0=c0, signal=c1, fn=add, dst=spm[0]:8:f32, a=spm[0]:8:f32, imm=1.0, rows=tokens_here, cols=2
    .tensor [x.0, x.1], f32, [tokens, 2], spm=0, op=1, layer=1
    s.add rd=r5, a=i, b=1
  }
  mark op=2
  v.unary signal=c1, fn=copy, dst=spm[4096]:4:bf16, a=spm[0]:8:f32, rows=tokens_here, cols=2
  .tensor half, f32, [tokens, 2], spm=4096, stored=bf16, op=2
  .tensor half.T, f32, [1, 2, tokens], spm=4096, stored=bf16, op=2, extents=[2, tokens], strides=[1, 2]
  mark op=3
  v.unary signal=c1, fn=copy, dst=spm[512]:8:f32, a=spm[0]:8:f32, rows=tokens_here, cols=2
  dma.store wait0=c1, src=spm[0], dst=hbm[y], bytes=r6, n1=1, n2=1, n3=1
  .tensor "/y/out_0", f32, [tokens, 2], hbm=y, op=1
  .tensor beyond, f32, [tokens, 4000000], spm=0, op=4
  halt
}
