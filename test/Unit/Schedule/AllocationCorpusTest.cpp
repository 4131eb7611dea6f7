//===- AllocationCorpusTest.cpp - solves the corpus -------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Schedule/AllocationFile.h"
#include "serrano/Schedule/AllocationSolver.h"
#include "serrano/Support/MappedFile.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"
#include <filesystem>

using namespace serrano;
namespace fs = std::filesystem;

namespace {

/// The problems of a folder, by name.
std::vector<std::pair<std::string, AllocationProblem>>
readFolder(const char *name) {
  std::vector<fs::path> paths;
  for (const auto &entry :
       fs::directory_iterator(fs::path(SERRANO_PROBLEMS) / name))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::pair<std::string, AllocationProblem>> problems;
  for (const fs::path &path : paths) {
    MappedFile file = llvm::cantFail(MappedFile::open(path.string()));
    problems.push_back({path.filename().string(),
                        llvm::cantFail(readAllocation(
                            llvm::toStringRef(file.bytes()), path.string()))});
  }
  return problems;
}

} // namespace

TEST(AllocationCorpus, CompiledModelsTakeNoMoreThanIsAliveAtATime) {
  auto problems = readFolder("compiled");
  EXPECT_GE(problems.size(), 10u);
  for (auto &[name, problem] : problems) {
    int64_t bound = problem.lowerBound();
    llvm::Expected<AllocationResult> result = solve(problem);
    ASSERT_TRUE(bool(result)) << name << llvm::toString(result.takeError());
    EXPECT_FALSE(bool(problem.verify())) << name;
    EXPECT_EQ(result->height, bound) << name;
  }
}

TEST(AllocationCorpus, HardProblemsStayNearTheirBound) {
  auto problems = readFolder("minimalloc");
  EXPECT_EQ(problems.size(), 11u);
  int optimal = 0;
  for (auto &[name, problem] : problems) {
    llvm::Expected<AllocationResult> result = solve(problem);
    ASSERT_TRUE(bool(result)) << name << llvm::toString(result.takeError());
    EXPECT_FALSE(bool(problem.verify())) << name;
    // Each has a solution of 1,048,576 bytes, so no bound is above that.
    EXPECT_LE(result->lowerBound, 1048576) << name;
    EXPECT_LE(result->height, 1048576 * 115 / 100) << name;
    optimal += result->isOptimal();
  }
  EXPECT_GE(optimal, 1);
}
