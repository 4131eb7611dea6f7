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

// Blocks are a power of two, because every access is divided by them.
ScratchpadMap::ScratchpadMap(int64_t scratchpadBytes, bool withOwners)
    : blockShift(llvm::Log2_64_Ceil(
          llvm::divideCeil(uint64_t(scratchpadBytes), maxBlocks))),
      blocks(llvm::divideCeil(scratchpadBytes, bytesPerBlock())),
      occupied(blocks.size()), owners(withOwners ? blocks.size() : 0) {}

/// Calls `visit` for each block that `access` touches, for some more than once.
template <typename Visit>
void ScratchpadMap::forBlocks(const Access &access, Visit visit) {
  if (access.memory != Memory::Scratchpad || access.empty())
    return;
  int64_t begin = access.address, bytes = access.bytes, rows = access.rows;
  // Rows that are a block apart, or less, leave out none between them.
  if (rows > 1 && std::abs(access.stride) <= bytesPerBlock()) {
    int64_t span = (rows - 1) * access.stride;
    begin += std::min<int64_t>(span, 0);
    bytes += std::abs(span);
    rows = 1;
  }
  for (; rows > 0; --rows, begin += access.stride) {
    int64_t last = (begin + bytes - 1) >> blockShift;
    for (int64_t i = begin >> blockShift; i <= last; ++i)
      visit(blocks[i]);
  }
}

/// The bits 0 or 1, 2 or 3, ... as bits 0, 1, ...
static uint64_t joinPairs(uint64_t bits) {
  bits = (bits | bits >> 1) & 0x5555555555555555;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits >> 4) & 0x00ff00ff00ff00ff;
  bits = (bits | bits >> 8) & 0x0000ffff0000ffff;
  return (bits | bits >> 16) & 0x00000000ffffffff;
}

void ScratchpadMap::joinColumns() {
  for (Occupied &words : occupied) {
    constexpr size_t half = std::tuple_size<Occupied>() / 2;
    for (size_t i = 0; i < half; ++i)
      words[i] = joinPairs(words[2 * i]) | joinPairs(words[2 * i + 1]) << 32;
    std::fill(words.begin() + half, words.end(), 0);
  }
  for (std::vector<uint32_t> &cells : owners) {
    for (size_t i = 0; i < cells.size(); i += 2)
      cells[i / 2] =
          cells[i] || i + 1 == cells.size() ? cells[i] : cells[i + 1];
    cells.resize((cells.size() + 1) / 2);
  }
  columns = (columns + 1) / 2;
  ++shift;
}

void ScratchpadMap::draw(const Block &block, uint32_t op, int64_t from,
                         int64_t until) {
  int64_t last = std::max(until - 1, from);
  while (last >> shift >= maxColumns)
    joinColumns();
  size_t begin = from >> shift, end = (last >> shift) + 1;
  columns = std::max(columns, end);
  size_t index = &block - blocks.data();
  for (size_t i = begin; i < end; i = (i / 64 + 1) * 64) {
    size_t count = std::min(end - i, 64 - i % 64);
    occupied[index][i / 64] |= llvm::maskTrailingOnes<uint64_t>(count)
                               << i % 64;
  }
  if (owners.empty())
    return;
  std::vector<uint32_t> &cells = owners[index];
  if (end > cells.size())
    cells.resize(end);
  std::fill(cells.begin() + begin, cells.begin() + end, op);
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
  // Where blocks begin to be occupied, less where they cease to be.
  std::vector<int64_t> changes(maxColumns + 1);
  for (const Occupied &words : occupied)
    for (auto [i, word] : llvm::enumerate(words))
      for (unsigned at = 0; at < 64 && word >> at;) {
        unsigned begin = at + std::countr_zero(word >> at);
        at = begin + std::countr_one(word >> begin);
        ++changes[i * 64 + begin];
        --changes[i * 64 + at];
      }
  std::vector<double> bytes(columns);
  int64_t count = 0;
  for (size_t column = 0; column < columns; ++column) {
    count += changes[column];
    bytes[column] = double(count * bytesPerBlock());
  }
  return bytes;
}

void ScratchpadMap::finish() {
  for (const Block &block : blocks)
    if (block.op)
      draw(block, block.op, block.from, block.until);
}
