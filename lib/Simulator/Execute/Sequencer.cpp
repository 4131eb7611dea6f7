//===- Sequencer.cpp - system and scalar instructions ------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"
#include "Fault.h"
#include "Memo.h"
#include <cstring>

using namespace serrano;
using namespace serrano::sim;

static constexpr unsigned maxNesting = 8;
static_assert(maxNesting <= Origins::mostLoops);

void Core::execute(const isa::Halt &i) {
  for (const Ring &ring : rings)
    if (!ring.orders.empty())
      fault("ring {0} cannot fill all that was ordered: {1} slots were "
            "ordered, {2} were popped, and it has room for {3}; pop every slot "
            "before halt, or order fewer",
            &ring - rings.data(), ring.ordered, ring.popped, ring.slots);
  begin(SequencerId, Work::None);
  finish([] {});
  halted = true;
  exitCode = i.code;
}

void Core::execute(const isa::Mark &i) {
  ++scalarCycles;
  currentOp = i.op;
  // Of a prediction's figures each layer has its own.
  if (slopes)
    slopes->mark(slopeOf(i.layer));
  if (origins)
    origins->keepLayer(origins->ofRegister(i.layer.reg));
  currentLayer = lineValue(i.layer);
  if (memo)
    memo->marked();
}

void Core::execute(const isa::Sync &i) {
  begin(unsigned(i.waiter), Work::None);
  for (isa::Wait w : {i.wait0, i.wait1, i.wait2, i.wait3, i.wait4, i.wait5})
    wait(w);
  finish([] {});
}

void Core::execute(const isa::ScalarImmediate &i) {
  ++scalarCycles;
  write(i.rd.index, i.imm);
}

namespace {
/// A value of the sequencer, and by how much it is larger a period later.
struct Line {
  int64_t value, slope;
};
using Origin = Origins::Value;
} // namespace

// What becomes of slopes and origins, by instruction.
namespace {
struct Sum {
  static int64_t slope(Slopes &, Line a, Line b) {
    return int64_t(uint64_t(a.slope) + uint64_t(b.slope));
  }
  static Origins::Form form(Origins &origins, Origin a, Origin b) {
    return origins.sum(a.form, b.form);
  }
};
struct Difference {
  static int64_t slope(Slopes &, Line a, Line b) {
    return int64_t(uint64_t(a.slope) - uint64_t(b.slope));
  }
  static Origins::Form form(Origins &origins, Origin a, Origin b) {
    return origins.sum(a.form, b.form, -1);
  }
};
struct Product {
  static int64_t slope(Slopes &slopes, Line a, Line b) {
    if (a.slope && b.slope)
      slopes.fail();
    return int64_t(uint64_t(a.value) * uint64_t(b.slope) +
                   uint64_t(a.slope) * uint64_t(b.value));
  }
  static Origins::Form form(Origins &origins, Origin a, Origin b) {
    // It is linear in one of them, of which the other's slope is not the factor.
    if (a.slope || !a.form.empty())
      origins.pin(b.form);
    if (b.slope)
      origins.pin(a.form);
    return origins.sum(origins.scaled(a.form, b.value), b.form, a.value);
  }
};
struct ShiftLeft {
  static int64_t slope(Slopes &slopes, Line a, Line b) {
    slopes.requireNone(b.slope);
    return int64_t(uint64_t(a.slope) << (b.value & 63));
  }
  static Origins::Form form(Origins &origins, Origin a, Origin b) {
    origins.pin(b.form);
    return origins.scaled(a.form, int64_t(uint64_t(1) << (b.value & 63)));
  }
};
struct Comparison {
  static int64_t slope(Slopes &slopes, Line a, Line b) {
    slopes.keepLess(a.value, a.slope, b.value, b.slope);
    return 0;
  }
  static Origins::Form form(Origins &origins, Origin a, Origin b) {
    origins.keepLess(a, b);
    return {};
  }
};
/// The minimum or the maximum.
template <bool isMinimum>
struct Extreme {
  static bool isFirst(int64_t a, int64_t b) { return (a < b) == isMinimum; }
  static int64_t slope(Slopes &slopes, Line a, Line b) {
    Comparison::slope(slopes, a, b);
    return isFirst(a.value, b.value) ? a.slope : b.slope;
  }
  static Origins::Form form(Origins &origins, Origin a, Origin b) {
    origins.keepLesser(a, b);
    return isFirst(a.value, b.value) ? a.form : b.form;
  }
};
/// What leaves the line.
struct Other {
  static int64_t slope(Slopes &slopes, Line a, Line b) {
    slopes.requireNone(a.slope);
    slopes.requireNone(b.slope);
    return 0;
  }
  static Origins::Form form(Origins &origins, Origin a, Origin b) {
    origins.pin(a.form);
    origins.pin(b.form);
    return {};
  }
};
/// What leaves the line, but is known of other values.
struct Quotient : Other {
  static Origins::Form form(Origins &origins, Origin a, Origin b) {
    origins.pin(b.form);
    return origins.quotient(a, b.value);
  }
};
} // namespace

