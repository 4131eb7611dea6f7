//===- Watcher.cpp - tells of accesses to watched bytes ----------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Watcher.h"
#include "llvm/ADT/STLExtras.h"

using namespace serrano;
using namespace serrano::sim;

Watcher::Watcher(Debugger &debugger, MemorySystem &memory)
    : debugger(debugger), memory(memory) {
  for (const Watch &watch : debugger.watches) {
    const auto *bytes = reinterpret_cast<const uint8_t *>(
        memory.at(watch.memory, watch.address));
    copies.emplace_back(bytes, bytes + watch.bytes);
  }
}

void Watcher::dispatched(const Dispatched &d) {
  tell({d.word, d.op, d.layer}, d.accesses);
}

void Watcher::filled(const SlotFill &fill) {
  tell({fill.word, fill.op, fill.layer}, fill.accesses);
}

void Watcher::scalarAccess(const Site &site, const Access &access) {
  tell(site, access);
}

void Watcher::tell(const Site &site, llvm::ArrayRef<Access> accesses) {
  // An instruction reads what was there before it wrote.
  for (bool write : {false, true})
    for (auto [index, watch] : llvm::enumerate(debugger.watches)) {
      if (write ? !watch.writes : !watch.reads)
        continue;
      int64_t first = watch.address, last = watch.address + watch.bytes;
      for (const Access &access : accesses) {
        if (access.write != write || access.memory != watch.memory ||
            access.end() <= first || access.address >= last)
          continue;
        for (int64_t row = 0; row < access.rows; ++row) {
          int64_t begin = access.address + row * access.stride;
          tellRow(site, index, write, std::max(begin, first),
                  std::min(begin + access.bytes, last));
        }
      }
    }
}

void Watcher::tellRow(const Site &site, size_t index, bool write,
                      int64_t begin, int64_t end) {
  if (begin >= end)
    return;
  const Watch &watch = debugger.watches[index];
  auto copy = llvm::MutableArrayRef(copies[index])
                  .slice(begin - watch.address, end - begin);
  llvm::ArrayRef<uint8_t> now(
      reinterpret_cast<const uint8_t *>(memory.at(watch.memory, begin)),
      end - begin);
  // What is read while it is not watched for writes was never copied again.
  debugger.accessed({watch, site, write, begin, write ? copy : now, now});
  llvm::copy(now, copy.begin());
}
