//===- Summary.cpp - a run's costs for people --------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Summary.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace serrano;
using namespace serrano::sim;

static constexpr size_t operatorsShown = 10;

using Row = std::vector<std::string>;

/// The first column is text and flush left, the others are numbers.
static void printTable(llvm::raw_ostream &os, llvm::ArrayRef<Row> rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row &row : rows)
    for (auto [width, cell] : llvm::zip_equal(widths, row))
      width = std::max(width, cell.size());
  for (const Row &row : rows) {
    os << llvm::left_justify(row.front(), widths.front());
    for (auto [cell, width] : llvm::drop_begin(llvm::zip_equal(row, widths)))
      os << "  " << llvm::right_justify(cell, width);
    os << '\n';
  }
}

static std::string percent(double part, double whole) {
  return llvm::formatv("{0:F1}%", whole > 0 ? 100 * part / whole : 0.0);
}

static std::string cycles(double count) {
  return llvm::formatv("{0:F0}", count);
}

/// With a prefix that leaves one to three digits before the point.
static std::string withPrefix(double value, llvm::StringRef unit) {
  static const std::pair<double, const char *> prefixes[] = {
      {1e9, "G"},  {1e6, "M"},  {1e3, "k"},  {1, ""},
      {1e-3, "m"}, {1e-6, "u"}, {1e-9, "n"}, {1e-12, "p"}};
  for (auto [scale, prefix] : prefixes)
    if (value >= scale)
      return llvm::formatv("{0:F2} {1}{2}", value / scale, prefix, unit);
  return llvm::formatv("0 {0}", unit);
}

void serrano::printSummary(llvm::raw_ostream &os, const Statistics &statistics,
                           std::optional<int64_t> tokens) {
  std::vector<const OperatorStatistics *> operators;
  for (const OperatorStatistics &op : statistics.operators)
    if (op.instructions)
      operators.push_back(&op);
  llvm::sort(operators, [](const auto *a, const auto *b) {
    return std::pair(-a->criticalCycles, a) < std::pair(-b->criticalCycles, b);
  });
  size_t shown = std::min(operators.size(), operatorsShown);

  std::vector<Row> rows = {{"operator", "cycles", "share"}};
  for (unsigned cause = unsigned(WaitCause::Counter); cause < numWaitCauses;
       ++cause)
    rows.front().push_back("wait:" + waitCauseName(WaitCause(cause)).str());
  rows.front().insert(rows.front().end(), {"hbm", "energy"});
  for (const OperatorStatistics *op :
       llvm::ArrayRef(operators).take_front(shown)) {
    Row row = {op->name.empty() ? "(none)" : op->name,
               cycles(op->criticalCycles),
               percent(op->criticalCycles, double(statistics.cycles))};
    for (unsigned cause = unsigned(WaitCause::Counter); cause < numWaitCauses;
         ++cause)
      row.push_back(cycles(op->waitCycles[cause]));
    row.push_back(
        withPrefix(double(op->hbmReadBytes + op->hbmWriteBytes), "B"));
    row.push_back(withPrefix(op->joules, "J"));
    rows.push_back(std::move(row));
  }
  printTable(os, rows);
  if (shown < operators.size())
    os << "and " << operators.size() - shown << " more operators\n";

  os << "total: " << withPrefix(statistics.seconds, "s");
  double joules = statistics.energy.total();
  if (tokens && statistics.seconds > 0 && joules > 0)
    os << llvm::formatv(", {0:F1} tokens/s, {1:F1} tokens/J",
                        double(*tokens) / statistics.seconds,
                        double(*tokens) / joules);
  bool memoryBound =
      statistics.roof.memorySeconds >= statistics.roof.computeSeconds;
  os << ", " << withPrefix(joules, "J") << ", "
     << percent(statistics.roof.seconds(), statistics.seconds)
     << " of the roof (" << (memoryBound ? "memory" : "compute") << ")\n";
}

void serrano::printLatency(llvm::raw_ostream &os, const Latency &latency) {
  Row head = {"tokens", "first token"};
  double error = std::max(latency.firstToken.largestError, latency.promptStep.largestError);
  for (const LatencyFunction &function : latency.outputToken) {
    head.push_back(function.sequences == 1
                       ? "output token"
                       : llvm::formatv("of {0} sequences", function.sequences).str());
    error = std::max(error, function.largestError);
  }
  std::vector<Row> rows = {head};
  auto milliseconds = [&](double cycles) {
    return llvm::formatv("{0:F3}", cycles / latency.cyclesPerSecond * 1e3).str();
  };
  for (int64_t length = 1;; length = std::min(2 * length, latency.longest)) {
    Row row = {std::to_string(length), milliseconds(latency.firstTokenCycles(length))};
    for (const LatencyFunction &function : latency.outputToken)
      row.push_back(length > function.knots.back().length
                        ? "-"
                        : milliseconds(function.cyclesAt(length)));
    rows.push_back(std::move(row));
    if (length == latency.longest)
      break;
  }
  printTable(os, rows);
  os << llvm::formatv("milliseconds, by the tokens of a prompt from empty (in steps of {0} at most) "
                      "or of each context; up to {1:F2} % off between the lengths that were predicted\n",
                      latency.stepTokens, 100 * error);
}
