//===- ProgramFormat.h - what program files are made of ---------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_ISA_PROGRAMFORMAT_H
#define SERRANO_LIB_ISA_PROGRAMFORMAT_H

#include "serrano/Isa/Instructions.h"
#include "serrano/Isa/ProgramFile.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFTypes.h"
#include "llvm/Support/xxhash.h"

namespace serrano::isa {

using ElfHeader = llvm::object::ELF64LE::Ehdr;
using ElfSection = llvm::object::ELF64LE::Shdr;
using ElfSymbol = llvm::object::ELF64LE::Sym;

// The machine is none and the OS/ABI that of stand-alone programs, with our
// format as its version.
inline constexpr uint16_t elfMachine = llvm::ELF::EM_NONE;
inline constexpr uint8_t elfOsAbi = llvm::ELF::ELFOSABI_STANDALONE;

inline constexpr llvm::StringLiteral textSection = ".text";
inline constexpr llvm::StringLiteral manifestSection = ".serrano.manifest";
inline constexpr llvm::StringLiteral checksumSection = ".serrano.checksum";
inline constexpr llvm::StringLiteral weightChecksumsSection =
    ".serrano.weight_checksums";
inline constexpr llvm::StringLiteral weightsPrefix = ".weights.";
inline constexpr llvm::StringLiteral zeroPrefix = ".zero.";

inline constexpr uint64_t checksumBytes = sizeof(uint64_t);

/// The checksum over everything but the contents of weights: the header, the
/// sections in the order of their table, the table.
class Checksum {
public:
  void add(llvm::ArrayRef<uint8_t> bytes) {
    hashes.push_back(bytes.size());
    hashes.push_back(llvm::xxh3_64bits(bytes));
  }
  uint64_t value() const {
    return llvm::xxh3_64bits(
        llvm::ArrayRef(reinterpret_cast<const uint8_t *>(hashes.data()),
                       hashes.size() * sizeof(uint64_t)));
  }

private:
  llvm::SmallVector<uint64_t> hashes;
};

/// Brings `sections` into the order of their addresses; an error if two
/// overlap.
llvm::Error sortByAddress(std::vector<Section> &sections);

/// The hash of the instruction set as the manifest has it.
inline std::string isaHashText() {
  return "0x" + llvm::utohexstr(definitionHash, /*LowerCase=*/true,
                                /*Width=*/16);
}

} // namespace serrano::isa

#endif // SERRANO_LIB_ISA_PROGRAMFORMAT_H
