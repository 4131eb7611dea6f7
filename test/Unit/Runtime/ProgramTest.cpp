//===- ProgramTest.cpp - programs are loaded and run ---------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Simulator/AssembledProgram.h"
#include "MakeArray.h"

using namespace serrano;

namespace {

/// `main` adds the bf16 numbers of x to y, which keeps its sum, and `count`
/// gives the number of x's rows, from scalar memory.
const char *const source = R"(
.hbm x, 128
.hbm y, 256
.entry main
.dim n, max=8, smem=64
.input x, f32, [n, 8], hbm=x, stored=bf16
.output y, f32, [n, 8], hbm=y
.output rows, i64, [1], smem=64, stored=i32
.entry clear
func main {
  s.load rd=r1, address=64
  dma.load signal=c0, src=hbm[x], dst=spm[0], bytes=16, n1=r1, n2=1, n3=1, ss1=16, ds1=16
  dma.load signal=c0, src=hbm[y], dst=spm[256], bytes=32, n1=r1, n2=1, n3=1, ss1=32, ds1=32
  v.binary wait0=c0, signal=c1, fn=add, dst=spm[256]:32:f32, a=spm[0]:16:bf16, b=spm[256]:32:f32, rows=r1, cols=8
  dma.store wait0=c1, src=spm[256], dst=hbm[y], bytes=32, n1=r1, n2=1, n3=1, ss1=32, ds1=32
  halt
}
func clear {
  v.fill signal=c1, dst=spm[0]:256:f32, imm=0.0, rows=1, cols=64
  dma.store wait0=c1, src=spm[0], dst=hbm[y], bytes=256, n1=1, n2=1, n3=1
  halt
}
)";

class ProgramTest : public testing::Test {
protected:
  std::unique_ptr<Program> load(const char *text = source) {
    return llvm::cantFail(assembled.load(assembled.assemble(text)));
  }

  static NpzArrays rows(uint64_t n, float first) {
    std::vector<float> values(n * 8);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = first + float(i);
    NpzArrays result;
    result["x"] = makeArray(NpyType::f4, {n, 8}, values);
    return result;
  }

  static Program::Result run(Program &program, const char *entry,
                             const NpzArrays &inputs) {
    return llvm::cantFail(
        program.run(*llvm::cantFail(program.entry(entry)), inputs));
  }

  static std::string failure(Program &program, const NpzArrays &inputs) {
    llvm::Expected<Program::Result> result =
        program.run(program.entries().front(), inputs);
    return result ? "" : llvm::toString(result.takeError());
  }

  AssembledProgram assembled;
};

} // namespace

TEST_F(ProgramTest, OutputsComeFromBothMemories) {
  std::unique_ptr<Program> program = load();
  Program::Result result = run(*program, "main", rows(3, 1));
  ASSERT_EQ(result.outputs.size(), 2u);
  const NpyArray &y = result.outputs.at("y"),
                 &count = result.outputs.at("rows");
  EXPECT_EQ(y.shape, (std::vector<uint64_t>{3, 8}));
  for (int i = 0; i < 24; ++i)
    EXPECT_EQ(y.as<float>()[i], float(i + 1)) << i;
  EXPECT_EQ(count.as<int64_t>().vec(), std::vector<int64_t>{3});
  EXPECT_GT(result.statistics.cycles, 0);
}

TEST_F(ProgramTest, MemoryKeepsItsContentsFromRunToRun) {
  std::unique_ptr<Program> program = load();
  run(*program, "main", rows(8, 0));
  Program::Result second = run(*program, "main", rows(2, 0));
  EXPECT_EQ(second.outputs.at("y").as<float>()[15], 30);
  run(*program, "clear", {});
  EXPECT_EQ(run(*program, "main", rows(2, 0)).outputs.at("y").as<float>()[15],
            15);
  // Another machine has its own.
  EXPECT_EQ(run(*load(), "main", rows(2, 0)).outputs.at("y").as<float>()[15],
            15);
}

TEST_F(ProgramTest, RefusedInputsChangeNothing) {
  std::unique_ptr<Program> program = load();
  run(*program, "main", rows(2, 0));
  EXPECT_EQ(failure(*program, rows(9, 5)),
            "'n' is 9, but the program takes at most 8");
  EXPECT_EQ(failure(*program, {}),
            "input 'x' of entry 'main' is missing; expected float32 [n, 8]");
  EXPECT_EQ(run(*program, "main", rows(2, 0)).outputs.at("y").as<float>()[15],
            30);
}

TEST_F(ProgramTest, UnknownEntriesAreRefused) {
  std::unique_ptr<Program> program = load();
  llvm::Expected<const Entry *> entry = program->entry("mian");
  ASSERT_FALSE(entry);
  EXPECT_THAT(
      llvm::toString(entry.takeError()),
      testing::EndsWith("p.srn: no entry 'mian'; the entries are main, clear"));
}

TEST_F(ProgramTest, LimitsBeyondTheRoomAreAFaultOfTheProgram) {
  auto edited = [&](llvm::StringRef from, llvm::StringRef to) {
    std::string text = source;
    text.replace(text.find(from), from.size(), to);
    return load(text.c_str());
  };
  // Nine rows of eight bf16 are more than 128 bytes.
  EXPECT_EQ(failure(*edited("max=8", "max=9"), rows(9, 0)),
            "array 'x' of shape [9, 8] has 72 elements, but the program "
            "reserves room for 64 in 'x'");
  EXPECT_EQ(failure(*edited("y, f32, [n, 8]", "y, f32, [n, 65]"), rows(1, 0)),
            "array 'y' of shape [1, 65] has 65 elements, but the program "
            "reserves room for 64 in 'y'");
  EXPECT_THAT(failure(*edited("rows, i64, [1]", "rows, i64, [n*n*n*n*n*n]"),
                      rows(8, 0)),
              testing::HasSubstr("output 'rows'"));
}

TEST_F(ProgramTest, FilesThatAreNoPrograms) {
  TempFolder folder;
  auto loadFailure = [&](const std::string &path) {
    return llvm::toString(Program::load(path).takeError());
  };
  EXPECT_EQ(loadFailure(folder.path("none.srn")),
            folder.path("none.srn") +
                ": cannot open: no such file or directory");
  EXPECT_EQ(loadFailure(folder.write("text.srn", "hello")),
            folder.path("text.srn") +
                ": not a program file: it does not start as an ELF file does");
}
