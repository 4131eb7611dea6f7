//===- AtomicFile.h - an output file, whole or not at all -------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SUPPORT_ATOMICFILE_H
#define SERRANO_SUPPORT_ATOMICFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdint>
#include <memory>
#include <string>

namespace serrano {

/// An output file that appears under its name when it is complete. It is
/// written under another name in the same folder, renamed by `commit`, and
/// removed when it is destroyed without one or when the process is ended by a
/// signal. An older file of that name stays as it is until then.
class AtomicFile {
public:
  /// Starts the file `path`. A symbolic link is followed; anything there that
  /// is not a regular file is refused.
  static llvm::Expected<AtomicFile> create(llvm::StringRef path);

  AtomicFile(AtomicFile &&) = default;
  AtomicFile &operator=(AtomicFile &&) = delete;
  ~AtomicFile();

  llvm::StringRef path() const { return filePath; }

  /// The buffered stream into the file; it can be moved with `seek` and `tell`.
  /// A failure to write through it is reported by `commit`.
  llvm::raw_fd_ostream &stream() { return *output; }

  /// Writes all of `bytes` at `offset`, beside the stream: neither its position
  /// nor what it still buffers is touched, so the two must not write the same
  /// bytes. May be called by several threads at once.
  llvm::Error writeAt(uint64_t offset, llvm::ArrayRef<uint8_t> bytes);

  /// Reads bytes that `writeAt` wrote, or that `resize` made, from `offset` on.
  /// May be called by several threads at once.
  llvm::Error readAt(uint64_t offset, llvm::MutableArrayRef<uint8_t> bytes);

  /// Makes the file `size` bytes long; new bytes are zero and take no space on
  /// the disk before they are written.
  llvm::Error resize(uint64_t size);

  /// The number of bytes in the file, those that the stream buffers included.
  llvm::Expected<uint64_t> size();

  /// Gives the file its name. Nothing can be written after this.
  llvm::Error commit();

private:
  AtomicFile(llvm::StringRef path, llvm::sys::fs::TempFile newFile);

  std::string filePath;
  std::unique_ptr<llvm::sys::fs::TempFile> temporary;
  std::unique_ptr<llvm::raw_fd_ostream> output;
};

/// Writes out what the standard output buffers; an error if that, or anything
/// before, could not be written. LLVM ends the process with a crash report when
/// nobody has asked.
llvm::Error flushStandardOutput();

} // namespace serrano

#endif // SERRANO_SUPPORT_ATOMICFILE_H
