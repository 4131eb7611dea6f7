//===- MappedSection.h - weights that are mapped from a file -- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_MAPPEDSECTION_H
#define SERRANO_SIMULATOR_MAPPEDSECTION_H

#include "Access.h"
#include "serrano/Isa/ProgramFile.h"
#include <atomic>
#include <memory>

namespace serrano::sim {

/// A section of a program's file that stands in HBM and is only read. Each
/// piece of it is compared with its checksum when it is first read: a program
/// starts without reading its weights, and no run uses one that the file has
/// damaged.
class MappedSection {
public:
  /// `bytes`: where the host mapped the section, to the end of its last page.
  MappedSection(const isa::Section &section, const std::byte *bytes);

  /// Of HBM: the first byte, and one past the last byte of the last page.
  int64_t begin() const { return int64_t(section.address); }
  int64_t end() const { return begin() + int64_t(section.paddedSize()); }

  /// Faults if a piece that the access, which is normalized, reads is not what
  /// was written. Bytes outside of the section are not looked at. May be called
  /// by several threads at once.
  void verify(const Access &access) const;

private:
  /// Verifies the pieces that bytes [begin, end) of HBM touch.
  void verifyRange(int64_t begin, int64_t end) const;
  void verifyPiece(size_t index) const;

  isa::Section section;
  const std::byte *bytes;
  /// By piece, whether it has been compared and is right.
  std::unique_ptr<std::atomic<bool>[]> verified;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_MAPPEDSECTION_H
