//===- AtomicFile.cpp - an output file, whole or not at all ---------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/AtomicFile.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/SmallString.h"
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace serrano {

static std::error_code lastError() {
  return std::error_code(errno, std::generic_category());
}

Expected<AtomicFile> AtomicFile::create(StringRef path) {
  SmallString<128> target = path;
  if (sys::fs::is_symlink_file(path)) {
    if (std::error_code code = sys::fs::real_path(path, target))
      return makeFileError(path, "follow the symbolic link", code);
  }
  if (sys::fs::exists(target) && !sys::fs::is_regular_file(target))
    return makeError("{0}: cannot write: not a regular file", path);

  Expected<sys::fs::TempFile> temporary =
      sys::fs::TempFile::create(target + ".tmp-%%%%%%%%");
  if (!temporary)
    return makeFileError(path, "create",
                         errorToErrorCode(temporary.takeError()));
  return AtomicFile(target, std::move(*temporary));
}

AtomicFile::AtomicFile(StringRef path, sys::fs::TempFile newFile)
    : filePath(path),
      temporary(std::make_unique<sys::fs::TempFile>(std::move(newFile))),
      output(std::make_unique<raw_fd_ostream>(temporary->FD,
                                              /*shouldClose=*/false)) {}

AtomicFile::~AtomicFile() {
  if (!temporary)
    return;
  // An abandoned file may have failed to be written; the stream must not abort
  // the process for it.
  output->flush();
  output->clear_error();
  output.reset();
  consumeError(temporary->discard());
}

Error AtomicFile::writeAt(uint64_t offset, ArrayRef<uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t written =
        ::pwrite(temporary->FD, bytes.data(), bytes.size(), offset);
    if (written < 0) {
      if (errno == EINTR)
        continue;
      return makeFileError(filePath, "write", lastError());
    }
    bytes = bytes.drop_front(written);
    offset += written;
  }
  return Error::success();
}

Error AtomicFile::readAt(uint64_t offset, MutableArrayRef<uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t read = ::pread(temporary->FD, bytes.data(), bytes.size(), offset);
    if (read < 0 && errno == EINTR)
      continue;
    if (read <= 0)
      return makeFileError(filePath, "read back",
                           read ? lastError()
                                : std::make_error_code(std::errc::io_error));
    bytes = bytes.drop_front(read);
    offset += read;
  }
  return Error::success();
}

Error AtomicFile::resize(uint64_t size) {
  output->flush();
  if (::ftruncate(temporary->FD, size) != 0)
    return makeFileError(filePath, "resize", lastError());
  return Error::success();
}

Expected<uint64_t> AtomicFile::size() {
  output->flush();
  struct stat status;
  if (::fstat(temporary->FD, &status) != 0)
    return makeFileError(filePath, "read the size", lastError());
  return status.st_size;
}

Error AtomicFile::commit() {
  output->flush();
  if (std::error_code code = output->error()) {
    output->clear_error();
    return makeFileError(filePath, "write", code);
  }
  output.reset();
  std::unique_ptr<sys::fs::TempFile> finished = std::move(temporary);
  if (Error error = finished->keep(filePath))
    return makeFileError(filePath, "create",
                         errorToErrorCode(std::move(error)));
  return Error::success();
}

Error flushStandardOutput() {
  outs().flush();
  std::error_code code = outs().error();
  outs().clear_error();
  return code ? makeFileError("standard output", "write", code)
              : Error::success();
}

} // namespace serrano