/// Floor division, as the ISA has it; wraps for the lowest number by -1.
static int64_t floorDiv(int64_t a, int64_t b, const char *mnemonic) {
  if (b == 0)
    fault("{0} divides {1} by 0", mnemonic, a);
  if (b == -1)
    return int64_t(-uint64_t(a));
  return a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
}

// The body of a scalar instruction over its operands a and b.
#define SCALAR(INSTRUCTION, RESULT, RULE)                                      \
  void Core::execute(const isa::INSTRUCTION &i) {                              \
    ++scalarCycles;                                                            \
    [[maybe_unused]] int64_t a = registers[i.a.index];                         \
    [[maybe_unused]] int64_t b =                                               \
        int64_t(uint64_t(registers[i.b.reg]) + i.b.imm);                       \
    [[maybe_unused]] uint64_t ua = uint64_t(a), ub = uint64_t(b);              \
    bool isKnown = !((unknown >> i.a.index | unknown >> i.b.reg) & 1);         \
    int64_t slope = 0;                                                         \
    if (slopes)                                                                \
      slope = RULE::slope(*slopes, {a, slopes->registers[i.a.index]},          \
                          {b, slopes->registers[i.b.reg]});                    \
    Origins::Form form;                                                        \
    bool depends = origins && origins->dependsOn(i.a.index, i.b.reg);          \
    if (depends)                                                               \
      form = RULE::form(*origins, originOf(i.a.index), originOf(i.b));         \
    write(i.rd.index, int64_t(RESULT), isKnown, slope);                        \
    if (depends)                                                               \
      origins->setRegister(i.rd.index, std::move(form));                       \
  }
SCALAR(ScalarAdd, ua + ub, Sum)
SCALAR(ScalarSub, ua - ub, Difference)
SCALAR(ScalarMul, ua *ub, Product)
SCALAR(ScalarDiv, floorDiv(a, value(i.b), i.mnemonic.data()), Quotient)
SCALAR(ScalarMod,
       ua - ub * uint64_t(floorDiv(a, value(i.b), i.mnemonic.data())),
       Other)
SCALAR(ScalarMin, std::min(a, b), Extreme<true>)
SCALAR(ScalarMax, std::max(a, b), Extreme<false>)
SCALAR(ScalarAnd, a &b, Other)
SCALAR(ScalarOr, a | b, Other)
SCALAR(ScalarXor, a ^ b, Other)
SCALAR(ScalarShl, ua << (b & 63), ShiftLeft)
SCALAR(ScalarShr, a >> (b & 63), Other)
SCALAR(ScalarLess, a < b, Comparison)
#undef SCALAR

int32_t Core::scalarWord(int64_t address) const {
  int32_t result;
  std::memcpy(&result, memory.at(Memory::Scalar, address), sizeof(result));
  return result;
}

Access Core::scalarAccess(isa::Value v, bool write) {
  Access access{Memory::Scalar, write, lineValue(v), 4, 1, 4};
  if (slopes)
    slopes->requireNone(slopeOf(v));
  if (access.address % 4)
    fault("address {0} is misaligned: scalar memory is read and written at "
          "multiples of 4",
          access.address);
  check(access, "address");
  // What is not known is not known elsewhere either.
  if (origins && !write && known && !known->contains(access.address))
    origins->loadUnknown(access.address, formOf(v.reg));
  else if (origins)
    origins->pin(formOf(v.reg));
  if (schedule)
    schedule->turn();
  settle({access, std::nullopt});
  return access;
}

void Core::tellScalarAccess(const Access &access) {
  for (Observer *observer : observers)
    observer->scalarAccess(site(), access);
}

