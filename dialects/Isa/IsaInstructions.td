//===- IsaInstructions.td - the instruction set ----------------*- tablegen -*-===//
//
// Part of the Serrano project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one source of the ISA. From it come the MLIR ops of the `isa` dialect,
// the C++ instruction structs, encoder, decoder, assembler, disassembler, the
// manual and the list the simulator must implement.
//
// Opcodes: 0x00-0x0f system, 0x10-0x2f scalar, 0x40-0x4f DMA, 0x50-0x5f rings,
// 0x60-0x6f matrix engine, 0x70-0x8f vector engine.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_ISA_INSTRUCTIONS
#define SERRANO_ISA_INSTRUCTIONS

include "dialects/Isa/IsaFormat.td"

//===----------------------------------------------------------------------===//
// Enumerations
//===----------------------------------------------------------------------===//

def DTypeEnum : IsaEnum<"DType", 4,
    ["f32", "bf16", "f16", "f8e4m3", "f8e5m2", "i32", "i8", "u8"],
    ["IEEE binary32", "bfloat16", "IEEE binary16", "OCP FP8 E4M3 (finite, NaN)",
     "OCP FP8 E5M2", "32-bit two's complement", "8-bit two's complement", "8-bit unsigned"]>;

def SpaceEnum : IsaEnum<"Space", 2, ["spm", "acc", "smem"],
    ["scratchpad", "accumulators", "scalar memory"]>;

def TileSpaceEnum : IsaEnum<"TileSpace", 2, ["spm", "acc", "ring", "pop"],
    ["scratchpad", "accumulators",
     "a slot of a ring: the oldest, or with an offset beyond its bytes one of those after it",
     "the oldest slot of a ring, freed when the instruction completes"]>;

def ConditionEnum : IsaEnum<"Condition", 3, ["eq", "ne", "lt", "ge"],
    ["a == b", "a != b", "a < b, signed", "a >= b, signed"]>;

def SyncQueueEnum : IsaEnum<"SyncQueue", 3,
    ["sequencer", "dma_in", "dma_out", "matrix", "vector"],
    ["dispatch itself stops", "the DMA in queue", "the DMA out queue",
     "the matrix queue", "the vector queue"]>;

def UnaryEnum : IsaEnum<"UnaryFunction", 5,
    ["copy", "neg", "abs", "sqrt", "rsqrt", "reciprocal", "exp", "log", "tanh", "sigmoid",
     "erf", "sin", "cos", "floor", "ceil", "round", "not", "isnan", "silu", "gelu", "gelu_tanh"],
    ["a, converted to the type of dst", "-a", "|a|", "square root, correctly rounded",
     "1 / sqrt(a): square root and division, each correctly rounded",
     "1 / a, correctly rounded", "e^a", "natural logarithm", "hyperbolic tangent",
     "1 / (1 + e^-a)", "error function", "sine of radians", "cosine of radians",
     "towards -infinity", "towards +infinity", "to nearest, ties to even",
     "1 if a == 0 else 0", "1 if a is NaN else 0", "a * sigmoid(a)",
     "a/2 * (1 + erf(a / sqrt 2)) (Hendrycks & Gimpel 2016)",
     "a/2 * (1 + tanh(sqrt(2/pi) * (a + 0.044715 a^3)))"]>;

def BinaryEnum : IsaEnum<"BinaryFunction", 5,
    ["add", "sub", "mul", "div", "max", "min", "pow", "mod", "eq", "lt", "le",
     "and", "or", "xor", "shl", "shr"],
    ["a + b", "a - b", "a * b", "a / b (integers: towards zero; by zero gives -1)",
     "the larger; NaN if either is NaN", "the smaller; NaN if either is NaN",
     "a ^ b (floating point)", "a - b * floor(a / b) (integers: by zero gives a)",
     "1 if a == b else 0", "1 if a < b else 0", "1 if a <= b else 0",
     "bitwise and (integers)", "bitwise or (integers)", "bitwise exclusive or (integers)",
     "a << (b & 31) (integers)", "a >> (b & 31), arithmetic (integers)"]>;

def TernaryEnum : IsaEnum<"TernaryFunction", 2, ["fma", "select"],
    ["a * b + c, rounded once", "a != 0 ? b : c"]>;

