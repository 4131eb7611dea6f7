//===- MappedFile.h - a file mapped into memory -----------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SUPPORT_MAPPEDFILE_H
#define SERRANO_SUPPORT_MAPPEDFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace serrano {

/// A whole file, mapped read-only. Its pages are read when they are touched and
/// can be dropped by the system at any time, so that a file larger than the
/// memory can be mapped. The bytes start on a page boundary.
class MappedFile {
public:
  /// Maps `path`, which has to be a regular file. An empty file is mapped to
  /// no bytes.
  static llvm::Expected<MappedFile> open(llvm::StringRef path);

  /// No file: no bytes, under a name for errors.
  static MappedFile none(llvm::StringRef name) { return {name, nullptr, 0}; }

  /// What the offset of a section has to be a multiple of for the section to
  /// be mapped by itself.
  static uint64_t pageSize();

  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  ~MappedFile();

  llvm::StringRef path() const { return filePath; }
  uint64_t size() const { return fileSize; }
  llvm::ArrayRef<uint8_t> bytes() const { return {begin, fileSize}; }

  /// The `length` bytes at `offset`, or an error that names the file when they
  /// are not all in it.
  llvm::Expected<llvm::ArrayRef<uint8_t>> slice(uint64_t offset,
                                                uint64_t length) const;

  /// Whether the file system has stored anything of the `length` bytes at
  /// `offset`; where it has not, in a hole of a sparse file, they are zero. True
  /// where the system cannot tell.
  bool hasData(uint64_t offset, uint64_t length) const;

private:
  MappedFile(llvm::StringRef path, const uint8_t *begin, uint64_t size)
      : filePath(path), begin(begin), fileSize(size) {}

  std::string filePath;
  const uint8_t *begin = nullptr;
  uint64_t fileSize = 0;
};

} // namespace serrano

#endif // SERRANO_SUPPORT_MAPPEDFILE_H
