//===- Llm.h - the llm dialect -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_LLM_H
#define SERRANO_DIALECTS_LLM_LLM_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Llm/LlmDialect.h.inc"
#include "dialects/Llm/LlmEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Llm/LlmAttributes.h.inc"

#include "dialects/Llm/Extents.h"

#define GET_OP_CLASSES
#include "dialects/Llm/LlmOps.h.inc"

#endif // SERRANO_DIALECTS_LLM_LLM_H
