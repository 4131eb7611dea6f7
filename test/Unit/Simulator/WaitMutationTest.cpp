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
// but for the waits that others imply, which are listed with the reason.
//
//===----------------------------------------------------------------------===//

#include "AssembledProgram.h"

using namespace serrano;

namespace {

NpzArrays &add(NpzArrays &arrays, const std::string &name, NpyType type,
               std::vector<uint64_t> shape,
               llvm::ArrayRef<int32_t> values = {}) {
  NpyArray &array = arrays[name];
  array.type = type;
  array.shape = std::move(shape);
  array.bytes.resize(array.size() * npyTypeSize(type));
  std::copy_n(values.begin(), values.size(),
              reinterpret_cast<int32_t *>(array.bytes.data()));
  return arrays;
}

NpzArrays projectionInputs() {
  NpzArrays result;
  add(result, "x", NpyType::f4, {5, 23});
  add(result, "w", NpyType::f4, {4, 3, 8, 8});
  add(result, "bias", NpyType::f4, {29});
  return result;
}

/// A chunk after old tokens, a first token, a decode and a prefill; blocks
/// of 4.
NpzArrays attentionInputs() {
  struct {
    int32_t past, count;
  } sequences[] = {{5, 7}, {0, 1}, {9, 1}, {0, 12}};
  std::vector<int32_t> starts = {0}, lengths, places, tables;
  int32_t block = 0;
  for (auto [past, count] : sequences) {
    starts.push_back(starts.back() + count);
    lengths.push_back(past + count);
    for (int32_t i = past; i < past + count; ++i)
      places.push_back(block * 4 + i);
    for (int32_t i = 0; i < 16; ++i)
      tables.push_back(i * 4 < past + count ? block++ : -1);
  }
  uint64_t tokens = places.size(), count = lengths.size();
  NpzArrays result;
  add(result, "q", NpyType::f4, {tokens, 4, 8});
  add(result, "k", NpyType::f4, {tokens, 2, 8});
  add(result, "v", NpyType::f4, {tokens, 2, 8});
  add(result, "cache", NpyType::f4, {48, 4, 2, 2, 8});
  add(result, "starts", NpyType::i4, {count + 1}, starts);
  add(result, "lengths", NpyType::i4, {count}, lengths);
  add(result, "places", NpyType::i4, {tokens}, places);
  add(result, "tables", NpyType::i4, {count, 16}, tables);
  return result;
}

/// Runs `source` with each wait dropped or weakened; gives those mutants that
/// are not reported, as "mx.mul c4-1 dropped".
std::vector<std::string> unreported(const std::string &file,
                                    const NpzArrays &inputs,
                                    unsigned &mutants) {
  AssembledProgram assembled;
  std::ifstream stream(SERRANO_SOURCE_DIR "/test/EndToEnd/Kernels/" + file);
  isa::Program program = assembled.assemble(
      std::string(std::istreambuf_iterator<char>(stream), {}));
  sim::RunOptions options;
  options.checkRaces = true;
  options.timing = false;
  EXPECT_EQ(assembled.failure(program, inputs, options), "");

  std::vector<std::string> result;
  auto tryMutant = [&](uint32_t word, const isa::Instruction &mutant,
                       const std::string &name) {
    ++mutants;
    isa::Program changed = program;
    AssembledProgram::replace(changed, word, mutant);
    std::string failure = assembled.failure(changed, inputs, options);
    if (failure.empty())
      result.push_back(name);
    else
      EXPECT_NE(failure.find("race on "), std::string::npos)
          << name << ": " << failure;
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
  unsigned mutants = 0;
  std::vector<std::string> implied =
      unreported("projection.s", projectionInputs(), mutants);
  EXPECT_EQ(mutants, 10u);
  EXPECT_THAT(implied, testing::IsEmpty());
}

TEST(WaitMutation, Attention) {
  unsigned mutants = 0;
  std::vector<std::string> implied =
      unreported("attention.s", attentionInputs(), mutants);
  EXPECT_EQ(mutants, 24u);
  EXPECT_THAT(implied,
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
