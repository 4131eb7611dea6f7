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
// made larger by one, in turn. `--check=races` must report each such program,
// but for the waits that others imply, which are listed with the reason. Under
// `--schedule=adversarial` those that are reported must give other results for
// one seed of a few, but for those that are listed, and the others never.
//
//===----------------------------------------------------------------------===//

#include "KernelPrograms.h"

using namespace serrano;

namespace {

/// The outputs' bytes, or why there are none.
std::string outcome(AssembledProgram &assembled, const isa::Program &program,
                    const NpzArrays &inputs, std::optional<uint64_t> seed) {
  sim::RunOptions options;
  options.timing = false;
  options.adversarialSeed = seed;
  llvm::Expected<Program::Result> result =
      assembled.runEntry(program, inputs, options);
  if (!result)
    return llvm::toString(result.takeError());
  std::string bytes;
  for (const auto &[name, array] : result->outputs)
    bytes.append(array.bytes.begin(), array.bytes.end());
  return bytes;
}

constexpr uint64_t seeds = 8;

/// The mutants of a kernel, as "mx.mul c4-1 dropped".
struct Mutants {
  unsigned count = 0;
  std::vector<std::string> unreported; ///< by the race check
  /// Of those reported, the ones that give the same results for every seed.
  std::vector<std::string> unchanged;
};

/// Runs `file` with each wait dropped or weakened.
Mutants judgeMutants(const std::string &file, const NpzArrays &inputs) {
  AssembledProgram assembled;
  isa::Program program = assembled.assemble(kernelSource(file));
  sim::RunOptions options;
  options.checkRaces = true;
  options.timing = false;
  EXPECT_EQ(assembled.failure(program, inputs, options), "");

  std::string expected = outcome(assembled, program, inputs, std::nullopt);
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
    bool changed = changes(mutated);
    if (failure.empty()) {
      result.unreported.push_back(name);
      EXPECT_FALSE(changed) << name;
      return;
    }
    EXPECT_NE(failure.find("race on "), std::string::npos)
        << name << ": " << failure;
    if (!changed)
      result.unchanged.push_back(name);
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
  EXPECT_THAT(mutants.unreported, testing::IsEmpty());
  EXPECT_THAT(mutants.unchanged, testing::IsEmpty());
}

TEST(WaitMutation, Attention) {
  Mutants mutants = judgeMutants("attention.s", attentionInputs());
  EXPECT_EQ(mutants.count, 24u);
  EXPECT_THAT(mutants.unchanged, testing::IsEmpty());
  EXPECT_THAT(mutants.unreported,
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