def ReduceEnum : IsaEnum<"ReduceFunction", 3, ["sum", "sumsq", "max", "min"],
    ["sum", "sum of squares: each chain is fma(a, a, chain)", "maximum", "minimum"]>;

//===----------------------------------------------------------------------===//
// System
//===----------------------------------------------------------------------===//

def Halt : Sequenced<"halt", 0x00, [Field<UnsignedKind<16>, "code", "0 for success">]> {
  let summary = "stop when every queue is empty";
  let description = [{
    Dispatch ends. The run ends when every queue has drained; `code` is the
    exit code that the host sees.
  }];
}

def Mark : Sequenced<"mark", 0x01, [
    Field<UnsignedKind<16>, "op", "index into the program's table of source operators">,
    ValueField<"layer", "which layer, counted from 1; 0 outside of layers">]> {
  let summary = "name the source operator of what follows";
  let description = [{
    Every instruction dispatched from here to the next `mark` belongs to source
    operator `op` (0 is "none") in layer `layer`. Statistics, traces and fault
    messages use it; results and times do not depend on it.
  }];
}

def Sync : Sequenced<"sync", 0x02, [
    Field<EnumKind<SyncQueueEnum>, "waiter", "who waits">,
    Field<WaitKind, "wait0", "first wait">, Field<WaitKind, "wait1", "second wait">,
    Field<WaitKind, "wait2", "third wait">, Field<WaitKind, "wait3", "fourth wait">,
    Field<WaitKind, "wait4", "fifth wait">, Field<WaitKind, "wait5", "sixth wait">]> {
  let summary = "wait for up to six counters";
  let description = [{
    The named queue starts nothing that is dispatched later until every wait
    holds; what was dispatched to it before goes on. A wait of lag L holds when
    all but the last L increments that were dispatched before it have happened;
    with fewer than L + 1 of them it holds at once. With `sequencer`, dispatch itself stops: needed before `s.load` of
    bytes that a DMA wrote, and before `halt` only where the host must not see
    a queue draining.
  }];
}

//===----------------------------------------------------------------------===//
// Scalar: 64-bit two's complement registers
//===----------------------------------------------------------------------===//

def ScalarImmediate : Sequenced<"s.li", 0x10, [
    Field<RegisterKind, "rd", "destination">,
    Field<SignedKind<50>, "imm", "the number">]> {
  let summary = "rd = imm";
}

class ScalarBinary<string mnemonic, bits<8> opcode, string effect>
    : Sequenced<mnemonic, opcode, [
        Field<RegisterKind, "rd", "destination; writes to r0 are lost">,
        Field<RegisterKind, "a", "left operand">,
        ValueField<"b", "right operand">]> {
  let summary = effect;
}
def ScalarAdd : ScalarBinary<"s.add", 0x11, "rd = a + b, modulo 2^64">;
def ScalarSub : ScalarBinary<"s.sub", 0x12, "rd = a - b, modulo 2^64">;
def ScalarMul : ScalarBinary<"s.mul", 0x13, "rd = a * b, modulo 2^64">;
def ScalarDiv : ScalarBinary<"s.div", 0x14, "rd = floor(a / b); a fault if b is 0">;
def ScalarMod : ScalarBinary<"s.mod", 0x15, "rd = a - b * floor(a / b); a fault if b is 0">;
def ScalarMin : ScalarBinary<"s.min", 0x16, "rd = the smaller of a and b, signed">;
def ScalarMax : ScalarBinary<"s.max", 0x17, "rd = the larger of a and b, signed">;
def ScalarAnd : ScalarBinary<"s.and", 0x18, "rd = a & b">;
def ScalarOr : ScalarBinary<"s.or", 0x19, "rd = a | b">;
def ScalarXor : ScalarBinary<"s.xor", 0x1a, "rd = a ^ b">;
def ScalarShl : ScalarBinary<"s.shl", 0x1b, "rd = a << (b & 63)">;
def ScalarShr : ScalarBinary<"s.shr", 0x1c, "rd = a >> (b & 63), arithmetic">;
def ScalarLess : ScalarBinary<"s.lt", 0x1d, "rd = a < b ? 1 : 0, signed">;

