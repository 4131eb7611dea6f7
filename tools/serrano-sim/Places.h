//===- Places.h - operators, addresses and bytes by name ------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TOOLS_SERRANO_SIM_PLACES_H
#define SERRANO_TOOLS_SERRANO_SIM_PLACES_H

#include "serrano/Runtime/Program.h"
#include "llvm/Support/GlobPattern.h"

namespace serrano {

/// Names of operators and tensors, as a person asks for them: "NAME" or
/// "NAME@LAYER", in which `*` and `?` stand for others. What is a name itself is
/// taken as one, whatever it is made of.
class NamePattern {
public:
  /// An error, with the nearest name, if it is none of a tensor or an operator
  /// of `program`. `option` is said with it.
  static llvm::Expected<NamePattern> parse(llvm::StringRef text,
                                           const Program &program,
                                           llvm::StringRef option);

  bool matches(llvm::StringRef name, int64_t ofLayer) const {
    return (layer == 0 || layer == ofLayer) &&
           (pattern ? pattern->match(name) : name == exact);
  }

private:
  std::string exact;
  std::shared_ptr<const std::string> glob; ///< which the pattern refers to
  std::optional<llvm::GlobPattern> pattern;
  int64_t layer = 0; ///< 0: any
};

/// Bytes of a memory, "spm:0x100+64"; "spm", "acc", "smem" and "hbm" are the
/// memories. `option` is said with an error.
struct ByteRange {
  sim::Memory memory;
  int64_t address, bytes;

  static llvm::Expected<ByteRange> parse(llvm::StringRef text,
                                         llvm::StringRef option);
};

/// The name of a memory in such a range.
llvm::StringRef shortName(sim::Memory memory);

/// What `--watch` takes: a range and, after a colon, r, w or rw; w by default.
llvm::Expected<sim::Watch> parseWatch(llvm::StringRef text);

} // namespace serrano

#endif // SERRANO_TOOLS_SERRANO_SIM_PLACES_H
