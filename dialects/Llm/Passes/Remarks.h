//===- Remarks.h - what passes did not recognise --------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_PASSES_REMARKS_H
#define SERRANO_DIALECTS_LLM_PASSES_REMARKS_H

#include "mlir/IR/Remarks.h"

namespace serrano::llm {

/// Says what `pass` did not recognise in a model, and why. It is for everybody:
/// a failure in the remarks if somebody has asked for them (mlir/IR/Remarks.h),
/// else a diagnostic. `pass` and `name` are literals: a remark keeps them.
inline void remarkUnrecognised(mlir::Location loc, llvm::StringRef pass,
                               llvm::StringRef name, const llvm::Twine &text) {
  auto options = mlir::remark::RemarkOpts::name(name).category(pass);
  if (auto remark = mlir::remark::failed(loc, options))
    remark << text.str();
  else
    mlir::emitRemark(loc) << text;
}

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_PASSES_REMARKS_H