def ScalarLoad : Sequenced<"s.load", 0x1e, [
    Field<RegisterKind, "rd", "destination">,
    ValueField<"address", "byte address in scalar memory, a multiple of 4">]> {
  let summary = "rd = the signed 32-bit number at address in scalar memory";
}
def ScalarStore : Sequenced<"s.store", 0x1f, [
    Field<RegisterKind, "a", "what to store">,
    ValueField<"address", "byte address in scalar memory, a multiple of 4">]> {
  let summary = "store the low 32 bits of a at address in scalar memory";
}

def Loop : Sequenced<"loop", 0x20, [
    Field<RegisterKind, "index", "holds 0, 1, 2, ... in the body; r0 for none">,
    ValueField<"count", "number of repetitions; none if it is not positive">,
    Field<BodyKind, "body", "what is repeated">]> {
  let summary = "repeat the block that follows";
  let description = [{
    `count` is read once. Going back costs nothing: `loop` takes one cycle of
    dispatch when it is entered. Loops nest up to 8 deep, over all calls.
    There is no other way back in a program, so every program ends.
  }];
}

def Skip : Sequenced<"skip", 0x21, [
    Field<EnumKind<ConditionEnum>, "condition", "when to skip">,
    Field<RegisterKind, "a", "left operand">,
    Field<RegisterKind, "b", "right operand">,
    Field<BodyKind, "body", "what is skipped">]> {
  let summary = "skip the block that follows if the condition holds";
}

def Call : Sequenced<"call", 0x22, [Field<CalleeKind, "callee", "the function">]> {
  let summary = "call a function";
  let description = [{
    Calls nest up to 8 deep. Registers are neither saved nor restored. A call
    must go to a function that is not active: recursion is a fault.
  }];
}
def Return : Sequenced<"ret", 0x23, []> {
  let summary = "return to the caller; a fault inside a loop of the function";
}

//===----------------------------------------------------------------------===//
// DMA
//===----------------------------------------------------------------------===//

// Rows of `bytes` contiguous bytes over three outer dimensions.
defvar dmaShape = [
  ValueField<"bytes", "contiguous bytes of a row">,
  ValueField<"n1", "rows (0 moves nothing)">,
  ValueField<"n2", "repetitions of the rows">,
  ValueField<"n3", "repetitions of those">,
  ValueField<"ss1", "source stride of n1, bytes">, ValueField<"ss2", "source stride of n2, bytes">,
  ValueField<"ss3", "source stride of n3, bytes">,
  ValueField<"ds1", "destination stride of n1, bytes">,
  ValueField<"ds2", "destination stride of n2, bytes">,
  ValueField<"ds3", "destination stride of n3, bytes">];

defvar dmaCost = "start-up + dma_bytes / rate, where dma_bytes counts each row rounded up to the "
                 "burst; completes one memory latency after its last byte; start-up and latency "
                 "overlap with the transfers before it in the queue";

class Dma<string mnemonic, bits<8> opcode, Queue queue, list<Field> fields>
    : Engine<mnemonic, opcode, queue, fields> { let Cost = dmaCost; }

def DmaLoad : Dma<"dma.load", 0x40, DmaInQueue,
    [Field<HbmKind, "src", "first byte of the source">,
     Field<LocalKind, "dst", "first byte of the destination">] # dmaShape> {
  let summary = "copy from HBM to a memory of the core";
  let description = [{
    ```
    for i3 < n3: for i2 < n2: for i1 < n1:
      dst[i1*ds1 + i2*ds2 + i3*ds3 ..+ bytes] = src[i1*ss1 + i2*ss2 + i3*ss3 ..+ bytes]
    ```
    Destination rows must not overlap: in ascending order of magnitude, each
    stride of a dimension with several repetitions reaches over all bytes that
    the dimensions before it span. A negative count is a fault; a count or
    `bytes` of 0 moves nothing, but still takes its turn in the queue.
  }];
}
def DmaStore : Dma<"dma.store", 0x41, DmaOutQueue,
    [Field<LocalKind, "src", "first byte of the source">,
     Field<HbmKind, "dst", "first byte of the destination">] # dmaShape> {
  let summary = "copy from a memory of the core to HBM";
  let description = [{ As `dma.load`, the other way. }];
}
def DmaCopy : Dma<"dma.copy", 0x42, DmaInQueue,
    [Field<LocalKind, "src", "first byte of the source">,
     Field<LocalKind, "dst", "first byte of the destination">] # dmaShape> {
  let summary = "copy between memories of the core";
  let description = [{
    As `dma.load`, without HBM. Source and destination must not overlap.
  }];
  let Cost = "start-up + dma_bytes / DMA port";
}

