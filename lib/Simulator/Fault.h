//===- Fault.h - why a run stopped ---------------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_FAULT_H
#define SERRANO_SIMULATOR_FAULT_H

#include "llvm/Support/FormatVariadic.h"
#include <stdexcept>

namespace serrano::sim {

/// A program did what the ISA forbids. Thrown where it is noticed, with the
/// reason alone; `Machine` adds the instruction's address, its disassembly and
/// its source operator and hands the whole to the caller as an `llvm::Error`.
class Fault : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// The debugger ended the run.
class Stopped {};

template <typename... Args>
[[noreturn]] void fault(const char *format, Args &&...args) {
  throw Fault(llvm::formatv(format, std::forward<Args>(args)...).str());
}

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_FAULT_H
