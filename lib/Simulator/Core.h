//===- Core.h - one core: state and execution ----------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_CORE_H
#define SERRANO_SIMULATOR_CORE_H

#include "AdversarialSchedule.h"
#include "CoreState.h"
#include "Kernels/Kernels.h"
#include "MemorySystem.h"
#include "Observer.h"
#include "Origins.h"
#include "Slopes.h"
#include "Snapshot.h"
#include "Workers.h"
#include "serrano/Isa/Instructions.h"
#include "serrano/Target/TimingModel.h"
#include <array>
#include <vector>

namespace serrano::sim {

class Memo;
class Rounds;

/// The program's instructions, decoded once.
struct DecodedProgram {
  struct Entry {
    isa::Instruction instruction;
    uint32_t word;
  };
  std::vector<Entry> entries;
  /// Index into `entries` by word address; ~0u inside an instruction.
  std::vector<uint32_t> indexOfWord;
};

/// Executes one instruction stream. Instructions take effect in program order,
/// on several threads as if in program order (`Workers`), or when `schedule`
/// says: a program without races computes the same in every legal order, which
/// is what `HappensBefore` checks and what lets `Timeline` compute the real one.
///
/// With `known`, only the sequencer works: nothing that engines do happens. What
/// is not known of scalar memory may say where in HBM something is, which takes
/// no time; anything else that it decides is a fault. Observers are told the
/// same, but for such addresses.
class Core : private CoreState {
public:
  Core(const DecodedProgram &program, MemorySystem &memory,
       const TargetModel &target, const TimingModel &timing,
       llvm::ArrayRef<Observer *> observers, Workers *workers = nullptr,
       AdversarialSchedule *schedule = nullptr, KnownScalars *known = nullptr);

  /// Runs from word address `start` to `halt`; returns its code. Throws
  /// `Fault`.
  int run(uint32_t start);

  /// Where execution is, for messages.
  Site site() const {
    const Site *running = schedule ? schedule->running() : nullptr;
    return running ? *running : Site{word(), currentOp, currentLayer};
  }
  int64_t instructionsExecuted() const { return executed; }

  /// Asks `debugger` before each instruction.
  void attach(Debugger &looker) { debugger = &looker; }
  /// Registers, counters and rings.
  void inspect(MachineState &state) const;
  /// Asks `attempts` at the end of each round of a loop whether rounds can be
  /// left out, and `remembered` at each `mark` whether what follows is known.
  /// Only of a prediction.
  void attach(Rounds &attempts, Memo &remembered) {
    rounds = &attempts;
    memo = &remembered;
  }
  /// Follows slopes from now on, null to stop.
  void follow(Slopes *lines) {
    slopes = lines;
    // Orders from before stay where they are.
    for (Ring &ring : rings)
      for (Order &order : ring.orders)
        order.slope = 0;
    notYet = 0;
  }
  /// The loop that has just ended a round is the one that is followed.
  void setSlopeOfIndex(int64_t slope) {
    if (uint8_t index = loops.back().indexRegister)
      slopes->registers[index] = slope;
  }
  /// Tells `section` what is executed from now on, null to stop.
  void attach(Origins *section) { origins = section; }
  /// The values that a section begins or ends with.
  std::unique_ptr<Origins::Values> values() const;
  Snapshot snapshot() const;

  const CoreState &state() const { return *this; }
  using CoreState::describe;
  using CoreState::positions;
  struct Round {
    Snapshot values;
    Positions positions;
    std::array<int64_t, numCounters> ringIncrements;
    int64_t executed, iteration;
    std::optional<Origins::Forms> forms; ///< if a section is told
  };
  /// What `leaveOut` compares with.
  Round round() const;
  /// Whether the registers and the scalar memory since `before` are on their
  /// lines.
  bool onLines(const Round &before) const;
  /// How many periods like that since `before` no ring comes to the end of the
  /// order that it is in the middle of.
  int64_t periodsOfStreams(const Round &before) const;
  /// As if `n` more periods like that since `before` had been executed.
  void leaveOut(int64_t n, const Round &before);
  /// As if a section of so many instructions had been executed that left these
  /// values and ended in the loops `entered`, and in those from before it that
  /// go on.
  void apply(const Origins::Results &results, int64_t grownLayer,
             llvm::ArrayRef<LoopState> entered, int64_t instructions);
  /// How often positions may grow by as much from `now` with rings of queues
  /// `streams` in the middle of their orders still.
  int64_t timesInStreams(uint32_t streams, const Positions &now,
                         const Positions &grown) const;
  /// Goes on from `other` with positions larger by `by`, but for the values and
  /// loops, which are there. Orders of `streams` stay.
  void restore(const CoreState &other, const Positions &by, uint32_t streams);
  /// Gives ring `r` other slots and orders.
  void setRing(unsigned r, const Ring &ring) { rings[r] = ring; }
  /// Of each ring a slot that lies at its base.
  using Laps = std::array<int64_t, numRings>;
  Laps laps() const;
  void setLaps(const Laps &laps);
  /// Whether a normalized access touches a ring's places.
  bool overlapsRing(const Access &access) const;
  int64_t dispatches() const { return dispatched; }
  /// Instructions of a round of the innermost of so many loops, as far as that is
  /// known.
  int64_t roundLength(size_t numLoops) const;
  uint32_t word() const { return program.entries[current].word; }