defvar tableFields = [
  ValueField<"table", "scalar-memory byte address of the first index (i32), a multiple of 4">,
  ValueField<"n", "number of rows, and of indices">,
  ValueField<"bytes", "contiguous bytes of a row">,
  ValueField<"stride", "HBM bytes from one index to the next">,
  ValueField<"bound", "an index outside 0 .. bound-1 is a fault">,
  ValueField<"local_stride", "bytes from one row to the next in the core's memory">];

def DmaGather : Dma<"dma.gather", 0x43, DmaInQueue,
    [Field<HbmKind, "src", "row 0 of the source">,
     Field<LocalKind, "dst", "first row of the destination">] # tableFields> {
  let summary = "copy rows of HBM that a table in scalar memory names";
  let description = [{
    ```
    for i < n: dst[i*local_stride ..+ bytes] = src[table[i]*stride ..+ bytes]
    ```
    The table is read while the instruction runs.
  }];
}
def DmaScatter : Dma<"dma.scatter", 0x44, DmaOutQueue,
    [Field<LocalKind, "src", "first row of the source">,
     Field<HbmKind, "dst", "row 0 of the destination">] # tableFields> {
  let summary = "copy rows to places in HBM that a table in scalar memory names";
  let description = [{
    ```
    for i < n: dst[table[i]*stride ..+ bytes] = src[i*local_stride ..+ bytes]
    ```
    Indices must differ where `stride` does not separate them: rows are written
    in ascending order of i.
  }];
}

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

defvar ringField = Field<UnsignedKind<4>, "ring", "ring 0..15">;

def RingSetup : Sequenced<"ring.setup", 0x50, [
    ringField,
    Field<UnsignedKind<10>, "slots", "number of slots, at least 1">,
    ValueField<"base", "scratchpad byte address of slot 0, a multiple of 64">,
    ValueField<"slot_bytes", "bytes of a slot, a multiple of 64">]> {
  let summary = "give a ring its region of scratchpad";
  let description = [{
    The ring must be empty: every slot that was ever ordered has been popped by
    an instruction already dispatched. Dispatch waits until those have completed.
  }];
}

defvar ringCost = "each slot is one transfer of the ring's own queue (see dma.load); slot i + slots "
                  "starts when the instruction that pops slot i has completed";

class Ring<string mnemonic, bits<8> opcode, list<Field> fields>
    : Engine<mnemonic, opcode, RingQueue, [ringField] # fields> { let Cost = ringCost; }

