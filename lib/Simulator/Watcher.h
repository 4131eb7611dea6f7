//===- Watcher.h - tells of accesses to watched bytes --------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_WATCHER_H
#define SERRANO_SIMULATOR_WATCHER_H

#include "Core.h"
#include "serrano/Simulator/Debugger.h"

namespace serrano::sim {

/// Tells a debugger of the accesses to the bytes that it watches. It keeps a
/// copy of them, so that it knows after an instruction what was there before.
class Watcher final : public Observer {
public:
  Watcher(Debugger &debugger, MemorySystem &memory);

  void dispatched(const Dispatched &instruction) override;
  void filled(const SlotFill &fill) override;
  void scalarAccess(const Site &site, const Access &access) override;

private:
  void tell(const Site &site, llvm::ArrayRef<Access> accesses);
  /// The part of a row that is watched.
  void tellRow(const Site &site, size_t index, bool write, int64_t begin,
               int64_t end);

  Debugger &debugger;
  MemorySystem &memory;
  std::vector<std::vector<uint8_t>> copies; ///< by watch
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_WATCHER_H
