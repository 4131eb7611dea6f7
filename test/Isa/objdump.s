; What serrano-objdump shows besides instructions, and what it refuses.

; RUN: serrano-as %s --target serrano-tiny -DBYTES=200 -o %t.srn
; RUN: serrano-objdump --sections %t.srn | FileCheck %s --check-prefix SECTIONS
; RUN: serrano-objdump --manifest %t.srn | FileCheck %s --check-prefix MANIFEST
; RUN: llvm-readelf -S -s %t.srn | FileCheck %s --check-prefix ELF
; RUN: serrano-as - --target serrano-tiny -DBYTES=200 -o %t.stdin.srn < %s
; RUN: cmp %t.srn %t.stdin.srn
; RUN: not serrano-objdump %s 2>&1 | FileCheck %s --check-prefix SOURCE
; RUN: not serrano-objdump %t.missing 2>&1 | FileCheck %s --check-prefix MISSING
; RUN: not serrano-as %t.missing --target serrano-tiny -o %t.no.srn 2>&1 | FileCheck %s --check-prefix MISSING
; RUN: serrano-objdump --help | FileCheck %s --check-prefix HELP
; RUN: serrano-as --help | FileCheck %s --check-prefix AS-HELP

; SECTIONS:      x                                             0x0              200 zeroes
; SECTIONS-NEXT: 200 bytes of hbm, 8 bytes of instructions

; MANIFEST-DAG: "format": 2,
; MANIFEST-DAG: "hbm_bytes": 200,
; MANIFEST-DAG: "isa": "0x{{[0-9a-f]+}}",
; MANIFEST-DAG: "name": "serrano-tiny",

; ELF: .text             PROGBITS
; ELF: .zero.x           NOBITS          0000000000000000 000000 0000c8
; ELF: 8 FUNC    GLOBAL DEFAULT     1 f

; SOURCE: serrano-objdump: error: {{.*}}objdump.s: not a program file: it does not start as an ELF file does
; MISSING: error: {{.*}}.missing: cannot
; HELP: --manifest
; HELP: --sections
; AS-HELP: -D{{.*}}NAME=VALUE

.equ BYTES, 100
.hbm x, BYTES
func f { halt }
