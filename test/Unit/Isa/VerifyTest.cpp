//===- VerifyTest.cpp - tests of the checks on whole programs ---*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The faults that can be written in assembly are in test/Isa/verify-errors.s.
// Here are those of a program whose words come from elsewhere, and those that
// depend on the target.
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/Verify.h"
#include "serrano/Isa/Assembly.h"
#include "serrano/Isa/Codec.h"
#include "serrano/Target/TargetModel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <random>

using namespace serrano;
using namespace serrano::isa;
using testing::ElementsAre;
using testing::HasSubstr;

static Program makeProgram(llvm::ArrayRef<Instruction> instructions) {
  Program program;
  llvm::SmallVector<uint64_t> words;
  for (const Instruction &instruction : instructions)
    llvm::cantFail(encode(instruction, words));
  program.text.assign(words.begin(), words.end());
  program.functions = {{"f", 0, static_cast<uint32_t>(words.size())}};
  return program;
}

static std::vector<std::string> messages(const Program &program,
                                         const TargetModel *target = nullptr) {
  std::vector<std::string> result;
  for (const Finding &finding : verify(program, target))
    result.push_back(finding.message);
  return result;
}

TEST(VerifyTest, SoundProgramHasNoFindings) {
  EXPECT_THAT(messages(makeProgram({Halt{}})), ElementsAre());
}

TEST(VerifyTest, InstructionsHaveToDecode) {
  Program program = makeProgram({Halt{}, Halt{}});
  program.text[0] = 0xee;
  EXPECT_THAT(messages(program), ElementsAre("unknown opcode 0xee"));
}

TEST(VerifyTest, BlockLeavesItsFunction) {
  EXPECT_THAT(messages(makeProgram({Loop{{}, {}, Body{2}}, Halt{}})),
              ElementsAre("its block ends at 0x18, but what is around it at "
                          "0x10",
                          HasSubstr("runs off its end")));
}

TEST(VerifyTest, BlockLeavesTheBlockAroundIt) {
  EXPECT_THAT(messages(makeProgram({Loop{{}, {}, Body{1}},
                                    Loop{{}, {}, Body{1}}, Halt{}, Halt{}})),
              ElementsAre("its block ends at 0x18, but what is around it at "
                          "0x10"));
}

TEST(VerifyTest, BlockEndsInsideAnInstruction) {
  EXPECT_THAT(messages(makeProgram({Loop{{}, {}, Body{1}}, Sync{}, Halt{}})),
              ElementsAre("the block around it ends inside it, at 0x10"));
}

TEST(VerifyTest, CallGoesIntoAFunction) {
  EXPECT_THAT(messages(makeProgram({Call{Callee{1}}, Halt{}})),
              ElementsAre("calls 0x8, where no function starts"));
}

TEST(VerifyTest, EntryHasNoFunction) {
  Program program = makeProgram({Halt{}});
  program.entries.push_back({"e", "missing", {}, {}, {}});
  EXPECT_THAT(messages(program),
              ElementsAre("entry 'e' has no function 'missing'"));
}

TEST(VerifyTest, LongChainsOfCallsAreRefused) {
  Program program;
  llvm::SmallVector<uint64_t> words;
  constexpr uint32_t count = 10000;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t word = words.size();
    llvm::cantFail(encode(Call{Callee{(word + 2) % (2 * count)}}, words));
    llvm::cantFail(encode(Return{}, words));
    program.functions.push_back({"f" + std::to_string(i), word, 2});
  }
  program.text.assign(words.begin(), words.end());
  EXPECT_THAT(messages(program),
              testing::Contains("calls nest more than 8 deep"));
}

TEST(VerifyTest, AnyWordsAreVerified) {
  const Program sound = llvm::cantFail(assemble(
      "func f {\n loop index=r1, count=2 {\n skip a=r1 {\n call callee=g\n }\n"
      " mx.mul signal=c1, dst=acc[0]:4:f32, src=ring1[0]:4:f32\n }\n halt\n}\n"
      "func g {\n ring.setup ring=1, slots=2\n sync wait0=c1\n ret\n}\n",
      "test.s"));
  std::mt19937_64 random(9);
  unsigned disassembled = 0;
  for (unsigned i = 0; i < 20000; ++i) {
    Program program = sound;
    for (unsigned n = 1 + random() % 3; n > 0; --n)
      program.text[random() % program.text.size()] ^= uint64_t(1)
                                                      << random() % 64;
    std::vector<Finding> findings = verify(program);
    std::string text;
    llvm::raw_string_ostream os(text);
    llvm::Error error = disassemble(program, os);
    disassembled += !error;
    // What is sound can be read, and assembled again to the same words.
    if (findings.empty()) {
      ASSERT_FALSE(static_cast<bool>(error));
      llvm::Expected<Program> again = assemble(text, "test.s");
      ASSERT_TRUE(static_cast<bool>(again))
          << text << llvm::toString(again.takeError());
      EXPECT_EQ(again->text, program.text) << text;
    }
    llvm::consumeError(std::move(error));
  }
  EXPECT_GT(disassembled, 1000u);
}

static std::vector<std::string> messagesOnTiny(const char *source) {
  TargetModel target = llvm::cantFail(TargetModel::load("serrano-tiny"));
  llvm::Expected<Program> program = assemble(source, "test.s");
  if (!program)
    return {llvm::toString(program.takeError())};
  return messages(*program, &target);
}

TEST(VerifyTest, HbmOfTheTarget) {
  EXPECT_THAT(messagesOnTiny(".hbm x, 1 << 40\nfunc f {\nhalt\n}\n"),
              ElementsAre(HasSubstr("needs 1099511627776 bytes of hbm")));
}

TEST(VerifyTest, ScalarMemoryOfTheTarget) {
  EXPECT_THAT(messagesOnTiny(".entry f\n.dim n, max=1, smem=1 << 20\n"
                             "func f {\nhalt\n}\n"),
              ElementsAre("'n' of entry 'f' is at 1048576, outside the 8192 "
                          "bytes of scalar memory"));
}

TEST(VerifyTest, CountersOfTheTarget) {
  EXPECT_THAT(messagesOnTiny("func f {\nsync wait0=c500\nhalt\n}\n"),
              ElementsAre(HasSubstr("waits for c500; the target has")));
}

TEST(VerifyTest, FindingsAsOneError) {
  Program program = makeProgram({Call{Callee{1}}, Halt{}});
  EXPECT_EQ(llvm::toString(verifyOrError(program)),
            "function 'f', 0x0: `call callee=1`: calls 0x8, where no function "
            "starts");
}
