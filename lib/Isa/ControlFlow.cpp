//===- ControlFlow.cpp - checks of blocks, calls and rings ------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ControlFlow.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <bitset>

using namespace llvm;

namespace serrano::isa {

static constexpr unsigned maxLoopDepth = 8;
static constexpr unsigned maxCallDepth = 8;

namespace {

using Rings = std::bitset<16>;

/// What a caller needs to know of a function.
struct Summary {
  enum class State { Unseen, Active, Done } state = State::Unseen;
  /// How deep loops nest inside it, over all calls; and calls likewise.
  unsigned loops = 0;
  unsigned calls = 0;
  /// Rings that every or some run of it sets up, wherever.
  Rings setUp;
  /// For each ring that it uses before setting it up, where.
  SmallDenseMap<unsigned, uint32_t> needs;
};

/// A block that is open at some instruction.
struct OpenBlock {
  uint32_t end;
  bool isLoop;
};

class ControlFlowChecks {
public:
  ControlFlowChecks(const Program &program, const DecodedText &text,
                    std::vector<Finding> &findings)
      : program(program), text(text), findings(findings),
        summaries(program.functions.size()) {
    for (auto [i, function] : enumerate(program.functions))
      functionAt[function.word] = i;
  }

  void run() {
    for (const Entry &entry : program.entries)
      if (const Function *function = program.findFunction(entry.function))
        checkEntryFunction(function - program.functions.data());
    for (size_t i = 0; i < summaries.size(); ++i)
      summarize(i);
  }

private:
  template <typename Text>
  void report(uint32_t word, const Text &message) {
    findings.push_back({word, std::nullopt, std::string(message)});
  }

  void checkEntryFunction(size_t index) {
    for (auto [ring, word] : summarize(index).needs)
      report(word, formatv("uses ring {0} before any ring.setup of it", ring));
    for (const PlacedInstruction &placed : text.function(index))
      if (std::holds_alternative<Return>(placed.instruction))
        report(placed.word, "returns from an entry; end it with halt");
  }

  const Summary &summarize(size_t index);
  void visit(size_t index, const PlacedInstruction &placed,
             ArrayRef<OpenBlock> open);
  void visitCall(size_t caller, const PlacedInstruction &placed, const Call &,
                 unsigned loopDepth, bool mayBeSkipped);
  void use(Summary &summary, unsigned ring, uint32_t word, bool mayBeSkipped);
  void checkEnd(size_t index);

