//===- Core.cpp - one core: the loop of execution ----------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"
#include "Fault.h"
#include "Rounds.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/MathExtras.h"

using namespace serrano;
using namespace serrano::sim;

std::string serrano::sim::queueName(unsigned queue) {
  static const char *const names[] = {"sequencer", "dma in", "dma out",
                                      "matrix", "vector"};
  return queue < FirstRingId ? names[queue]
                             : "ring " + std::to_string(queue - FirstRingId);
}

Core::Core(const DecodedProgram &program, MemorySystem &memory,
           const TargetModel &target, const TimingModel &timing,
           llvm::ArrayRef<Observer *> observers, Workers *workers,
           AdversarialSchedule *schedule, KnownScalars *known)
    : program(program), memory(memory), target(target), timing(timing),
      observers(observers.begin(), observers.end()), workers(workers),
      schedule(schedule), known(known),
      weightSets(workers ? numWeightSets : 1),
      streamed(int64_t(program.indexOfWord.size()) * 8 >
               target.instructionMemoryBytes()) {}

int Core::run(uint32_t start) {
  // After a fault too, nothing goes on in the machine's memory.
  auto drained = llvm::scope_exit([&] {
    if (workers)
      workers->drain();
  });
  next = program.indexOfWord[start];
  while (!halted) {
    if (next >= program.entries.size())
      fault("execution runs off the end of the program after this instruction; "
            "end a function with "
            "ret, an entry with halt");
    current = next;
    const DecodedProgram::Entry &entry = program.entries[current];
    if (debugger && !debugger->before({entry.word, currentOp, currentLayer}))
      throw Stopped();
    if (streamed && entry.word - pageBegin >= pageWords)
      enterPage(entry.word);
    next = current + 1;
    ++executed;
    std::visit([&](const auto &instruction) { execute(instruction); },
               entry.instruction);
    if (!loops.empty() && next == loops.back().endIndex)
      closeLoops();
  }
  if (schedule)
    schedule->drain();
  return exitCode;
}

void Core::inspect(MachineState &state) const {
  state.registers = registers;
  for (unsigned c = 0; c < numCounters; ++c)
    if (counterQueue[c] >= 0)
      state.counters.push_back(
          {c, queueName(counterQueue[c]), increments[c], std::nullopt});
  for (unsigned r = 0; r < numRings; ++r)
    if (const Ring &ring = rings[r]; ring.slots)
      state.rings.push_back(
          {r, ring.slots, ring.ordered, ring.filled, ring.popped});
}

void Core::enterPage(uint32_t word) {
  int64_t bytes = timing.instructionPageBytes();
  uint32_t page = word * 8 / bytes;
  pageBegin = llvm::divideCeil(page * bytes, 8);
  pageWords = llvm::divideCeil((page + 1) * bytes, 8) - pageBegin;
  if (page != currentPage)
    pages.push_back(currentPage = page);
}

/// Goes back to the head of every loop whose body ends here.
void Core::closeLoops() {
  while (!loops.empty() && loops.back().callDepth == returns.size() &&
         next == loops.back().endIndex) {
    LoopState &loop = loops.back();
    if (++loop.iteration < loop.count) {
      unsigned depth = loops.size() - 1;
      write(loop.indexRegister, loop.iteration);
      if (origins)
        origins->setRegister(loop.indexRegister, origins->nextRound(depth));
      next = loop.firstIndex;
      loop.lastRound = executed - loop.began;
      if (rounds)
        rounds->ended(depth, loop.firstIndex, loop.iteration, loop.count);
      loop.began = executed;
      return;
    }
    loops.pop_back();
    if (origins)
      origins->endLoop(loops.size());
    if (rounds)
      rounds->left(loops.size());
  }
}

Dispatched &Core::begin(unsigned queue, Work work) {
  record.clear();
  rowSteps.clear();
  record.word = word();
  record.op = currentOp;
  record.layer = currentLayer;
  record.queue = queue;
  record.work = work;
  record.scalarBefore = scalarCycles;
  if (!pages.empty())
    std::swap(record.pages, pages);
  scalarCycles = 0;
  return record;
}

void Core::wait(isa::Wait w) {
  if (!w.valid)
    return;
  if (w.counter >= numCounters)
    fault("waits for inbound counter {0}, but this core has no remote source",
          w.counter);
  int64_t threshold = increments[w.counter] - w.lag;
  if (counterQueue[w.counter] >= int(FirstRingId) &&
      threshold > ringIncrements[w.counter])
    deadlock(w.counter, threshold);
  // It might wait for something a round later.
  if (threshold <= 0)
    notYet |= uint64_t(1) << w.counter;
  if (threshold > 0)
    record.waits.push_back({w.counter, threshold});
}

