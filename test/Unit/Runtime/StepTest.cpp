//===- StepTest.cpp - what a step is given fits together ------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Simulator/AssembledProgram.h"
#include "MakeArray.h"
#include <cstring>

using namespace serrano;

namespace {

/// An entry that does nothing with the inputs of a step: blocks of 4 tokens, 10
/// of them, and sequences of at most 12 tokens.
const char *const source = R"(
.hbm arrays, 4096
.entry main
.dim tokens, max=16, smem=0
.dim sequences, max=4, smem=4
.dim blocks, max=3, smem=8
.dim logit_rows, max=16, smem=12
.input token_ids, i32, [tokens], hbm=arrays, below=100
.input positions, i32, [tokens], hbm=arrays + 64
.input query_starts, i32, [sequences + 1], smem=16
.input kv_lengths, i32, [sequences], smem=64
.input block_tables, i32, [sequences, blocks], smem=128
.input logit_rows, i32, [logit_rows], hbm=arrays + 128, below=tokens
.limit tokens, tokens, max=16
.limit sequences, sequences, max=4
.cache block=4, blocks=10, context=12
func main {
  halt
}
)";

class StepTest : public testing::Test {
protected:
  /// Two sequences: 3 new tokens after 5, in blocks 7 and 2; 4 first tokens, in
  /// block 9.
  NpzArrays good() {
    NpzArrays result;
    result["token_ids"] = indices({11, 12, 13, 21, 22, 23, 24});
    result["positions"] = indices({5, 6, 7, 0, 1, 2, 3});
    result["query_starts"] = indices({0, 3, 7});
    result["kv_lengths"] = indices({8, 4});
    result["block_tables"] =
        makeArray<int32_t>(NpyType::i4, {2, 3}, {7, 2, -1, 9, -1, -1});
    result["logit_rows"] = indices({2, 6});
    return result;
  }

  /// What is said of the good step with element `at` of `name` set to `value`.
  std::string change(const char *name, size_t at, int32_t value) {
    NpzArrays arrays = good();
    std::memcpy(arrays[name].bytes.data() + at * sizeof(value), &value,
                sizeof(value));
    return failure(arrays);
  }

  /// What is said of the good step with another array.
  std::string replace(const char *name, const NpyArray &array) {
    NpzArrays arrays = good();
    arrays[name] = array;
    return failure(arrays);
  }

  std::string failure(const NpzArrays &arrays) {
    return program.failure(program.assemble(source), arrays);
  }

  AssembledProgram program;
};

} // namespace

TEST_F(StepTest, GoodStepRuns) { EXPECT_EQ(failure(good()), ""); }

TEST_F(StepTest, TokensAreOfTheVocabulary) {
  EXPECT_EQ(change("token_ids", 6, 99), "");
  EXPECT_EQ(change("token_ids", 6, 100),
            "input 'token_ids' holds 100 at [6], expected 0 to 99");
  EXPECT_EQ(change("token_ids", 0, -1),
            "input 'token_ids' holds -1 at [0], expected 0 to 99");
}

TEST_F(StepTest, RowsWithLogitsAreTokens) {
  EXPECT_EQ(change("logit_rows", 1, 0), "");
  EXPECT_EQ(change("logit_rows", 1, 7),
            "input 'logit_rows' holds 7 at [1], expected at least 0 and less "
            "than 'tokens', which is 7 here");
  EXPECT_EQ(change("logit_rows", 0, -2),
            "input 'logit_rows' holds -2 at [0], expected at least 0 and less "
            "than 'tokens', which is 7 here");
}

TEST_F(StepTest, StartsAscendFromZeroToTheTokens) {
  EXPECT_EQ(change("query_starts", 0, 1),
            "input 'query_starts' holds 1 at [0], expected 0, where the tokens "
            "of the first sequence start");
  for (int32_t start : {0, -3})
    EXPECT_EQ(change("query_starts", 1, start),
              "input 'query_starts' holds " + std::to_string(start) +
                  " at [1], expected more than the 0 before it: every sequence "
                  "of a step has a new token");
  EXPECT_EQ(change("query_starts", 1, 7),
            "input 'query_starts' holds 7 at [2], expected more than the 7 "
            "before it: every sequence of a step has a new token");
  EXPECT_EQ(change("query_starts", 2, 6),
            "input 'query_starts' holds 6 at [2], expected 7, the number of "
            "tokens in 'token_ids'");
}

