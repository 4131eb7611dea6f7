//===- Error.cpp - errors with formatted messages -------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/Error.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace serrano {

Error addContext(Error error, StringRef where) {
  if (!error)
    return error;
  return makeError("{0}: {1}", where, toString(std::move(error)));
}

Error makeFileError(StringRef path, StringRef action, std::error_code code) {
  std::string reason = code.message();
  if (!reason.empty())
    reason.front() = toLower(reason.front());
  return makeError("{0}: cannot {1}: {2}", path, action, reason);
}

} // namespace serrano
