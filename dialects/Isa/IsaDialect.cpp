//===- IsaDialect.cpp - registration of the dialect -------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Isa/Isa.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace serrano::isa::ir;

#include "dialects/Isa/IsaDialect.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/Isa/IsaOps.cpp.inc"

void IsaDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/Isa/IsaOps.cpp.inc"
      >();
}