void Core::deadlock(unsigned counter, int64_t threshold) const {
  unsigned index = counterQueue[counter] - FirstRingId;
  const Ring &ring = rings[index];
  int64_t signal = ringIncrements[counter];
  auto order = llvm::find_if(ring.orders, [&](const Order &o) {
    return o.signal == int(counter) && ++signal == threshold;
  });
  std::string before;
  if (order != ring.orders.begin())
    before = llvm::formatv("which comes after {0:x} in the queue; ",
                           ring.orders.front().word * 8);
  fault("deadlock: this waits for c{0}; that waits for all slots of the order "
        "at {1:x} of ring {2}; {3}{4}; pop before the wait, or give the ring "
        "more slots",
        counter, order->word * 8, index, before, roomNeeded(index));
}

std::string Core::roomNeeded(unsigned index) const {
  const Ring &ring = rings[index];
  const Order &order = ring.orders.front();
  return llvm::formatv("{0:x} waits for room for slot {1} of its {2}; only "
                       "pops that are dispatched later make room",
                       order.word * 8, ring.filled - order.firstSlot + 1,
                       order.count);
}

void Core::signal(isa::Signal s, unsigned queue) {
  if (!s.valid)
    return;
  int &owner = counterQueue[s.counter];
  if (owner >= 0 && unsigned(owner) != queue)
    fault("counter c{0} is incremented by the {1} queue and by the {2} queue; "
          "use one counter for each",
          s.counter, queueName(owner), queueName(queue));
  owner = queue;
  record.signal = s.counter;
  ++increments[s.counter];
}

int64_t Core::hostNanoseconds() const {
  // Weights of the program are used where they stand, with the first multiply.
  if (record.work == Work::LoadWeights && dispatchedWeights->constant)
    return 0;
  constexpr int64_t multipliesPerNanosecond = 32;
  int64_t bytes = 0;
  for (const Access &access : record.accesses)
    bytes += access.bytes * access.rows;
  return copyNanoseconds(bytes) + record.multiplies / multipliesPerNanosecond;
}

/// A part is worth the handing over: some microseconds.
static constexpr int64_t leastPartNanoseconds = 12000;
/// Parts of this many rows each, and more of some. Of two that are next to each
/// other rows seldom lie in one piece of the scoreboard.
static constexpr int64_t rowGranule = 4;
static constexpr int64_t leastPartRows = 4 * rowGranule;

int64_t Core::partsOf(int64_t rows) const {
  if (schedule || known || !workers)
    return 1;
  int64_t most = std::min(rows / leastPartRows,
                          hostNanoseconds() / leastPartNanoseconds);
  return std::clamp<int64_t>(most, 1, workers->threads());
}

int64_t Core::endOfPart(int64_t part, int64_t parts, int64_t rows) {
  if (part == parts - 1)
    return rows;
  return rows * (part + 1) / parts / rowGranule * rowGranule;
}

Accesses Core::accessesOf(int64_t first, int64_t count) const {
  assert(rowSteps.size() == record.accesses.size() && "not all are tiles");
  Accesses result;
  for (auto [access, step] : llvm::zip(record.accesses, rowSteps)) {
    // What is written waits for no less than what is read.
    if (!access.write && llvm::any_of(record.accesses, [&](const Access &other) {
          return other.write && other.memory == access.memory &&
                 other.address == access.address &&
                 other.bytes == access.bytes && other.rows == access.rows &&
                 other.stride == access.stride;
        }))
      continue;
    Access part = access;
    part.address += first * step;
    if (access.rows > 1)
      part.rows = count;
    else if (step) // Rows without gaps were joined.
      part.bytes = count * step;
    result.push_back(normalized(part));
  }
  return result;
}

void Core::retire() {
  ++dispatched;
  for (Observer *observer : observers)
    observer->dispatched(record);
  for (const SlotUse &use : record.slots) {
    if (!use.pop)
      continue;
    Ring &ring = rings[use.ring];
    if (++ring.popped - ring.lap == ring.slots)
      ring.lap = ring.popped;
    ring.slotEnds.pop_front();
    fillSlots(use.ring);
  }
}
