//===- IsaDialect.td - the isa dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_ISA_ISADIALECT
#define SERRANO_DIALECTS_ISA_ISADIALECT

include "mlir/IR/OpBase.td"

def Isa_Dialect : Dialect {
  let name = "isa";
  let cppNamespace = "::serrano::isa::ir";
  let summary = "instructions of the chip, one operation each";
  let description = [{
    Every operation but `isa.func` is exactly one instruction of
    `IsaInstructions.td` and has its name and its fields. A field is an
    attribute; it is written as in assembly and left out when it is zero:

    ```mlir
    isa.func @step {
      isa.loop index=r5, count=r6 {
        isa.mx.load wait0=c1, signal=c2, src=pop2[0]:256:bf16, k=128, n=128
      }
      isa.ret
    }
    ```

    Blocks are regions and callees are symbols, so that instructions can be
    moved and inserted before addresses exist. An operation verifies when every
    field can be encoded.
  }];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
  }];
}

class Isa_Op<string mnemonic, list<Trait> traits = []> :
    Op<Isa_Dialect, mnemonic, traits>;

#endif // SERRANO_DIALECTS_ISA_ISADIALECT