  /// Instructions that the sequencer finished by itself since the last that it
  /// dispatched.
  int64_t scalarsSinceDispatch() const { return scalarCycles; }

private:
  class CurrentValues;

  // One overload per instruction; a missing one does not compile.
  // Execute/Sequencer.cpp
  void execute(const isa::Halt &);
  void execute(const isa::Mark &);
  void execute(const isa::Sync &);
  void execute(const isa::ScalarImmediate &);
  void execute(const isa::ScalarAdd &);
  void execute(const isa::ScalarSub &);
  void execute(const isa::ScalarMul &);
  void execute(const isa::ScalarDiv &);
  void execute(const isa::ScalarMod &);
  void execute(const isa::ScalarMin &);
  void execute(const isa::ScalarMax &);
  void execute(const isa::ScalarAnd &);
  void execute(const isa::ScalarOr &);
  void execute(const isa::ScalarXor &);
  void execute(const isa::ScalarShl &);
  void execute(const isa::ScalarShr &);
  void execute(const isa::ScalarLess &);
  void execute(const isa::ScalarLoad &);
  void execute(const isa::ScalarStore &);
  void execute(const isa::Loop &);
  void execute(const isa::Skip &);
  void execute(const isa::Call &);
  void execute(const isa::Return &);
  // Execute/Dma.cpp
  void execute(const isa::DmaLoad &);
  void execute(const isa::DmaStore &);
  void execute(const isa::DmaCopy &);
  void execute(const isa::DmaGather &);
  void execute(const isa::DmaScatter &);
  // Execute/Ring.cpp
  void execute(const isa::RingSetup &);
  void execute(const isa::RingFill &);
  void execute(const isa::RingTable &);
  // Execute/Matrix.cpp
  void execute(const isa::LoadWeights &);
  void execute(const isa::Matmul &);
  // Execute/Vector.cpp
  void execute(const isa::VectorUnary &);
  void execute(const isa::VectorBinary &);
  void execute(const isa::VectorScalar &);
  void execute(const isa::VectorTernary &);
  void execute(const isa::VectorFill &);
  void execute(const isa::VectorIota &);
  void execute(const isa::VectorReduce &);
  void execute(const isa::VectorSoftmax &);
  void execute(const isa::VectorRope &);
  void execute(const isa::VectorGather &);
  void execute(const isa::VectorTopK &);

