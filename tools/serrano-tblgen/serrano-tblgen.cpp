//===- serrano-tblgen.cpp - generates C++ and docs from the ISA -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/CommandLine.h"

#include "mlir/Tools/mlir-tblgen/MlirTblgenMain.h"

/// Empty: the generators and the driver register their options themselves.
static llvm::cl::OptionCategory category("serrano-tblgen options");

static llvm::cl::extrahelp about(
    "\nGenerates C++ and the manual from the instruction set's one "
    "definition,\n"
    "dialects/Isa/IsaInstructions.td. With -I DIR for each include folder.\n");

int main(int argc, char **argv) {
  serrano::setUpCommandLine(category);
  return mlir::MlirTblgenMain(argc, argv);
}
