//===- OpTable.cpp - from ONNX op to builder -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringMap.h"

using namespace serrano::onnx_import;

OpBuilderFn serrano::onnx_import::findOpBuilder(llvm::StringRef domain,
                                                llvm::StringRef op) {
  static const llvm::StringMap<OpBuilderFn> table = [] {
    llvm::StringMap<OpBuilderFn> result;
    for (llvm::ArrayRef<OpEntry> family :
         {getAttentionOps(), getElementwiseOps(), getLinearOps(),
          getMovementOps(), getNormalizationOps(), getReductionOps(),
          getShapeOps()})
      for (const OpEntry &entry : family)
        result[(entry.domain + ":" + entry.name).str()] = entry.build;
    return result;
  }();
  llvm::SmallString<64> key;
  return table.lookup((domain + ":" + op).toStringRef(key));
}
