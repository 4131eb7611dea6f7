//===- Dma.cpp - DMA instructions --------------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"
#include "Fault.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>

using namespace serrano;
using namespace serrano::sim;

Core::Place Core::place(isa::LocalAddress a) const {
  Memory memory = a.space == isa::Space::Acc    ? Memory::Accumulators
                  : a.space == isa::Space::Smem ? Memory::Scalar
                                                : Memory::Scratchpad;
  return {memory, int64_t(uint64_t(decisive(a.reg)) + a.offset), 0, {}};
}

namespace {
struct Dimension {
  int64_t count, stride;
};
} // namespace

/// Faults if rows of a destination overlap: in ascending order of magnitude,
/// each stride must reach over all that the dimensions before it span.
static void requireDisjointRows(int64_t bytes,
                                llvm::SmallVector<Dimension, 3> dimensions) {
  llvm::sort(dimensions, [](Dimension a, Dimension b) {
    return std::abs(a.stride) < std::abs(b.stride);
  });
  __int128 extent = bytes;
  for (Dimension d : dimensions) {
    if (d.count == 1)
      continue;
    if (std::abs(d.stride) < extent)
      fault("rows of dst overlap: a stride of {0} lies inside the {1} bytes "
            "before it",
            d.stride, int64_t(extent));
    extent += __int128(std::abs(d.stride)) * (d.count - 1);
  }
}

/// base + i * s + j * t, kept where it is inside no memory if it does not fit.
static int64_t offsetBy(int64_t base, int64_t i, int64_t s, int64_t j,
                        int64_t t) {
  constexpr __int128 limit = int64_t(1) << 62;
  __int128 sum = base + __int128(i) * s + __int128(j) * t;
  return int64_t(std::clamp(sum, -limit, limit));
}

template <typename T>
void Core::copyRows(const T &d, unsigned queue, Place from, Place to) {
  begin(d, queue, Work::Transfer);
  int64_t bytes = count(d.bytes, "bytes");
  int64_t n1 = count(d.n1, "n1"), n2 = count(d.n2, "n2"),
          n3 = count(d.n3, "n3");
  int64_t ss1 = value(d.ss1), ss2 = value(d.ss2), ss3 = value(d.ss3);
  int64_t ds1 = value(d.ds1), ds2 = value(d.ds2), ds3 = value(d.ds3);
  bool toHbm = to.memory == Memory::Hbm;
  record.hbm = toHbm || from.memory == Memory::Hbm;
  record.write = toHbm;
  if (bytes == 0 || n1 == 0 || n2 == 0 || n3 == 0)
    return finish([] {});
  requireDisjointRows(bytes, {{n1, ds1}, {n2, ds2}, {n3, ds3}});
  for (int64_t i3 = 0; i3 < n3; ++i3)
    for (int64_t i2 = 0; i2 < n2; ++i2) {
      int64_t source = offsetBy(from.address, i2, ss2, i3, ss3);
      int64_t destination = offsetBy(to.address, i2, ds2, i3, ds3);
      touch({from.memory, false, source, bytes, n1, ss1}, "src",
            from.slope, from.form);
      touch({to.memory, true, destination, bytes, n1, ds1}, "dst",
            to.slope, to.form);
      const Access &bursts =
          record.accesses[record.accesses.size() - (toHbm ? 1 : 2)];
      record.bytes +=
          timing.burstBytes(bursts.bytes) * (ss1 || toHbm ? bursts.rows : n1);
    }
  if (from.memory == to.memory)
    for (const Access &read : record.accesses)
      for (const Access &write : record.accesses)
        if (write.write && !read.write && overlap(read, write))
          fault("src and dst overlap in {0}; they must be disjoint",
                memoryName(to.memory));
  finish([=, this] {
    for (int64_t i3 = 0; i3 < n3; ++i3)
      for (int64_t i2 = 0; i2 < n2; ++i2)
        for (int64_t i1 = 0; i1 < n1; ++i1)
          std::memcpy(
              memory.at(to.memory, to.address + i1 * ds1 + i2 * ds2 + i3 * ds3),
              memory.at(from.memory,
                        from.address + i1 * ss1 + i2 * ss2 + i3 * ss3),
              bytes);
  });
}

void Core::execute(const isa::DmaLoad &i) {
  copyRows(i, DmaInId, {Memory::Hbm, address(i.src), slopeOf(i.src), formOf(i.src.reg)},
           place(i.dst));
}
void Core::execute(const isa::DmaStore &i) {
  copyRows(i, DmaOutId, place(i.src),
           {Memory::Hbm, address(i.dst), slopeOf(i.dst), formOf(i.dst.reg)});
}
void Core::execute(const isa::DmaCopy &i) {
  copyRows(i, DmaInId, place(i.src), place(i.dst));
}

template <typename T>
void Core::copyByTable(const T &d, unsigned queue, bool gather, Place local,
                       int64_t hbm) {
  begin(d, queue, Work::Transfer);
  record.hbm = true;
  record.write = !gather;
  int64_t n = count(d.n, "n"), bytes = count(d.bytes, "bytes");
  int64_t bound = value(d.bound), stride = value(d.stride),
          localStride = value(d.local_stride);
  Access table = touchTable(d.table, n);
  if (gather && bytes && n > 1 && std::abs(localStride) < bytes)
    fault("rows of dst overlap: each has {0} bytes, but local_stride is {1}",
          bytes, localStride);
  touch({local.memory, gather, local.address, bytes, n, localStride},
        gather ? "dst" : "src");
  record.bytes = n * timing.burstBytes(bytes);
  using Rows = llvm::SmallVector<std::byte *, 0>;
  auto readTable = [=, this] {
    Rows rows;
    for (int64_t i = 0; bytes && i < n; ++i) {
      int64_t index = scalarWord(table.address + 4 * i);
      if (index < 0 || index >= bound)
        fault("table entry {0} is {1}, outside 0 to {2}", i, index, bound - 1);
      int64_t row = offsetBy(hbm, index, stride, 0, 0);
      touchRow({Memory::Hbm, !gather, row, bytes, 1, bytes},
               gather ? "src" : "dst");
      rows.push_back(memory.at(Memory::Hbm, row));
    }
    return rows;
  };
  auto copy = [=, this](const Rows &rows) {
    for (auto [i, there] : llvm::enumerate(rows)) {
      std::byte *here =
          memory.at(local.memory, local.address + int64_t(i) * localStride);
      std::memcpy(gather ? here : there, gather ? there : here, bytes);
    }
  };
  if (schedule)
    return finish([=] { copy(readTable()); });
  // What the table says is not known, and takes no time.
  if (known)
    return finish([] {});
  settle({table, std::nullopt});
  finish([=, rows = readTable()] { copy(rows); });
}

void Core::execute(const isa::DmaGather &i) {
  copyByTable(i, DmaInId, true, place(i.dst), address(i.src));
}
void Core::execute(const isa::DmaScatter &i) {
  copyByTable(i, DmaOutId, false, place(i.src), address(i.dst));
}
