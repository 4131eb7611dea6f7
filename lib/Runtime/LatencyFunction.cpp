//===- LatencyFunction.cpp - time as a function of a length ------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/LatencyFunction.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <map>
#include <set>

using namespace serrano;

/// A function of no more lengths is predicted at all of them.
static constexpr int64_t allLengths = 64;
/// Lengths of other functions that are predicted: no piece is cut once there are so many.
static constexpr size_t mostPredictions = 26;
/// Lengths spread over a function that a line has to fit before no piece is cut.
static constexpr int64_t numChecks = 16;
/// A piece that a line fits this well is not cut: less of an error is not looked for.
static constexpr double goodError = 0.0025;
/// What an error is said to be, times what was seen: where time jumps between two lengths that
/// were looked at, a line is off by more than at these.
static constexpr double errorMargin = 2;
/// From one of the first lengths that are predicted to the next.
static constexpr int64_t lengthsFactor = 8;

double LatencyFunction::cyclesAt(int64_t length) const {
  auto after = llvm::upper_bound(
      knots, length, [](int64_t length, const Knot &knot) { return length < knot.length; });
  if (after == knots.end())
    return double(knots.back().cycles);
  const Knot &left = *std::prev(after), &right = *after;
  return double(left.cycles) + double(right.cycles - left.cycles) *
                                   double(length - left.length) /
                                   double(right.length - left.length);
}

namespace {

/// Finds the knots of a function: predicts lengths inside of its pieces, and cuts the one that
/// a line fits worst.
class Fitting {
public:
  using Cycles = llvm::function_ref<llvm::Expected<int64_t>(int64_t length)>;

  Fitting(Cycles cycles, const FunctionLengths &lengths) : cycles(cycles), lengths(lengths) {}

  llvm::Expected<LatencyFunction> run();

private:
  struct Piece {
    int64_t from, to;
    double error = 0;                ///< the largest of the lengths inside
    llvm::SmallVector<int64_t> cuts; ///< where it would be cut
  };
  llvm::Error predict(int64_t length);
  llvm::Error predictAll();
  llvm::Error fit();
  llvm::Error cut(const Piece &piece);
  /// Predicts some of the lengths inside of the piece.
  llvm::Error look(Piece &piece);
  /// Predicts the next of the lengths that are spread over the function.
  llvm::Error check();
  void measureError(Piece &piece);
  /// The length at a distance from a multiple of `lengths.block`.
  int64_t getEdge(int64_t multiple, int64_t distance) const;

  Cycles cycles;
  const FunctionLengths &lengths;
  std::vector<Piece> pieces;
  std::map<int64_t, int64_t> known; ///< cycles of each length that was predicted
  int64_t checks = 0;
};

} // namespace

llvm::Error Fitting::predict(int64_t length) {
  if (known.count(length))
    return llvm::Error::success();
  llvm::Expected<int64_t> exact = cycles(length);
  if (!exact)
    return exact.takeError();
  known[length] = *exact;
  return llvm::Error::success();
}

int64_t Fitting::getEdge(int64_t multiple, int64_t distance) const {
  int64_t length = std::max<int64_t>(multiple + distance, 0);
  return int64_t(distance > 0 ? llvm::alignTo(length, lengths.step)
                              : llvm::alignDown(length, lengths.step));
}

/// The multiple of `block` in the middle half of a piece that is a multiple of the highest
/// power of two of them: steps of the softmax are several blocks. 0 if there is none.
static int64_t getRoundest(int64_t from, int64_t to, int64_t block) {
  int64_t first = from + (to - from) / 4, last = to - (to - from) / 4, roundest = 0;
  for (int64_t step = block; int64_t(llvm::alignTo(first, step)) <= last; step *= 2)
    roundest = int64_t(llvm::alignTo(first, step));
  return roundest;
}

llvm::Error Fitting::look(Piece &piece) {
  auto [from, to] = std::pair(piece.from, piece.to);
  int64_t middle = getRoundest(from, to, lengths.block);
  std::set<int64_t> inside;
  auto add = [&](int64_t length) {
    if (length > from && length < to)
      inside.insert(length);
  };
  for (int64_t distance : lengths.edges) {
    if (middle)
      add(getEdge(middle, distance));
    // A knot is an edge too.
    for (int64_t end : {from, to})
      if (end % lengths.block == 0)
        add(getEdge(end, distance));
  }
  // At other parts of pieces in pieces: what comes round as often as they do would not be seen.
  for (int64_t percent : {38, 76})
    add(int64_t(llvm::alignDown(from + (to - from) * percent / 100, lengths.step)));
  for (int64_t length : inside)
    if (llvm::Error error = predict(length))
      return error;
  measureError(piece);
  return llvm::Error::success();
}

