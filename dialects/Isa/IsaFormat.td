//===- IsaFormat.td - how an instruction is described ----------*- tablegen -*-===//
//
// Part of the Serrano project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The vocabulary of `IsaInstructions.td`: field kinds, enumerations and the
// instruction classes. An instruction is a whole number of 64-bit little-endian
// words. Its fields are placed in the order in which they are listed, upwards
// from bit 8 of word 0 (bits 7..0 are the opcode); a field that would cross a
// word boundary starts the next word. Bits that no field covers are reserved
// and must be zero.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_ISA_FORMAT
#define SERRANO_ISA_FORMAT

include "mlir/IR/OpBase.td"
include "dialects/Isa/IsaDialect.td"
include "dialects/Isa/IsaAttributes.td"

//===----------------------------------------------------------------------===//
// Field kinds
//===----------------------------------------------------------------------===//

/// What a field holds: its C++ type in the instruction struct, its width, and
/// the attribute (or region, or symbol) that holds it in the MLIR op. An
/// attribute that is absent stands for the kind's default.
class FieldKind<string cppType, int width, dag mlirArgument> {
  string CppType = cppType;
  int Width = width;
  dag MlirArgument = mlirArgument; // (ins X), or (region X) for a block.
  string Doc = "";
}

/// A scalar register, r0 to r63; r0 always reads as zero.
def RegisterKind : FieldKind<"Register", 6, (ins OptionalAttr<Isa_RegisterAttr>)> {
  let Doc = "scalar register r0..r63, r0 reads as 0";
}
/// A number read when the instruction is dispatched: register + immediate.
def ValueKind : FieldKind<"Value", 32, (ins OptionalAttr<Isa_ValueAttr>)> {
  let Doc = "reg(6) + signed imm(26), read at dispatch";
}
/// A byte address in HBM: register + unsigned offset.
def HbmKind : FieldKind<"HbmAddress", 48, (ins OptionalAttr<Isa_HbmAttr>)> {
  let Doc = "HBM byte address: reg(6) + unsigned offset(42), read at dispatch";
}
/// A byte address in an on-core memory, for DMA.
def LocalKind : FieldKind<"LocalAddress", 32, (ins OptionalAttr<Isa_LocalAttr>)> {
  let Doc = "space(2: spm, acc, smem) + reg(6) + unsigned offset(24), read at dispatch";
}
/// A two-dimensional operand of the matrix and vector engines.
def TileKind : FieldKind<"Tile", 64, (ins OptionalAttr<Isa_TileAttr>)> {
  let Doc = "space(2: spm, acc, ring, ring.pop) + ring(4) + reg(6) + unsigned offset(24) + "
            "row stride in bytes(22) + dtype(4) + broadcast(1): one element per row; bit 63 reserved";
}
/// A wait: counter, and how many of the increments already dispatched may be outstanding.
def WaitKind : FieldKind<"Wait", 16, (ins OptionalAttr<Isa_WaitAttr>)> {
  let Doc = "valid(1) + counter(9) + lag(6)";
}
/// The counter that completion of this instruction increments.
def SignalKind : FieldKind<"Signal", 7, (ins OptionalAttr<Isa_SignalAttr>)> {
  let Doc = "valid(1) + local counter(6)";
}
/// Number of 64-bit words of the block that follows; in MLIR the block itself.
def BodyKind : FieldKind<"Body", 16, (region SizedRegion<1>)> {
  let Doc = "length in words of the block that follows";
}
/// Word address of a function; in MLIR its symbol.
def CalleeKind : FieldKind<"Callee", 32, (ins FlatSymbolRefAttr)> {
  let Doc = "word address of the function's first instruction";
}
def FlagKind : FieldKind<"bool", 1, (ins UnitAttr)> { let Doc = "flag"; }
def FloatKind : FieldKind<"float", 32, (ins OptionalAttr<F32Attr>)> { let Doc = "IEEE binary32 immediate"; }
class UnsignedKind<int width> : FieldKind<"uint32_t", width, (ins OptionalAttr<I32Attr>)> {
  let Doc = "unsigned immediate";
}
class SignedKind<int width> : FieldKind<"int64_t", width, (ins OptionalAttr<I64Attr>)> {
  let Doc = "signed immediate";
}

