//===- EnergyMeter.cpp - joules of a run -------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EnergyMeter.h"

using namespace serrano;
using namespace serrano::sim;

static constexpr double joulesPerPicojoule = 1e-12;

EnergyMeter::EnergyMeter(const TargetModel &target, const TimingModel &timing)
    : target(target), timing(timing),
      scratchpadPj(target.energy().scratchpadPjPerByte.toDouble()),
      accumulatorPj(target.energy().accumulatorPjPerByte.toDouble()),
      hbmPj(8 * target.energy().memoryPjPerBit.toDouble()) {
  for (NumberFormat format : numberFormats)
    macPj[format] = target.energy().macPj[format].toDouble();
}

void EnergyMeter::addLocal(const Access &access, Sum &sum) const {
  double bytes = double(access.bytes) * double(access.rows);
  if (access.memory == Memory::Scratchpad)
    sum.scratchpad += bytes * scratchpadPj;
  else if (access.memory == Memory::Accumulators)
    sum.accumulators += bytes * accumulatorPj;
}

void EnergyMeter::add(uint32_t op, int64_t layer, const Sum &sum) {
  if (op >= operators.size())
    operators.resize(op + 1);
  if (lastLayer.first != layer || !lastLayer.second)
    lastLayer = {layer, &layers[layer]};
  for (Sum *total : {&operators[op], lastLayer.second}) {
    total->multiplies += sum.multiplies;
    total->scratchpad += sum.scratchpad;
    total->accumulators += sum.accumulators;
    total->hbm += sum.hbm;
  }
}

EnergyMeter::Sum EnergyMeter::of(const Dispatched &d) const {
  Sum sum;
  sum.multiplies = double(d.multiplies) * macPj[d.format];
  for (const Access &access : d.accesses)
    addLocal(access, sum);
  // A ring's order moves nothing by itself: its slots do.
  if (d.hbm && d.work == Work::Transfer)
    sum.hbm = double(d.bytes) * hbmPj;
  return sum;
}

EnergyMeter::Sum EnergyMeter::of(const SlotFill &fill) const {
  Sum sum;
  for (const Access &access : fill.accesses) {
    addLocal(access, sum);
    if (access.memory == Memory::Hbm)
      sum.hbm += double(timing.burstBytes(access.bytes)) * hbmPj;
  }
  return sum;
}

void EnergyMeter::dispatched(const Dispatched &d) {
  multiplies[d.format] += double(d.multiplies);
  add(d.op, d.layer, of(d));
  // What was brought is of who uses it, not of who ordered it.
  for (const SlotUse &use : d.slots)
    if (use.pop) {
      add(d.op, d.layer, slots[use.ring].front().sum);
      slots[use.ring].pop_front();
    }
}

void EnergyMeter::filled(const SlotFill &fill) {
  slots[fill.ring].push_back({fill.op, fill.layer, of(fill)});
}

double EnergyMeter::staticWatts() const {
  return target.energy().staticWPerChip.toDouble() / double(target.cores());
}

void EnergyMeter::finish(Statistics &statistics) {
  for (Fifo<Slot> &ring : slots)
    for (; !ring.empty(); ring.pop_front())
      add(ring.front().op, ring.front().layer, ring.front().sum);
  EnergyStatistics &energy = statistics.energy;
  for (auto [i, sum] : llvm::enumerate(operators)) {
    energy.multiplies += sum.multiplies * joulesPerPicojoule;
    energy.scratchpad += sum.scratchpad * joulesPerPicojoule;
    energy.accumulators += sum.accumulators * joulesPerPicojoule;
    energy.hbm += sum.hbm * joulesPerPicojoule;
    if (i >= statistics.operators.size())
      statistics.operators.resize(i + 1);
    statistics.operators[i].joules = sum.total() * joulesPerPicojoule;
  }
  for (const auto &[layer, sum] : layers)
    statistics.layers[layer].joules = sum.total() * joulesPerPicojoule;
  energy.hbm += double(statistics.fetchBytes) * hbmPj * joulesPerPicojoule;
  energy.fixed = staticWatts() * statistics.seconds;

  double cyclesPerSecond = target.clockGhz().toDouble() * 1e9;
  // Instructions are fetched beside the DMA port, so they take none of its time.
  int64_t bytes = statistics.hbmReadBytes + statistics.hbmWriteBytes;
  statistics.roof.memorySeconds = double(timing.hbmTicks(bytes)) /
                                  double(TimingModel::ticksPerCycle) /
                                  cyclesPerSecond;
  double cycles = 0;
  for (NumberFormat format : numberFormats)
    if (multiplies[format])
      cycles += multiplies[format] / (double(target.rows() * target.columns()) *
                                      target.macRate(format).toDouble());
  statistics.roof.computeSeconds = cycles / cyclesPerSecond;
}
