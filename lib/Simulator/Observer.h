//===- Observer.h - is told of what a core does ---------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_OBSERVER_H
#define SERRANO_SIMULATOR_OBSERVER_H

#include "Dispatch.h"

namespace serrano::sim {

/// Told of what a core does, in program order. Timing and checks listen here.
class Observer {
public:
  virtual ~Observer() = default;
  virtual void dispatched(const Dispatched &instruction) = 0;
  virtual void filled(const SlotFill &) {}
  /// The oldest order of `ring` that has not ended has been filled to its end.
  virtual void orderFilled(unsigned) {}
  /// The sequencer itself read or wrote scalar memory.
  virtual void scalarAccess(const Site &, const Access &) {}
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_OBSERVER_H