void Core::execute(const isa::ScalarLoad &i) {
  ++scalarCycles;
  Access access = scalarAccess(i.address, false);
  bool isKnown = !known || known->contains(access.address);
  int64_t slope = slopes ? slopes->load(access.address) : 0;
  int64_t value = isKnown ? scalarWord(access.address) : 0;
  write(i.rd.index, value, isKnown, isKnown ? slope : 0);
  if (origins)
    origins->setRegister(i.rd.index,
                         origins->load(access.address, value, isKnown));
  tellScalarAccess(access);
}

void Core::execute(const isa::ScalarStore &i) {
  ++scalarCycles;
  int32_t low = int32_t(registers[i.a.index]);
  Access access = scalarAccess(i.address, true);
  std::memcpy(memory.at(Memory::Scalar, access.address), &low, sizeof(low));
  if (known)
    known->set(access.address, sizeof(low), !(unknown >> i.a.index & 1));
  if (slopes) {
    slopes->keepInt32(registers[i.a.index], slopes->registers[i.a.index]);
    slopes->store(access.address, slopes->registers[i.a.index]);
  }
  if (origins) {
    Origins::Value stored = originOf(i.a.index);
    origins->keepInt32(stored);
    origins->store(access.address, stored.form);
  }
  tellScalarAccess(access);
}

/// The index of the instruction `words` after the one that follows `current`.
uint32_t Core::indexAfterBody(uint32_t words) const {
  uint32_t bodyWord = current + 1 < program.entries.size()
                          ? program.entries[current + 1].word
                          : program.indexOfWord.size();
  uint64_t end = uint64_t(bodyWord) + words;
  uint32_t index = end < program.indexOfWord.size() ? program.indexOfWord[end]
                   : end == program.indexOfWord.size() ? program.entries.size()
                                                       : ~0u;
  if (index == ~0u)
    fault("the block of {0} words does not end at an instruction", words);
  return index;
}

void Core::execute(const isa::Loop &i) {
  ++scalarCycles;
  uint32_t end = indexAfterBody(i.body.words);
  int64_t repetitions = lineValue(i.count);
  if (slopes)
    slopes->requireNone(slopeOf(i.count));
  if (origins && end != next)
    origins->enterLoop(originOf(i.count));
  if (repetitions <= 0 || end == next) {
    next = end;
    return;
  }
  if (loops.size() == maxNesting)
    fault("loops nest deeper than {0}", maxNesting);
  loops.push_back(
      {next, end, 0, repetitions, i.index.index, unsigned(returns.size()),
       executed, 0});
  write(i.index.index, 0);
}

void Core::execute(const isa::Skip &i) {
  ++scalarCycles;
  int64_t a = lineOf(i.a.index), b = lineOf(i.b.index);
  if (slopes)
    slopes->keepOrder(a, slopes->registers[i.a.index], b,
                      slopes->registers[i.b.index]);
  if (origins)
    origins->keepOrder(originOf(i.a.index), originOf(i.b.index));
  bool skip = false;
  switch (i.condition) {
  case isa::Condition::Eq:
    skip = a == b;
    break;
  case isa::Condition::Ne:
    skip = a != b;
    break;
  case isa::Condition::Lt:
    skip = a < b;
    break;
  case isa::Condition::Ge:
    skip = a >= b;
    break;
  }
  uint32_t end = indexAfterBody(i.body.words);
  if (skip)
    next = end;
}

void Core::execute(const isa::Call &i) {
  ++scalarCycles;
  if (returns.size() == maxNesting)
    fault("calls nest deeper than {0}", maxNesting);
  uint32_t target = i.callee.word < program.indexOfWord.size()
                        ? program.indexOfWord[i.callee.word]
                        : ~0u;
  if (target == ~0u)
    fault("calls word {0}, where no instruction starts", i.callee.word);
  if (llvm::any_of(returns,
                   [&](const CallState &c) { return c.callee == target; }))
    fault("calls a function that is active: recursion is not possible");
  returns.push_back({target, next});
  next = target;
}

void Core::execute(const isa::Return &) {
  ++scalarCycles;
  if (returns.empty())
    fault("returns from the entry; an entry ends with halt");
  if (!loops.empty() && loops.back().callDepth == returns.size())
    fault("returns from inside a loop");
  next = returns.pop_back_val().returnIndex;
}
