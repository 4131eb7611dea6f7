//===- Report.h - a run as a page to look at ------------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_REPORT_H
#define SERRANO_SIMULATOR_REPORT_H

#include "Profile.h"
#include "Timeline.h"
#include "serrano/Support/AtomicFile.h"

namespace serrano::sim {

/// Collects what the page of `serrano-sim --report` shows and writes it: one
/// HTML file that needs nothing else. Neither memory nor the page grows with
/// the run: slices that follow each other closely become one bar when there are
/// too many.
class Report final : public SliceSink {
public:
  Report(AtomicFile file, const TargetModel &target);

  void slice(const Slice &slice) override;

  /// Writes the page. `program` names what ran.
  llvm::Error write(llvm::StringRef program, const Statistics &statistics,
                    Profile &profile, double staticWatts);

private:
  static constexpr size_t maxBars = 40000;

  /// Slices of one track, `busy` ticks from `start` to `end`.
  struct Bar {
    int64_t start, end, busy;
    uint32_t op; ///< of the longest
    int64_t layer;
    int64_t count;
  };
  /// Merges bars of all tracks until there are half as many as may be.
  void thin();
  void sortBars();

  AtomicFile file;
  const TargetModel &target;
  std::array<std::vector<Bar>, numTracks> bars;
  size_t numBars = 0;
  int64_t gap = 0; ///< ticks up to which neighbours have been merged
};

/// The page, in which the data takes the place of `reportDataMark`.
extern const llvm::StringLiteral reportPage;
inline constexpr llvm::StringLiteral reportDataMark = "SERRANO-REPORT-DATA";

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_REPORT_H
