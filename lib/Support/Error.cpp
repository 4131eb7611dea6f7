//===- Error.cpp - errors with formatted messages -------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Format.h"

using namespace llvm;

namespace serrano {

Error addContext(Error error, StringRef where) {
  if (!error)
    return error;
  return makeError("{0}: {1}", where, toString(std::move(error)));
}

std::string lowerCaseMessage(std::string message) {
  if (message.size() > 1 && !isUpper(message[1]))
    message.front() = toLower(message.front());
  return message;
}

Error makeFileError(StringRef path, StringRef action, std::error_code code) {
  return makeError("{0}: cannot {1}: {2}", path, action,
                   lowerCaseMessage(code.message()));
}

} // namespace serrano

std::string serrano::escapeControls(llvm::StringRef message) {
  std::string result;
  llvm::raw_string_ostream os(result);
  auto *end = reinterpret_cast<const llvm::UTF8 *>(message.end());
  while (!message.empty()) {
    auto *bytes = reinterpret_cast<const llvm::UTF8 *>(message.begin());
    if (*bytes < 0x20 || *bytes == 0x7f ||
        !llvm::isLegalUTF8Sequence(bytes, end)) {
      os << llvm::format("\\x%02x", *bytes);
      message = message.drop_front();
      continue;
    }
    unsigned length = llvm::getNumBytesForUTF8(*bytes);
    os << message.take_front(length);
    message = message.drop_front(length);
  }
  return result;
}
