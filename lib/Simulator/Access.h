//===- Access.h - the bytes that an instruction touches ------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_ACCESS_H
#define SERRANO_SIMULATOR_ACCESS_H

#include "serrano/Simulator/Debugger.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace serrano::sim {

/// "scratchpad", "accumulators", "scalar memory", "hbm".
const char *memoryName(Memory memory);

/// `rows` runs of `bytes` contiguous bytes, `stride` bytes from one to the
/// next.
struct Access {
  Memory memory;
  bool write;
  int64_t address;
  int64_t bytes;
  int64_t rows = 1;
  int64_t stride = 0;

  /// One past the last byte touched.
  int64_t end() const { return address + (rows - 1) * stride + bytes; }
  bool empty() const { return rows <= 0 || bytes <= 0; }
};

using Accesses = llvm::SmallVector<Access, 6>;

/// The same bytes with an ascending stride, as one run where rows touch.
inline Access normalized(Access access) {
  if (access.empty())
    return access;
  if (access.stride < 0) {
    access.address += (access.rows - 1) * access.stride;
    access.stride = -access.stride;
  }
  if (access.stride == 0)
    access.rows = 1;
  if (access.stride == access.bytes) {
    access.bytes *= access.rows;
    access.rows = 1;
  }
  if (access.rows == 1)
    access.stride = access.bytes;
  return access;
}

/// Whether two normalized accesses touch a common byte. Exact if either is one
/// run or both have the same stride; otherwise the ranges they span are
/// compared.
bool overlap(const Access &a, const Access &b);

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_ACCESS_H