  const Program &program;
  const DecodedText &text;
  std::vector<Finding> &findings;
  std::vector<Summary> summaries;
  DenseMap<uint32_t, size_t> functionAt;
  /// Calls between the function that is summarized first and the one at hand.
  unsigned activeCalls = 0;
};

} // namespace

static unsigned loopDepthOf(ArrayRef<OpenBlock> open) {
  return llvm::count_if(open, [](const OpenBlock &b) { return b.isLoop; });
}

const Summary &ControlFlowChecks::summarize(size_t index) {
  Summary &summary = summaries[index];
  if (summary.state != Summary::State::Unseen)
    return summary;
  summary.state = Summary::State::Active;
  const Function &function = program.functions[index];
  SmallVector<OpenBlock> open = {{function.word + function.words, false}};
  for (const PlacedInstruction &placed : text.function(index)) {
    while (open.size() > 1 && placed.word >= open.back().end)
      open.pop_back();
    if (placed.end() > open.back().end)
      report(placed.word,
             formatv("the block around it ends inside it, at {0:x}",
                     open.back().end * 8));
    visit(index, placed, ArrayRef(open).drop_front());
    if (std::optional<uint32_t> words = placed.bodyWords()) {
      uint32_t end = placed.end() + *words;
      if (end > open.back().end)
        report(
            placed.word,
            formatv("its block ends at {0:x}, but what is around it at {1:x}",
                    uint64_t(end) * 8, open.back().end * 8));
      open.push_back({std::min(end, open.back().end),
                      std::holds_alternative<Loop>(placed.instruction)});
      unsigned depth = loopDepthOf(open);
      summary.loops = std::max(summary.loops, depth);
      if (depth == maxLoopDepth + 1)
        report(placed.word,
               formatv("loops nest more than {0} deep", maxLoopDepth));
    }
  }
  checkEnd(index);
  summary.state = Summary::State::Done;
  return summary;
}

void ControlFlowChecks::checkEnd(size_t index) {
  ArrayRef<PlacedInstruction> instructions = text.function(index);
  const Function &function = program.functions[index];
  // Text that does not decode has been reported.
  if (instructions.empty() ||
      instructions.back().end() != function.word + function.words)
    return;
  const PlacedInstruction &last = instructions.back();
  // A last instruction in a block may be skipped.
  bool isInBlock = llvm::any_of(instructions, [&](const auto &placed) {
    return placed.bodyWords().value_or(0) && placed.word != last.word &&
           placed.end() + *placed.bodyWords() > last.word;
  });
  bool ends = std::holds_alternative<Return>(last.instruction) ||
              std::holds_alternative<Halt>(last.instruction);
  if (!ends || isInBlock)
    report(last.word, formatv("function '{0}' runs off its end; add ret, or "
                              "halt to an entry",
                              function.name));
}

void ControlFlowChecks::use(Summary &summary, unsigned ring, uint32_t word,
                            bool mayBeSkipped) {
  if (!summary.setUp.test(ring) && !mayBeSkipped)
    summary.needs.try_emplace(ring, word);
}

void ControlFlowChecks::visit(size_t index, const PlacedInstruction &placed,
                              ArrayRef<OpenBlock> open) {
  Summary &summary = summaries[index];
  unsigned loopDepth = loopDepthOf(open);
  bool mayBeSkipped = loopDepth != open.size();
  std::visit(
      [&](const auto &i) {
        using T = std::remove_cvref_t<decltype(i)>;
        if constexpr (std::is_same_v<T, Return>) {
          if (loopDepth)
            report(placed.word, "returns from inside a loop; leave the loop "
                                "first");
        } else if constexpr (std::is_same_v<T, Call>) {
          visitCall(index, placed, i, loopDepth, mayBeSkipped);
        } else if constexpr (std::is_same_v<T, RingSetup>) {
          summary.setUp.set(i.ring);
        } else if constexpr (requires { i.ring; }) {
          use(summary, i.ring, placed.word, mayBeSkipped);
        }
        i.visit(i, [&](FieldInfo, const auto &field) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>,
                                       Tile>)
            if (field.space == TileSpace::Ring || field.space == TileSpace::Pop)
              use(summary, field.ring, placed.word, mayBeSkipped);
        });
      },
      placed.instruction);
}

void ControlFlowChecks::visitCall(size_t caller,
                                  const PlacedInstruction &placed,
                                  const Call &call, unsigned loopDepth,
                                  bool mayBeSkipped) {
  auto it = functionAt.find(call.callee.word);
  if (it == functionAt.end()) {
    report(placed.word, formatv("calls {0:x}, where no function starts",
                                uint64_t(call.callee.word) * 8));
    return;
  }
  const Function &callee = program.functions[it->second];
  if (summaries[it->second].state == Summary::State::Active) {
    report(placed.word, formatv("calls '{0}', which is active here: recursion "
                                "is not possible",
                                callee.name));
    return;
  }
  if (activeCalls == maxCallDepth) {
    report(placed.word, formatv("calls nest more than {0} deep", maxCallDepth));
    return;
  }
  ++activeCalls;
  const Summary &inner = summarize(it->second);
  --activeCalls;
  Summary &outer = summaries[caller];
  unsigned loops = loopDepth + inner.loops, calls = inner.calls + 1;
  if (loops > maxLoopDepth && inner.loops <= maxLoopDepth &&
      loopDepth <= maxLoopDepth)
    report(placed.word,
           formatv("calls '{0}', so that loops nest {1} deep; {2} are possible",
                   callee.name, loops, maxLoopDepth));
  if (calls == maxCallDepth + 1)
    report(placed.word, formatv("calls nest more than {0} deep", maxCallDepth));
  outer.loops = std::max(outer.loops, loops);
  outer.calls = std::max(outer.calls, calls);
  for (auto [ring, word] : inner.needs)
    use(outer, ring, word, mayBeSkipped);
  outer.setUp |= inner.setUp;
}

void checkControlFlow(const Program &program, const DecodedText &text,
                      std::vector<Finding> &findings) {
  ControlFlowChecks(program, text, findings).run();
}

} // namespace serrano::isa
