; `--schedule=adversarial --seed N`: another legal order. A program whose waits
; are all there gives the same bits, one without a wait does not.

; RUN: rm -rf %t && split-file %s %t && cd %t
; RUN: serrano-as sound.s --target serrano-tiny -o sound.srn
; RUN: serrano-as racy.s --target serrano-tiny -o racy.srn
; RUN: serrano-as tables.s --target serrano-tiny -o tables.srn
; RUN: %python outcomes.py sound.srn | FileCheck %s --check-prefix=SOUND
; SOUND: program 2.0 4.0
; SOUND-NEXT: adversarial 2.0 4.0
; SOUND-NOT: adversarial
; RUN: %python outcomes.py racy.srn | FileCheck %s --check-prefix=RACY
; The product may come before the load.
; RACY: program 2.0 4.0
; RACY-DAG: adversarial 2.0 4.0
; RACY-DAG: adversarial 0.0 0.0

; RUN: serrano-sim sound.srn --inputs in.npz --schedule=adversarial --seed=18446744073709551615 | FileCheck %s --check-prefix=LINE
; LINE: main: {{[0-9]+}} instructions in the adversarial order of seed 18446744073709551615
; RUN: serrano-sim sound.srn --inputs in.npz --schedule=adversarial | FileCheck %s --check-prefix=DEFAULT
; DEFAULT: in the adversarial order of seed 0
; RUN: serrano-sim sound.srn --inputs in.npz --schedule=program | FileCheck %s --check-prefix=PROGRAM
; PROGRAM: main: {{[0-9]+}} cycles

; What is wrong with what an effect finds is said of the instruction whose effect
; it is, whichever is dispatched then.
; RUN: not serrano-sim tables.srn --schedule=adversarial 2>&1 | FileCheck %s --check-prefix=TABLE
; TABLE: fault at `dma.gather {{.*}}` at 0x18 of operator 'rows': table entry 0 is -1, outside 0 to 3

; RUN: not serrano-sim sound.srn --schedule=random 2>&1 | FileCheck %s --check-prefix=UNKNOWN
; UNKNOWN: for the --schedule option: Cannot find option named 'random'!
; RUN: not serrano-sim sound.srn --schedule=adversarial --seed=-1 2>&1 | FileCheck %s --check-prefix=SEED
; SEED: for the --seed option: '-1' value invalid
; RUN: not serrano-sim sound.srn --seed=1 2>&1 | FileCheck %s --check-prefix=ALONE
; ALONE: serrano-sim: error: --seed is of the adversarial schedule; add --schedule=adversarial
; DEFINE: %{option} = --check=races
; DEFINE: %{refused} = not serrano-sim sound.srn --inputs in.npz --outputs out.npz --schedule=adversarial %{option} 2>&1 | FileCheck %s --check-prefix=REFUSED
; RUN: rm -f out.npz
; RUN: %{refused}
; REDEFINE: %{option} = --check=init
; RUN: %{refused}
; REDEFINE: %{option} = --trace=t.json
; RUN: %{refused}
; REDEFINE: %{option} = --stats=s.json
; RUN: %{refused}
; REDEFINE: %{option} = --summary
; RUN: %{refused}
; REFUSED: serrano-sim: error: checks and times follow program order; leave out checks, statistics and trace from a run with the adversarial schedule
; RUN: not ls out.npz
; RUN: not ls t.json
; RUN: not ls s.json

;--- outcomes.py
# The output in program order, then the different ones of some seeds, each of which comes again.
import subprocess
import sys

import numpy as np

np.savez("in.npz", x=np.array([1, 2], "f4"))


def outcome(*options):
    command = ["serrano-sim", sys.argv[1], "--inputs=in.npz", "--outputs=out.npz", *options]
    subprocess.run(command, check=True, capture_output=True)
    return " ".join(map(str, np.load("out.npz")["y"]))


print("program", outcome())
seeds = [[outcome("--schedule=adversarial", f"--seed={seed}") for seed in range(8)] for _ in range(2)]
assert seeds[0] == seeds[1]
for text in sorted(set(seeds[0])):
    print("adversarial", text)
;--- sound.s
.hbm x, 64
.hbm y, 64
.entry main
.input x, f32, [2], hbm=x
.output y, f32, [2], hbm=y
func main {
  dma.load signal=c0, dst=spm[0], src=hbm[x], bytes=8, n1=1, n2=1, n3=1
  v.scalar wait0=c0, signal=c1, fn=mul, dst=spm[64]:16:f32, a=spm[0]:16:f32, imm=2.0, rows=1, cols=2
  dma.store wait0=c1, src=spm[64], dst=hbm[y], bytes=8, n1=1, n2=1, n3=1
  halt
}
;--- racy.s
.hbm x, 64
.hbm y, 64
.entry main
.input x, f32, [2], hbm=x
.output y, f32, [2], hbm=y
func main {
  dma.load dst=spm[0], src=hbm[x], bytes=8, n1=1, n2=1, n3=1
  v.scalar signal=c1, fn=mul, dst=spm[64]:16:f32, a=spm[0]:16:f32, imm=2.0, rows=1, cols=2
  dma.store wait0=c1, src=spm[64], dst=hbm[y], bytes=8, n1=1, n2=1, n3=1
  halt
}
;--- tables.s
.hbm x, 4096
.op 1, "rows"
.op 2, "after"
.entry main
func main {
  mark op=1
  s.li rd=r1, imm=-1
  s.store a=r1, address=4
  dma.gather dst=spm[0], src=hbm[x], table=4, n=1, bytes=64, stride=64, bound=4, local_stride=64
  mark op=2
  v.fill dst=spm[128]:4:f32, imm=1.0, rows=1, cols=1
  halt
}
