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

void EnergyMeter::Amounts::add(const Amounts &other, int64_t n) {
  for (NumberFormat format : numberFormats)
    multiplies[format] += n * other.multiplies[format];
  scratchpad += n * other.scratchpad;
  accumulators += n * other.accumulators;
  hbm += n * other.hbm;
}

void EnergyMeter::Amounts::addLocal(const Access &access) {
  int64_t bytes = access.bytes * access.rows;
  if (access.memory == Memory::Scratchpad)
    scratchpad += bytes;
  else if (access.memory == Memory::Accumulators)
    accumulators += bytes;
}

EnergyMeter::Amounts EnergyMeter::amountsOf(const Dispatched &d) {
  Amounts amounts;
  amounts.multiplies[d.format] = d.multiplies;
  for (const Access &access : d.accesses)
    amounts.addLocal(access);
  // A ring's order moves nothing by itself: its slots do.
  if (d.hbm && d.work == Work::Transfer)
    amounts.hbm = d.bytes;
  return amounts;
}

EnergyMeter::Amounts EnergyMeter::amountsOf(const SlotFill &fill) const {
  Amounts amounts;
  for (const Access &access : fill.accesses) {
    amounts.addLocal(access);
    if (access.memory == Memory::Hbm)
      amounts.hbm += timing.burstBytes(access.bytes);
  }
  return amounts;
}

EnergyMeter::Sum EnergyMeter::sumOf(const Amounts &amounts) const {
  Sum sum;
  for (NumberFormat format : numberFormats)
    if (amounts.multiplies[format]) // of one instruction, one at most
      sum.multiplies += double(amounts.multiplies[format]) * macPj[format];
  sum.scratchpad = double(amounts.scratchpad) * scratchpadPj;
  sum.accumulators = double(amounts.accumulators) * accumulatorPj;
  sum.hbm = double(amounts.hbm) * hbmPj;
  return sum;
}

EnergyMeter::Sum EnergyMeter::of(const Dispatched &d) const {
  return sumOf(amountsOf(d));
}

EnergyMeter::Sum EnergyMeter::of(const SlotFill &fill) const {
  return sumOf(amountsOf(fill));
}

void EnergyMeter::add(uint32_t op, int64_t layer, const Amounts &amounts) {
  if (lastOperator.first != op || !lastOperator.second)
    lastOperator = {op, &sums.operators[op]};
  if (lastLayer.first != layer || !lastLayer.second)
    lastLayer = {layer, &sums.layers[layer]};
  lastOperator.second->add(amounts);
  lastLayer.second->add(amounts);
}

void EnergyMeter::dispatched(const Dispatched &d) {
  Amounts amounts = amountsOf(d);
  // What was brought is of who uses it, not of who ordered it.
  for (const SlotUse &use : d.slots)
    if (use.pop) {
      amounts.add(slots[use.ring].front().amounts);
      slots[use.ring].pop_front();
    }
  add(d.op, d.layer, amounts);
}

void EnergyMeter::filled(const SlotFill &fill) {
  slots[fill.ring].push_back({fill.op, fill.layer, amountsOf(fill)});
}

EnergyMeter::Part EnergyMeter::exchange(Part other) {
  lastOperator = lastLayer = {-1, nullptr};
  return std::exchange(sums, std::move(other));
}

void EnergyMeter::add(const Part &part, int64_t offset, int64_t n) {
  for (const auto &[op, amounts] : part.operators)
    sums.operators[op].add(amounts, n);
  for (const auto &[layer, amounts] : part.layers)
    sums.layers[layer + offset].add(amounts, n);
}

void EnergyMeter::addMore(const Part &part, int64_t n, int64_t slope) {
  for (const auto &[op, amounts] : part.operators)
    sums.operators[op].add(amounts, n);
  for (const auto &[layer, amounts] : part.layers) {
    if (slope == 0) {
      sums.layers[layer].add(amounts, n);
      continue;
    }
    for (int64_t i = 1; i <= n; ++i)
      sums.layers[layer + i * slope].add(amounts);
  }
}

void EnergyMeter::describe(const Positions &positions, uint32_t idle,
                           std::vector<int64_t> &out) const {
  for (auto [r, held] : llvm::enumerate(slots))
    if (!(idle >> r & 1))
      describe(r, held, positions, out);
}

void EnergyMeter::describe(unsigned r, const Fifo<Slot> &held,
                           const Positions &positions,
                           std::vector<int64_t> &out) {
  out.push_back(int64_t(held.size()));
  // A slot moves bytes only.
  for (size_t i = 0; i < held.size(); ++i)
    out.insert(out.end(),
               {held[i].op, positions.layerOfSlot(r, held[i].layer),
                held[i].amounts.scratchpad, held[i].amounts.hbm});
}

void EnergyMeter::move(const Positions &by) {
  for (auto [r, held] : llvm::enumerate(slots))
    if (!by.isStream(r))
      move(held, by.layer);
}

void EnergyMeter::move(Fifo<Slot> &held, int64_t layers) {
  for (size_t i = 0; i < held.size(); ++i)
    held[i].layer += layers;
}

void EnergyMeter::restore(const Slots &other, const Positions &by) {
  slots = other;
  move(by);
}

double EnergyMeter::staticWatts() const {
  return target.energy().staticWPerChip.toDouble() / double(target.cores());
}

void EnergyMeter::finish(Statistics &statistics) {
  for (Fifo<Slot> &ring : slots)
    for (; !ring.empty(); ring.pop_front())
      add(ring.front().op, ring.front().layer, ring.front().amounts);
  EnergyStatistics &energy = statistics.energy;
  Amounts all;
  for (const auto &[i, amounts] : sums.operators) {
    all.add(amounts);
    Sum sum = sumOf(amounts);
    energy.multiplies += sum.multiplies * joulesPerPicojoule;
    energy.scratchpad += sum.scratchpad * joulesPerPicojoule;
    energy.accumulators += sum.accumulators * joulesPerPicojoule;
    energy.hbm += sum.hbm * joulesPerPicojoule;
    if (i >= statistics.operators.size())
      statistics.operators.resize(i + 1);
    statistics.operators[i].joules = sum.total() * joulesPerPicojoule;
  }
  for (const auto &[layer, amounts] : sums.layers)
    statistics.layers[layer].joules =
        sumOf(amounts).total() * joulesPerPicojoule;
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
    if (all.multiplies[format])
      cycles += double(all.multiplies[format]) /
                (double(target.rows() * target.columns()) *
                 target.macRate(format).toDouble());
  statistics.roof.computeSeconds = cycles / cyclesPerSecond;
}
