; The first command of docs/Simulator.md runs as it stands.

; RUN: rm -rf %t && mkdir %t && cd %t
; RUN: serrano-as %s --target serrano-tiny -o model.srn
; RUN: %python -c "import numpy; numpy.savez('in.npz', x=numpy.arange(4, dtype='f4'))"
; RUN: grep -m1 "^serrano-sim model.srn" %source/docs/Simulator.md > command.txt
; RUN: %python -c "import subprocess; subprocess.run(open('command.txt').read().split(), check=True)" | FileCheck %s
; RUN: %python -c "import numpy; print(numpy.load('out.npz')['y'])" | FileCheck %s --check-prefix=OUT
; RUN: ls stats.json trace.json report.html
; CHECK: main: {{[0-9]+}} cycles
; OUT: [0. 2. 4. 6.]

.hbm x, 64
.hbm y, 64
.entry main
.input x, f32, [4], hbm=x
.output y, f32, [4], hbm=y
func main {
  dma.load signal=c0, dst=spm[0], src=hbm[x], bytes=16, n1=1, n2=1, n3=1
  v.scalar wait0=c0, signal=c1, fn=mul, dst=spm[64]:16:f32, a=spm[0]:16:f32, imm=2.0, rows=1, cols=4
  dma.store wait0=c1, src=spm[64], dst=hbm[y], bytes=16, n1=1, n2=1, n3=1
  halt
}
