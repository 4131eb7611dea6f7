//===- EmitTest.cpp - weights on their way into program files - -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Emit/Emit.h"
#include "../TempFolder.h"
#include "dialects/Llm/Llm.h"
#include "dialects/Mem/Mem.h"
#include "dialects/Tile/Tile.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "serrano/Isa/Assembly.h"
#include "serrano/Isa/ProgramFile.h"
#include "serrano/Support/MappedFile.h"
#include "llvm/ADT/StringExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace serrano;

namespace {

/// `bytes` as elements of type T.
template <typename T>
std::vector<T> elements(llvm::ArrayRef<uint8_t> bytes) {
  std::vector<T> result(bytes.size() / sizeof(T));
  std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

class EmitTest : public testing::Test {
protected:
  EmitTest() : target(llvm::cantFail(TargetModel::load("serrano-tiny"))) {
    context.loadDialect<llm::LlmDialect, tile::TileDialect, mem::MemDialect>();
    program = llvm::cantFail(isa::assemble("func f {\n halt\n}\n", "f.s"));
    program.hbmBytes = 1 << 20;
  }

  /// Writes numbers first, first + 1, ... of type T to the file `name`.
  template <typename T>
  void writeNumbers(const std::string &name, int count, T first = 0) {
    std::string bytes;
    for (int i = 0; i < count; ++i) {
      T value = first + T(i);
      bytes.append(reinterpret_cast<const char *>(&value), sizeof(T));
    }
    folder.write(name, bytes);
  }

  /// Why a module of these operations is not emitted; "" if it is, as
  /// `program.srn`.
  std::string emit(const std::string &operations) {
    std::string text = "module attributes {llm.directory = \"" + folder.path() +
                       "\"} {\n" + operations + "\n}\n";
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    llvm::Error error =
        emitProgram(*module, program, target, folder.path("program.srn"));
    return error ? llvm::toString(std::move(error)) : "";
  }

  isa::ProgramFile open() {
    return llvm::cantFail(isa::ProgramFile::open(folder.path("program.srn")));
  }

  /// The bytes of the one section of an emitted module.
  std::vector<uint8_t> emitted(const std::string &operations) {
    EXPECT_EQ(emit(operations), "");
    isa::ProgramFile file = open();
    EXPECT_EQ(file.sections().size(), 1u);
    return file.bytesOf(file.sections()[0]).vec();
  }

  TempFolder folder;
  mlir::MLIRContext context;
  TargetModel target;
  isa::Program program;
};

} // namespace

TEST_F(EmitTest, BlocksFollowEachOtherWithoutGaps) {
  // Element (r, c) of 3 x 5 is 5 r + c.
  writeNumbers<float>("w.bin", 15);
  std::vector<uint8_t> bytes = emitted(R"(
    llm.weight private @w : tensor<3x5xf32> from [#llm.view<"w.bin", offset = 0, length = 60, shape = [3, 5], strides = [5, 1]>]
    tile.packed @packed [@w] sizes [3, 5] tile 2 x 4 : f32 {mem.address = 4096 : i64})");
  isa::ProgramFile file = open();
  EXPECT_EQ(file.sections()[0].name, "packed");
  EXPECT_EQ(file.sections()[0].address, 4096u);
  // Each of the three tiles of 32 bytes begins on a multiple of a buffer's
  // alignment.
  constexpr size_t stride = mem::bufferAlignment;
  static_assert(stride >= 32);
  ASSERT_EQ(bytes.size(), 3 * stride);
  auto tile = [&](int i) {
    return elements<float>(llvm::ArrayRef(bytes).slice(i * stride, 32));
  };
  EXPECT_THAT(tile(0), testing::ElementsAre(0, 1, 2, 3, 5, 6, 7, 8));
  // The last row of the first block, then the block of one column: two of its
  // rows, which are all that the array takes at once. Less than a row of full
  // width is left.
  EXPECT_THAT(tile(1), testing::ElementsAre(10, 11, 12, 13, 4, 9, 0, 0));
  EXPECT_THAT(tile(2), testing::ElementsAre(14, 0, 0, 0, 0, 0, 0, 0));
}

TEST_F(EmitTest, GroupsAreInterleavedOrSideBySide) {
  // Element (r, c) of @a is 3 r + c, of @b 100 + 3 r + c, of @c 200 + r.
  writeNumbers<float>("a.bin", 6);
  writeNumbers<float>("b.bin", 6, 100);
  writeNumbers<float>("c.bin", 2, 200);
  const std::string weights = R"(
    llm.weight private @a : tensor<2x3xf32> from [#llm.view<"a.bin", offset = 0, length = 24, shape = [2, 3], strides = [3, 1]>]
    llm.weight private @b : tensor<2x3xf32> from [#llm.view<"b.bin", offset = 0, length = 24, shape = [2, 3], strides = [3, 1]>]
    llm.weight private @c : tensor<2x1xf32> from [#llm.view<"c.bin", offset = 0, length = 8, shape = [2, 1], strides = [1, 1]>]
  )";
  constexpr size_t stride = mem::bufferAlignment;
  // Blocks of two columns of each in turn.
  std::vector<uint8_t> bytes = emitted(weights + R"(
    tile.packed @packed [@a, @b] sizes [2, 3, 2, 3] tile 2 x 2 groups [2] interleaved [0] : f32 {mem.address = 0 : i64})");
  ASSERT_EQ(bytes.size(), 3 * stride);
  auto tile = [&](int i, size_t size) {
    return elements<float>(llvm::ArrayRef(bytes).slice(i * stride, size));
  };
  EXPECT_THAT(tile(0, 16), testing::ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(tile(1, 16), testing::ElementsAre(100, 101, 103, 104));
  EXPECT_THAT(tile(2, 16), testing::ElementsAre(2, 5, 102, 105));
  // One block has the columns of both.
  bytes = emitted(weights + R"(
    tile.packed @packed [@a, @c] sizes [2, 3, 2, 1] tile 2 x 4 groups [2] : f32 {mem.address = 0 : i64})");
  ASSERT_EQ(bytes.size(), stride);
  EXPECT_THAT(tile(0, 32), testing::ElementsAre(0, 1, 2, 200, 3, 4, 5, 201));
}

TEST_F(EmitTest, AGroupThatEndsLeavesTheRestOfItsTile) {
  writeNumbers<float>("a.bin", 2);
  writeNumbers<float>("b.bin", 2, 100);
  const std::string weights = R"(
    llm.weight private @a : tensor<2x1xf32> from [#llm.view<"a.bin", offset = 0, length = 8, shape = [2, 1], strides = [1, 1]>]
    llm.weight private @b : tensor<1x2xf32> from [#llm.view<"b.bin", offset = 0, length = 8, shape = [1, 2], strides = [2, 1]>]
  )";
  constexpr size_t stride = mem::bufferAlignment;
  std::vector<uint8_t> bytes = emitted(weights + R"(
    tile.packed @packed [@a, @b] sizes [2, 1, 1, 2] tile 4 x 2 groups [1, 1] : f32 {mem.address = 0 : i64})");
  ASSERT_EQ(bytes.size(), stride);
  EXPECT_THAT(elements<float>(llvm::ArrayRef(bytes).take_front(32)),
              testing::ElementsAre(0, 1, 100, 101, 0, 0, 0, 0));
  bytes = emitted(weights + R"(
    tile.packed @packed [@a, @b] sizes [2, 1, 1, 2] tile 4 x 2 groups [1, 1] ends [0] : f32 {mem.address = 0 : i64})");
  ASSERT_EQ(bytes.size(), 2 * stride);
  EXPECT_THAT(elements<float>(llvm::ArrayRef(bytes).take_front(32)),
              testing::ElementsAre(0, 1, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(elements<float>(llvm::ArrayRef(bytes).slice(stride, 32)),
              testing::ElementsAre(100, 101, 0, 0, 0, 0, 0, 0));
}

TEST_F(EmitTest, WeightsOfOnePackFollowEachOther) {
  writeNumbers<float>("w.bin", 8);
  std::vector<uint8_t> bytes = emitted(R"(
    llm.weight private @v : tensor<2x2xf32> from [#llm.view<"w.bin", offset = 0, length = 16, shape = [2, 2], strides = [2, 1]>]
    llm.weight private @w : tensor<2x2xf32> from [#llm.view<"w.bin", offset = 16, length = 16, shape = [2, 2], strides = [2, 1]>]
    tile.packed @packed [@w, @v, @w] sizes [2, 2, 2, 2, 2, 2] tile 2 x 2 : f32 {mem.address = 0 : i64})");
  constexpr size_t stride = mem::bufferAlignment;
  ASSERT_EQ(bytes.size(), 3 * stride);
  for (auto [i, first] : {std::pair(0, 4), std::pair(1, 0), std::pair(2, 4)})
    EXPECT_THAT(elements<float>(llvm::ArrayRef(bytes).slice(i * stride, 16)),
                testing::ElementsAre(first, first + 1, first + 2, first + 3));
}

TEST_F(EmitTest, TransposedAndConcatenatedViews) {
  writeNumbers<float>("w.bin", 12);
  // Columns 0 and 1 are rows of the file; the third is another view's.
  std::vector<uint8_t> bytes = emitted(R"(
    llm.weight private @w : tensor<3x3xf32> from [
      #llm.view<"w.bin", offset = 0, length = 24, shape = [3, 2], strides = [1, 3]>,
      #llm.view<"w.bin", offset = 36, length = 12, shape = [3, 1], strides = [1, 1]>] axis 1
    tile.packed @packed [@w] sizes [3, 3] tile 3 x 3 : f32 {mem.address = 0 : i64})");
  EXPECT_THAT(elements<float>(llvm::ArrayRef(bytes).take_front(36)),
              testing::ElementsAre(0, 3, 9, 1, 4, 10, 2, 5, 11));
  // The same bytes, one view below the other, and tiles that cut both.
  bytes = emitted(R"(
    llm.weight private @w : tensor<4x2xf32> from [
      #llm.view<"w.bin", offset = 0, length = 24, shape = [3, 2], strides = [2, 1]>,
      #llm.view<"w.bin", offset = 32, length = 8, shape = [1, 2], strides = [2, 1]>] axis 0
    tile.packed @packed [@w] sizes [4, 2] tile 2 x 2 : f32 {mem.address = 0 : i64})");
  EXPECT_THAT(elements<float>(llvm::ArrayRef(bytes).take_front(16)),
              testing::ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(
      elements<float>(llvm::ArrayRef(bytes).slice(mem::bufferAlignment, 16)),
      testing::ElementsAre(4, 5, 8, 9));
}

TEST_F(EmitTest, VectorsLieOneAfterTheOther) {
  writeNumbers<float>("w.bin", 6);
  std::vector<uint8_t> bytes = emitted(R"(
    llm.weight private @a : tensor<2xf32> from [#llm.view<"w.bin", offset = 16, length = 8, shape = [2], strides = [1]>]
    llm.weight private @b : tensor<3xf32> from [#llm.view<"w.bin", offset = 0, length = 12, shape = [3], strides = [1]>]
    tile.vectors @vectors [@a, @b] at [0, 2] length 5 : f32 {mem.address = 0 : i64})");
  EXPECT_THAT(elements<float>(bytes), testing::ElementsAre(4, 5, 0, 1, 2));
}

TEST_F(EmitTest, TablesKeepTheirRows) {
  // More rows than are converted at once.
  constexpr int rows = 600;
  writeNumbers<float>("w.bin", rows * 3);
  std::vector<uint8_t> bytes = emitted(R"(
    llm.weight private @t : tensor<600x3xf32> from [#llm.view<"w.bin", offset = 0, length = 7200, shape = [600, 3], strides = [3, 1]>]
    tile.tensor @table constant of @t : memref<600x3xf32> {mem.address = 0 : i64})");
  std::vector<float> found = elements<float>(bytes);
  ASSERT_EQ(found.size(), size_t(rows * 3));
  for (int i = 0; i < rows * 3; ++i)
    ASSERT_EQ(found[i], float(i));
}

TEST_F(EmitTest, Bf16IsRoundedToNearestEven) {
  const float values[] = {
      1 + 0x1p-8f,     1 + 3 * 0x1p-8f, -0.0f,
      INFINITY,        0x1.fffffep127f, // Rounds to infinity.
      -std::nanf("1"), 0x1p-149f};
  folder.write("w.bin",
               {reinterpret_cast<const char *>(values), sizeof(values)});
  std::vector<uint8_t> bytes = emitted(R"(
    llm.weight private @a : tensor<7xf32> from [#llm.view<"w.bin", offset = 0, length = 28, shape = [7], strides = [1]>]
    tile.vectors @vectors [@a] at [0] length 7 : bf16 {mem.address = 0 : i64})");
  EXPECT_THAT(elements<uint16_t>(bytes),
              testing::ElementsAre(0x3f80, 0x3f82, 0x8000, 0x7f80, 0x7f80,
                                   0x7fc0, 0x0000));
}

TEST_F(EmitTest, HalfPrecisionIsWidened) {
  const uint16_t values[] = {0x3c01, 0x0001, 0xfc00, 0xbf81};
  folder.write("w.bin",
               {reinterpret_cast<const char *>(values), sizeof(values)});
  std::vector<uint8_t> bytes = emitted(R"(
    llm.weight private @h : tensor<3xf16> from [#llm.view<"w.bin", offset = 0, length = 6, shape = [3], strides = [1]>]
    llm.weight private @b : tensor<1xbf16> from [#llm.view<"w.bin", offset = 6, length = 2, shape = [1], strides = [1]>]
    tile.vectors @vectors [@h, @b] at [0, 3] length 4 : f32 {mem.address = 0 : i64})");
  EXPECT_THAT(
      elements<float>(bytes),
      testing::ElementsAre(1 + 0x1p-10f, 0x1p-24f, -INFINITY, -(1 + 0x1p-7f)));
}

TEST_F(EmitTest, SlotsOfHolesStayHoles) {
  // @hole and @last take no space in the source, and none in the program.
  constexpr uint64_t bytes = 256 * 256 * 4;
  std::string path = folder.write("w.bin", "");
  std::filesystem::resize_file(path, 3 * bytes);
  std::string ones(bytes, '\1');
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(bytes);
    file << ones;
  }
  EXPECT_EQ(emit(R"(
    llm.weight private @hole : tensor<256x256xf32> from [#llm.view<"w.bin", offset = 0, length = 262144, shape = [256, 256], strides = [256, 1]>]
    llm.weight private @full : tensor<256x256xf32> from [#llm.view<"w.bin", offset = 262144, length = 262144, shape = [256, 256], strides = [256, 1]>]
    llm.weight private @last : tensor<256x256xf32> from [#llm.view<"w.bin", offset = 524288, length = 262144, shape = [256, 256], strides = [256, 1]>]
    tile.packed @packed [@hole, @full, @last] sizes [256, 256, 256, 256, 256, 256] tile 256 x 256 : f32 {mem.address = 0 : i64})"),
            "");
  isa::ProgramFile file = open();
  const isa::Section &section = file.sections()[0];
  ASSERT_EQ(section.fileSize, 3 * bytes);
  llvm::ArrayRef<uint8_t> slots = file.bytesOf(section);
  EXPECT_EQ(llvm::toStringRef(slots.slice(bytes, bytes)), ones);
  for (uint64_t slot : {0, 2})
    EXPECT_TRUE(llvm::all_of(slots.slice(slot * bytes, bytes),
                             [](uint8_t byte) { return byte == 0; }))
        << slot;
  MappedFile mapped =
      llvm::cantFail(MappedFile::open(folder.path("program.srn")));
  for (uint64_t slot : {0, 1, 2})
    EXPECT_EQ(mapped.hasData(section.fileOffset + slot * bytes, bytes),
              slot == 1)
        << slot;
  // One weight that is there is enough for a slot.
  std::vector<uint8_t> shared = emitted(R"(
    llm.weight private @hole : tensor<2x2xf32> from [#llm.view<"w.bin", offset = 0, length = 16, shape = [2, 2], strides = [2, 1]>]
    llm.weight private @full : tensor<2x2xf32> from [#llm.view<"w.bin", offset = 262144, length = 16, shape = [2, 2], strides = [2, 1]>]
    tile.packed @packed [@hole, @full] sizes [2, 2, 2, 2] tile 4 x 4 groups [2] : f32 {mem.address = 0 : i64})");
  std::string zeros(8, '\0'), half(8, '\1');
  EXPECT_EQ(llvm::toStringRef(llvm::ArrayRef(shared).take_front(32)),
            zeros + half + zeros + half);
}

TEST_F(EmitTest, TheProgramAndItsTargetAreInTheFile) {
  EXPECT_EQ(emit(""), "");
  isa::ProgramFile file = open();
  EXPECT_EQ(file.text(), llvm::ArrayRef(program.text));
  EXPECT_EQ(file.hbmBytes(), program.hbmBytes);
  EXPECT_EQ(nlohmann::json::parse(file.targetJson()),
            nlohmann::json::parse(target.toJson()));
}

TEST_F(EmitTest, WhatCannotBeReadLeavesNoFile) {
  writeNumbers<float>("w.bin", 4);
  const std::string packed = "tile.packed @packed [@w] sizes [2, 2] tile 2 x 2 "
                             ": f32 {mem.address = 0 : i64}";
  auto weight = [](const char *type, const char *view) {
    return std::string("llm.weight private @w : tensor<") + type +
           "> from [#llm.view<" + view + ">]\n";
  };
  EXPECT_EQ(emit(packed), "no llm.weight 'w' says where the values are");
  EXPECT_EQ(
      emit(
          weight(
              "2x2xf32",
              R"("none.bin", offset = 0, length = 16, shape = [2, 2], strides = [2, 1])") +
          packed),
      folder.path("none.bin") + ": cannot open: no such file or directory");
  EXPECT_EQ(
      emit(
          weight(
              "2x2xf32",
              R"("w.bin", offset = 4, length = 16, shape = [2, 2], strides = [2, 1])") +
          packed),
      "weight 'w' lies at bytes 4 to 20 of 'w.bin', which has 16");
  EXPECT_EQ(
      emit(
          weight(
              "2x2xi32",
              R"("w.bin", offset = 0, length = 16, shape = [2, 2], strides = [2, 1])") +
          packed),
      "weight 'w' has elements that are not f32, f16 or bf16");
  EXPECT_EQ(
      emit(
          weight(
              "1x2xf32",
              R"("w.bin", offset = 0, length = 8, shape = [1, 2], strides = [2, 1])") +
          packed),
      "weight 'w' has shape [1, 2], but 'packed' takes it as [2, 2]");
  EXPECT_EQ(
      emit(
          weight(
              "3xf32",
              R"("w.bin", offset = 0, length = 12, shape = [3], strides = [1])") +
          "tile.vectors @vectors [@w] at [0] length 2 : f32 {mem.address = 0 : "
          "i64}"),
      "weight 'w' has shape [3], but 'vectors' takes it as [2]");
  EXPECT_EQ(
      emit(
          weight(
              "2x2xf32",
              R"("w.bin", offset = 0, length = 16, shape = [2, 2], strides = [2, 1])") +
          "tile.tensor @table constant of @w : memref<4x1xf32> {mem.address = "
          "0 : i64}"),
      "weight 'w' has shape [2, 2], but 'table' takes it as [4, 1]");
  // Nothing but the weights is in the folder.
  EXPECT_EQ(folder.count(), 1u);
}
