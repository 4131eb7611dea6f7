; What a user gets wrong: one message, exit code 1, and no file is left behind.

; RUN: rm -rf %t && mkdir %t
; RUN: serrano-as %s --target serrano-tiny -o %t/p.srn
; RUN: %python %S/Inputs/make_npz.py %t

; DEFINE: %{arrays} =
; DEFINE: %{prefix} =
; DEFINE: %{fails} = not serrano-sim %t/p.srn --entry main --inputs %t/%{arrays}.npz --outputs %t/out.npz --stats %t/s.json --trace %t/t.json 2>&1 | FileCheck %s --check-prefix=%{prefix} --implicit-check-not=Stack --implicit-check-not=out.npz

; REDEFINE: %{arrays} = good
; RUN: serrano-sim %t/p.srn --inputs %t/good.npz --entry main | FileCheck %s --check-prefix=GOOD
; GOOD: main: {{[0-9]+}} cycles, {{[0-9.]+}} us, {{[0-9]+}} bytes over hbm

; REDEFINE: %{arrays} = missing
; REDEFINE: %{prefix} = MISSING
; RUN: %{fails}
; MISSING: serrano-sim: error: {{.*}}.npz: input 'bias' of entry 'main' is missing; expected float32 [4]

; REDEFINE: %{arrays} = misspelled
; REDEFINE: %{prefix} = MISSPELLED
; RUN: %{fails}
; MISSPELLED: serrano-sim: error: {{.*}}.npz: 'tokns' is not an input of entry 'main'; did you mean 'tokens'?

; REDEFINE: %{arrays} = unknown
; REDEFINE: %{prefix} = UNKNOWN
; RUN: %{fails}
; UNKNOWN: serrano-sim: error: {{.*}}.npz: 'temperature' is not an input of entry 'main'; its inputs are tokens, bias

; REDEFINE: %{arrays} = dtype
; REDEFINE: %{prefix} = DTYPE
; RUN: %{fails}
; DTYPE: serrano-sim: error: {{.*}}.npz: input 'tokens' has elements of type float64, expected int64; convert the array

; REDEFINE: %{arrays} = rank
; REDEFINE: %{prefix} = RANK
; RUN: %{fails}
; RANK: serrano-sim: error: {{.*}}.npz: input 'tokens' has shape [3], expected 2 dimensions: [T, 2]

; REDEFINE: %{arrays} = shape
; REDEFINE: %{prefix} = SHAPE
; RUN: %{fails}
; SHAPE: serrano-sim: error: {{.*}}.npz: input 'tokens' has shape [3, 5], expected [T, 2], which is [3, 2] here

; REDEFINE: %{arrays} = long
; REDEFINE: %{prefix} = LONG
; RUN: %{fails}
; LONG: serrano-sim: error: {{.*}}.npz: 'T' is 9, but the program takes at most 8

; REDEFINE: %{arrays} = range
; REDEFINE: %{prefix} = RANGE
; RUN: %{fails}
; RANGE: serrano-sim: error: {{.*}}.npz: input 'tokens': 'tokens' holds 4294967296 at flat index 1, which does not fit the device's 32-bit integers

; REDEFINE: %{arrays} = damaged
; REDEFINE: %{prefix} = DAMAGED
; RUN: %{fails}
; DAMAGED: serrano-sim: error: {{.*}}damaged.npz

; REDEFINE: %{arrays} = absent
; REDEFINE: %{prefix} = ABSENT
; RUN: %{fails}
; ABSENT: serrano-sim: error: {{.*}}absent.npz{{.*}}o such file

; RUN: not serrano-sim %t/p.srn --entry mian --inputs %t/good.npz 2>&1 | FileCheck %s --check-prefix=ENTRY
; ENTRY: serrano-sim: error: {{.*}}p.srn: no entry 'mian'; the entries are main, other
; RUN: not serrano-sim %t/p.srn 2>&1 | FileCheck %s --check-prefix=CHOICE
; CHOICE: serrano-sim: error: {{.*}}p.srn: choose one of its entries with --entry: main, other
; RUN: not serrano-sim %t/p.srn --entry other --outputs %t/out.npz 2>&1 | FileCheck %s --check-prefix=NOTHING
; NOTHING: serrano-sim: error: entry 'other' has no outputs to write; leave out --outputs
; RUN: not serrano-sim %t/absent.srn 2>&1 | FileCheck %s --check-prefix=PROGRAM
; PROGRAM: serrano-sim: error: {{.*}}absent.srn{{.*}}o such file
; RUN: not serrano-sim %t/good.npz 2>&1 | FileCheck %s --check-prefix=FORMAT
; FORMAT: serrano-sim: error: {{.*}}good.npz: not a program file
; RUN: not serrano-sim %t/cut.srn 2>&1 | FileCheck %s --check-prefix=CUT
; CUT: serrano-sim: error: {{.*}}cut.srn: {{.*}}damaged
; RUN: not serrano-sim %t/newer.srn 2>&1 | FileCheck %s --check-prefix=NEWER
; NEWER: serrano-sim: error: {{.*}}newer.srn: written by a newer serrano
; RUN: not serrano-sim %t/p.srn --entry main --inputs %t/good.npz --outputs %t/out.npz --stats %t/no/s.json --trace %t/t.json 2>&1 | FileCheck %s --check-prefix=FOLDER
; FOLDER: serrano-sim: error: {{.*}}no{{.*}}o such file
; RUN: not serrano-sim %t/p.srn --check=race 2>&1 | FileCheck %s --check-prefix=CHECKS
; CHECKS: for the --check option: Cannot find option named 'race'!

; RUN: not ls %t/out.npz
; RUN: not ls %t/s.json
; RUN: not ls %t/t.json

.hbm x, 256
.hbm y, 256
.entry main
.dim T, max=8, smem=0
.input tokens, i64, [T, 2], hbm=x, stored=i32
.input bias, f32, [4], hbm=x + 128
.output y, f32, [4], hbm=y
.entry other

func main {
  dma.load dst=spm[0], src=hbm[x + 128], bytes=16, n1=1, n2=1, n3=1, signal=c0
  dma.store wait0=c0, src=spm[0], dst=hbm[y], bytes=16, n1=1, n2=1, n3=1
  halt
}
func other {
  halt
}
