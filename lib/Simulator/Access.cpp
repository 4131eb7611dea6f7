//===- Access.cpp - the bytes that an instruction touches --------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Access.h"
#include <algorithm>

using namespace serrano::sim;

const char *serrano::sim::memoryName(Memory memory) {
  switch (memory) {
  case Memory::Scratchpad:
    return "scratchpad";
  case Memory::Accumulators:
    return "accumulators";
  case Memory::Scalar:
    return "scalar memory";
  case Memory::Hbm:
    return "hbm";
  }
  return "";
}

/// Whether the run [address, address + bytes) touches a row of `rows`.
static bool touchesRow(int64_t address, int64_t bytes, const Access &rows) {
  // The last row that starts before the run's end.
  int64_t row = std::min((address + bytes - 1 - rows.address) / rows.stride,
                         rows.rows - 1);
  return rows.address + row * rows.stride + rows.bytes > address;
}

bool serrano::sim::overlap(const Access &a, const Access &b) {
  if (a.memory != b.memory || a.empty() || b.empty())
    return false;
  if (a.end() <= b.address || b.end() <= a.address)
    return false;
  if (a.rows == 1)
    return touchesRow(a.address, a.bytes, b);
  if (b.rows == 1)
    return touchesRow(b.address, b.bytes, a);
  if (a.stride != b.stride)
    return true;
  // Rows of one stride meet where they meet modulo the stride.
  int64_t phase = (b.address - a.address) % a.stride;
  if (phase < 0)
    phase += a.stride;
  return phase < a.bytes || phase + b.bytes > a.stride;
}
