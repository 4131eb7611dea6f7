//===- LlmDialect.cpp - registration of the dialect -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/LlmAttributes.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace serrano::llm;

#include "dialects/Llm/LlmDialect.cpp.inc"
#include "dialects/Llm/LlmEnums.cpp.inc"

static ParseResult parseIntegers(AsmParser &parser,
                                 SmallVector<int64_t> &values) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
    return parser.parseInteger(values.emplace_back());
  });
}

static void printIntegers(AsmPrinter &printer, ArrayRef<int64_t> values) {
  printer << '[' << values << ']';
}

#define GET_ATTRDEF_CLASSES
#include "dialects/Llm/LlmAttributes.cpp.inc"

static ParseResult parseVisibility(OpAsmParser &parser,
                                   StringAttr &visibility) {
  StringRef keyword;
  if (succeeded(parser.parseOptionalKeyword(&keyword,
                                            {"private", "public", "nested"})))
    visibility = parser.getBuilder().getStringAttr(keyword);
  return success();
}

static void printVisibility(OpAsmPrinter &printer, Operation *,
                            StringAttr visibility) {
  if (visibility)
    printer << visibility.getValue();
}

#define GET_OP_CLASSES
#include "dialects/Llm/LlmOps.cpp.inc"

void LlmDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Llm/LlmAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Llm/LlmOps.cpp.inc"
      >();
}

Operation *LlmDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                           Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}
