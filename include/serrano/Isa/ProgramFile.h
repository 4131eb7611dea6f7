//===- ProgramFile.h - reads a compiled program -----------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program file is a 64-bit little-endian ELF file (docs/ProgramFile.md):
// instructions, weights that are mapped rather than read, and a manifest.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_ISA_PROGRAMFILE_H
#define SERRANO_ISA_PROGRAMFILE_H

#include "serrano/Isa/Program.h"
#include "serrano/Support/MappedFile.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MathExtras.h"
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace serrano::isa {

/// The version of the file's layout and of the manifest. A reader refuses files
/// of any other: one of format 1 has no checksums of its weights.
inline constexpr unsigned programFormat = 2;

/// Weights start at a multiple of this in the file and in HBM.
inline constexpr uint64_t programPageBytes = 4096;

/// Weights have a checksum for each piece of this size, so that a run looks at
/// no more of them than it uses.
inline constexpr uint64_t weightPieceBytes = 64 << 10;

/// The checksum of a piece of weights: XXH3 of its bytes, 64 bits.
uint64_t weightChecksum(llvm::ArrayRef<uint8_t> piece);

/// A range of HBM that the file describes.
struct Section {
  std::string name;
  uint64_t address = 0;
  uint64_t memorySize = 0;
  /// 0 for a range of zeroes, which the file does not hold.
  uint64_t fileSize = 0;
  uint64_t fileOffset = 0;
  /// The `weightChecksum` of each piece of its bytes, the padding to the end of
  /// the last page included. They lie in the mapping of the file.
  llvm::ArrayRef<llvm::support::ulittle64_t> checksums = {};

  /// Bytes in the file with the padding, which are whole pages.
  uint64_t paddedSize() const {
    return llvm::alignTo(fileSize, programPageBytes);
  }
};

/// A program file, opened and checked. It holds a mapping of the file, in which
/// the weights are.
class ProgramFile {
public:
  /// Opens `path`. A file that is damaged, newer than this reader or made for
  /// another instruction set gives an error that says so; the contents of
  /// weights are not looked at: who reads them compares their checksums.
  static llvm::Expected<ProgramFile> open(llvm::StringRef path);

  /// A program that is in no file: where its weights would be, HBM is zeroes. Its
  /// time can be predicted.
  static ProgramFile withoutWeights(Program program, llvm::StringRef targetJson);

  ProgramFile(ProgramFile &&) noexcept;
  ProgramFile &operator=(ProgramFile &&) noexcept;
  ~ProgramFile();

  llvm::StringRef path() const { return file.path(); }
  const Program &program() const { return contents; }
  llvm::ArrayRef<uint64_t> text() const { return contents.text; }
  /// The names of source operators by the index that `mark` gives.
  const std::vector<std::string> &operators() const {
    return contents.operators;
  }
  uint64_t hbmBytes() const { return contents.hbmBytes; }

  /// The ranges of HBM, by address.
  llvm::ArrayRef<Section> sections() const { return ranges; }
  /// The bytes of a section, mapped from the file.
  llvm::ArrayRef<uint8_t> bytesOf(const Section &section) const;

  const nlohmann::json &manifest() const { return *json; }
  /// The target that the program was made for, as `TargetModel::parse` reads
  /// it.
  std::string targetJson() const;

private:
  explicit ProgramFile(MappedFile file);
  llvm::Error read();
  llvm::Error readManifest(llvm::ArrayRef<uint8_t> bytes);

  MappedFile file;
  std::unique_ptr<nlohmann::json> json;
  Program contents;
  std::vector<Section> ranges;
};

} // namespace serrano::isa

#endif // SERRANO_ISA_PROGRAMFILE_H