TEST_F(StepTest, LengthsCountTheNewTokens) {
  EXPECT_EQ(change("kv_lengths", 0, 2),
            "input 'kv_lengths' holds 2 at [0], expected at least 3: the "
            "sequence's new tokens of this step count");
  EXPECT_EQ(change("kv_lengths", 1, -1),
            "input 'kv_lengths' holds -1 at [1], expected at least 4: the "
            "sequence's new tokens of this step count");
}

TEST_F(StepTest, SequencesFitTheContext) {
  EXPECT_EQ(change("kv_lengths", 0, 13),
            "input 'kv_lengths' holds 13 at [0], but the program was compiled "
            "for sequences of at most 12 tokens; compile it with a larger "
            "--max-context");
  // Nine tokens take three blocks.
  NpzArrays arrays = good();
  arrays["kv_lengths"] = indices({9, 4});
  arrays["positions"] = indices({6, 7, 8, 0, 1, 2, 3});
  arrays["block_tables"] =
      makeArray<int32_t>(NpyType::i4, {2, 2}, {7, 2, 9, -1});
  EXPECT_EQ(failure(arrays),
            "input 'block_tables' has 2 columns, but the 9 tokens of sequence "
            "0 take 3 blocks of 4");
  arrays["block_tables"] =
      makeArray<int32_t>(NpyType::i4, {2, 3}, {7, 2, 0, 9, -1, -1});
  EXPECT_EQ(failure(arrays), "");
}

TEST_F(StepTest, PositionsFollowFromLengths) {
  EXPECT_EQ(change("positions", 1, 5),
            "input 'positions' holds 5 at [1], expected 6: after the step "
            "sequence 0 has 8 tokens ('kv_lengths'), of which token 1 is "
            "number 6");
  EXPECT_EQ(change("positions", 6, 4),
            "input 'positions' holds 4 at [6], expected 3: after the step "
            "sequence 1 has 4 tokens ('kv_lengths'), of which token 6 is "
            "number 3");
}

TEST_F(StepTest, BlocksAreOfTheCache) {
  EXPECT_EQ(change("block_tables", 1, 10),
            "input 'block_tables' holds 10 at [0, 1], outside the 10 blocks of "
            "the cache; expected 0 to 9");
  EXPECT_EQ(change("block_tables", 3, -1),
            "input 'block_tables' holds -1 at [1, 0], outside the 10 blocks of "
            "the cache; expected 0 to 9");
  // What no token uses can be anything.
  EXPECT_EQ(change("block_tables", 2, 1000), "");
}

TEST_F(StepTest, WrittenBlocksBelongToOneSequence) {
  // Sequence 0 writes to its second block, 2; sequence 1 to its only one, 9.
  EXPECT_EQ(change("block_tables", 3, 2),
            "input 'block_tables' holds 2 at [0, 1] and [1, 0], but the step "
            "writes to this block for sequence 0; only blocks that were full "
            "before it can be in two places");
  EXPECT_EQ(change("block_tables", 0, 9),
            "input 'block_tables' holds 9 at [0, 0] and [1, 0], but the step "
            "writes to this block for sequence 1; only blocks that were full "
            "before it can be in two places");
  EXPECT_EQ(change("block_tables", 0, 2),
            "input 'block_tables' holds 2 at [0, 0] and [0, 1], but the step "
            "writes to this block for sequence 0; only blocks that were full "
            "before it can be in two places");
  // Sequence 1 only reads what sequence 0 writes.
  NpzArrays arrays = good();
  arrays["kv_lengths"] = indices({8, 8});
  arrays["positions"] = indices({5, 6, 7, 4, 5, 6, 7});
  arrays["block_tables"] =
      makeArray<int32_t>(NpyType::i4, {2, 3}, {7, 2, -1, 2, 9, -1});
  EXPECT_EQ(failure(arrays),
            "input 'block_tables' holds 2 at [0, 1] and [1, 0], but the step "
            "writes to this block for sequence 0; only blocks that were full "
            "before it can be in two places");
}

