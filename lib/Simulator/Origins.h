//===- Origins.h - where the sequencer's values come from ------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_ORIGINS_H
#define SERRANO_SIMULATOR_ORIGINS_H

#include "Access.h"
#include "Dispatch.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace serrano::sim {

/// Of a section of a prediction: how what the sequencer computes in it depends
/// on the values that it began with, its *sources*, as far as it is linear in
/// them. From other sources the section executes the same instructions, in the
/// same time, if they meet what is kept of it (`holds`), and its results are then
/// known.
///
/// Sources are the registers, the iterations of the loops that the section began
/// in, the layer, the words of scalar memory that it loads before it stores
/// them, and quotients of sums of sources.
class Origins {
public:
  using Source = uint16_t;
  static constexpr Source firstIteration = 64, layerSource = 72,
                          firstQuotient = 73, mostQuotients = 128,
                          firstWord = firstQuotient + mostQuotients;
  static constexpr unsigned mostLoops = layerSource - firstIteration;

  /// What a value grows by if sources grow: the sum of `factor` times what each
  /// of these grows by. Nothing for what does not depend on sources, or only on
  /// those that have to stay the same.
  struct Term {
    Source source;
    int64_t factor;
    bool operator==(const Term &) const = default;
  };
  using Form = llvm::SmallVector<Term, 4>;

  /// A value of the sequencer, what it depends on, and by how much it is larger
  /// in each of the periods that what is executed stands for.
  struct Value {
    int64_t value;
    const Form &form;
    int64_t slope = 0;
  };

  /// Where values of sources are looked up.
  class Values {
  public:
    virtual ~Values() = default;
    virtual int64_t registerValue(unsigned index) const = 0;
    /// Of the loop at `depth`, and how many rounds it has left with this one.
    virtual int64_t iteration(unsigned depth) const = 0;
    virtual int64_t roundsLeft(unsigned depth) const = 0;
    virtual int64_t layer() const = 0;
    virtual bool isKnown(int64_t address) const = 0;
    virtual int64_t word(int64_t address) const = 0;
    virtual bool allows(const Access &access) const = 0;
  };

  /// A section begins with `now`, in `numLoops` loops.
  Origins(const Values &now, unsigned numLoops);

  /// The section cannot be used again.
  void fail() { failed = true; }
  bool hasFailed() const { return failed; }

  //===--- While the section executes ---===//

  const Form &ofRegister(unsigned index) const { return registers[index]; }
  /// Whether either depends on sources.
  bool dependsOn(unsigned a, unsigned b) const {
    return !registers[a].empty() || !registers[b].empty();
  }
  void setRegister(unsigned index, Form form) {
    if (index)
      registers[index] = std::move(form);
  }
  void clearRegister(unsigned index) { registers[index].clear(); }
  /// Whether the section began in the loop that is at `depth` now.
  bool beganIn(unsigned depth) const {
    return depth < loops.size() && !loops[depth].hasEnded;
  }
  /// A loop is entered, of as many rounds as `count`, or is not if that is none.
  void enterLoop(Value count);
  /// A loop begins its next round; what its index is then. Or it ends.
  Form nextRound(unsigned depth);
  void endLoop(unsigned depth);
  /// A word of scalar memory is loaded.
  Form load(int64_t address, int64_t value, bool isKnown);
  /// A word that is not known is loaded from an address of `form`.
  void loadUnknown(int64_t address, const Form &form);
  void store(int64_t address, Form form);
  /// Words of scalar memory come to hold what is not known.
  void forget(int64_t address, int64_t bytes);

  Form sum(const Form &a, const Form &b, int64_t factorOfB = 1) const;
  Form scaled(const Form &a, int64_t factor) const;

  /// A value that must stay the same.
  void pin(const Form &form) {
    if (form.size() > 1)
      keepWithin(form, 0, 0);
    else
      pinSources(form);
  }
  /// The quotient of `a` and a constant, which grows with it if that grows by
  /// multiples of the divisor.
  Form quotient(Value a, int64_t divisor);
  /// Keeps whether a < b.
  void keepLess(Value a, Value b) { keepDifference(a, b, 1); }
  /// Keeps which is the lesser; if they are equal, either is.
  void keepLesser(Value a, Value b) { keepDifference(a, b, 0); }
  /// Keeps whether a < b, a == b or a > b.
  void keepOrder(Value a, Value b);
  /// Keeps a value representable where only 32 bits of it are stored.
  void keepInt32(Value a);
  /// `mark` names a layer: as many after that of the beginning.
  void keepLayer(const Form &form);
  /// Slots of a ring are ordered, read or freed.
  void touchRing(unsigned ring) { rings |= 1u << ring; }
  /// The rings of which that happened, as bits.
  uint32_t touchedRings() const { return rings; }
  /// A ring is given other places.
  void moveRing(unsigned ring) {
    touchRing(ring);
    moved |= 1u << ring;
  }
  /// The rings of which that happened, as bits.
  uint32_t movedRings() const { return moved; }

  /// An access by `queue` to an address of `form`. `swept` is all that it stands
  /// for.
  void touch(unsigned queue, const Form &form, const Access &swept);
  /// Such an access of an earlier section, which is on its way.
  void touchBefore(unsigned queue, const Access &access) {
    touchFixed(queue, access);
  }

  /// The forms of all values at a moment.
  struct Forms {
    std::array<Form, 64> registers;
    llvm::DenseMap<int64_t, Form> words;
  };
  Forms forms() const;
  /// What has been executed since `before` stands for more periods, each of
  /// which changes every value by as much. They are `rounds` more of the loop at
  /// `depth`.
  void repeat(const Forms &before, unsigned depth, int64_t rounds);

  //===--- When it has ended ---===//

