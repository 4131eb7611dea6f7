//===- TargetJson.h - target files as JSON ----------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The steps from a target file's text to its numbers and back: parse, resolve
// a variant (TargetFiles.cpp), read (TargetReader.cpp), check what spans keys
// (TargetChecks.cpp), write (TargetWriter.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_TARGET_TARGETJSON_H
#define SERRANO_LIB_TARGET_TARGETJSON_H

#include "serrano/Target/TargetNumbers.h"
#include "llvm/Support/Error.h"
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace serrano {

/// Everything that is wrong with one file, reported together.
class TargetProblems {
public:
  explicit TargetProblems(llvm::StringRef source) : source(source) {}

  /// Adds "source: path: message"; an empty path is the whole file.
  void add(llvm::StringRef path, const llvm::Twine &message);
  bool empty() const { return lines.empty(); }
  /// One line for each problem, in the order in which they were added.
  llvm::Error takeError();

private:
  std::string source;
  std::vector<std::string> lines;
};

/// "the string "8"", "null", "an object", "8.5": a value, for an error.
std::string describeJson(const nlohmann::json &value);

/// "; did you mean 'rows'?" if one of `candidates` is near `name`, otherwise
/// nothing.
std::string suggestNearest(llvm::StringRef name,
                           llvm::ArrayRef<std::string> candidates);

/// Parses text; a key that is given twice is an error.
llvm::Expected<nlohmann::json> parseJson(llvm::StringRef text,
                                         llvm::StringRef source);

/// If `root` has the key "variant_of", replaces it by that bundled target with
/// the values of `root` in place of its own.
llvm::Error resolveVariant(nlohmann::json &root, llvm::StringRef source);

/// Fills `target` with the values of `root`, strictly.
void readTarget(const nlohmann::json &root, TargetNumbers &target,
                TargetProblems &problems);

/// Finds values that are possible alone but not together.
void checkTarget(const TargetNumbers &target, TargetProblems &problems);

std::string writeTarget(const TargetNumbers &target);

} // namespace serrano

#endif // SERRANO_LIB_TARGET_TARGETJSON_H
