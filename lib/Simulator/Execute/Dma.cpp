//===- Dma.cpp - DMA instructions --------------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"
#include "Fault.h"
#include <cstring>

using namespace serrano;
using namespace serrano::sim;

Core::Place Core::place(isa::LocalAddress a) const {
  Memory memory = a.space == isa::Space::Acc    ? Memory::Accumulators
                  : a.space == isa::Space::Smem ? Memory::Scalar
                                                : Memory::Scratchpad;
  return {memory, int64_t(uint64_t(registers[a.reg]) + a.offset)};
}

template <typename T>
void Core::copyRows(const T &d, unsigned queue, Place from, Place to) {
  begin(d, queue, Work::Transfer);
  int64_t bytes = count(d.bytes, "bytes");
  int64_t n1 = count(d.n1, "n1"), n2 = count(d.n2, "n2"), n3 = count(d.n3, "n3");
  int64_t ss1 = value(d.ss1), ss2 = value(d.ss2), ss3 = value(d.ss3);
  int64_t ds1 = value(d.ds1), ds2 = value(d.ds2), ds3 = value(d.ds3);
  bool toHbm = to.memory == Memory::Hbm;
  record.hbm = toHbm || from.memory == Memory::Hbm;
  record.write = toHbm;
  for (int64_t i3 = 0; i3 < n3; ++i3)
    for (int64_t i2 = 0; i2 < n2; ++i2) {
      int64_t source = from.address + i2 * ss2 + i3 * ss3;
      int64_t destination = to.address + i2 * ds2 + i3 * ds3;
      Access read{from.memory, false, source, bytes, n1, ss1};
      Access write{to.memory, true, destination, bytes, n1, ds1};
      if (read.empty())
        continue;
      if (from.memory == to.memory && overlap(normalized(read), normalized(write)))
        fault("source and destination overlap");
      touch(read, "src");
      touch(write, "dst");
      Access bursts = normalized(toHbm ? write : read);
      record.bytes += timing.burstBytes(bursts.bytes) * bursts.rows;
      for (int64_t i1 = 0; i1 < n1; ++i1)
        std::memcpy(memory.at(to.memory, destination + i1 * ds1),
                    memory.at(from.memory, source + i1 * ss1), bytes);
    }
  finish();
}

void Core::execute(const isa::DmaLoad &i) {
  copyRows(i, DmaInId, {Memory::Hbm, address(i.src)}, place(i.dst));
}
void Core::execute(const isa::DmaStore &i) {
  copyRows(i, DmaOutId, place(i.src), {Memory::Hbm, address(i.dst)});
}
void Core::execute(const isa::DmaCopy &i) { copyRows(i, DmaInId, place(i.src), place(i.dst)); }

template <typename T>
void Core::copyByTable(const T &d, unsigned queue, bool gather, Place local, int64_t hbm) {
  begin(d, queue, Work::Transfer);
  record.hbm = true;
  record.write = !gather;
  int64_t n = count(d.n, "n"), bytes = count(d.bytes, "bytes");
  int64_t bound = value(d.bound), stride = value(d.stride), localStride = value(d.local_stride);
  Access table{Memory::Scalar, false, value(d.table), 4, n, 4};
  if (n && table.address % 4)
    fault("table is misaligned: address {0} must be a multiple of 4", table.address);
  touch(table, "table");
  touch({local.memory, gather, local.address, bytes, n, localStride}, gather ? "dst" : "src");
  record.bytes = n * timing.burstBytes(bytes);
  for (int64_t i = 0; bytes && i < n; ++i) {
    int64_t index = scalarWord(table.address + 4 * i);
    if (index < 0 || index >= bound)
      fault("table entry {0} is {1}, outside 0 to {2}", i, index, bound - 1);
    int64_t row = hbm + index * stride;
    touch({Memory::Hbm, !gather, row, bytes, 1, bytes}, gather ? "src" : "dst");
    std::byte *there = memory.at(Memory::Hbm, row);
    std::byte *here = memory.at(local.memory, local.address + i * localStride);
    std::memcpy(gather ? here : there, gather ? there : here, bytes);
  }
  finish();
}

void Core::execute(const isa::DmaGather &i) {
  copyByTable(i, DmaInId, true, place(i.dst), address(i.src));
}
void Core::execute(const isa::DmaScatter &i) {
  copyByTable(i, DmaOutId, false, place(i.src), address(i.dst));
}
