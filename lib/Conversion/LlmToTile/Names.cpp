//===- Names.cpp - the model's names beside the compiler's --------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program says the sizes of its inputs in the names of the model's dimensions, so
// these stay as they are; and they are symbols beside those of tensors, functions and
// weights. A name that cannot be one is refused before anything is looked up by it.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

/// Whether sizes of the program file can have the name.
static bool isReadable(StringRef name) {
  return !name.empty() && (llvm::isAlpha(name.front()) || name.front() == '_') &&
         llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; });
}

LogicalResult Lowering::checkSize(llm::ExtentAttr extent) {
  for (StringAttr symbol : extent.getSymbols())
    if (!isReadable(symbol))
      return mlir::emitError(module.getLoc())
             << "dimension '" << symbol.getValue()
             << "' has a name that sizes cannot be written with; expected letters, digits, '_' and "
                "'.', and no digit or '.' first: rename the dimension in the model";
  if (llvm::any_of(extent.getCoefficients(), [](int64_t factor) { return factor < 0; }))
    return mlir::emitError(module.getLoc())
           << "dimension '" << extent.str()
           << "' is a difference, for which there is no kernel yet; if it is a name, rename the "
              "dimension in the model";
  return success();
}

LogicalResult Lowering::checkDimensions() {
  llvm::StringSet<> others;
  for (Operation &op : *module.getBody())
    if (auto name = op.getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName());
        name && !isa<tile::DimensionOp>(op))
      others.insert(name.getValue());
  for (auto dimension : module.getOps<tile::DimensionOp>())
    if (others.contains(dimension.getSymName()))
      return mlir::emitError(module.getLoc())
             << "dimension '" << dimension.getSymName()
             << "' has the name of something that the compiler makes: rename the dimension in the "
                "model";
  return success();
}
