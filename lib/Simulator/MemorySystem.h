//===- MemorySystem.h - the memories that a core sees --------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_MEMORYSYSTEM_H
#define SERRANO_SIMULATOR_MEMORYSYSTEM_H

#include "Access.h"
#include "MappedSection.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstddef>
#include <memory>
#include <vector>

namespace serrano::sim {

/// Bytes of the core's memories and of HBM. HBM is one range of the host's
/// address space: read-only sections are mapped into it from the file without a
/// copy, the rest is zero and takes host memory when it is first written. What
/// is mapped is compared with its checksums when it is first read.
class MemorySystem {
public:
  struct Sizes {
    int64_t scratchpad, accumulators, scalar, hbm;
  };

  /// Maps those of `sections` that `file` holds; what their checksums lie in
  /// outlives the memory. Addresses and file offsets are multiples of the
  /// host's page.
  static llvm::Expected<std::unique_ptr<MemorySystem>>
  create(Sizes sizes, llvm::StringRef file,
         llvm::ArrayRef<isa::Section> sections);
  ~MemorySystem();
  MemorySystem(const MemorySystem &) = delete;
  MemorySystem &operator=(const MemorySystem &) = delete;

  std::byte *at(Memory memory, int64_t address) {
    return base[unsigned(memory)] + address;
  }
  int64_t size(Memory memory) const { return bytes[unsigned(memory)]; }

  /// Faults if the access leaves its memory or writes what is read-only.
  /// `operand` names it in the message. May be called by several threads at once.
  void checkPlace(const Access &access, const char *operand) const;
  /// Whether `checkPlace` would let a normalized access pass.
  bool allows(const Access &access) const {
    return isInside(access) && !writesWeights(access);
  }
  /// Faults if an access that `checkPlace` let pass reads what the file does not
  /// hold as it was written. May be called by several threads at once.
  void verify(const Access &access) const;
  /// Both.
  void check(const Access &access, const char *operand) const {
    checkPlace(access, operand);
    verify(access);
  }

  /// Whether all of a normalized access to HBM lies in a mapped section.
  bool isReadOnly(const Access &access) const;

private:
  MemorySystem() = default;
  bool isInside(const Access &access) const;
  /// Of a normalized access that is inside.
  bool writesWeights(const Access &access) const;
  /// The first section of `readOnly` that ends after `address`.
  std::vector<MappedSection>::const_iterator sectionAfter(int64_t address) const;

  std::byte *base[numMemories] = {};
  int64_t bytes[numMemories] = {};
  std::vector<std::byte> onCore[3]; // Scratchpad, accumulators, scalar memory.
  int64_t mapped = 0;               // Bytes of the host's range for HBM.
  std::vector<MappedSection> readOnly; // Of HBM, ascending.
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_MEMORYSYSTEM_H
