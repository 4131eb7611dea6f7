//===- Compile.h - compiles a model -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_PIPELINES_COMPILE_H
#define SERRANO_PIPELINES_COMPILE_H

#include "llvm/Support/Error.h"
#include <string>

namespace serrano {

/// Where a compilation stops and what it writes.
enum class Stage { Import, Llm, Tile, Mem, Dma, Isa, Asm, Program };

struct CompileOptions {
  std::string modelPath;
  /// "-" is the standard output.
  std::string outputPath = "-";
  /// Name of a bundled target or path of a JSON file.
  std::string target = "serrano-1";
  std::string precision = "bf16";
  int64_t maxTokens = 128;
  int64_t maxSequences = 8;
  int64_t maxContext = 2048;
  /// How tiles are chosen: "cycles", what is predicted to take the fewest, or "none", by
  /// rules.
  std::string search = "cycles";
  /// What is chosen already, as in `#tile.choices<...>`: "lanes = 1, rows = 64".
  std::string choices;
  /// JSON report; empty for none.
  std::string reportPath;
  /// Remarks on what was done, what was not and why, as YAML; "-" is the standard
  /// error, in lines to read; empty for none.
  std::string remarksPath;
  /// Regular expression: remarks of passes whose whole name it matches.
  std::string remarksFilter = ".*";
  Stage stage = Stage::Program;
  /// Print locations of operations in MLIR text.
  bool printLocations = false;
  /// Leaves the IR's memory to the operating system: for a process that ends next.
  bool leaveMemory = false;
  /// Shows progress on a terminal only: for a library, whose standard error
  /// belongs to its caller.
  bool quiet = false;
};

/// Compiles the model. Nothing is written if it fails. Remarks about the model
/// go to the standard error.
llvm::Error compile(const CompileOptions &options);

} // namespace serrano

#endif // SERRANO_PIPELINES_COMPILE_H
