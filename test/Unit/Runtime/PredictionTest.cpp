//===- PredictionTest.cpp - costs without computing ----------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Simulator/AssembledProgram.h"
#include "MakeArray.h"
#include <random>

using namespace serrano;

namespace {

/// A step that adds up the blocks of each sequence's cache and writes a result
/// for each of its new tokens: 10 blocks of 4 tokens of 16 bytes.
const char *const step = R"(
.hbm arrays, 4096
.hbm cache, 10 * 64
.hbm out, 16 * 64
.entry main
.dim tokens, max=16, smem=0
.dim sequences, max=4, smem=4
.dim logit_rows, max=16, smem=12
.input token_ids, i32, [tokens], smem=512, below=10
.input positions, i32, [tokens], hbm=arrays
.input query_starts, i32, [sequences + 1], smem=16
.input kv_lengths, i32, [sequences], smem=64
.input block_tables, i32, [sequences, 3], smem=128
.input logit_rows, i32, [logit_rows], smem=256, below=tokens
.limit tokens, tokens, max=16
.limit sequences, sequences, max=4
.cache block=4, blocks=10, context=12
func main {
  s.load rd=r1, address=4
  s.load rd=r8, address=0
  dma.gather signal=c3, src=hbm[cache], dst=spm[1024], table=512, n=r8, bytes=16,
             stride=64, bound=10, local_stride=16
  ring.setup ring=0, slots=2, base=0, slot_bytes=64
  loop index=r2, count=r1 {
    mark op=0, layer=r2 + 1
    s.shl rd=r3, a=r2, b=2
    s.load rd=r4, address=r3 + 64
    s.load rd=r5, address=r3 + 16
    s.load rd=r6, address=r3 + 20
    s.sub rd=r6, a=r6, b=r5
    s.add rd=r4, a=r4, b=3
    s.div rd=r4, a=r4, b=4
    s.mul rd=r7, a=r2, b=12
    ring.table ring=0, src=hbm[cache], table=r7 + 128, count=r4, bytes=64,
               tail_bytes=32, stride=64, bound=10, passes=1
    v.fill wait0=c2, dst=spm[512]:16:f32, imm=0.0, rows=1, cols=4
    loop index=r9, count=r4 {
      v.binary signal=c1, fn=add, dst=spm[512]:16:f32, a=spm[512]:16:f32, b=pop0[0]:16:f32, rows=1, cols=4
    }
    s.mul rd=r5, a=r5, b=64
    dma.store wait0=c1, signal=c2, src=spm[512], dst=hbm[r5 + out], bytes=16, n1=r6, n2=1, n3=1, ds1=64
    s.store a=r4, address=1000
    s.load rd=r4, address=1000
  }
  halt
}
)";

/// A program whose time depends on what `body` says; `n` is its one dimension,
/// and x its input in scalar memory.
std::string withBody(const std::string &body) {
  return ".hbm h, 128\n.entry main\n.dim n, max=8, smem=64\n"
         ".input x, i32, [n], smem=128\nfunc main {\n" +
         body + "\n  halt\n}\n";
}

class PredictionTest : public testing::Test {
protected:
  std::unique_ptr<Program> load(const std::string &source) {
    return llvm::cantFail(assembled.load(assembled.assemble(source)));
  }

  static llvm::Expected<sim::Statistics>
  predict(Program &program, llvm::StringRef lengths,
          const sim::RunOptions &options = {}) {
    return program.predict(program.entries().front(),
                           llvm::cantFail(Lengths::parse(lengths)), options);
  }

  static std::string failure(Program &program, llvm::StringRef lengths,
                             const sim::RunOptions &options = {}) {
    llvm::Expected<sim::Statistics> result = predict(program, lengths, options);
    if (result)
      return "";
    std::string text = llvm::toString(result.takeError());
    size_t file = text.find("p.srn: ");
    return file == std::string::npos ? text : text.substr(file);
  }

  AssembledProgram assembled;
};