  /// With writes to memories of the core that are on their way, by queue.
  void end(const Values &now,
           llvm::ArrayRef<std::pair<unsigned, Access>> onTheirWay);
  /// Of the loops that it began in.
  unsigned loopsThatGoOn() const {
    return llvm::count_if(loops, [](const Loop &loop) { return !loop.hasEnded; });
  }
  /// Whether the section does the same from these values. Asked after `end`.
  bool holds(const Values &now) const;
  /// How much the layer is larger than it was.
  int64_t layerOffset(const Values &now) const {
    return growth(now, layerSource);
  }
  struct Results {
    /// Rounds that loops go on by, of those from before the section that go on.
    llvm::SmallVector<int64_t, mostLoops> rounds;
    /// Rounds that loops have more, of those that were entered and go on.
    llvm::SmallVector<int64_t, mostLoops> counts;
    /// Registers that are not what they were, and their values.
    llvm::SmallVector<std::pair<unsigned, int64_t>, 32> registers;
    struct Word {
      int64_t address;
      int32_t value;
      bool isKnown;
    };
    llvm::SmallVector<Word, 16> words;
  };
  Results results(const Values &now) const;
  /// How often in succession a section does the same that ends in the state in
  /// which it began, holds now, and executes nothing of later layers; 0 if values
  /// do not change by as much each time, or that is not known.
  int64_t times(const Values &now) const;
  /// Its results after so many times.
  Results results(const Values &now, int64_t times) const;

private:
  class Steps;
  /// By how much a source grows at most.
  static constexpr int64_t mostGrowth = int64_t(1) << 40;
  /// The largest element has this many bytes, to which tiles are aligned.
  static constexpr int64_t alignment = 4;

  int64_t valueOf(const Values &now, Source source) const;
  int64_t growth(const Values &now, Source source) const;
  int64_t growth(const Values &now, const Form &form) const;
  bool isPinned(Source source) const { return pinned[source]; }
  void pinSources(const Form &form) {
    for (const Term &term : form)
      pinned.set(term.source);
  }
  void keepWithin(const Form &form, __int128 least, __int128 most);
  /// Keeps b - a no less than `gap` if it is more than 0, and no more than 0 if
  /// it is not.
  void keepDifference(Value a, Value b, int gap);
  /// Keeps a value that is compared from wrapping around.
  void keepFromWrapping(Value a);

  bool failed = false;
  uint32_t rings = 0, moved = 0; ///< that were touched, and moved, as bits
  /// The section began in it.
  struct Loop {
    int64_t left;       ///< rounds, at the beginning
    int64_t rounds = 0; ///< that have begun since
    bool hasEnded = false;
    /// Whether as many have to be left.
    bool keepsLeft = false;
  };
  llvm::SmallVector<Loop, mostLoops> loops;
  /// The counts of those that it has entered since, innermost last.
  llvm::SmallVector<Form, mostLoops> entered;
  /// The rounds that these have left at the end.
  llvm::SmallVector<int64_t, mostLoops> enteredLeft;
  std::vector<int64_t> values; ///< of sources, at the beginning
  struct Quotient {
    Form dividend;
    int64_t divisor;
  };
  llvm::SmallVector<Quotient, 8> quotients;
  llvm::BitVector pinned;
  llvm::BitVector compared; ///< those of values that must not wrap around
  std::array<Form, 64> registers;

  /// A word of scalar memory that was loaded or stored.
  struct Word {
    Form form;
    bool isStored;
  };
  llvm::DenseMap<int64_t, Word> words;
  /// Those that were loaded first, in the order of their sources.
  struct Loaded {
    int64_t address;
    bool isKnown;
  };
  std::vector<Loaded> loaded;
  /// Words that were not known, by the form of their addresses.
  struct Unknown {
    Form form;
    int64_t begin, end;
  };
  llvm::SmallVector<Unknown, 4> unknown;
  bool staysUnknown(const Values &now, const Unknown &words) const;

  /// By how much a value may grow.
  struct Bound {
    Form form;
    int64_t least, most;
  };
  llvm::SmallVector<Bound, 8> bounds;
  llvm::DenseMap<uint64_t, size_t> boundsByKey;
  std::optional<Form> lastLayer; ///< that was kept

  /// What is touched of a memory, by a queue that asks for overlaps of its reads
  /// with its own writes, or by any other.
  struct Span {
    unsigned queue; ///< that asks, or `numQueues`
    Memory memory;
    bool write;
    int64_t begin, end;

    bool asks() const { return queue != numQueues; }
    /// Whether they meet when they have moved by so much, and a queue may ask.
    bool meets(int64_t offset, const Span &other, int64_t otherOffset) const {
      return (write || other.write) && asks() && queue == other.queue &&
             memory == other.memory && begin + offset < other.end + otherOffset &&
             other.begin + otherOffset < end + offset;
    }
  };
  /// The accesses with addresses of one form.
  struct Range : Span {
    Form form;
  };
  llvm::SmallVector<Range, 8> ranges;
  size_t lastRange = 0; ///< that was asked for
  /// Those of queues that ask, with addresses that stay.
  llvm::SmallVector<Span, 16> fixed;
  void touchFixed(unsigned queue, const Access &access);
  /// Whether ranges that have grown by so much meet what they did not.
  bool keepsOverlaps(llvm::ArrayRef<int64_t> grown) const;
  /// Whether they do while they grow by `steps` more, `times` times.
  bool keepsOverlaps(llvm::ArrayRef<int64_t> grown,
                     llvm::ArrayRef<int64_t> steps, int64_t times) const;

  // The end.
  struct Result {
    unsigned index;
    int64_t value;
  };
  std::vector<Result> endRegisters;
  std::vector<Results::Word> endWords;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_ORIGINS_H
