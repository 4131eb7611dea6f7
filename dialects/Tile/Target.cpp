//===- Target.cpp - the target of a module --------------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/Target.h"

using namespace mlir;
using namespace serrano;

FailureOr<TargetModel> tile::getTarget(ModuleOp module, StringRef name) {
  std::string target = name.str();
  if (target.empty()) {
    auto attribute =
        module->getAttrOfType<StringAttr>(tile::TileDialect::kTargetAttr);
    if (!attribute)
      return module.emitError()
             << "names no target; set '" << tile::TileDialect::kTargetAttr
             << "' or the pass's option 'target'";
    target = attribute.str();
  }
  llvm::Expected<TargetModel> model = TargetModel::load(target);
  if (!model)
    return module.emitError() << llvm::toString(model.takeError());
  return std::move(*model);
}
