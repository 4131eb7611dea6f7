//===- ChoiceSearchTest.cpp - tests of the descent --------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Schedule/ChoiceSearch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <functional>
#include <set>

using namespace serrano;
using testing::ElementsAre;
using testing::Optional;

namespace {

/// Two axes on which the rules decide 4 and 4, with the neighbours of a value, its half
/// and its double, as alternatives.
class Grid : public ChoiceProblem {
public:
  using Cost = std::function<Verdict(int64_t, int64_t)>;
  explicit Grid(Cost cost) : cost(std::move(cost)) {}

  static int64_t at(const Candidate &candidate, size_t axis) { return candidate[axis].value_or(4); }

  size_t numAxes() const override { return 2; }
  std::vector<int64_t> alternatives(size_t axis, const Candidate &best) override {
    return {at(best, axis) / 2, at(best, axis) * 2};
  }
  Verdict evaluate(const Candidate &candidate, double) override {
    EXPECT_TRUE(asked.insert(candidate).second) << "a candidate was looked at twice";
    return cost(at(candidate, 0), at(candidate, 1));
  }

  std::set<Candidate> asked;

private:
  Cost cost;
};

double distance(int64_t a, int64_t b) { return a > b ? a - b : b - a; }

TEST(ChoiceSearch, LeavesWhatIsBest) {
  Grid grid([](int64_t a, int64_t b) {
    return Grid::Verdict{distance(a, 4) + distance(b, 4), ""};
  });
  ChoiceResult result = descend(grid, 0.5);
  EXPECT_THAT(result.best, ElementsAre(std::nullopt, std::nullopt));
  EXPECT_EQ(result.verdict.cost, 0);
  EXPECT_EQ(result.trials.size(), 4u);
  EXPECT_EQ(grid.asked.size(), 5u);
}

TEST(ChoiceSearch, GoesAsFarAsItGetsCheaper) {
  Grid grid([](int64_t a, int64_t b) {
    return Grid::Verdict{distance(a, 32) + distance(b, 1), ""};
  });
  ChoiceResult result = descend(grid, 0.5);
  EXPECT_THAT(result.best, ElementsAre(Optional(32), Optional(1)));
  EXPECT_EQ(result.verdict.cost, 0);
  double cost = 31;
  for (const ChoiceTrial &trial : result.trials)
    if (trial.taken) {
      EXPECT_EQ(trial.before, cost);
      cost = trial.verdict.cost;
    }
  EXPECT_EQ(cost, 0);
}

TEST(ChoiceSearch, StaysIfLittleIsGained) {
  auto cost = [](int64_t a, int64_t) { return Grid::Verdict{a == 8 ? 9.5 : 10.0, ""}; };
  Grid little(cost), enough(cost);
  EXPECT_THAT(descend(little, 0.6).best, ElementsAre(std::nullopt, std::nullopt));
  EXPECT_THAT(descend(enough, 0.5).best, ElementsAre(Optional(8), std::nullopt));
}

TEST(ChoiceSearch, TakesTheFirstOfEquals) {
  Grid grid([](int64_t a, int64_t) { return Grid::Verdict{a == 4 ? 2.0 : 1.0, ""}; });
  EXPECT_THAT(descend(grid, 0.5).best, ElementsAre(Optional(2), std::nullopt));
}

TEST(ChoiceSearch, PassesObstacles) {
  Grid grid([](int64_t a, int64_t b) {
    return Grid::Verdict{-double(a), a > 8 || b != 4 ? "no room" : ""};
  });
  ChoiceResult result = descend(grid, 0.5);
  EXPECT_THAT(result.best, ElementsAre(Optional(8), std::nullopt));
  EXPECT_EQ(result.verdict.cost, -8);
}

TEST(ChoiceSearch, SearchesNothingIfTheRulesFail) {
  Grid grid([](int64_t, int64_t) { return Grid::Verdict{0, "no room"}; });
  ChoiceResult result = descend(grid, 0.5);
  EXPECT_EQ(result.verdict.obstacle, "no room");
  EXPECT_TRUE(result.trials.empty());
}

} // namespace
