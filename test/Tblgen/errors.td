// Every fault of an instruction set is reported at its line.

// RUN: not serrano-tblgen -gen-isa-instructions %s -I %source -I %mlir_include 2>&1 | FileCheck %s
// RUN: not serrano-tblgen -gen-isa-manual %s -I %source -I %mlir_include 2>&1 | FileCheck %s

include "dialects/Isa/IsaFormat.td"

// CHECK: :[[@LINE+1]]:5: error: enum 'Wide' has 3 cases, but its 1 bits encode at most 2: make it wider
def WideEnum : IsaEnum<"Wide", 1, ["a", "b", "c"], ["", "", ""]>;

// CHECK: :[[@LINE+1]]:5: error: enum 'Docs' has 2 cases, but 1 docs
def DocsEnum : IsaEnum<"Docs", 1, ["a", "b"], [""]>;

// CHECK: :[[@LINE+1]]:5: error: enum 'Twice' has case 'a' twice
def TwiceEnum : IsaEnum<"Twice", 1, ["a", "a"], ["", ""]>;

// CHECK: :[[@LINE+1]]:5: error: case 'A-b' of enum 'Name' is not made of lower-case letters, digits and '_'
def NameEnum : IsaEnum<"Name", 1, ["A-b"], [""]>;

def First : Sequenced<"first", 0x01, []> { let summary = "a sound one"; }

// CHECK: :[[@LINE+2]]:5: error: opcode 0x01 of 'second' is already taken
// CHECK: :[[@LINE-3]]:5: note: by the instruction defined here
def Second : Sequenced<"second", 0x01, []> { let summary = "opcode clash"; }

// CHECK: :[[@LINE+2]]:5: error: mnemonic 'first' is already taken
// CHECK: :[[@LINE-7]]:5: note: by the instruction defined here
def Third : Sequenced<"first", 0x03, []> { let summary = "mnemonic clash"; }

// CHECK: :[[@LINE+1]]:5: error: instruction 'fourth' has field 'a' twice
def Fourth : Sequenced<"fourth", 0x04, [Flag<"a", "">, Flag<"a", "">]> {
  let summary = "duplicate field";
}

// CHECK: :[[@LINE+1]]:5: error: field name 'class' is reserved, or not made of lower-case letters, digits and '_'
def Fifth : Sequenced<"fifth", 0x05, [Flag<"class", "">]> { let summary = "reserved"; }

// CHECK: :[[@LINE+1]]:5: error: field 'a' is 33 bits wide; its type holds 1 to 32
def Sixth : Sequenced<"sixth", 0x06, [Field<UnsignedKind<33>, "a", "">]> {
  let summary = "too wide";
}

def OddKind : FieldKind<"Odd", 3, (ins OptionalAttr<I32Attr>)>;
// CHECK: :[[@LINE+1]]:5: error: field 'a' has the unknown C++ type 'Odd'
def Seventh : Sequenced<"seventh", 0x07, [Field<OddKind, "a", "">]> {
  let summary = "unknown kind";
}

def NarrowTileKind : FieldKind<"Tile", 60, (ins OptionalAttr<Isa_TileAttr>)>;
// CHECK: :[[@LINE+1]]:5: error: field 'a' is 60 bits wide, but a Tile is encoded in 64
def Eighth : Sequenced<"eighth", 0x08, [Field<NarrowTileKind, "a", "">]> {
  let summary = "operand without room";
}

// CHECK: :[[@LINE+1]]:5: error: the block 'body' has to be the last field of instruction 'ninth'
def Ninth : Sequenced<"ninth", 0x09, [Field<BodyKind, "body", "">, Flag<"a", "">]> {
  let summary = "block not last";
}

// CHECK: :[[@LINE+1]]:5: error: instruction 'tenth' has no summary
def Tenth : Sequenced<"tenth", 0x0a, []>;

// CHECK: error: the instruction set is not valid
