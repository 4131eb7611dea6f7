//===- EnergyMeter.h - joules of a run ------------------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_ENERGYMETER_H
#define SERRANO_SIMULATOR_ENERGYMETER_H

#include "Core.h"
#include "Fifo.h"
#include "serrano/Simulator/Statistics.h"

namespace serrano::sim {

/// Adds up the energy of what instructions and rings do, with the target's
/// numbers; docs/TimingModel.md has the formulas. No time enters but that of
/// the whole run, so the sums do not depend on the order of engines.
class EnergyMeter final : public Observer {
public:
  EnergyMeter(const TargetModel &target, const TimingModel &timing);

  void dispatched(const Dispatched &instruction) override;
  void filled(const SlotFill &fill) override;

  /// Completes the statistics of the run, whose cycles, bytes and
  /// multiplications are there, by energy and roof.
  void finish(Statistics &statistics);

  /// Picojoules by component of an instruction, an operator or a layer.
  struct Sum {
    double multiplies = 0, scratchpad = 0, accumulators = 0, hbm = 0;
    double total() const {
      return multiplies + scratchpad + accumulators + hbm;
    }
  };
  /// What energy is of: sums of these do not depend on the order.
  struct Amounts {
    PerFormat<int64_t> multiplies;
    int64_t scratchpad = 0, accumulators = 0, hbm = 0; ///< bytes

    /// Adds `n` times `other`.
    void add(const Amounts &other, int64_t n = 1);
    /// Adds the bytes that an access touches in a memory of the core.
    void addLocal(const Access &access);
  };

  /// What a part of a run did, by operator and layer.
  struct Part {
    std::map<uint32_t, Amounts> operators;
    std::map<int64_t, Amounts> layers;
  };
  /// What instructions do is added to `other` from here on; what it was added
  /// to.
  Part exchange(Part other);
  /// Adds a part `n` times, what a layer did to the layer `offset` after it.
  void add(const Part &part, int64_t offset, int64_t n = 1);
  /// Adds what `n` more such parts did, each `slope` layers after the one
  /// before.
  void addMore(const Part &part, int64_t n, int64_t slope);

  /// Of a slot that has been filled and not popped.
  struct Slot {
    uint32_t op; ///< of the order
    int64_t layer;
    Amounts amounts;
  };
  using Slots = std::array<Fifo<Slot>, numRings>;
  const Slots &heldSlots() const { return slots; }
  /// The slots that are held are `other`, of layers larger by `by`.
  void restore(const Slots &other, const Positions &by);
  /// The layers of slots that are held grow by those of `by`.
  void move(const Positions &by);
  static void move(Fifo<Slot> &held, int64_t layers);
  /// What is held of `ring`.
  void hold(unsigned ring, const Fifo<Slot> &held) { slots[ring] = held; }
  /// Appends to `out` the slots that are held, relative to `positions`, but for
  /// those of `idle` rings.
  void describe(const Positions &positions, uint32_t idle,
                std::vector<int64_t> &out) const;
  static void describe(unsigned ring, const Fifo<Slot> &held,
                       const Positions &positions, std::vector<int64_t> &out);

  /// This core's part of the chip's static power.
  double staticWatts() const;
  /// Of one instruction, without the slots that it orders; of one slot.
  Sum of(const Dispatched &instruction) const;
  Sum of(const SlotFill &fill) const;

private:
  static Amounts amountsOf(const Dispatched &instruction);
  Amounts amountsOf(const SlotFill &fill) const;
  Sum sumOf(const Amounts &amounts) const;
  void add(uint32_t op, int64_t layer, const Amounts &amounts);

  const TargetModel &target;
  const TimingModel &timing;
  PerFormat<double> macPj;
  double scratchpadPj, accumulatorPj, hbmPj; ///< per byte
  Part sums;
  Slots slots;
  /// Where the last operator's and layer's sums are: most instructions are of
  /// the same.
  std::pair<int64_t, Amounts *> lastOperator = {-1, nullptr};
  std::pair<int64_t, Amounts *> lastLayer = {-1, nullptr};
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_ENERGYMETER_H