/// The arrays of a step with random blocks, and its lengths as text.
std::pair<NpzArrays, std::string> randomStep(std::mt19937 &random) {
  auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  std::vector<int32_t> ids(10), starts = {0}, lengths, positions, tables, rows;
  std::iota(ids.begin(), ids.end(), 0);
  std::shuffle(ids.begin(), ids.end(), random);
  std::string text;
  // Of at most 10 blocks: three sequences of up to 12 tokens.
  for (int sequence = draw(1, 3); sequence > 0; --sequence) {
    int length = draw(1, 12), added = draw(1, std::min(length, 5));
    for (int i = length - added; i < length; ++i)
      positions.push_back(i);
    starts.push_back(starts.back() + added);
    lengths.push_back(length);
    rows.push_back(starts.back() - 1);
    for (int i = 0; i < 3; ++i) {
      bool used = i * 4 < length;
      tables.push_back(used ? ids.back() : -1);
      if (used)
        ids.pop_back();
    }
    text += (text.empty() ? "" : ",") + std::to_string(added) + "@" +
            std::to_string(length);
  }
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < positions.size(); ++i)
    tokens.push_back(draw(0, 9));
  NpzArrays arrays;
  arrays["token_ids"] = indices(tokens);
  arrays["positions"] = indices(positions);
  arrays["query_starts"] = indices(starts);
  arrays["kv_lengths"] = indices(lengths);
  arrays["block_tables"] =
      makeArray<int32_t>(NpyType::i4, {lengths.size(), 3}, tables);
  arrays["logit_rows"] = indices(rows);
  return {arrays, text};
}

} // namespace

TEST_F(PredictionTest, AgreesWithRunsOfRandomLengthsAndBlocks) {
  std::unique_ptr<Program> program = load(step);
  std::mt19937 random(1);
  std::set<int64_t> cycles;
  for (int i = 0; i < 50; ++i) {
    auto [arrays, lengths] = randomStep(random);
    Program::Result ran =
        llvm::cantFail(program->run(program->entries().front(), arrays));
    sim::Statistics predicted = llvm::cantFail(predict(*program, lengths));
    EXPECT_EQ(predicted.toJson(), ran.statistics.toJson()) << lengths;
    cycles.insert(predicted.cycles);
  }
  EXPECT_GT(cycles.size(), 10u);
}

TEST_F(PredictionTest, TraceIsThatOfTheRun) {
  std::unique_ptr<Program> program = load(step);
  std::mt19937 random(2);
  auto [arrays, lengths] = randomStep(random);
  TempFolder folder;
  std::string texts[2];
  for (bool predicted : {false, true}) {
    sim::RunOptions options;
    options.traceFile = folder.path("t.json");
    if (predicted)
      llvm::cantFail(predict(*program, lengths, options));
    else
      llvm::cantFail(
          program->run(program->entries().front(), arrays, options));
    texts[predicted] = folder.read("t.json");
  }
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_GT(texts[0].size(), 1000u);
}

TEST_F(PredictionTest, MemoriesKeepTheirContents) {
  std::unique_ptr<Program> program = load(step);
  std::mt19937 random(3);
  auto [arrays, lengths] = randomStep(random);
  llvm::cantFail(program->run(program->entries().front(), arrays));
  auto scalars = [&] {
    std::vector<uint8_t> bytes(2048);
    llvm::cantFail(program->machine().readScalar(0, bytes));
    return bytes;
  };
  std::vector<uint8_t> before = scalars();
  llvm::cantFail(predict(*program, "5@12,1@1"));
  EXPECT_EQ(scalars(), before);
}

