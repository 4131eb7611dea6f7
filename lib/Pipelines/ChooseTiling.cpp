//===- ChooseTiling.cpp - chooses how operations become tiles ----------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Pipelines/Passes.h"

#include "TilingTrials.h"
#include "dialects/Dma/Dma.h"
#include "dialects/Isa/Isa.h"
#include "dialects/Llm/Llm.h"
#include "dialects/Mem/Mem.h"
#include "serrano/Conversion/Compilation.h"
#include "serrano/Schedule/ChoiceSearch.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <map>

namespace serrano {
#define GEN_PASS_DEF_CHOOSETILING
#include "lib/Pipelines/Passes.h.inc"
} // namespace serrano

using namespace mlir;
using namespace serrano;
using tile::Choice;
using tile::ChoicesAttr;

/// A small scratchpad has no room for a ring of more than this part of it.
static constexpr int64_t ringShare = 16;
/// Logarithms of times: what all runs of the workload have to get shorter by in the mean,
/// and what one of them may get longer by.
static constexpr double margin = 0.0005, tolerance = 0.0002;

//===----------------------------------------------------------------------===//
// The search
//===----------------------------------------------------------------------===//

namespace {

/// The choices that results do not depend on, as axes of a search. A cost is the
/// mean of the logarithms of the runs' times over those of the rules' program.
class TilingProblem : public ChoiceProblem {
public:
  TilingProblem(ModuleOp module, TilingTrials &trials, const TargetModel &target,
                ChoicesAttr given, ChoicesAttr rules);

  size_t numAxes() const override { return axes.size(); }
  std::vector<int64_t> alternatives(size_t axis, const Candidate &best) override;
  Verdict evaluate(const Candidate &candidate, double most) override;

  Choice getAxis(size_t axis) const { return axes[axis]; }
  /// What the kernels have done with `candidate`, which was possible.
  ChoicesAttr getMade(const Candidate &candidate) const { return made.at(candidate); }
  const TilingTrials::Times &getRule() const { return rule; }

private:
  std::vector<int64_t> getOthers(Choice choice, int64_t value) const;
  bool goesOn(TilingTrials::Times &times, double most) const;
  /// The cost if the first runs take so many cycles and the others as long as their roofs.
  double getLeastCost(llvm::ArrayRef<double> cycles) const;

  TilingTrials &trials;
  ChoicesAttr rules; ///< where a candidate says nothing
  llvm::SmallVector<Choice> axes;
  int64_t columns;
  std::set<int64_t> divisors; ///< of the heads of keys of all caches
  TilingTrials::Times rule;
  std::map<Candidate, ChoicesAttr> made;
  llvm::DenseSet<Attribute> known; ///< what kernels have done in some candidate
};

} // namespace

/// What is searched for: what may be spent ends, so the order of loops, what stays in the array
/// and what is fused come first, which have one alternative each, then numbers, those that
/// rules know least of first.
static constexpr Choice searched[] = {
    Choice::ValuesByBlock,  Choice::StationaryProbabilities, Choice::StationaryRows,
    Choice::InterleaveGate, Choice::CarryNorms,              Choice::Lanes,
    Choice::QueryTokens,    Choice::EncoderQueries,          Choice::EncoderLanes,
    Choice::CacheTiles,     Choice::Accumulators,            Choice::StagedBlocks,
    Choice::Rows};

/// Why a choice is not searched for.
static const char *getRuleReason(Choice choice) {
  return choice == Choice::SoftmaxBlocks || choice == Choice::EncoderKeys
             ? "by rule: results depend on it"
             : "by rule: of little influence";
}

TilingProblem::TilingProblem(ModuleOp module, TilingTrials &trials, const TargetModel &target,
                             ChoicesAttr given, ChoicesAttr rules)
    : trials(trials), rules(rules), columns(target.columns()) {
  // What is given is not searched for.
  for (Choice choice : searched)
    if (!given.get(choice))
      axes.push_back(choice);
  for (auto cache : module.getOps<llm::CacheOp>())
    for (int64_t lanes = 1; lanes <= int64_t(cache.getKvHeads()); ++lanes)
      if (cache.getKvHeads() % lanes == 0)
        divisors.insert(lanes);
}

std::vector<int64_t> TilingProblem::alternatives(size_t axis, const Candidate &best) {
  ChoicesAttr now = getMade(best);
  std::optional<int64_t> value = now.get(axes[axis]);
  // Nothing for a kernel to choose, or several kernels that do not agree.
  if (!value)
    return {};
  std::vector<int64_t> others = getOthers(axes[axis], *value);
  llvm::erase_if(others, [&](int64_t other) {
    return known.contains(now.with(axes[axis], other));
  });
  return others;
}