TEST_F(StepTest, FullBlocksCanBeShared) {
  // Both sequences begin with the four tokens of block 7.
  NpzArrays arrays = good();
  arrays["kv_lengths"] = indices({8, 8});
  arrays["positions"] = indices({5, 6, 7, 4, 5, 6, 7});
  arrays["block_tables"] =
      makeArray<int32_t>(NpyType::i4, {2, 3}, {7, 2, -1, 7, 9, -1});
  EXPECT_EQ(failure(arrays), "");
  // Block 7 is not full before the step if the second has 3 tokens of it.
  arrays["kv_lengths"] = indices({8, 7});
  arrays["positions"] = indices({5, 6, 7, 3, 4, 5, 6});
  EXPECT_EQ(failure(arrays),
            "input 'block_tables' holds 7 at [0, 0] and [1, 0], but the step "
            "writes to this block for sequence 1; only blocks that were full "
            "before it can be in two places");
}

TEST_F(StepTest, LimitsNameTheOptionThatSetsThem) {
  EXPECT_EQ(replace("token_ids", indices(std::vector<int32_t>(17))),
            "input 'positions' has shape [7], expected [tokens] with tokens = "
            "17 as in the inputs before it");
  NpzArrays arrays = good();
  for (const char *name : {"token_ids", "positions"})
    arrays[name] = indices(std::vector<int32_t>(17));
  EXPECT_EQ(failure(arrays),
            "'tokens' is 17, but the program was compiled for at most 16 "
            "tokens; compile it with a larger --max-tokens");
  arrays = good();
  arrays["kv_lengths"] = indices({1, 1, 1, 1, 1});
  arrays["query_starts"] = indices({0, 1, 2, 3, 4, 5});
  arrays["block_tables"] =
      makeArray(NpyType::i4, {5, 3}, std::vector<int32_t>(15));
  EXPECT_EQ(failure(arrays),
            "'sequences' is 5, but the program was compiled for at most 4 "
            "sequences; compile it with a larger --max-sequences");
  EXPECT_EQ(replace("block_tables",
                    makeArray(NpyType::i4, {2, 4}, std::vector<int32_t>(8))),
            "'blocks' is 4, but the program takes at most 3");
}

TEST_F(StepTest, ShapesFitTheSequences) {
  EXPECT_EQ(replace("query_starts", indices({0, 7})),
            "input 'query_starts' has shape [2], expected [sequences + 1], "
            "which is [3] here");
}

TEST_F(StepTest, AnEmptyStepRuns) {
  NpzArrays arrays;
  for (const char *name :
       {"token_ids", "positions", "kv_lengths", "logit_rows"})
    arrays[name] = indices({});
  arrays["query_starts"] = indices({0});
  arrays["block_tables"] = makeArray<int32_t>(NpyType::i4, {0, 3}, {});
  EXPECT_EQ(failure(arrays), "");
}

TEST_F(StepTest, EntriesWithACacheHaveTheInputsOfAStep) {
  auto edit = [&](llvm::StringRef from, llvm::StringRef to) {
    std::string text = source;
    text.replace(text.find(from), from.size(), to);
    return program.failure(program.assemble(text), good());
  };
  EXPECT_THAT(
      edit(".input kv_lengths,", ".input lengths,"),
      testing::EndsWith("p.srn: entry 'main': has a cache, but no input "
                        "'kv_lengths'"));
  EXPECT_THAT(edit("[sequences, blocks]", "[sequences * blocks]"),
              testing::EndsWith("entry 'main': input 'block_tables' has the "
                                "shape [sequences*blocks] and elements of type "
                                "int32; a step needs 2 dimensions of integers"));
  EXPECT_THAT(edit("kv_lengths, i32", "kv_lengths, f32"),
              testing::EndsWith("entry 'main': input 'kv_lengths' has the "
                                "shape [sequences] and elements of type float32; a "
                                "step needs 1 dimension of integers"));
}

TEST_F(StepTest, SizesThatTheManifestLeavesOpenAreChecked) {
  auto run = [&](llvm::StringRef from, llvm::StringRef to, const char *name,
                 const NpyArray &array) {
    std::string text = source;
    text.replace(text.find(from), from.size(), to);
    NpzArrays arrays = good();
    arrays[name] = array;
    return program.failure(program.assemble(text), arrays);
  };
  EXPECT_EQ(run("positions, i32, [tokens]", "positions, i32, [2]", "positions",
                indices({0, 1})),
            "input 'positions' has 2 elements, but there are 7 tokens in "
            "'token_ids'");
  EXPECT_EQ(run("query_starts, i32, [sequences + 1]", "query_starts, i32, [2]",
                "query_starts", indices({0, 7})),
            "inputs 'query_starts' of 2 elements and 'block_tables' of 2 rows "
            "do not fit the 2 sequences of 'kv_lengths'; expected 3 and 2");
}
