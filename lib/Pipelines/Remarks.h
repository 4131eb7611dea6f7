//===- Remarks.h - where remarks of a compilation go ----------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_PIPELINES_REMARKS_H
#define SERRANO_LIB_PIPELINES_REMARKS_H

#include "serrano/Support/AtomicFile.h"
#include "mlir/IR/Remarks.h"

namespace serrano {

/// What the sink of remarks asks of the compilation.
struct RemarkClient {
  /// Name and op type of the node that a location comes from; empty if from
  /// none, or if the type is not known.
  std::function<std::pair<std::string, std::string>(mlir::Location)> getNode;
  /// Prints a line on the terminal: what is said at the location.
  std::function<void(mlir::Location, llvm::StringRef)> print;
};

/// The remarks of a compilation: as YAML in a file, as LLVM's tools read them
/// (llvm-remarkutil), or as lines on the terminal. What was not recognised,
/// which remarks call failures, is on the terminal in both cases.
class RemarkSink {
public:
  /// Remarks of `context` whose category, which is the name of a pass, matches
  /// the regular expression `filter` as a whole go to the file `path`, or to the
  /// terminal if it is "-".
  static llvm::Expected<RemarkSink> open(mlir::MLIRContext &context,
                                         llvm::StringRef path,
                                         llvm::StringRef filter,
                                         RemarkClient client);

  /// Gives the file its name.
  llvm::Error commit();

private:
  /// Where its stream is stays the same when the sink is moved.
  std::unique_ptr<AtomicFile> file;
};

} // namespace serrano

#endif // SERRANO_LIB_PIPELINES_REMARKS_H
