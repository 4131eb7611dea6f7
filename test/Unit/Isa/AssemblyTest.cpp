//===- AssemblyTest.cpp - tests of printing and assembling ------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/Assembly.h"
#include "RandomInstruction.h"
#include "serrano/Isa/Codec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <limits>

using namespace serrano::isa;
using llvm::SmallVector;

/// Whether the verifier would find fault with `instruction` on its own.
template <typename T>
static constexpr bool isControlFlow =
    std::is_same_v<T, Loop> || std::is_same_v<T, Skip> ||
    std::is_same_v<T, Call> || std::is_same_v<T, Return>;

template <typename T>
static bool needsOthers(const T &instruction) {
  bool result = std::is_same_v<T, RingFill> || std::is_same_v<T, RingTable>;
  T::visit(instruction, [&](FieldInfo info, const auto &field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, Wait>)
      result |= field.valid;
    if constexpr (std::is_same_v<Field, Tile>)
      result |= field.space == TileSpace::Ring || field.space == TileSpace::Pop;
    result |= std::is_same_v<T, Mark> && info.name == "op";
  });
  return result;
}

TEST(AssemblyTest, WhatIsPrintedAssemblesToTheSame) {
  RandomInstruction(4).forEach(200, [](const auto &instruction) {
    using T = std::remove_cvref_t<decltype(instruction)>;
    if constexpr (!isControlFlow<T>) {
      if (needsOthers(instruction))
        return;
      SmallVector<uint64_t> words;
      ASSERT_EQ(llvm::toString(encode(instruction, words)), "");
      std::string source = "func f {\n" + print(instruction) + "\nhalt\n}\n";
      llvm::Expected<Program> program = assemble(source, "test.s");
      ASSERT_TRUE(static_cast<bool>(program))
          << source << llvm::toString(program.takeError());
      EXPECT_EQ(llvm::ArrayRef(program->text).drop_back(),
                llvm::ArrayRef(words))
          << source;
    }
  });
}

static std::string printed(float value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printOperand(os, value);
  return text;
}

TEST(AssemblyTest, FloatsArePrintedShortButExact) {
  EXPECT_EQ(printed(0.1f), "0.1");
  EXPECT_EQ(printed(1.0f), "1.0");
  EXPECT_EQ(printed(-0.0f), "-0.0");
  EXPECT_EQ(printed(1e-30f), "1.0e-30");
  EXPECT_EQ(printed(std::numeric_limits<float>::infinity()), "inf");
  EXPECT_EQ(printed(std::numeric_limits<float>::quiet_NaN()), "nan");
}

static Program assembled(const char *source) {
  llvm::Expected<Program> program = assemble(source, "test.s");
  if (!program) {
    ADD_FAILURE() << llvm::toString(program.takeError());
    return {};
  }
  return std::move(*program);
}

TEST(AssemblyTest, BlocksKnowTheirLength) {
  Program program =
      assembled("func f {\n"
                "  loop index=r1, count=3 {\n"
                "    skip condition=lt, a=r1, b=r2 { s.li rd=r3 }\n"
                "    s.li rd=r4, imm=1\n"
                "  }\n"
                "  halt\n"
                "}\n");
  ASSERT_EQ(program.text.size(), 5u);
  Instruction loop = llvm::cantFail(decode(program.text));
  EXPECT_EQ(std::get<Loop>(loop).body.words, 3u);
  Instruction skip =
      llvm::cantFail(decode(llvm::ArrayRef(program.text).drop_front()));
  EXPECT_EQ(std::get<Skip>(skip).body.words, 1u);
}

static int64_t valueOf(const std::string &expression) {
  Program program = assembled(
      ("func f {\n s.li rd=r1, imm=" + expression + "\n halt\n}\n").c_str());
  if (program.text.empty())
    return -12345;
  return std::get<ScalarImmediate>(llvm::cantFail(decode(program.text))).imm;
}

TEST(AssemblyTest, ExpressionsAreEvaluatedAsInC) {
  EXPECT_EQ(valueOf("1 + 2 * 3"), 7);
  EXPECT_EQ(valueOf("(1 + 2) * 3"), 9);
  EXPECT_EQ(valueOf("10 - 4 - 3"), 3);
  EXPECT_EQ(valueOf("-7 / 2"), -3);
  EXPECT_EQ(valueOf("-7 % 2"), -1);
  EXPECT_EQ(valueOf("1 << 4 + 1"), 32);
  EXPECT_EQ(valueOf("-16 >> 2"), -4);
  EXPECT_EQ(valueOf("min(3, 0x10, 0b10)"), 2);
  EXPECT_EQ(valueOf("max(3, -1)"), 3);
  EXPECT_EQ(valueOf("!0 + (2 < 3) * 4 + (2 == 3)"), 5);
}

TEST(AssemblyTest, ConstantsOfTheTargetAndOfTheCaller) {
  AssemblyConstants constants;
  constants.target["rows"] = 8;
  constants.defined["depth"] = 5;
  llvm::Expected<Program> program =
      assemble(".equ depth, 2\nfunc f {\n s.li rd=r1, imm=$rows * depth\n "
               "halt\n}\n",
               "test.s", constants);
  ASSERT_TRUE(static_cast<bool>(program))
      << llvm::toString(program.takeError());
  EXPECT_EQ(
      std::get<ScalarImmediate>(llvm::cantFail(decode(program->text))).imm, 40);
}

TEST(AssemblyTest, AnySourceGivesAProgramOrAnError) {
  // Deletes and repeats pieces of a source that uses the whole language.
  const std::string source =
      ".equ a, 3\n.reg t, r5\n.hbm x, 4096, align=64\n.op 1, \"n\\\"m\"\n"
      ".entry f\n.dim s, max=8, smem=4\n.input i, f32, [s, 2*s + 1], hbm=x\n"
      "func f {\n  mark op=1\n  .for i = 0, 2 {\n    s.li rd=r(i+1), imm=-a\n  "
      "}\n"
      "  .if a > 2 {\n    loop index=t, count=t+2 {\n      call callee=g\n    "
      "}\n"
      "  } .else {\n    halt\n  }\n  sync waiter=vector, wait0=c1-0\n  "
      "halt\n}\n"
      "func g {\n  v.fill signal=c1, dst=acc[t+4]:16:f32:bcast, imm=-1.5e3,\n"
      "    rows=1, cols=1\n  ret\n}\n";
  ASSERT_EQ(assembled(source.c_str()).functions.size(), 2u);
  std::mt19937_64 random(5);
  for (unsigned i = 0; i < 20000; ++i) {
    std::string mutated = source;
    for (unsigned n = 1 + random() % 3; n > 0; --n) {
      size_t at = random() % mutated.size();
      size_t length = random() % 8;
      if (random() % 2)
        mutated.erase(at, length);
      else
        mutated.insert(random() % mutated.size(), source, at % source.size(),
                       length);
    }
    llvm::Expected<Program> program = assemble(mutated, "test.s");
    if (!program)
      EXPECT_NE(llvm::toString(program.takeError()), "");
  }
}
