//===- MemorySystem.cpp - the memories that a core sees ----------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MemorySystem.h"
#include "Fault.h"
#include "serrano/Support/Error.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace serrano;
using namespace serrano::sim;

llvm::Expected<std::unique_ptr<MemorySystem>>
MemorySystem::create(Sizes sizes, llvm::StringRef file,
                     llvm::ArrayRef<isa::Section> sections) {
  std::unique_ptr<MemorySystem> result(new MemorySystem());
  int64_t onCore[] = {sizes.scratchpad, sizes.accumulators, sizes.scalar};
  for (unsigned i = 0; i < 3; ++i) {
    result->onCore[i].resize(onCore[i]);
    result->base[i] = result->onCore[i].data();
    result->bytes[i] = onCore[i];
  }

  int64_t page = sysconf(_SC_PAGESIZE);
  int64_t length = std::max((sizes.hbm + page - 1) / page, int64_t(1)) * page;
  void *hbm = mmap(nullptr, length, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (hbm == MAP_FAILED)
    return makeError("cannot reserve {0} bytes of address space for hbm",
                     length);
  result->base[unsigned(Memory::Hbm)] = static_cast<std::byte *>(hbm);
  result->bytes[unsigned(Memory::Hbm)] = sizes.hbm;
  result->mapped = length;

  if (llvm::all_of(sections, [](const isa::Section &s) { return !s.fileSize; }))
    return result;
  std::string path = file.str();
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return makeFileError(file, "open",
                         std::error_code(errno, std::generic_category()));
  for (const isa::Section &section : sections) {
    if (section.fileSize == 0)
      continue;
    if (section.address > uint64_t(length) ||
        section.paddedSize() > length - section.address ||
        section.address % page || section.fileOffset % page) {
      close(descriptor);
      return makeError("{0}: section at hbm address {1:x} cannot be mapped: it "
                       "must lie on page "
                       "boundaries inside the program's {2} bytes",
                       file, section.address, sizes.hbm);
    }
    std::byte *place = result->at(Memory::Hbm, int64_t(section.address));
    if (mmap(place, section.paddedSize(), PROT_READ, MAP_PRIVATE | MAP_FIXED,
             descriptor, off_t(section.fileOffset)) == MAP_FAILED) {
      std::error_code code(errno, std::generic_category());
      close(descriptor);
      return makeFileError(file, "map a section of", code);
    }
    result->readOnly.emplace_back(section, place);
  }
  close(descriptor);
  llvm::sort(result->readOnly, [](const auto &a, const auto &b) {
    return a.begin() < b.begin();
  });
  return result;
}

MemorySystem::~MemorySystem() {
  if (mapped)
    munmap(base[unsigned(Memory::Hbm)], mapped);
}

/// Whether all of the access lies in its memory.
bool MemorySystem::isInside(const Access &access) const {
  // Registers can make addresses and strides that do not fit 64 bits.
  int64_t span, end;
  if (access.stride < 0 || access.address < 0 ||
      llvm::MulOverflow(access.rows - 1, access.stride, span) ||
      llvm::AddOverflow(access.address, span, end)) {
    __int128 wide = __int128(access.rows - 1) * access.stride;
    __int128 first = access.address + std::min<__int128>(wide, 0);
    __int128 last = access.address + std::max<__int128>(wide, 0) + access.bytes;
    return first >= 0 && last <= size(access.memory);
  }
  return end <= size(access.memory) - access.bytes;
}

std::vector<MappedSection>::const_iterator
MemorySystem::sectionAfter(int64_t address) const {
  return llvm::upper_bound(readOnly, address,
                           [](int64_t address, const MappedSection &s) {
                             return address < s.end();
                           });
}

bool MemorySystem::writesWeights(const Access &access) const {
  if (access.memory != Memory::Hbm || !access.write)
    return false;
  auto it = sectionAfter(access.address);
  return it != readOnly.end() && access.end() > it->begin();
}

void MemorySystem::checkPlace(const Access &request,
                              const char *operand) const {
  if (request.empty())
    return;
  if (!isInside(request))
    fault("{0} leaves the {1}: it begins at byte {2} and touches {3} x {4} "
          "bytes with stride {5}, "
          "but there are {6} bytes",
          operand, memoryName(request.memory), request.address, request.rows,
          request.bytes, request.stride, size(request.memory));
  Access access = normalized(request);
  if (writesWeights(access))
    fault("{0} writes hbm bytes {1} to {2}, which hold the program's weights",
          operand, access.address, access.end());
}

void MemorySystem::verify(const Access &request) const {
  if (request.memory != Memory::Hbm || request.write || request.empty())
    return;
  Access access = normalized(request);
  for (auto it = sectionAfter(access.address);
       it != readOnly.end() && access.end() > it->begin(); ++it)
    it->verify(access);
}

bool MemorySystem::isReadOnly(const Access &access) const {
  return llvm::any_of(readOnly, [&](const MappedSection &s) {
    return s.begin() <= access.address && access.end() <= s.end();
  });
}