/// What is tried instead of a value.
std::vector<int64_t> TilingProblem::getOthers(Choice choice, int64_t value) const {
  switch (choice) {
  case Choice::Rows:
    if (value < 2 * columns)
      return {};
    return {int64_t(llvm::alignTo(llvm::divideCeil(value, 2), columns))};
  case Choice::InterleaveGate:
  case Choice::CarryNorms:
  case Choice::ValuesByBlock:
  case Choice::StationaryProbabilities:
    return {1 - value};
  case Choice::StationaryRows:
    return {value ? 0 : columns / 2};
  case Choice::Lanes: {
    std::vector<int64_t> result;
    auto it = divisors.find(value);
    if (it == divisors.end())
      return {};
    if (it != divisors.begin())
      result.push_back(*std::prev(it));
    if (std::next(it) != divisors.end())
      result.push_back(*std::next(it));
    return result;
  }
  case Choice::QueryTokens:
  case Choice::EncoderQueries:
    // Also what divides more evenly among blocks.
    if (!llvm::isPowerOf2_64(value))
      return {value / 2, int64_t(llvm::bit_floor(uint64_t(value))), value * 2};
    [[fallthrough]];
  default:
    if (value == 1)
      return {2};
    return {value / 2, value * 2};
  }
}

double TilingProblem::getLeastCost(llvm::ArrayRef<double> cycles) const {
  double least = 0;
  for (size_t i = 0; i < rule.cycles.size(); ++i)
    least += std::log((i < cycles.size() ? cycles[i] : rule.roofs[i]) / rule.cycles[i]);
  return least / double(rule.cycles.size());
}

/// Whether the next run is to be predicted too.
bool TilingProblem::goesOn(TilingTrials::Times &times, double most) const {
  if (rule.cycles.empty())
    return true;
  size_t count = times.cycles.size(), last = count - 1;
  double longer = std::log(times.cycles[last] / rule.cycles[last]);
  if (longer > tolerance) {
    times.obstacle = llvm::formatv("{0} takes {1:F2} % longer", trials.workload()[last],
                                   100 * std::expm1(longer));
    return false;
  }
  if (count == rule.cycles.size() || getLeastCost(times.cycles) <= most)
    return true;
  times.obstacle = llvm::formatv("after {0} no more can be gained than is there already",
                                 trials.workload()[last]);
  return false;
}

ChoiceProblem::Verdict TilingProblem::evaluate(const Candidate &candidate, double most) {
  if (!rule.cycles.empty() && getLeastCost({}) > most)
    return {0, "no program could take so much less", /*isTried=*/false};
  ChoicesAttr choices = rules;
  for (auto [axis, value] : llvm::zip_equal(axes, candidate))
    if (value)
      choices = choices.with(axis, value);
  TilingTrials::Times times =
      trials.predict(choices, [&](TilingTrials::Times &times) { return goesOn(times, most); });
  if (!times.obstacle.empty())
    return {0, times.obstacle, /*isTried=*/!times.isSpent};
  made[candidate] = times.made;
  known.insert(times.made);
  if (rule.cycles.empty()) {
    rule = times;
    return {0, ""};
  }
  return {getLeastCost(times.cycles), ""};
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

class ChooseTiling : public serrano::impl::ChooseTilingBase<ChooseTiling> {
public:
  using Base::Base;
  /// What `copyCompilation` copies.
  using Base::target, Base::precision, Base::maxTokens, Base::maxSequences, Base::maxContext;
  void runOnOperation() override;

private:
  FailureOr<int64_t> chooseRows(TilingTrials &trials, const TargetModel &target);
  bool fits(TilingTrials &trials, ChoicesAttr choices, const TargetModel &target,
            std::string &obstacle);
  LogicalResult checkRoom(TilingTrials &trials, const TargetModel &target);
  void warnOfFewRows(TilingTrials &trials, ChoicesAttr choices, const TargetModel &target);
  ChoicesAttr searchRest(TilingTrials &trials, const TargetModel &target, ChoicesAttr given,
                         ChoicesAttr rules);
  void report(const TilingProblem &problem, const ChoiceResult &result, ChoicesAttr given,
              ChoicesAttr made, llvm::ArrayRef<std::string> workload);
  remark::RemarkOpts options(StringRef name) {
    return remark::RemarkOpts::name(name).category(getArgument());
  }
};

} // namespace

