//===- ScratchpadMap.cpp - who holds the scratchpad when ---------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScratchpadMap.h"
#include "llvm/Support/MathExtras.h"

using namespace serrano;
using namespace serrano::sim;

ScratchpadMap::ScratchpadMap(int64_t scratchpadBytes)
    : blockBytes(llvm::divideCeil(scratchpadBytes, maxBlocks)),
      rows(llvm::divideCeil(scratchpadBytes, blockBytes)) {}

template <typename Visit>
void ScratchpadMap::forBlocks(const Access &access, Visit visit) {
  if (access.memory != Memory::Scratchpad || access.empty())
    return;
  int64_t previous = -1;
  for (int64_t r = 0; r < access.rows; ++r) {
    int64_t begin = access.address + r * access.stride;
    int64_t last = (begin + access.bytes - 1) / blockBytes;
    for (int64_t i = begin / blockBytes; i <= last; ++i)
      if (i != previous)
        visit(rows[previous = i]);
  }
}

void ScratchpadMap::draw(Block &block, uint32_t cell, int64_t from,
                         int64_t until) {
  int64_t last = std::max(until - 1, from);
  while (last >> shift >= maxColumns) {
    for (Block &each : rows) {
      std::vector<uint32_t> &cells = each.cells;
      for (size_t i = 0; i < cells.size(); i += 2)
        cells[i / 2] =
            cells[i] || i + 1 == cells.size() ? cells[i] : cells[i + 1];
      cells.resize((cells.size() + 1) / 2);
    }
    ++shift;
  }
  int64_t end = (last >> shift) + 1;
  if (size_t(end) > block.cells.size())
    block.cells.resize(end);
  std::fill(block.cells.begin() + (from >> shift), block.cells.begin() + end,
            cell);
}

void ScratchpadMap::slice(const Slice &slice) {
  const Dispatched &d = slice.instruction;
  if (isRing(slice.track)) {
    rings[slice.track - FirstRingId].op = d.op + 1;
    rings[slice.track - FirstRingId].start = slice.start;
    return;
  }
  // What an instruction reads was there before what it writes.
  for (const Access &access : d.accesses)
    if (!access.write)
      forBlocks(access, [&](Block &block) {
        block.until = std::max(block.until, slice.end);
      });
  for (const Access &access : d.accesses)
    if (access.write)
      forBlocks(access, [&](Block &block) {
        if (block.op && block.op != d.op + 1)
          draw(block, block.op, block.from, block.until);
        if (block.op != d.op + 1) {
          block.op = d.op + 1;
          block.from = slice.start;
        }
        block.until = std::max(block.until, slice.end);
      });
}

void ScratchpadMap::filled(const SlotFill &fill) {
  rings[fill.ring].filled.push_back(fill.accesses.back());
}

void ScratchpadMap::slotHeld(unsigned index, int64_t, int64_t to) {
  RingState &ring = rings[index];
  forBlocks(ring.filled.front(),
            [&](Block &block) { draw(block, ring.op, ring.start, to); });
  ring.filled.pop_front();
}

std::vector<double> ScratchpadMap::bytesInUse() const {
  std::vector<double> bytes;
  for (const Block &block : rows) {
    bytes.resize(std::max(bytes.size(), block.cells.size()));
    for (size_t column = 0; column < block.cells.size(); ++column)
      if (block.cells[column])
        bytes[column] += double(blockBytes);
  }
  return bytes;
}

void ScratchpadMap::finish() {
  for (Block &block : rows)
    if (block.op)
      draw(block, block.op, block.from, block.until);
}