def RingFill : Ring<"ring.fill", 0x51, [
    Field<HbmKind, "src", "first byte of the first slot's contents">,
    ValueField<"count", "number of slots of one pass">,
    ValueField<"bytes", "bytes of a slot to fill">,
    ValueField<"stride", "HBM bytes from one slot to the next">,
    ValueField<"passes", "number of passes">,
    ValueField<"pass_stride", "HBM bytes from one pass to the next">]> {
  let summary = "order slots from a strided range of HBM";
  let description = [{
    ```
    for p < passes: for i < count: next slot = src[p*pass_stride + i*stride ..+ bytes]
    ```
    Slots are filled in the order in which they were ordered, each as soon as it
    is free, and popped in the same order. `signal` is given when the last slot
    is filled; an order of no slots gives it when all orders before it have
    ended. The waits hold back the first slot.

    Instructions read a slot through their tiles: byte o of `ring` is byte
    o mod slot_bytes of the slot that is floor(o / slot_bytes) after the oldest
    one not yet popped, which must have been ordered and be one of the ring's
    `slots`; a tile stays inside the valid bytes of one slot. `pop` reads the
    oldest slot and frees it when the instruction retires, which happens in the
    order of its queue. Only the last tile of an instruction that uses a ring
    may pop it.

    The ring's queue holds as many orders as other queues hold instructions, and
    dispatch never waits for it: an order more is a fault. Slots may need pops
    that are yet to come, so waiting for a signal whose slots do not all have
    room at that point is a fault too, which would be a deadlock.
  }];
}
def RingTable : Ring<"ring.table", 0x52, [
    Field<HbmKind, "src", "block 0">,
    ValueField<"table", "scalar-memory byte address of the first block id (i32), a multiple of 4">,
    ValueField<"count", "number of slots of one pass, and of block ids">,
    ValueField<"bytes", "bytes of a slot to fill">,
    ValueField<"tail_bytes", "bytes of a pass's last slot to fill">,
    ValueField<"stride", "HBM bytes from one block id to the next">,
    ValueField<"bound", "a block id outside 0 .. bound-1 is a fault">,
    ValueField<"passes", "number of passes over the table">,
    ValueField<"pass_stride", "HBM bytes from one pass to the next">]> {
  let summary = "order slots from blocks of HBM that a table names";
  let description = [{
    ```
    for p < passes: for i < count:
      next slot = src[p*pass_stride + table[i]*stride ..+ (i == count-1 ? tail_bytes : bytes)]
    ```
    As `ring.fill`. A pass is one head of the blocks of a sequence, for instance. The table is read while the slots are filled, so it must
    not change before `signal`. An entry outside the bound is a fault when its
    slot is filled.
  }];
}

//===----------------------------------------------------------------------===//
// Matrix engine
//===----------------------------------------------------------------------===//

class Matrix<string mnemonic, bits<8> opcode, list<Field> fields>
    : Engine<mnemonic, opcode, MatrixQueue, fields>;

def LoadWeights : Matrix<"mx.load", 0x60, [
    Flag<"transpose", "the tile holds N rows of K elements instead of K rows of N">,
    TileField<"src", "the weights">,
    ValueField<"k", "valid K, 0 .. rows of the array * elements per row">,
    ValueField<"n", "valid N, 0 .. columns of the array">]> {
  let summary = "load weights into the array";
  let description = [{
    Loads the k x n weights that the following `mx.mul`s use, behind the back of
    the `mx.mul`s before it: the array holds two sets. A `mx.mul` uses the set
    loaded last. Elements beyond k and n are not read.
  }];
  let Cost = "ceil(k * n * bytes per element / weight port), overlapped with the mx.mul before it; "
             "starts when the set before the previous one is no longer in use";
}

def Matmul : Matrix<"mx.mul", 0x61, [
    Flag<"accumulate", "start each chain from dst instead of +0">,
    Flag<"transpose", "src holds K rows of M elements instead of M rows of K">,
    Flag<"row_limit", "cut K for each row by limit and group">,
    Field<UnsignedKind<14>, "group", "rows that share a limit, with row_limit">,
    TileField<"dst", "m x n results, f32 (i32 for integers), in the accumulators">,
    TileField<"src", "the moving operand, m x k">,
    ValueField<"m", "number of rows, 0 .. 65535">,
    ValueField<"limit", "with row_limit, valid K of row 0">]> {
  let summary = "multiply rows by the loaded weights";
  let description = [{
    ```
    for r < m:
      kr = row_limit ? clamp(limit + floor(r / group), 0, k) : k
      for c < n:
        chain = accumulate ? dst[r][c] : +0
        chain = fma(src[r][0], w[0][c], chain); ... in ascending order up to kr-1
        dst[r][c] = chain
    ```
    k and n are those of the last `mx.load`. f32, bf16 and f16 operands widen
    to f32 exactly and each step is one fused multiply-add, rounded to nearest
    even. fp8: four consecutive products are summed exactly and rounded once
    into the chain; a cut in the middle of four leaves the rest out. i8 and u8
    are exact in i32, modulo 2^32. A NaN result is the canonical one.
    Only the m x n results of dst are touched; with k = 0 they are +0 or, with
    `accumulate`, stay. Both operands must be of the same kind: f32 with f32, bf16 with bf16, f16
    with f16, fp8 with fp8, 8-bit integers with 8-bit integers.
  }];
  let Cost = "ceil(max(m, shortest interval) / min(1, MACs per element per cycle)), or the moving "
             "operand's or the accumulators' port if that is longer; results are there "
             "rows + columns cycles later";
}