/// Whether everything has a place, and weights a ring that holds what is under way and as
/// much again, or what a small scratchpad can spare.
bool ChooseTiling::fits(TilingTrials &trials, ChoicesAttr choices, const TargetModel &target,
                        std::string &obstacle) {
  obstacle.clear();
  OwningOpRef<ModuleOp> trial = trials.place(choices, obstacle);
  if (!trial)
    return false;
  int64_t ring = 0;
  trial->walk([&](mem::RingOp op) {
    if (SymbolTable::lookupNearestSymbolFrom<tile::PackedOp>(op, op.getSourceAttr()))
      ring = op.getBytes();
  });
  int64_t least = std::min(2 * target.dmaInFlightBytes(), target.scratchpadBytes() / ringShare);
  if (ring >= least)
    return true;
  obstacle = llvm::formatv("leaves {0} bytes of scratchpad for the weights' ring; {1} are wanted",
                           ring, least);
  return false;
}

/// Whether the model always takes as many rows of some input.
static bool hasFixedInput(ModuleOp module) {
  auto isStatic = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.hasStaticShape();
  };
  return llvm::any_of(module.getOps<func::FuncOp>(), [&](func::FuncOp function) {
    return function->hasAttr(llm::LlmDialect::kEntryAttr) &&
           llvm::any_of(function.getArgumentTypes(), isStatic);
  });
}

/// What is tried if so many rows have no room.
static int64_t getFewerRows(int64_t rows, int64_t columns) {
  int64_t fewer = rows > 8 * columns ? llvm::alignDown(rows - 1, 4 * columns)
                  : rows > columns   ? llvm::alignDown(rows - 1, columns)
                                     : std::max<int64_t>(rows / 2, 1);
  return std::min<int64_t>(fewer, 16 * columns);
}

/// Fails, with an error, if what is given has no room and what is chosen instead has some: who
/// has given it then needs neither another target nor fewer tokens.
LogicalResult ChooseTiling::checkRoom(TilingTrials &trials, const TargetModel &target) {
  ChoicesAttr given = ChoicesAttr::of(getOperation()), none = ChoicesAttr::get(&getContext());
  ChoicesAttr choices = given.with(Choice::Rows, given.get(Choice::Rows).value_or(maxTokens));
  std::string obstacle;
  if (given == none || !trials.hasOnlyNoRoom(choices) ||
      (!fits(trials, none.with(Choice::Rows, 1), target, obstacle) &&
       !trials.place(none.with(Choice::Rows, maxTokens), obstacle)))
    return success();
  return emitError(getOperation().getLoc())
         << given << " has no room on " << target.name()
         << ", but the model fits without it; choose less, or leave it to the compiler";
}

/// All rows at once, or as many whole tiles of them as there is room for, or few. Fails,
/// with an error, if compiling for fewer tokens would not help.
FailureOr<int64_t> ChooseTiling::chooseRows(TilingTrials &trials, const TargetModel &target) {
  ChoicesAttr given = ChoicesAttr::of(getOperation());
  int64_t rows = maxTokens;
  for (std::string obstacle; !fits(trials, given.with(Choice::Rows, rows), target, obstacle);) {
    remark::missed(getOperation().getLoc(), options("Alternative"))
        << remark::metric("Choice", stringifyChoice(Choice::Rows))
        << remark::metric("Value", rows) << remark::reason("{0}", obstacle);
    if (rows == 1 && failed(checkRoom(trials, target)))
      return failure();
    // Memory outside the core has no room, whatever the rows, or those that an input always
    // has have none: placing says which.
    if (rows == 1 && (StringRef(obstacle).starts_with("needs ") || hasFixedInput(getOperation())))
      return rows;
    if (rows == 1 && failed(trials.checkOneToken()))
      return failure();
    // Placing says that the slots of all rows have no room.
    if (rows == 1)
      return int64_t(maxTokens);
    rows = getFewerRows(rows, target.columns());
  }
  return rows;
}

/// Says so if what is given takes the room of rows: all weights are read again for each
/// portion of them, which costs far more than most choices can gain.
void ChooseTiling::warnOfFewRows(TilingTrials &trials, ChoicesAttr choices,
                                 const TargetModel &target) {
  ChoicesAttr given = choices.with(Choice::Rows, std::nullopt);
  ChoicesAttr none = ChoicesAttr::get(&getContext());
  int64_t rows = *choices.get(Choice::Rows), without = maxTokens;
  if (given == none)
    return;
  std::string obstacle;
  while (without > rows && !fits(trials, none.with(Choice::Rows, without), target, obstacle))
    without = getFewerRows(without, target.columns());
  if (without > rows)
    emitWarning(getOperation().getLoc())
        << given << " leaves room for " << rows << " rows of features at a time instead of "
        << without << ", and all weights are read again for each portion of the rows";
}

