//===- EntryTest.cpp - arrays are bound to the inputs of an entry *- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Entry.h"
#include "MakeArray.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "gtest/gtest.h"
#include <cstring>

using namespace serrano;

namespace {

/// An encoder's entry: `ids` of a vocabulary of 50 and `mask`, both [batch,
/// seq], and `bias` of one element more than the batch.
class EntryTest : public testing::Test {
protected:
  EntryTest() {
    program.functions = {{"before", 0, 3}, {"main", 3, 5}};
    source.name = "main";
    source.function = "main";
    source.dimensions = {{"batch", 8, 0}, {"seq", 16, 4}};
    source.inputs = {{"ids", "i64", "i32", {"batch", "seq"}, false, 0, "50"},
                     {"mask", "i64", "i32", {"batch", "seq"}, false, 512, ""},
                     {"bias", "f32", "f32", {"batch + 1"}, true, 8, ""}};
    source.outputs = {{"y", "f32", "bf16", {"batch", "4"}, false, 1024, ""}};
    source.limits = {{"tokens", "batch*seq", 32}};
  }

  Entry create() { return llvm::cantFail(Entry::create(source, program)); }

  /// What is said of the entry after a change; "" if it is understood.
  std::string creationFailure(llvm::function_ref<void(isa::Entry &)> change) {
    isa::Entry changed = source;
    change(changed);
    llvm::Expected<Entry> entry = Entry::create(changed, program);
    return entry ? "" : llvm::toString(entry.takeError());
  }

  static NpyArray ids(uint64_t batch, uint64_t seq) {
    return makeArray(NpyType::i8, {batch, seq},
                     std::vector<int64_t>(batch * seq));
  }
  static NpzArrays inputs(uint64_t batch, uint64_t seq) {
    NpzArrays result;
    result["ids"] = result["mask"] = ids(batch, seq);
    result["bias"] =
        makeArray(NpyType::f4, {batch + 1}, std::vector<float>(batch + 1));
    return result;
  }

  /// What is said of `arrays`; "" if they can be used.
  std::string failure(const NpzArrays &arrays) {
    Entry entry = create();
    llvm::Expected<Dimensions> dimensions = entry.bind(arrays);
    if (!dimensions)
      return llvm::toString(dimensions.takeError());
    llvm::Error error = entry.checkValues(arrays, *dimensions);
    return error ? llvm::toString(std::move(error)) : "";
  }

  isa::Program program;
  isa::Entry source;
};

} // namespace

TEST_F(EntryTest, IsWhatTheManifestSays) {
  Entry entry = create();
  EXPECT_EQ(entry.word, 3);
  ASSERT_EQ(entry.inputs.size(), 3u);
  EXPECT_EQ(entry.inputs[0].type, NpyType::i8);
  EXPECT_EQ(entry.inputs[0].stored, isa::DType::I32);
  EXPECT_EQ(entry.inputs[0].below->text(), "50");
  EXPECT_FALSE(entry.inputs[1].below);
  EXPECT_TRUE(entry.inputs[2].scalarMemory);
  EXPECT_EQ(entry.outputs[0].stored, isa::DType::Bf16);
  EXPECT_EQ(entry.limits[0].of, "tokens");
  EXPECT_EQ(entry.limits[0].max, 32);
  EXPECT_FALSE(entry.cache);
}

TEST_F(EntryTest, ManifestsThatCannotBe) {
  EXPECT_EQ(creationFailure([](auto &e) { e.function = "other"; }),
            "entry 'main' names the function 'other', which the program does "
            "not have");
  EXPECT_EQ(creationFailure([](auto &e) { e.inputs[0].dtype = "i128"; }),
            "entry 'main': operand 'ids' has the unknown type 'i128'");
  EXPECT_EQ(creationFailure([](auto &e) { e.outputs[0].stored = "f99"; }),
            "entry 'main': operand 'y' is stored as the unknown type 'f99'");
  EXPECT_EQ(creationFailure([](auto &e) { e.inputs[1].shape[0] = "a-b"; }),
            "entry 'main': operand 'mask': 'a-b' is not a size: expected sums "
            "of products of numbers and names");
  EXPECT_EQ(creationFailure([](auto &e) { e.inputs[0].below = "a-b"; }),
            "entry 'main': operand 'ids': 'a-b' is not a size: expected sums "
            "of products of numbers and names");
  EXPECT_EQ(creationFailure([](auto &e) { e.inputs[2].below = "5"; }),
            "entry 'main': operand 'bias' has a bound, but elements of type "
            "f32, which are no indices");
  EXPECT_EQ(creationFailure([](auto &e) { e.limits[0].size = "batch*"; }),
            "entry 'main': 'batch*' is not a size: expected sums of products "
            "of numbers and names");
}

