//===- Error.h - errors with formatted messages -----------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SUPPORT_ERROR_H
#define SERRANO_SUPPORT_ERROR_H

#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include <string>
#include <system_error>
#include <utility>

namespace serrano {

/// An error with a message in formatv's syntax. Messages start in lower case,
/// end without a full stop, and name the value, the limit and the remedy:
///
///   return makeError("{0}: tile of {1} bytes does not fit {2}", file, n, max);
template <typename... Args>
llvm::Error makeError(const char *format, Args &&...args) {
  return llvm::createStringError(
      llvm::formatv(format, std::forward<Args>(args)...).str());
}

/// `error` with "`where`: " before its message.
llvm::Error addContext(llvm::Error error, llvm::StringRef where);

/// `message` with control characters, which names in a file may have, written as
/// "\x0a": it is one line.
std::string escapeControls(llvm::StringRef message);

/// A message from elsewhere in the style of ours: its first letter in lower
/// case, unless it begins an acronym.
std::string lowerCaseMessage(std::string message);

/// "`path`: cannot `action`: `the system's message in lower case`".
llvm::Error makeFileError(llvm::StringRef path, llvm::StringRef action,
                          std::error_code code);

} // namespace serrano

#endif // SERRANO_SUPPORT_ERROR_H
