//===- GenOperations.cpp - hooks of the isa dialect's operations -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IsaDefinition.h"
#include "mlir/TableGen/GenInfo.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace serrano::tblgen;

static bool emitOperations(const RecordKeeper &records, raw_ostream &os) {
  emitFileHeader("Syntax and verifiers of the operations", os);
  for (const InstructionDefinition &instruction :
       IsaDefinition::read(records).instructions)
    os << formatv(
        R"(::mlir::ParseResult {0}::parse(::mlir::OpAsmParser &parser, ::mlir::OperationState &state) {{
  return parseInstruction<isa::{0}>(parser, state);
}
void {0}::print(::mlir::OpAsmPrinter &printer) {{
  printInstruction<isa::{0}>(getOperation(), printer);
}
::llvm::LogicalResult {0}::verify() {{
  return verifyInstruction<isa::{0}>(getOperation());
}

)",
        instruction.name);
  return false;
}

static mlir::GenRegistration
    genOperations("gen-isa-operations",
                  "Generate parsers, printers and verifiers of the operations",
                  emitOperations);