  // Operands.cpp: reading operands, with bounds and alignment.
  int64_t value(isa::Value v) const {
    return int64_t(uint64_t(decisive(v.reg)) + v.imm);
  }
  /// What a register holds that decides more than where in HBM something is.
  int64_t decisive(uint8_t reg) const {
    if (slopes)
      slopes->requireNone(slopes->registers[reg]);
    if (origins)
      origins->pin(origins->ofRegister(reg));
    return lineOf(reg);
  }
  /// The same where it may be different from one round to the next.
  int64_t lineOf(uint8_t reg) const {
    if (unknown >> reg & 1)
      refuseData(reg);
    return registers[reg];
  }
  int64_t lineValue(isa::Value v) const {
    return int64_t(uint64_t(lineOf(v.reg)) + v.imm);
  }
  int64_t slopeOf(isa::Value v) const {
    return slopes ? slopes->registers[v.reg] : 0;
  }
  [[noreturn]] void refuseData(uint8_t reg) const;
  /// A value that must be 0 .. 2^31-1; `name` is the field's.
  int64_t count(isa::Value v, const char *name) const;
  /// A limit of columns, which takes no time: clamped to where no sum with a
  /// row's number overflows.
  int64_t limit(isa::Value v) const {
    constexpr int64_t bound = int64_t(1) << 40;
    return std::clamp(lineValue(v), -bound, bound);
  }
  const Origins::Form &formOf(uint8_t reg) const {
    static const Origins::Form none;
    return origins ? origins->ofRegister(reg) : none;
  }
  int64_t address(isa::HbmAddress a) const {
    return int64_t(uint64_t(registers[a.reg]) + a.offset);
  }
  int64_t slopeOf(isa::HbmAddress a) const {
    return slopes ? slopes->registers[a.reg] : 0;
  }
  /// Faults if the access cannot be; a prediction does not look at contents.
  void check(const Access &access, const char *operand) const {
    memory.checkPlace(access, operand);
    if (!known)
      memory.verify(access);
  }
  /// Adds an access to the instruction in hand, checked, whose address is of
  /// that slope and form.
  void touch(const Access &access, const char *operand, int64_t slope = 0,
             const Origins::Form &form = {});
  /// The same for a table of so many entries in scalar memory, which are read.
  Access touchTable(isa::Value address, int64_t entries);
  /// All that a normalized access touches in the periods that may follow;
  /// nothing if that is not allowed.
  std::optional<Access> sweep(Access access, int64_t slope) const;
  /// Follows an access of the instruction in hand from period to period.
  void follow(const Access &access, int64_t slope);
  /// What a section is told of a value.
  Origins::Value originOf(isa::Value v) const {
    return {int64_t(uint64_t(registers[v.reg]) + v.imm),
            origins->ofRegister(v.reg), slopeOf(v)};
  }
  Origins::Value originOf(uint8_t reg) const {
    return {registers[reg], origins->ofRegister(reg),
            slopes ? slopes->registers[reg] : 0};
  }
  /// Tells the section in hand of it.
  void tell(const Access &access, int64_t slope, const Origins::Form &form);
  /// The same for a row of HBM that a table leads to. The instruction's record
  /// has gone if the table is read in an effect that was put off.
  void touchRow(const Access &access, const char *operand);
  /// Resolves a tile of rows x cols and adds what it touches.
  TileView tile(const isa::Tile &t, int64_t rows, int64_t cols, bool write,
                const char *operand);

  // Core.cpp
  /// Starts the record of the instruction in hand.
  template <typename T>
  Dispatched &begin(const T &instruction, unsigned queue, Work work) {
    Dispatched &d = begin(queue, work);
    wait(instruction.wait0);
    wait(instruction.wait1);
    signal(instruction.signal, queue);
    return d;
  }
  Dispatched &begin(unsigned queue, Work work);
  void wait(isa::Wait w);
  /// Faults with the chain of waits.
  [[noreturn]] void deadlock(unsigned counter, int64_t threshold) const;
  /// Why the oldest order of `ring` cannot end.
  std::string roomNeeded(unsigned ring) const;
  void signal(isa::Signal s, unsigned queue);
  /// Lets `effect` happen, which is all that the instruction in hand does to
  /// what engines share, and retires the instruction. What `effect` needs of
  /// the sequencer it holds copies of: it may be put off.
  template <typename Effect>
  void finish(Effect effect, std::optional<WeightsUse> use = std::nullopt) {
    if (schedule)
      schedule->dispatch(record, std::move(effect));
    else if (!known)
      perform({record.accesses, use}, hostNanoseconds(), std::move(effect));
    retire();
  }
  /// The same for an effect on each of `rows` rows by itself, of which
  /// `effect(first, count)` lets some happen. If it is long, several threads
  /// share it.
  template <typename Effect>
  void finishRows(int64_t rows, Effect effect,
                  std::optional<WeightsUse> use = std::nullopt) {
    int64_t parts = partsOf(rows);
    if (parts == 1)
      return finish([=] { effect(0, rows); }, use);
    int64_t nanoseconds = hostNanoseconds() / parts;
    for (int64_t part = 0, first = 0; part < parts; ++part) {
      int64_t last = endOfPart(part, parts, rows);
      perform({accessesOf(first, last - first), use}, nanoseconds,
              [=] { effect(first, last - first); });
      first = last;
    }
    retire();
  }
  /// In how many parts an effect on so many rows happens.
  int64_t partsOf(int64_t rows) const;
  static int64_t endOfPart(int64_t part, int64_t parts, int64_t rows);
  /// What `count` rows from `first` on of the tiles in hand touch.
  Accesses accessesOf(int64_t first, int64_t count) const;
  /// The same for an effect that can fault, which it does in program order.
  template <typename Effect>
  void finishHere(Effect effect) {
    if (!schedule)
      settle({record.accesses, std::nullopt});
    if (schedule)
      schedule->dispatch(record, std::move(effect));
    else if (!known)
      effect();
    retire();
  }
  /// Lets an effect happen that touches no more than `touched`: now, or after
  /// those before it that it depends on.
  template <typename Effect>
  void perform(const Touched &touched, int64_t nanoseconds, Effect effect) {
    if (workers)
      workers->add(touched, nanoseconds, std::move(effect));
    else
      effect();
  }
  /// Before the sequencer itself touches memory: what it depends on happens.
  void settle(const Touched &touched) {
    if (workers)
      workers->wait(touched);
  }
  /// Roughly what the instruction in hand takes on one of the host's cores, and
  /// what a copy takes.
  int64_t hostNanoseconds() const;
  static int64_t copyNanoseconds(int64_t bytes) { return bytes / 4; }
  /// Hands the record to the observers, frees popped slots and refills rings.
  void retire();

