//===- MemorySystem.h - the memories that a core sees --------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_MEMORYSYSTEM_H
#define SERRANO_SIMULATOR_MEMORYSYSTEM_H

#include "Access.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstddef>
#include <memory>
#include <vector>

namespace serrano::sim {

/// Bytes of a file that stand in HBM; address and file offset are multiples of
/// the host's page.
struct FileSection {
  int64_t address, size;
  uint64_t fileOffset;
};

/// Bytes of the core's memories and of HBM. HBM is one range of the host's
/// address space: read-only sections are mapped into it from the file without a
/// copy, the rest is zero and takes host memory when it is first written.
class MemorySystem {
public:
  struct Sizes {
    int64_t scratchpad, accumulators, scalar, hbm;
  };

  static llvm::Expected<std::unique_ptr<MemorySystem>>
  create(Sizes sizes, llvm::StringRef file,
         llvm::ArrayRef<FileSection> sections);
  ~MemorySystem();
  MemorySystem(const MemorySystem &) = delete;
  MemorySystem &operator=(const MemorySystem &) = delete;

  std::byte *at(Memory memory, int64_t address) {
    return base[unsigned(memory)] + address;
  }
  int64_t size(Memory memory) const { return bytes[unsigned(memory)]; }

  /// Faults if the access leaves its memory or writes what is read-only.
  /// `operand` names it in the message.
  void check(const Access &access, const char *operand) const;

  /// Whether all of a normalized access to HBM lies in a mapped section.
  bool isReadOnly(const Access &access) const;

private:
  MemorySystem() = default;
  bool isInside(const Access &access) const;

  struct Range {
    int64_t begin, end;
  };

  std::byte *base[numMemories] = {};
  int64_t bytes[numMemories] = {};
  std::vector<std::byte> onCore[3]; // Scratchpad, accumulators, scalar memory.
  int64_t mapped = 0;               // Bytes of the host's range for HBM.
  std::vector<Range> readOnly;      // Of HBM, ascending.
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_MEMORYSYSTEM_H