void Fitting::measureError(Piece &piece) {
  double slope = double(known[piece.to] - known[piece.from]) / double(piece.to - piece.from);
  piece.error = 0;
  piece.cuts.clear();
  for (auto it = known.upper_bound(piece.from); it->first < piece.to; ++it) {
    double line = double(known[piece.from]) + slope * double(it->first - piece.from);
    double error = std::abs(line - double(it->second)) / double(it->second);
    if (!piece.cuts.empty() && error <= piece.error)
      continue;
    piece.cuts = {it->first};
    piece.error = error;
  }
  if (piece.cuts.empty())
    return;
  // Both sides of an edge, if time jumps there.
  int64_t worst = piece.cuts.front();
  int64_t nearest = (worst + lengths.block / 2) / lengths.block * lengths.block;
  std::set<int64_t> beside;
  for (int64_t distance : lengths.edges)
    beside.insert(getEdge(nearest, distance));
  if (beside.count(worst))
    for (int64_t length : beside)
      if (length != worst && length > piece.from && length < piece.to && known.count(length))
        piece.cuts.push_back(length);
  llvm::sort(piece.cuts);
}

llvm::Error Fitting::check() {
  // Fractions of the golden ratio are spread evenly however many there are. Short lengths are as
  // interesting as long ones.
  double part = std::fmod(double(++checks) * 0.6180339887498949, 1);
  double shortest = double(lengths.shortest), longest = double(lengths.longest);
  double at = checks % 4 == 0 ? shortest * std::pow(longest / shortest, part)
                              : shortest + (longest - shortest) * part;
  int64_t length = int64_t(llvm::alignDown(int64_t(at), lengths.step));
  // Time is farthest from a line on the two sides of a jump.
  if (checks % 2) {
    int64_t multiple = int64_t(llvm::alignDown(length, lengths.block));
    int64_t distance = lengths.edges[(checks / 2) % int64_t(lengths.edges.size())];
    int64_t edge = getEdge(multiple, distance);
    // One that is known tells nothing new.
    if (edge > lengths.shortest && edge < lengths.longest && !known.count(edge))
      length = edge;
  }
  length = std::max(length, lengths.shortest);
  if (llvm::Error error = predict(length))
    return error;
  for (Piece &piece : pieces)
    if (length > piece.from && length < piece.to)
      measureError(piece);
  return llvm::Error::success();
}

llvm::Error Fitting::cut(const Piece &piece) {
  llvm::SmallVector<int64_t> ends(piece.cuts);
  ends.push_back(piece.to);
  for (int64_t from = piece.from; int64_t to : ends) {
    for (int64_t end : {from, to})
      if (llvm::Error error = predict(end))
        return error;
    Piece part{from, to, 0, {}};
    if (llvm::Error error = look(part))
      return error;
    pieces.push_back(std::move(part));
    from = to;
  }
  return llvm::Error::success();
}

llvm::Error Fitting::fit() {
  Piece whole{lengths.shortest, lengths.longest, 0, {}};
  for (int64_t length = lengths.shortest * lengthsFactor; length < lengths.longest;
       length *= lengthsFactor)
    whole.cuts.push_back(length);
  if (llvm::Error error = cut(whole))
    return error;
  auto isBetter = [](const Piece &a, const Piece &b) { return a.error < b.error; };
  // Pieces that were cut fit what was looked at: only lengths that came after tell how well
  // others do, so the last ones cut none.
  for (int64_t fine = 0; fine < numChecks;) {
    auto worst = llvm::max_element(pieces, isBetter);
    if (worst->error > goodError && known.size() < mostPredictions) {
      Piece piece = *worst;
      pieces.erase(worst);
      if (llvm::Error error = cut(piece))
        return error;
      fine = 0;
    } else {
      if (llvm::Error error = check())
        return error;
      ++fine;
    }
  }
  return llvm::Error::success();
}

llvm::Error Fitting::predictAll() {
  for (int64_t length = lengths.shortest; length < lengths.longest; length += lengths.step)
    if (llvm::Error error = predict(length))
      return error;
  return predict(lengths.longest);
}

llvm::Expected<LatencyFunction> Fitting::run() {
  bool all = (lengths.longest - lengths.shortest) / lengths.step < allLengths;
  if (llvm::Error error = all ? predictAll() : fit())
    return std::move(error);
  LatencyFunction function;
  for (auto [length, exact] : known)
    function.knots.push_back({length, exact});
  for (const Piece &piece : pieces)
    function.largestError =
        std::max(function.largestError, errorMargin * std::max(piece.error, goodError));
  return function;
}

llvm::Expected<LatencyFunction>
serrano::fitLatency(llvm::function_ref<llvm::Expected<int64_t>(int64_t length)> cycles,
                    const FunctionLengths &lengths) {
  return Fitting(cycles, lengths).run();
}
