//===- MappedSection.cpp - weights that are mapped from a file ---------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MappedSection.h"
#include "Fault.h"

using namespace serrano;
using namespace serrano::sim;

static constexpr int64_t pieceBytes = isa::weightPieceBytes;

MappedSection::MappedSection(const isa::Section &section,
                             const std::byte *bytes)
    : section(section), bytes(bytes),
      verified(new std::atomic<bool>[section.checksums.size()]()) {}

void MappedSection::verify(const Access &access) const {
  // Rows that are no further apart than a piece leave out none.
  if (access.rows == 1 || access.stride <= pieceBytes)
    return verifyRange(access.address, access.end());
  for (int64_t row = 0; row < access.rows; ++row) {
    int64_t address = access.address + row * access.stride;
    verifyRange(address, address + access.bytes);
  }
}

void MappedSection::verifyRange(int64_t first, int64_t last) const {
  first = std::max(first, begin());
  last = std::min(last, end());
  if (first >= last)
    return;
  for (int64_t i = (first - begin()) / pieceBytes;
       i <= (last - 1 - begin()) / pieceBytes; ++i)
    if (!verified[i].load(std::memory_order_relaxed))
      verifyPiece(i);
}

void MappedSection::verifyPiece(size_t index) const {
  uint64_t offset = index * pieceBytes;
  uint64_t size = std::min<uint64_t>(pieceBytes, section.paddedSize() - offset);
  llvm::ArrayRef piece(reinterpret_cast<const uint8_t *>(bytes) + offset, size);
  if (isa::weightChecksum(piece) != section.checksums[index])
    fault("the file is damaged: bytes {0} to {1} of it, bytes {2} to {3} of "
          "weights '{4}', do not have their checksum; copy it again or compile "
          "the model again",
          section.fileOffset + offset, section.fileOffset + offset + size,
          offset, offset + size, section.name);
  verified[index].store(true, std::memory_order_relaxed);
}
