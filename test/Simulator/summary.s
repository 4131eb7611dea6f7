; `--summary` shows the ten operators that cost most, with what they waited for,
; and tokens by time and energy if the entry counts tokens.

; RUN: rm -rf %t && mkdir %t
; RUN: serrano-as %s --target serrano-tiny -o %t/p.srn
; RUN: %python -c "import numpy; numpy.savez('%t/in.npz', ids=numpy.arange(3, dtype='i4'))"
; RUN: serrano-sim %t/p.srn --entry step --inputs %t/in.npz --summary --stats %t/s.json > %t/step.txt
; RUN: FileCheck %s < %t/step.txt
; RUN: %python %S/Inputs/check_summary.py %t/s.json 3 %t/step.txt | FileCheck %s --check-prefix=STEP
; RUN: serrano-sim %t/p.srn --entry main --summary --stats %t/s.json > %t/main.txt
; RUN: %python %S/Inputs/check_summary.py %t/s.json 0 %t/main.txt | FileCheck %s --check-prefix=MAIN
; Without the option there is only the line that there always is.
; RUN: serrano-sim %t/p.srn --entry main | FileCheck %s --check-prefix=LINE
; RUN: serrano-sim %t/p.srn --entry main | count 1

; CHECK: step: {{[0-9]+}} cycles
; CHECK-NEXT: operator cycles share wait:counter wait:slot wait:result wait:engine hbm energy
; CHECK: and 2 more operators
; CHECK-NEXT: total: {{[0-9.]+}} us, {{[0-9.]+}} tokens/s, {{[0-9.]+}} tokens/J, {{[0-9.]+}} uJ, {{[0-9.]+}}% of the roof (memory)
; STEP: 10 operators, with tokens
; MAIN: 10 operators, without tokens
; LINE: main: {{[0-9]+}} cycles

.hbm x, 12288
.op 1, "operator 1"
.op 2, "operator 2"
.op 3, "operator 3"
.op 4, "operator 4"
.op 5, "operator 5"
.op 6, "operator 6"
.op 7, "operator 7"
.op 8, "operator 8"
.op 9, "operator 9"
.op 10, "operator 10"
.op 11, "operator 11"
.op 12, "operator 12"
.entry step
.dim tokens, max=16, smem=0
.input ids, i32, [tokens], hbm=x
.entry main
func step {
  call callee=work
  halt
}
func main {
  call callee=work
  halt
}
func work {
  mark op=1
  dma.load dst=spm[0], src=hbm[x], bytes=12288, n1=1, n2=1, n3=1, signal=c0
  mark op=1
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=6, cols=256, wait0=c0
  mark op=2
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=11, cols=256
  mark op=3
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=4, cols=256
  mark op=4
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=9, cols=256
  mark op=5
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=2, cols=256
  mark op=6
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=7, cols=256
  mark op=7
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=12, cols=256
  mark op=8
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=5, cols=256
  mark op=9
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=10, cols=256
  mark op=10
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=3, cols=256
  mark op=11
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=8, cols=256
  mark op=12
  v.unary fn=gelu, dst=spm[16384]:1024:f32, a=spm[0]:1024:f32, rows=1, cols=256
  ret
}
