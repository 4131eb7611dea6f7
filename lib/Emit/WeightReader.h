//===- WeightReader.h - the values of weights, from their files - -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_EMIT_WEIGHTREADER_H
#define SERRANO_EMIT_WEIGHTREADER_H

#include "dialects/Llm/Llm.h"
#include "serrano/Support/MappedFile.h"
#include <map>
#include <vector>

namespace serrano {

/// Reads parts of weights through their views. Files are mapped and stay so;
/// nothing of them is held otherwise.
class WeightReader {
public:
  /// `directory` is what the views' file names are relative to.
  explicit WeightReader(llvm::StringRef directory) : directory(directory) {}

  /// Elements [row, row + rows) x [col, col + cols) of a weight of rank 2, or of
  /// a vector as its only row, in f32: element (r, c) goes to
  /// out[r * step + c].
  llvm::Error read(llm::WeightOp weight, int64_t row, int64_t rows, int64_t col, int64_t cols,
                   float *out, int64_t step);

  /// Whether all of a weight lies in holes of its files: it is zero, and takes
  /// no space on the disk.
  llvm::Expected<bool> isHole(llm::WeightOp weight);

private:
  llvm::Expected<llvm::ArrayRef<uint8_t>> map(llvm::StringRef file);
  llvm::Error readView(llm::WeightOp weight, llm::ViewAttr view, int64_t row, int64_t rows,
                       int64_t col, int64_t cols, float *out, int64_t step);

  std::string directory;
  std::map<std::string, MappedFile> files;
};

} // namespace serrano

#endif // SERRANO_EMIT_WEIGHTREADER_H
