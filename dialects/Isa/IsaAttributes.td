//===- IsaAttributes.td - operands of instructions -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_ISA_ISAATTRIBUTES
#define SERRANO_DIALECTS_ISA_ISAATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "dialects/Isa/IsaDialect.td"

/// An attribute that holds one of the operand structs of
/// `serrano/Isa/Operands.h`, written as in assembly.
class Isa_OperandAttr<string struct, string attrMnemonic, string example>
    : AttrDef<Isa_Dialect, struct> {
  let mnemonic = attrMnemonic;
  let summary = "for example `#isa." # attrMnemonic # "<" # example # ">`";
  let parameters = (ins "::serrano::isa::" # struct:$value);
  let hasCustomAssemblyFormat = 1;
}

def Isa_RegisterAttr : Isa_OperandAttr<"Register", "register", "r3">;
def Isa_ValueAttr : Isa_OperandAttr<"Value", "value", "r3+16">;
def Isa_HbmAttr : Isa_OperandAttr<"HbmAddress", "hbm", "hbm[r3+4096]">;
def Isa_LocalAttr : Isa_OperandAttr<"LocalAddress", "local", "spm[r3+64]">;
def Isa_TileAttr : Isa_OperandAttr<"Tile", "tile", "acc[r3+128]:512:f32">;
def Isa_WaitAttr : Isa_OperandAttr<"Wait", "wait", "c3-1">;
def Isa_SignalAttr : Isa_OperandAttr<"Signal", "signal", "c5">;

#endif // SERRANO_DIALECTS_ISA_ISAATTRIBUTES
