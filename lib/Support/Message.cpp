//===- Message.cpp - errors as users see them -----------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/Message.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/StringExtras.h"

std::string serrano::oneLineMessage(llvm::Error error) {
  std::string message = llvm::toString(std::move(error));
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::SplitString(message, lines, "\n");
  return escapeControls(llvm::join(lines, "; "));
}