static std::string percent(double logarithm) {
  return llvm::formatv("{0}{1:F2} %", logarithm > 0 ? "+" : "", 100 * std::expm1(logarithm));
}

/// Why a choice that was searched for is as it is. That no alternative is better is said only
/// if one was tried.
static std::string getSearchReason(const TilingProblem &problem, const ChoiceResult &result,
                                   Choice choice) {
  const ChoiceTrial *last = nullptr;
  for (const ChoiceTrial &trial : result.trials) {
    if (problem.getAxis(trial.axis) != choice)
      continue;
    if (trial.verdict.isTried)
      return "no alternative is known to take less time";
    last = &trial;
  }
  return last ? "no alternative was tried: " + last->verdict.obstacle
              : "there is no alternative to try";
}

void ChooseTiling::report(const TilingProblem &problem, const ChoiceResult &result,
                          ChoicesAttr given, ChoicesAttr made,
                          llvm::ArrayRef<std::string> workload) {
  Location loc = getOperation().getLoc();
  const TilingTrials::Times &rule = problem.getRule();
  for (auto [lengths, cycles, roof] : llvm::zip_equal(workload, rule.cycles, rule.roofs))
    remark::analysis(loc, options("Workload"))
        << remark::metric("Lengths", StringRef(lengths))
        << remark::metric("Cycles", int64_t(cycles)) << remark::metric("Roof", int64_t(roof));
  for (const ChoiceTrial &trial : result.trials) {
    auto remark = trial.taken ? remark::passed(loc, options("Alternative"))
                              : remark::missed(loc, options("Alternative"));
    remark << remark::metric("Choice", stringifyChoice(problem.getAxis(trial.axis)))
           << remark::metric("Value", trial.value);
    if (trial.verdict.obstacle.empty())
      remark << remark::metric("Time", StringRef(percent(trial.verdict.cost - trial.before)));
    if (!trial.verdict.obstacle.empty())
      remark << remark::reason("{0}", trial.verdict.obstacle);
    else if (!trial.taken)
      remark << remark::reason("{0:F2} % less in the mean of all runs are wanted", 100 * margin);
  }
  for (size_t i = 0; i < ChoicesAttr::count; ++i) {
    auto choice = Choice(i);
    std::optional<int64_t> value = made.get(choice);
    if (!value)
      continue;
    remark::passed(loc, options("Choice"))
        << remark::metric("Choice", stringifyChoice(choice)) << remark::metric("Value", *value)
        << remark::reason("{0}", given.get(choice) ? "given"
                                 : llvm::is_contained(searched, choice)
                                     ? getSearchReason(problem, result, choice)
                                     : getRuleReason(choice));
  }
}

ChoicesAttr ChooseTiling::searchRest(TilingTrials &trials, const TargetModel &target,
                                     ChoicesAttr given, ChoicesAttr rules) {
  TilingProblem problem(getOperation(), trials, target, given, rules);
  ChoiceResult result = descend(problem, margin);
  if (!result.verdict.obstacle.empty()) {
    // Who compiles the module is told what is wrong with it.
    remark::missed(getOperation().getLoc(), options("Search"))
        << remark::reason("no program by rule to compare with: {0}", result.verdict.obstacle);
    return rules;
  }
  ChoicesAttr made = problem.getMade(result.best);
  report(problem, result, given, made, trials.workload());
  // What is given and no kernel has done stays, so that it is warned of.
  for (size_t i = 0; i < ChoicesAttr::count; ++i)
    if (!made.get(Choice(i)))
      made = made.with(Choice(i), given.get(Choice(i)));
  return made;
}

void ChooseTiling::runOnOperation() {
  ModuleOp module = getOperation();
  ChoicesAttr given = ChoicesAttr::of(module);
  llvm::Expected<TargetModel> model = TargetModel::load(target);
  if (!model) {
    module.emitError() << llvm::toString(model.takeError());
    return signalPassFailure();
  }
  TileOptions tile;
  copyCompilation(tile, *this);
  TilingTrials trials(module, tile, *model);
  ChoicesAttr choices = given;
  if (given.get(Choice::Rows)) {
    if (failed(checkRoom(trials, *model)))
      return signalPassFailure();
  } else {
    FailureOr<int64_t> rows = chooseRows(trials, *model);
    if (failed(rows))
      return signalPassFailure();
    choices = given.with(Choice::Rows, *rows);
    warnOfFewRows(trials, choices, *model);
  }
  if (search)
    choices = searchRest(trials, *model, given, choices);
  module->setAttr(tile::TileDialect::kChoicesAttr, choices);
}
