//===- RepetitionFixture.h - predictions that leave something out -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_RUNTIME_REPETITIONFIXTURE_H
#define SERRANO_TEST_UNIT_RUNTIME_REPETITIONFIXTURE_H

#include "../Simulator/AssembledProgram.h"
#include "MakeArray.h"
#include "serrano/Support/Error.h"
#include <chrono>

namespace serrano {

/// `n` rounds of `round`, whose index is r2, after `before`; r1 is n.
inline std::string loopOf(const std::string &round, const std::string &before = "") {
  return ".hbm x, 4294967296\n.hbm w, 262144\n.op 1, \"a\"\n.entry main\n"
         ".dim n, max=1000000000, smem=64\n.input x, i32, [n], hbm=x\n"
         "func main {\n  s.load rd=r1, address=64\n" +
         before + "\n  loop index=r2, count=r1 {\n" + round + "\n  }\n  halt\n}\n";
}

/// Work of some hundred instructions in 100 rounds of an inner loop.
inline std::string work(const std::string &instructions) {
  return "    loop index=r60, count=100 {\n" + instructions + "\n    }\n";
}

/// A layer begins, as a round of `loopOf`.
inline const char *const mark = "    mark op=1, layer=r2 + 1\n";

/// A loop of `count` rounds that `Rounds` does not look at, as they are short.
inline std::string shortRounds(const std::string &instructions,
                        const std::string &count) {
  return "    loop index=r60, count=" + count + " {\n" + instructions +
         "\n    }\n";
}
inline std::string shortRounds(const std::string &instructions, int64_t count = 200) {
  return shortRounds(instructions, std::to_string(count));
}

inline const char *const fill =
    "      v.fill signal=c1, dst=spm[0]:64:f32, imm=0.0, rows=1, cols=16\n";

/// Predicts programs with and without leaving something out.
class RepetitionFixture : public testing::Test {
protected:
  explicit RepetitionFixture(llvm::StringRef target = "serrano-edge")
      : assembled(target) {}

  llvm::Expected<sim::Statistics> predict(const std::string &source, int64_t n,
                                          bool leavesOutRepetition = true) {
    isa::Program assembly = assembled.assemble(source);
    if (assembly.entries.empty())
      return makeError("no program");
    auto program = llvm::cantFail(assembled.load(assembly));
    sim::RunOptions options;
    options.leavesOutRepetition = leavesOutRepetition;
    options.leastSection = leastSection;
    return program->predict(
        program->entries().front(),
        llvm::cantFail(Lengths::parse("n=" + std::to_string(n))), options);
  }

  /// What all rounds cost, which is what is predicted without some of them.
  sim::Statistics same(const std::string &source, int64_t n) {
    sim::Statistics whole = llvm::cantFail(predict(source, n, false));
    sim::Statistics left = llvm::cantFail(predict(source, n));
    EXPECT_EQ(left.toJson(), whole.toJson());
    auto program =
        llvm::cantFail(assembled.load(assembled.assemble(source)));
    Program::Result ran = llvm::cantFail(
        program->run(program->entries().front(),
                     {{"x", indices(std::vector<int32_t>(n))}}));
    EXPECT_EQ(whole.toJson(), ran.statistics.toJson());
    return whole;
  }

  void expectFast(const std::string &source, int64_t n) {
    auto begin = std::chrono::steady_clock::now();
    llvm::cantFail(predict(source, n));
    double seconds = std::chrono::duration<double>(
                         std::chrono::steady_clock::now() - begin)
                         .count();
    // One by one, they take minutes.
    EXPECT_LT(seconds, 10);
  }

  AssembledProgram assembled;
  int64_t leastSection = sim::RunOptions().leastSection;
};

} // namespace serrano

#endif // SERRANO_TEST_UNIT_RUNTIME_REPETITIONFIXTURE_H