//===----------------------------------------------------------------------===//
// Vector engine
//===----------------------------------------------------------------------===//
//
// All operands are rows x cols tiles. Element (r, c) of a tile is at
// offset + r * stride + c * size of its type, or at offset + r * stride for
// every c with `broadcast`; a stride of 0 gives every row the same elements.
// Both are for operands that are read: rows of a result must not overlap.
//
// Floating-point operands (and integer ones mixed with them) widen to f32, the
// function is computed in f32, and the result is rounded once to the type of
// dst. Between integer operands, functions are computed in i32 modulo 2^32.
// Float to integer goes towards zero and saturates, NaN gives 0; integer to
// narrower integer saturates; to f8e4m3 and f8e5m2 saturates as ONNX Cast
// does. Every NaN written is the canonical one.

defvar shapeFields = [ValueField<"rows", "number of rows, not negative">,
                      ValueField<"cols", "number of columns, not negative">];

defvar vectorCost = "start-up + passes * elements / rate, where the rate is that of the widest "
                    "operand type (and of exp for transcendental functions), and a row shorter than "
                    "the engine is packed with others in powers of two; an instruction that reads "
                    "what the one before it wrote starts no earlier than that one's end + latency";

defvar inPlace = [{
    dst may be the same tile as an operand (same place, stride and type); any other
    overlap of dst with an operand is a fault.
  }];

class Vector<string mnemonic, bits<8> opcode, list<Field> fields>
    : Engine<mnemonic, opcode, VectorQueue, fields> { let Cost = vectorCost; }

