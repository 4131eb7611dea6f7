//===- ProgressTest.cpp - progress of long work -------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/Progress.h"
#include "gtest/gtest.h"

using namespace serrano;
using namespace std::chrono_literals;

/// What is shown of work that is done in equal `parts`.
static std::string shown(Progress::Style style, uint64_t total, uint64_t parts,
                         std::chrono::milliseconds delay = 0ms) {
  std::string text;
  llvm::raw_string_ostream output(text);
  {
    Progress progress("packing", total, output, style, delay);
    for (uint64_t part = 0; part < parts; ++part)
      progress.advance(total / parts);
  }
  return text;
}

namespace {

TEST(Progress, plainLinesForEveryTenth) {
  EXPECT_EQ(shown(Progress::Style::lines, 1000, 100),
            "packing: 10%\npacking: 20%\npacking: 30%\npacking: 40%\n"
            "packing: 50%\npacking: 60%\npacking: 70%\npacking: 80%\n"
            "packing: 90%\npacking: 100%\n");
}

TEST(Progress, barIsRedrawnAndItsLineEnded) {
  EXPECT_EQ(shown(Progress::Style::bar, 2, 2),
            "\rpacking [####################....................]  50%"
            "\rpacking [########################################] 100%\n");
}

TEST(Progress, unfinishedBarEndsItsLine) {
  std::string text;
  llvm::raw_string_ostream output(text);
  {
    Progress progress("packing", 4, output, Progress::Style::bar, 0ms);
    progress.advance();
  }
  EXPECT_EQ(text,
            "\rpacking [##########..............................]  25%\n");
}

TEST(Progress, shortWorkShowsNothing) {
  EXPECT_EQ(shown(Progress::Style::lines, 10, 10, 1h), "");
  EXPECT_EQ(shown(Progress::Style::bar, 10, 10, 1h), "");
  EXPECT_EQ(shown(Progress::Style::none, 10, 10), "");
}

TEST(Progress, neverExceedsTheTotal) {
  std::string text;
  llvm::raw_string_ostream output(text);
  Progress progress("packing", 3, output, Progress::Style::lines, 0ms);
  progress.advance(UINT64_MAX);
  progress.advance(UINT64_MAX);
  EXPECT_EQ(text, "packing: 100%\n");
}

TEST(Progress, noWorkIsDoneAtOnce) {
  std::string text;
  llvm::raw_string_ostream output(text);
  Progress progress("packing", 0, output, Progress::Style::lines, 0ms);
  progress.advance(0);
  EXPECT_EQ(text, "packing: 100%\n");
}

} // namespace
