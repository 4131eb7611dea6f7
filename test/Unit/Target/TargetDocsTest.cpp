//===- TargetDocsTest.cpp - docs/Targets.md says what is true -------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModifiedTarget.h"
#include "serrano/Target/TimingModel.h"
#include "gmock/gmock.h"
#include <fstream>

using namespace serrano;

static std::string readDocs(const std::string &name) {
  std::ifstream file(SERRANO_SOURCE_DIR "/docs/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

namespace {

TEST(TargetDocs, nameEveryKey) {
  std::string docs = readDocs("Targets.md");
  nlohmann::json flat = ModifiedTarget("serrano-1").json.flatten();
  ASSERT_FALSE(flat.empty());
  std::vector<std::string> missing;
  for (const auto &[pointer, value] : flat.items()) {
    std::string key = pointer.substr(pointer.rfind('/') + 1);
    if (docs.find("`" + key + "`") == std::string::npos)
      missing.push_back(key);
  }
  EXPECT_THAT(missing, testing::IsEmpty());
}

TEST(TargetDocs, examplesAreTargets) {
  std::string docs = readDocs("Targets.md");
  int examples = 0;
  llvm::StringRef rest = docs;
  while (true) {
    llvm::StringRef example;
    // The fence may name a file for the example.
    rest = rest.split("```json").second.split("\n").second;
    std::tie(example, rest) = rest.split("```\n");
    if (example.empty())
      break;
    auto target = TargetModel::fromJson(example, "example");
    EXPECT_TRUE(bool(target)) << toString(target.takeError());
    ++examples;
  }
  EXPECT_GE(examples, 1);
}

TEST(TimingModelDocs, tableOfExamplesIsTrue) {
  using Cost = int64_t (*)(const TargetModel &, const TimingModel &);
  using enum NumberFormat;
  std::pair<llvm::StringRef, Cost> rows[] = {
      {"load a full bf16 tile, cycles",
       [](const TargetModel &target, const TimingModel &timing) {
         return timing.loadWeights(target.rows(), target.columns(), BF16);
       }},
      {"bf16 matmul of 1 row, cycles",
       [](const TargetModel &target, const TimingModel &timing) {
         return timing.matmulInterval(1, target.rows(), target.columns(), BF16,
                                      false);
       }},
      {"bf16 matmul of 64 rows, cycles",
       [](const TargetModel &target, const TimingModel &timing) {
         return timing.matmulInterval(64, target.rows(), target.columns(), BF16,
                                      false);
       }},
      {"f32 matmul of 64 rows, cycles",
       [](const TargetModel &target, const TimingModel &timing) {
         return timing.matmulInterval(64, target.rows(), target.columns(), F32,
                                      false);
       }},
      {"from there to the last result, cycles",
       [](const TargetModel &, const TimingModel &timing) {
         return timing.matmulLatency();
       }},
      {"64 × 100 f32 elements on the vector engine, cycles",
       [](const TargetModel &, const TimingModel &timing) {
         return timing.vectorInterval(64, 100, 4);
       }},
      {"from memory to a completed transfer, cycles",
       [](const TargetModel &, const TimingModel &timing) {
         return timing.dmaLatency();
       }},
      {"4,096 bytes from memory, ticks",
       [](const TargetModel &, const TimingModel &timing) {
         return timing.hbmTicks(4096);
       }},
  };
  std::string docs = readDocs("TimingModel.md");
  for (const auto &[what, cost] : rows) {
    std::string row = "| " + what.str() + " |";
    for (llvm::StringRef name : {"serrano-1", "serrano-edge", "serrano-tiny"}) {
      TargetModel target = loadTarget(name);
      row += " " + std::to_string(cost(target, TimingModel(target))) + " |";
    }
    EXPECT_THAT(docs, testing::HasSubstr(row + "\n"));
  }
}

} // namespace
