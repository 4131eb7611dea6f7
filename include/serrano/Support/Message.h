//===- Message.h - errors as users see them ---------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SUPPORT_MESSAGE_H
#define SERRANO_SUPPORT_MESSAGE_H

#include "llvm/Support/Error.h"
#include <string>

namespace serrano {

/// The message of `error` in one line, whatever names a file brought into it:
/// several problems, one a line, are joined by "; ", and what no terminal shows
/// is written as by escapeControls. Scripts read it, and Python takes UTF-8 only.
std::string oneLineMessage(llvm::Error error);

} // namespace serrano

#endif // SERRANO_SUPPORT_MESSAGE_H
