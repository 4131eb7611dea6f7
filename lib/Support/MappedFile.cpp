//===- MappedFile.cpp - a file mapped into memory -------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/MappedFile.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/ScopeExit.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace serrano {

static std::error_code lastError() {
  return std::error_code(errno, std::generic_category());
}

Expected<MappedFile> MappedFile::open(StringRef path) {
  // Without O_NONBLOCK, opening a named pipe waits for someone to write to it.
  int descriptor =
      ::open(path.str().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return makeFileError(path, "open", lastError());
  scope_exit close([&] { ::close(descriptor); });

  struct stat status;
  if (::fstat(descriptor, &status) != 0)
    return makeFileError(path, "read the size", lastError());
  if (!S_ISREG(status.st_mode))
    return makeError("{0}: not a regular file", path);
  // The system maps no empty range.
  if (status.st_size == 0)
    return MappedFile(path, nullptr, 0);

  void *begin =
      ::mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (begin == MAP_FAILED)
    return makeFileError(path, "map", lastError());
  return MappedFile(path, static_cast<const uint8_t *>(begin), status.st_size);
}

uint64_t MappedFile::pageSize() { return ::sysconf(_SC_PAGESIZE); }

MappedFile::MappedFile(MappedFile &&other) noexcept
    : filePath(std::move(other.filePath)),
      begin(std::exchange(other.begin, nullptr)),
      fileSize(std::exchange(other.fileSize, 0)) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(filePath, other.filePath);
  std::swap(begin, other.begin);
  std::swap(fileSize, other.fileSize);
  return *this;
}

MappedFile::~MappedFile() {
  if (begin)
    ::munmap(const_cast<uint8_t *>(begin), fileSize);
}

bool MappedFile::hasData(uint64_t offset, uint64_t length) const {
  int descriptor =
      ::open(filePath.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return true;
  scope_exit close([&] { ::close(descriptor); });
  off_t data = ::lseek(descriptor, off_t(offset), SEEK_DATA);
  // ENXIO: there is none up to the end of the file.
  return data < 0 ? errno != ENXIO : uint64_t(data) - offset < length;
}

Expected<ArrayRef<uint8_t>> MappedFile::slice(uint64_t offset,
                                              uint64_t length) const {
  if (offset > fileSize || length > fileSize - offset)
    return makeError("{0}: {1} bytes at offset {2} are not in the file, which "
                     "has {3} bytes",
                     filePath, length, offset, fileSize);
  return bytes().slice(offset, length);
}

} // namespace serrano
