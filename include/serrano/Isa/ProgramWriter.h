//===- ProgramWriter.h - writes a compiled program --------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_ISA_PROGRAMWRITER_H
#define SERRANO_ISA_PROGRAMWRITER_H

#include "serrano/Isa/Program.h"
#include "serrano/Isa/ProgramFile.h"
#include "serrano/Support/AtomicFile.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <atomic>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace serrano::isa {

/// Writes a program file. Weights go straight to the disk, in any order; the
/// file appears when `finish` has succeeded. The same calls give the same
/// bytes.
class ProgramWriter {
public:
  static llvm::Expected<ProgramWriter> create(llvm::StringRef path);

  /// Makes room for `bytes` bytes of weights at `address`, a multiple of
  /// `programPageBytes`, and gives the section's number. Bytes that are never
  /// written are zero and take no space on the disk.
  llvm::Expected<size_t> addWeights(llvm::StringRef name, uint64_t address,
                                    uint64_t bytes);

  /// Writes `bytes` at `offset` of a section. May be called by several threads
  /// at once, and takes least time if no byte is written twice.
  llvm::Error write(size_t section, uint64_t offset,
                    llvm::ArrayRef<uint8_t> bytes);

  /// Writes the rest and gives the file its name. `targetJson` is the target
  /// that the program was made for (`TargetModel::toJson`).
  llvm::Error finish(const Program &program, llvm::StringRef targetJson,
                     const nlohmann::json &report);
  llvm::Error finish(const Program &program, llvm::StringRef targetJson);

private:
  struct Weights {
    Section section;
    /// By piece of `weightPieceBytes`. A piece's checksum is computed when as
    /// many bytes have been written to it as it has, as long as they are in the
    /// host's cache.
    std::vector<uint64_t> checksums;
    std::unique_ptr<std::atomic<uint64_t>[]> written;
  };

  explicit ProgramWriter(AtomicFile file) : file(std::move(file)) {}

  llvm::Error computeChecksum(Weights &of, size_t index);
  /// Computes the checksums of pieces with holes, or with bytes that were
  /// written twice.
  llvm::Error completeChecksums();

  AtomicFile file;
  std::vector<Weights> weights;
  uint64_t end = 0;
};

} // namespace serrano::isa

#endif // SERRANO_ISA_PROGRAMWRITER_H
