//===- CompiledMutantsTest.cpp - compiled kernels without a wait ---*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernels of an encoder's layer and of a decoder's step are compiled, and
// each wait is dropped, and its lag made larger by one, in turn. An oracle draws the
// graph of what each run orders. What it says of every mutant and run,
//
// - the simulator's `--check=races` says too: a race is reported if and only if two
//   accesses to a common byte, one a write, are not ordered;
// - the race prover refuses the mutant if one of its runs races. It refuses all others
//   too, as `dma-insert-waits` leaves no wait that it can do without. Why no run needs
//   such a wait the oracle says, and the prover's pair of operations is in no run both
//   in conflict and unordered;
// - the adversarial schedule shows: if it puts off the first of two accesses that race,
//   something else comes out (but for one mutant of twenty at most, whose bytes too early
//   are perhaps not used), and if none race, no seed gives anything else.
//
//===----------------------------------------------------------------------===//

#include "../WaitReasons.h"
#include "CompiledKernels.h"
#include "KernelRuns.h"
#include "WaitMutants.h"
#include "dialects/Dma/Races.h"

using namespace serrano;
using mlir::ModuleOp;
using mlir::OwningOpRef;

namespace {

class CompiledMutants : public CompiledKernels {
protected:
  /// Whether the written program, whose runs race so, gives something else in
  /// an order that puts off what comes first of two that race. It may take other
  /// tokens: a softmax's step whose largest score is not a new one multiplies by 1 what
  /// was summed up before, which is the same before the next product is added and after.
  bool goesWrong(llvm::ArrayRef<NpzArrays> runs, llvm::ArrayRef<RunRecorder> recorders,
                 const std::vector<WholeRun> &whole) {
    std::vector<std::pair<size_t, int64_t>> delays; // Of runs, without repetition.
    for (size_t number = 0; number < runs.size(); ++number) {
      std::set<unsigned> firsts;
      forEachMissing(whole[number].met, eventsBefore(recorders[number].graph),
                     [&](EventPair pair) { return firsts.insert(pair.first), true; });
      for (unsigned first : firsts)
        delays.push_back({number, recorders[number].numbers[first]});
    }
    constexpr unsigned draws = 16;
    for (unsigned draw = 0; draw < draws; ++draw) {
      std::vector<NpzArrays> drawn = runs;
      if (draw)
        drawn = redrawn(std::move(drawn), draw);
      // In program order nothing goes wrong.
      Outcome expected = run(drawn, [](size_t) { return sim::RunOptions(); });
      for (auto [number, delay] : delays) {
        Outcome outcome = run(drawn, [&, number = number, delay = delay](size_t i) {
          sim::RunOptions options;
          if (i == number) {
            options.adversarialSeed = 0;
            options.adversarialDelay = delay;
          }
          return options;
        });
        if (outcome != expected)
          return true;
      }
    }
    return false;
  }

  /// Why the prover refuses a mutant that no run shows to race: what becomes in the runs
  /// of the operations that it names.
  std::string whyRefused(ModuleOp module, llvm::ArrayRef<MutantRun> judged,
                         const std::vector<WholeRun> &whole) {
    std::string result;
    for (auto function : module.getOps<mlir::func::FuncOp>()) {
      auto touches = dma::getTouches(function);
      for (const dma::Race &race : dma::findRaces(function, *touches)) {
        bool together = false, meet = false;
        for (const auto &[run, with] : llvm::zip_equal(judged, whole))
          for (unsigned second = 0; second < run.graph.numEvents(); ++second) {
            if (run.graph.stepOf(second).site != operations[race.op])
              continue;
            for (unsigned first = 0; first < second; ++first)
              if (run.graph.stepOf(first).site == operations[race.other]) {
                together = true;
                meet |= with.met[second].test(first);
              }
          }
        result += (race.op->getName().getStringRef() + " after " +
                   race.other->getName().getStringRef() +
                   (meet       ? ": in the runs another way orders them; "
                    : together ? ": in the runs they touch other bytes; "
                               : ": no run has one after the other; "))
                      .str();
      }
    }
    return result;
  }