def VectorUnary : Vector<"v.unary", 0x70,
    [Field<EnumKind<UnaryEnum>, "fn", "the function">,
     TileField<"dst", "result">, TileField<"a", "operand">] # shapeFields> {
  let summary = "dst = fn(a), element by element";
  let description = inPlace;
}
def VectorBinary : Vector<"v.binary", 0x71,
    [Field<EnumKind<BinaryEnum>, "fn", "the function">,
     TileField<"dst", "result">, TileField<"a", "left operand">,
     TileField<"b", "right operand">] # shapeFields> {
  let summary = "dst = fn(a, b), element by element";
  let description = inPlace;
}
def VectorScalar : Vector<"v.scalar", 0x72,
    [Field<EnumKind<BinaryEnum>, "fn", "the function">,
     Flag<"reverse", "fn(imm, a) instead of fn(a, imm)">,
     TileField<"dst", "result">, TileField<"a", "operand">,
     Field<FloatKind, "imm", "the other operand; for integer functions it is converted to i32">]
    # shapeFields> {
  let summary = "dst = fn(a, imm), element by element";
  let description = inPlace;
}
def VectorTernary : Vector<"v.ternary", 0x73,
    [Field<EnumKind<TernaryEnum>, "fn", "the function">,
     TileField<"dst", "result">, TileField<"a", "first operand">,
     TileField<"b", "second operand">, TileField<"c", "third operand">] # shapeFields> {
  let summary = "dst = fn(a, b, c), element by element";
  let description = inPlace;
}
def VectorFill : Vector<"v.fill", 0x74,
    [TileField<"dst", "result">, Field<FloatKind, "imm", "the number">] # shapeFields> {
  let summary = "dst = imm";
}
def VectorIota : Vector<"v.iota", 0x75,
    [TileField<"dst", "result">, ValueField<"start", "element (0, 0)">,
     ValueField<"row_step", "from one row to the next">,
     ValueField<"col_step", "from one column to the next">] # shapeFields> {
  let summary = "dst[r][c] = start + r * row_step + c * col_step, in i32, then converted";
}
def VectorReduce : Vector<"v.reduce", 0x76,
    [Field<EnumKind<ReduceEnum>, "fn", "the function">,
     Flag<"accumulate", "combine with what dst holds: dst = combine(dst, reduced)">,
     TileField<"dst", "rows x 1">, TileField<"a", "operand">] # shapeFields> {
  let summary = "dst[r] = reduction of row r of a";
  let description = !strconcat([{
    Chain j of 32 takes the elements j, j + 32, j + 64, ... in ascending order,
    starting from the identity (+0 for sums, -Inf for max, +Inf for min; the
    least and the greatest i32 for integers); then chains combine pairwise:
    j with j + 16, then j + 8, j + 4, j + 2, j + 1. A row of no columns gives
    the identity.

  }], inPlace);
}
def VectorSoftmax : Vector<"v.softmax", 0x77,
    [Field<UnsignedKind<14>, "group", "consecutive rows that share a limit, at least 1">,
     TileField<"dst", "probabilities, not yet divided by the sum">,
     TileField<"a", "scores, f32">,
     TileField<"state", "f32 x 3 per row in scratchpad: maximum, sum, correction">,
     Field<FloatKind, "scale", "scores are multiplied by this first">,
     ValueField<"limit", "number of valid columns of row 0">,
     ValueField<"window", "only the last `window` valid columns count; 0 for all">] # shapeFields> {
  let summary = "one block of an online softmax";
  let description = !strconcat([{
    Milakov & Gimelshein 2018, as used in FlashAttention (Dao et al. 2022):
    ```
    for r < rows:
      hi = limit + floor(r / group);  lo = window ? max(hi - window, 0) : 0
      valid = { c : lo <= c < min(hi, cols) }
      x[c] = a[r][c] * scale                            (rounded to f32)
      m' = max(m, max over valid of x[c])
      correction = exp(m - m')
      p[c] = c in valid ? exp(x[c] - m') : +0
      sum = fma(sum, correction, sum of p in the order of v.reduce)
      dst[r][c] = p[c];  m = m'
    ```
    With no valid column m' = m, correction = 1 and sum stays. exp(0) is 1 and
    exp(-inf) is +0 exactly. The state starts as (lowest finite f32, 0, -).

  }], inPlace);
}
def VectorRope : Vector<"v.rope", 0x78,
    [Flag<"interleaved", "rotate elements 2i and 2i+1 instead of i and i + rotary/2">,
     Field<UnsignedKind<8>, "heads", "heads in a row of a">,
     TileField<"dst", "result">, TileField<"a", "operand: heads * cols elements a row">,
     TileField<"cos", "rows x rotary/2, f32">, TileField<"sin", "rows x rotary/2, f32">,
     Field<UnsignedKind<10>, "rotary", "leading elements of a head that are rotated; the rest is copied">,
     Field<UnsignedKind<24>, "head_stride", "bytes from one head to the next in dst">] # shapeFields> {
  let summary = "rotary position embedding";
  let description = !strconcat([{
    Su et al. 2021. For each row, each head, and i < rotary/2, with x, y the two
    elements of the pair: x' = x*cos[i] - y*sin[i], y' = y*cos[i] + x*sin[i],
    where each product and each sum is rounded to f32. `cols` is the head size.

  }], inPlace);
}
def VectorGather : Vector<"v.gather", 0x79,
    [TileField<"dst", "result">, TileField<"a", "table">,
     TileField<"index", "rows x 1, i32: which row of a">,
     ValueField<"bound", "an index outside 0 .. bound-1 is a fault">] # shapeFields> {
  let summary = "dst[r] = a[index[r]]";
  let description = [{
    dst may be the same tile as index (same place, stride and type); any other
    overlap of dst with an operand is a fault.
  }];
}
def VectorTopK : Vector<"v.topk", 0x7a,
    [Field<UnsignedKind<6>, "k", "1 .. 63 results per row">,
     Flag<"accumulate", "also rank what dst and index already hold">,
     TileField<"dst", "rows x k values, descending">, TileField<"index", "rows x k, i32">,
     TileField<"a", "operand">, ValueField<"first", "index of column 0">] # shapeFields> {
  let summary = "the k largest of each row, and where they are";
  let description = !strconcat([{
    Equal values: the lower index first. NaN ranks above everything. If a row
    has fewer than k candidates, the rest is the type's lowest value, index -1.

  }], inPlace);
}

#endif // SERRANO_ISA_INSTRUCTIONS