TEST_F(PredictionTest, DimensionsByName) {
  std::unique_ptr<Program> program = load(withBody(R"(
    s.load rd=r1, address=64
    loop index=r2, count=r1 {
      v.fill dst=spm[0]:16:f32, imm=0.0, rows=1, cols=4
    })"));
  sim::Statistics three = llvm::cantFail(predict(*program, "n=3"));
  Program::Result ran = llvm::cantFail(program->run(
      program->entries().front(), {{"x", indices({5, 6, 7})}}));
  EXPECT_EQ(three.toJson(), ran.statistics.toJson());
  EXPECT_EQ(failure(*program, "m=3"),
            "'m' is not a dimension of entry 'main'; did you mean 'n'?");
  EXPECT_EQ(failure(*program, "sizes=3"), "'sizes' is not a dimension of entry "
                                          "'main'; its dimensions are n");
  EXPECT_EQ(failure(*program, "n=9"),
            "'n' is 9, but the program takes at most 8");
  EXPECT_EQ(failure(*program, "1@3"),
            "entry 'main' has no cache, and so no sequences; give the sizes of "
            "its dimensions: n");
  llvm::Expected<sim::Statistics> nothing =
      program->predict(program->entries().front(), {});
  EXPECT_EQ(llvm::toString(nothing.takeError()),
            "the size of dimension 'n' of entry 'main' is missing; its "
            "dimensions are n");
}

TEST_F(PredictionTest, WhatTheProgramWasCompiledFor) {
  std::unique_ptr<Program> program = load(step);
  EXPECT_EQ(failure(*program, "1@13"),
            "a sequence of 13 tokens, but the program was compiled for 12; "
            "compile it with a larger --max-context");
  std::string bounded = step, positions = ".input positions, i32, [tokens], hbm=arrays";
  bounded.insert(bounded.find(positions) + positions.size(), ", below=12");
  EXPECT_EQ(failure(*load(bounded), "1@13"),
            "a sequence of 13 tokens, but the program was compiled for 12; "
            "the model has positions for no more");
  EXPECT_EQ(failure(*program, "4x1@12"),
            "the sequences take 12 blocks of 4 tokens, but the program's cache "
            "has 10");
  EXPECT_EQ(failure(*program, "5x1@4"),
            "'sequences' is 5, but the program was compiled for at most 4 "
            "sequences; compile it with a larger --max-sequences");
  EXPECT_EQ(failure(*program, "12@12,5@5"),
            "'tokens' is 17, but the program was compiled for at most 16 "
            "tokens; compile it with a larger --max-tokens");
  EXPECT_EQ(failure(*program, "tokens=1"),
            "entry 'main' is a step over a cache; give its sequences as "
            "NEW@CONTEXT, for example 1@128");
}

TEST_F(PredictionTest, DataMayNameAPlaceInHbmOnly) {
  // r1 is an element of x, which is no length; what `use` makes of it.
  auto failureOf = [&](const std::string &use) {
    std::unique_ptr<Program> program =
        load(withBody("  s.load rd=r1, address=128\n" + use));
    return failure(*program, "n=3");
  };
  EXPECT_EQ(failureOf(""), "");
  std::string fill = "v.fill dst=spm[0]:16:f32, imm=0.0, rows=1, cols=4";
  EXPECT_EQ(failureOf(R"(
    s.mul rd=r2, a=r1, b=8
    s.add rd=r2, a=r2, b=64
    dma.load src=hbm[r2 + h], dst=spm[0], bytes=4, n1=1, n2=1, n3=1)"),
            "");
  // A register that gets another value is known again.
  EXPECT_EQ(failureOf("s.li rd=r1, imm=2\nloop index=r2, count=r1 {\n" + fill +
                      "\n}"),
            "");
  EXPECT_EQ(failureOf("loop index=r2, count=r1 {\n" + fill + "\n}"),
            "p.srn: fault at `loop index=r2, count=r1` at 0x8: r1 comes from "
            "scalar memory that lengths alone do not determine, and is more "
            "than an address in hbm: the time depends on data; run it with "
            "inputs instead of predicting");
  const char *const refused[] = {
      "skip a=r1, condition=lt, b=r0 {\n s.li rd=r5, imm=1\n}",
      "skip a=r0, condition=lt, b=r1 {\n s.li rd=r5, imm=1\n}",
      "s.div rd=r2, a=r3, b=r1",
      "s.mod rd=r2, a=r3, b=r1",
      "s.load rd=r2, address=r1",
      "s.store a=r3, address=r1",
      "mark op=0, layer=r1",
      "v.fill dst=spm[0]:16:f32, imm=0.0, rows=r1, cols=4",
      "v.fill dst=spm[r1]:16:f32, imm=0.0, rows=1, cols=4",
      "s.add rd=r2, a=r1, b=4\nv.fill dst=spm[r2]:16:f32, imm=0.0, rows=1, cols=4",
      "s.add rd=r2, a=r3, b=r1\nv.fill dst=spm[r2]:16:f32, imm=0.0, rows=1, cols=4",
      "dma.load src=hbm[h], dst=spm[0], bytes=r1, n1=1, n2=1, n3=1",
      "dma.load src=hbm[h], dst=spm[r1], bytes=4, n1=1, n2=1, n3=1",
      ("s.store a=r1, address=64\ns.load rd=r2, address=64\n"
       "v.fill dst=spm[0]:16:f32, imm=0.0, rows=r2, cols=4")};
  for (const char *use : refused)
    EXPECT_NE(failureOf(use).find("the time depends on data"),
              std::string::npos)
        << use << ": " << failureOf(use);
}

TEST_F(PredictionTest, WhatEnginesWriteIsData) {
  auto failureOf = [&](const std::string &write) {
    std::unique_ptr<Program> program = load(withBody(
        write + R"(
    sync waiter=sequencer, wait0=c0
    s.store a=r0, address=64
    s.load rd=r1, address=64
    v.fill dst=spm[0]:16:f32, imm=0.0, rows=r1, cols=4
    s.load rd=r2, address=68
    v.fill dst=spm[0]:16:f32, imm=0.0, rows=r2, cols=4)"));
    return failure(*program, "n=3");
  };
  for (const char *write :
       {"dma.load signal=c0, src=hbm[h], dst=smem[64], bytes=8, n1=1, n2=1, n3=1",
        "dma.gather signal=c0, src=hbm[h], dst=smem[64], table=128, n=2, "
        "bytes=4, stride=4, bound=8, local_stride=4"})
    EXPECT_NE(failureOf(write).find("r2 comes from scalar memory"),
              std::string::npos)
        << failureOf(write);
}

TEST_F(PredictionTest, BlockIdsAreData) {
  std::string source = step;
  source.insert(source.find("  ring.setup"),
                "  s.load rd=r1, address=128\n  s.add rd=r1, a=r1, b=1\n");
  std::unique_ptr<Program> program = load(source);
  EXPECT_NE(failure(*program, "1@3").find("the time depends on data"),
            std::string::npos);
}

TEST_F(PredictionTest, ChecksAreRefused) {
  std::unique_ptr<Program> program = load(step);
  sim::RunOptions options;
  options.checkRaces = true;
  EXPECT_EQ(failure(*program, "1@3", options),
            "a prediction computes nothing that could be checked or come out in "
            "another order; leave out checks and the adversarial schedule");
  options = {};
  options.adversarialSeed = 1;
  EXPECT_NE(failure(*program, "1@3", options), "");
}

TEST_F(PredictionTest, DebuggersAreRefused) {
  struct Looker : sim::Debugger {
    bool before(const sim::Site &) override { return true; }
  } looker;
  std::unique_ptr<Program> program = load(step);
  sim::RunOptions options;
  options.debugger = &looker;
  EXPECT_EQ(failure(*program, "1@3", options),
            "a prediction computes nothing that could be looked at; leave out "
            "breaks, watches and dumps");
}

TEST_F(PredictionTest, FaultsOfLengthsAreFound) {
  std::unique_ptr<Program> program = load(withBody(R"(
    s.load rd=r1, address=64
    s.mul rd=r1, a=r1, b=16384
    v.fill dst=spm[r1]:16:f32, imm=0.0, rows=1, cols=4)"));
  EXPECT_EQ(failure(*program, "n=1"), "");
  EXPECT_NE(failure(*program, "n=2").find("dst leaves the scratchpad"),
            std::string::npos);
}
