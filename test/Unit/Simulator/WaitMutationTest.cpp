//===- WaitMutationTest.cpp - every wait of the kernels is needed
//----------===//
//
// Part of the Serrano project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each wait of the kernels of test/EndToEnd/Kernels is dropped, and its lag
// made larger by one, in turn. An oracle draws the graph of what the run orders:
// `--check=races` must report a race if and only if the graph leaves two accesses
// to a byte unordered, one of them a write. Then `--schedule=adversarial` must give other
// results when the first of the two is put off; without a race no seed may. Waits
// that are not needed are listed with the reason, and the graph must say that others
// imply them.
//
//===----------------------------------------------------------------------===//

#include "../WaitReasons.h"
#include "KernelPrograms.h"
#include "RunRecorder.h"

using namespace serrano;

namespace {

/// The outputs' bytes, or why there are none.
std::string outcome(AssembledProgram &assembled, const isa::Program &program,
                    const NpzArrays &inputs, std::optional<uint64_t> seed = std::nullopt,
                    std::optional<int64_t> delay = std::nullopt) {
  sim::RunOptions options;
  options.timing = false;
  options.adversarialSeed = seed;
  options.adversarialDelay = delay;
  llvm::Expected<Program::Result> result =
      assembled.runEntry(program, inputs, options);
  if (!result)
    return llvm::toString(result.takeError());
  std::string bytes;
  for (const auto &[name, array] : result->outputs)
    bytes.append(array.bytes.begin(), array.bytes.end());
  return bytes;
}

RunRecorder record(AssembledProgram &assembled, const isa::Program &program,
                   const NpzArrays &inputs) {
  RunRecorder recorder;
  sim::RunOptions options;
  options.timing = false;
  options.observer = &recorder;
  EXPECT_EQ(assembled.failure(program, inputs, options), "");
  return recorder;
}

constexpr uint64_t seeds = 8;

/// The mutants of a kernel, as "mx.mul c4-1 dropped".
struct Mutants {
  unsigned count = 0;
  std::vector<std::string> implied; ///< by other waits
};

/// Runs `file` with each wait dropped or weakened.
Mutants judgeMutants(const std::string &file, const NpzArrays &inputs) {
  AssembledProgram assembled;
  isa::Program program = assembled.assemble(kernelSource(file));
  sim::RunOptions options;
  options.checkRaces = true;
  options.timing = false;
  EXPECT_EQ(assembled.failure(program, inputs, options), "");
  WholeRun whole(record(assembled, program, inputs).graph);
  EXPECT_FALSE(whole.race());

  std::string expected = outcome(assembled, program, inputs);
  auto changes = [&](const isa::Program &mutant) {
    for (uint64_t seed = 0; seed < seeds; ++seed)
      if (outcome(assembled, mutant, inputs, seed) != expected)
        return true;
    return false;
  };
  EXPECT_FALSE(changes(program));

  Mutants result;
  auto tryMutant = [&](uint32_t word, const isa::Instruction &mutant,
                       const std::string &name) {
    ++result.count;
    isa::Program mutated = program;
    AssembledProgram::replace(mutated, word, mutant);
    std::string failure = assembled.failure(mutated, inputs, options);
    RunRecorder recorder = record(assembled, mutated, inputs);
    MutantRun run(whole, std::move(recorder.graph));
    EXPECT_EQ(failure.find("race on ") != std::string::npos, run.race.has_value())
        << name << ": " << failure;
    if (run.race) {
      EXPECT_NE(outcome(assembled, mutated, inputs, 0, recorder.numbers[run.race->first]),
                expected)
          << name;
      return;
    }
    EXPECT_EQ(failure, "") << name;
    EXPECT_FALSE(changes(mutated)) << name;
    EXPECT_EQ(run.reason, Reason::Implied) << name << ": " << run.explain();
    result.implied.push_back(name);
  };
  for (uint32_t word = 0; word < program.text.size();) {
    isa::Instruction instruction = llvm::cantFail(
        isa::decode(llvm::ArrayRef(program.text).drop_front(word)));
    std::visit(
        [&](auto &i) {
          i.visit(i, [&](isa::FieldInfo, auto &field) {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>,
                                         isa::Wait>) {
              if (!field.valid)
                return;
              isa::Wait before = field;
              std::string name = std::string(i.mnemonic) + " c" +
                                 std::to_string(field.counter) + "-" +
                                 std::to_string(field.lag);
              field.valid = false;
              field.counter = field.lag = 0;
              tryMutant(word, i, name + " dropped");
              field = before;
              ++field.lag;
              tryMutant(word, i, name + " weakened");
              field = before;
            }
          });
        },
        instruction);
    word += isa::wordsOf(instruction);
  }
  return result;
}

} // namespace

TEST(WaitMutation, Projection) {
  Mutants mutants = judgeMutants("projection.s", projectionInputs());
  EXPECT_EQ(mutants.count, 10u);
  EXPECT_THAT(mutants.implied, testing::IsEmpty());
}

TEST(WaitMutation, Attention) {
  Mutants mutants = judgeMutants("attention.s", attentionInputs());
  EXPECT_EQ(mutants.count, 24u);
  EXPECT_THAT(mutants.implied,
              testing::UnorderedElementsAre(
                  // S of the item before last is free: PV of that item, before
                  // this QK in the matrix queue, has waited for its SM.
                  "mx.mul c4-1 dropped", "mx.mul c4-1 weakened",
                  // P of the item before last is free: SM waits for QK of its
                  // own item, which retires after PV of the item before last.
                  "v.softmax c5-1 dropped", "v.softmax c5-1 weakened",
                  // O is complete: with two kv heads the PV before is that of
                  // the item before last too. With one head the wait is needed.
                  "v.binary c5-1 dropped", "v.binary c5-1 weakened"));
}