  void closeLoops();
  void enterPage(uint32_t word);

  // Execute/Sequencer.cpp
  uint32_t indexAfterBody(uint32_t words) const;
  /// The checked access of `s.load` and `s.store`.
  Access scalarAccess(isa::Value v, bool write);
  void tellScalarAccess(const Access &access);
  /// The i32 at `address` of scalar memory.
  int32_t scalarWord(int64_t address) const;

  // Execute/Dma.cpp
  struct Place {
    Memory memory;
    int64_t address, slope;
    Origins::Form form;
  };
  Place place(isa::LocalAddress a) const;
  template <typename T>
  void copyRows(const T &d, unsigned queue, Place from, Place to);
  template <typename T>
  void copyByTable(const T &d, unsigned queue, bool gather, Place local,
                   int64_t hbm);

  // Execute/Vector.cpp
  /// Checks how operands overlap and sets the interval; `dtypes` are those of
  /// all operands.
  void prepareVector(int64_t rows, int64_t cols,
                     llvm::ArrayRef<isa::DType> dtypes, bool transcendental,
                     int64_t passes);

  void order(unsigned ring, Order order, const Origins::Form &form);
  static Access spanOf(const Order &order);
  /// Fills, as far as there is room, what has been ordered.
  void fillSlots(unsigned ring);
  void fillSlot(unsigned ring, const Order &order);
  /// Where a slot's bytes are, of `fill` and `order`, checked. What a table
  /// says is not known to a prediction, and taken for 0.
  Access source(SlotFill &fill, const Order &order);
  /// Brings the slot's bytes to its place.
  void bring(SlotFill fill, const Order &order, int64_t place);
  /// Copies them, or remembers where they are in the program's weights.
  void copyOrRemember(int64_t slot, Ring &ring, const Access &read,
                      const Access &write);
  /// Whether bytes of the scratchpad are of a ring that keeps pending slots.
  bool touchesPending(const Access &access) const;
  /// Copies what is pending to where it belongs.
  void copyPending();
  void copyPending(const Ring::Pending &pending, int64_t address);

  /// Of a section the value depends on nothing, unless that is said next.
  void write(uint8_t rd, int64_t value, bool isKnown = true,
             int64_t slope = 0) {
    if (!rd)
      return;
    registers[rd] = value;
    if (origins)
      origins->clearRegister(rd);
    if (slopes)
      slopes->registers[rd] = slope;
    unknown = (unknown & ~(uint64_t(1) << rd)) | uint64_t(!isKnown) << rd;
  }

  const DecodedProgram &program;
  MemorySystem &memory;
  const TargetModel &target;
  const TimingModel &timing;
  llvm::SmallVector<Observer *, 4> observers;
  Debugger *debugger = nullptr;
  Workers *workers;              ///< null: effects happen at once
  AdversarialSchedule *schedule; ///< null: effects happen in program order
  KnownScalars *known;           ///< null: they happen

  std::array<int64_t, 64> registers = {};
  Rounds *rounds = nullptr;
  Memo *memo = nullptr;
  Slopes *slopes = nullptr;   ///< null: no lines are followed
  Origins *origins = nullptr; ///< null: no section is told
  uint64_t notYet = 0; ///< counters whose waits began before they counted
  int64_t dispatched = 0;
  bool halted = false;
  int exitCode = 0;

  int64_t pendingBegin = 0, pendingEnd = 0; ///< regions with `Ring::pending`
  /// Each `mx.load` takes the next set, so that those that come after it need
  /// not wait for the multiplications before it; one will do for one thread.
  std::vector<WeightTile> weightSets;
  int64_t executed = 0;
  bool streamed; ///< the program is longer than the instruction memory
  Dispatched record;
  /// Of the accesses in `record` that are tiles, bytes from a row to the next.
  llvm::SmallVector<int64_t, 6> rowSteps;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_CORE_H