/// An enumeration; case N is encoded as N. `Docs` runs parallel to `Cases`.
class IsaEnum<string name, int width, list<string> cases, list<string> docs> {
  string Name = name;
  int Width = width;
  list<string> Cases = cases;
  list<string> Docs = docs;
}
class EnumKind<IsaEnum e> : FieldKind<e.Name, e.Width, (ins OptionalAttr<StrAttr>)> {
  IsaEnum Enum = e;
  let Doc = "one of: " # !interleave(e.Cases, ", ");
}

/// One field of an instruction. A field whose value is the kind's default
/// (zero, false, no wait) can be left out of the assembly text; the disassembler
/// always writes functions, addresses and tiles.
class Field<FieldKind kind, string name, string doc> {
  FieldKind Kind = kind;
  string Name = name;
  string Doc = doc;
}

class Flag<string name, string doc> : Field<FlagKind, name, doc>;
class ValueField<string name, string doc> : Field<ValueKind, name, doc>;
class TileField<string name, string doc> : Field<TileKind, name, doc>;

//===----------------------------------------------------------------------===//
// Queues and instruction classes
//===----------------------------------------------------------------------===//

/// Where an instruction goes when the sequencer dispatches it.
class Queue<string name> { string Name = name; }
def SequencerQueue : Queue<"sequencer">; // executed by the sequencer itself
def DmaInQueue : Queue<"dma_in">;
def DmaOutQueue : Queue<"dma_out">;
def RingQueue : Queue<"ring">;           // one queue per ring
def MatrixQueue : Queue<"matrix">;
def VectorQueue : Queue<"vector">;

/// The fields that are regions, or that are not.
class RegionFields<list<Field> fields, bit isRegion> {
  list<Field> List = !filter(f, fields, !eq(!eq(f.Kind.CppType, "Body"), isRegion));
}

class Instruction<string mnemonic, bits<8> opcode, Queue queue, list<Field> fields>
    : Isa_Op<mnemonic, !if(!empty(RegionFields<fields, true>.List), [],
                           [SingleBlock, NoTerminator])> {
  string Mnemonic = mnemonic;
  bits<8> Opcode = opcode;
  Queue DispatchQueue = queue;
  list<Field> Fields = fields;
  /// Cycles, as a formula over the target's numbers; printed in the manual.
  string Cost = "";

  let arguments = !dag(ins,
      !foreach(f, RegionFields<fields, false>.List, !getdagarg<Constraint>(f.Kind.MlirArgument, 0)),
      !foreach(f, RegionFields<fields, false>.List, f.Name));
  let regions = !dag(region,
      !foreach(f, RegionFields<fields, true>.List, !getdagarg<Constraint>(f.Kind.MlirArgument, 0)),
      !foreach(f, RegionFields<fields, true>.List, f.Name));
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

/// Executed by the sequencer in program order; waits for nothing.
class Sequenced<string mnemonic, bits<8> opcode, list<Field> fields>
    : Instruction<mnemonic, opcode, SequencerQueue, fields> {
  let Cost = "1 cycle of dispatch";
}

/// Dispatched to an engine: up to two waits before it starts, one counter
/// incremented when it completes.
class Engine<string mnemonic, bits<8> opcode, Queue queue, list<Field> fields>
    : Instruction<mnemonic, opcode, queue,
        [Field<WaitKind, "wait0", "first wait">,
         Field<WaitKind, "wait1", "second wait">,
         Field<SignalKind, "signal", "counter incremented on completion">] # fields>;

#endif // SERRANO_ISA_FORMAT