TEST_F(EntryTest, DimensionsFollowFromShapes) {
  Dimensions dimensions = llvm::cantFail(create().bind(inputs(3, 7)));
  EXPECT_EQ(dimensions, (Dimensions{{"batch", 3}, {"seq", 7}}));
  EXPECT_EQ(failure(inputs(0, 0)), "");
}

TEST_F(EntryTest, NamesOfInputs) {
  NpzArrays arrays = inputs(1, 2);
  arrays.erase("mask");
  EXPECT_EQ(failure(arrays),
            "input 'mask' of entry 'main' is missing; expected "
            "int64 [batch, seq]");
  arrays["maks"] = ids(1, 2);
  EXPECT_EQ(failure(arrays), "'maks' is not an input of entry 'main'; did you "
                             "mean 'mask'?");
  arrays = inputs(1, 2);
  arrays["temperature"] = ids(1, 1);
  EXPECT_EQ(failure(arrays), "'temperature' is not an input of entry 'main'; "
                             "its inputs are ids, mask, bias");
}

TEST_F(EntryTest, TypesAndShapes) {
  NpzArrays arrays = inputs(1, 2);
  arrays["ids"].type = NpyType::u8;
  EXPECT_EQ(failure(arrays), "input 'ids' has elements of type uint64, "
                             "expected int64; convert the array");
  arrays = inputs(1, 2);
  arrays["ids"].shape = {2};
  EXPECT_EQ(failure(arrays),
            "input 'ids' has shape [2], expected 2 dimensions: [batch, seq]");
  arrays = inputs(1, 2);
  arrays["mask"] = ids(2, 1);
  EXPECT_EQ(failure(arrays), "input 'mask' has shape [2, 1], expected [batch, "
                             "seq] with batch = 1 as in the inputs before it");
  arrays = inputs(1, 2);
  arrays["bias"] = makeArray<float>(NpyType::f4, {3}, {1, 2, 3});
  EXPECT_EQ(failure(arrays), "input 'bias' has shape [3], expected [batch + "
                             "1], which is [2] here");
}

TEST_F(EntryTest, LimitsOfTheCompilationAndOfTheModel) {
  EXPECT_EQ(failure(inputs(2, 16)), "");
  EXPECT_EQ(failure(inputs(3, 11)),
            "'batch*seq' is 33, but the program was compiled for at most 32 "
            "tokens; compile it with a larger --max-tokens");
  // More tokens in all do not make a portion longer.
  source.limits = {{"row_tokens", "seq", 8}};
  EXPECT_EQ(failure(inputs(1, 16)),
            "'seq' is 16, but a row of the batch has at most 8 tokens in a "
            "program that takes rows in portions; compile for a row at once "
            "(--max-tokens=16) or for a target that has more room (--target)");
  source.limits = {{"tokens", "batch*seq", 32}};
  EXPECT_EQ(failure(inputs(1, 17)),
            "'seq' is 17, but the program takes at most 16");
  EXPECT_EQ(failure(inputs(9, 1)),
            "'batch' is 9, but the program takes at most 8");
}

TEST_F(EntryTest, DimensionsThatNoInputGives) {
  source.dimensions.push_back({"heads", 4, 8});
  EXPECT_EQ(failure(inputs(1, 1)),
            "no input of entry 'main' gives the size of 'heads'");
  source.dimensions.pop_back();
  source.limits[0].size = "heads";
  EXPECT_EQ(failure(inputs(1, 1)),
            "dimension 'heads' of size 'heads' has no value: no input has it "
            "as a size of its own");
}

TEST_F(EntryTest, IndicesOutsideTheVocabulary) {
  NpzArrays arrays = inputs(2, 5);
  auto set = [&](size_t at, int64_t value) {
    std::memcpy(arrays["ids"].bytes.data() + at * sizeof(value), &value,
                sizeof(value));
    return failure(arrays);
  };
  EXPECT_EQ(set(7, 49), "");
  EXPECT_EQ(set(8, 50), "input 'ids' holds 50 at [1, 3], expected 0 "
                        "to 49");
  // The first is named; nothing wraps on the way to 32 bits.
  EXPECT_EQ(set(1, -(int64_t(1) << 32)),
            "input 'ids' holds -4294967296 at [0, 1], expected 0 to 49");
}