  /// Judges the mutants of `file`, of which there are `fewest` at least.
  void judge(const std::string &file, int64_t tokens, int64_t rows,
             llvm::ArrayRef<NpzArrays> runs, int fewest) {
    OwningOpRef<ModuleOp> module = scheduled(file, tokens, rows);
    ASSERT_TRUE(module) << file;
    ASSERT_EQ(emit(*module), "") << file;
    Outcome expected = runChecked(runs);
    ASSERT_EQ(expected.failure, "") << file;
    EXPECT_TRUE(gives(expected, runs)) << file;
    std::vector<WholeRun> whole;
    for (RunRecorder &recorder : record(runs))
      EXPECT_FALSE(whole.emplace_back(std::move(recorder.graph)).race()) << file;

    MutantCounts counts;
    // Those that race, but give the same results in all orders that were tried.
    std::vector<std::string> harmless;
    dma::forEachMutant(*module, [&](const std::string &name) {
      EXPECT_FALSE(accepts(*module)) << name;
      ASSERT_EQ(emit(*module), "") << name;
      std::vector<RunRecorder> recorders = record(runs);
      std::vector<MutantRun> judged;
      for (auto [each, recorder] : llvm::zip_equal(whole, recorders))
        judged.emplace_back(each, recorder.graph);
      // A race ends a run, so each is checked by itself.
      for (size_t i = 0; i < runs.size(); ++i) {
        std::string failure = runChecked(runs[i]).failure;
        EXPECT_EQ(failure.find("race on ") != std::string::npos, judged[i].race.has_value())
            << name << ", run " << i << ": " << failure;
        EXPECT_EQ(failure.empty(), !judged[i].race) << name << ", run " << i << ": " << failure;
      }
      if (counts.add(name, judged)) {
        if (!goesWrong(runs, recorders, whole))
          harmless.push_back(name);
        return;
      }
      EXPECT_TRUE(gives(expected, runs)) << name;
      // What is implied, another way orders; there is one.
      for (const MutantRun &run : judged)
        if (run.reason == Reason::Implied)
          EXPECT_NE(describePath(run.graph, *run.lost), "") << name;
      std::string why = whyRefused(*module, judged, whole);
      EXPECT_NE(why, "") << name;
      if (MutantCounts::prints())
        llvm::outs() << "  refused: " << why << "\n";
    });
    counts.print(file + " in portions of " + std::to_string(rows));
    EXPECT_GE(counts.mutants, fewest);
    // Not every byte that comes too early is used.
    EXPECT_LE(int(harmless.size()), counts.mutants / 20) << testing::PrintToString(harmless);
  }
};

} // namespace

TEST_F(CompiledMutants, PortionsGiveTheSameBits) {
  std::vector<NpzArrays> steps = decoderRuns();
  // Rows of the batch stay whole.
  std::vector<NpzArrays> batches = {encoderInputs(6, 2), encoderInputs(1, 3),
                                    encoderInputs(12, 1), encoderInputs(4, 3)};
  for (const auto &[file, tokens, runs] :
       {std::tuple("decoder.mlir", 28, steps), std::tuple("encoder.mlir", 12, batches)}) {
    OwningOpRef<ModuleOp> whole = scheduled(file, tokens, 12);
    ASSERT_TRUE(whole) << file;
    ASSERT_EQ(emit(*whole), "") << file;
    Outcome expected = runChecked(runs);
    ASSERT_EQ(expected.failure, "") << file;
    for (int64_t rows : {3, 4, 5, 8, 11}) {
      OwningOpRef<ModuleOp> module = scheduled(file, tokens, rows);
      ASSERT_TRUE(module) << file;
      EXPECT_TRUE(accepts(*module)) << file << " with " << rows << " rows";
      ASSERT_EQ(emit(*module), "") << file;
      EXPECT_EQ(runChecked(runs), expected) << file << " with " << rows << " rows";
      EXPECT_TRUE(gives(expected, runs)) << file << " with " << rows << " rows";
    }
  }
}

TEST_F(CompiledMutants, Encoder) { judge("encoder.mlir", 12, 12, encoderRuns(), 60); }

TEST_F(CompiledMutants, EncoderOfLongRows) {
  // Keys in several steps of the softmax.
  judge("encoder.mlir", 28, 28,
        {encoderInputs(1, 28), encoderInputs(2, 14), encoderInputs(1, 17), encoderInputs(5, 5),
         encoderInputs(28, 1)},
        60);
}

TEST_F(CompiledMutants, Decoder) { judge("decoder.mlir", 28, 12, decoderRuns(), 100); }

TEST_F(CompiledMutants, DecoderInPortions) {
  // What a later portion reads of the cache an earlier one has stored.
  judge("decoder.mlir", 28, 5, decoderRuns(), 100);
}
