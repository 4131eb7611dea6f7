//===- Report.cpp - a run as a page to look at -------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "llvm/Support/Path.h"
#include <cmath>
#include <nlohmann/json.hpp>

using namespace serrano;
using namespace serrano::sim;
using Json = nlohmann::ordered_json;

Report::Report(AtomicFile output, const TargetModel &target)
    : file(std::move(output)), target(target) {}

void Report::slice(const Slice &slice) {
  const Dispatched &d = slice.instruction;
  bars[slice.track].push_back(
      {slice.start, slice.end, slice.end - slice.start, d.op, d.layer, 1});
  if (++numBars > maxBars)
    thin();
}

void Report::sortBars() {
  for (std::vector<Bar> &track : bars)
    llvm::sort(track, [](const Bar &a, const Bar &b) {
      return std::pair(a.start, a.end) < std::pair(b.start, b.end);
    });
}

void Report::thin() {
  sortBars();
  while (numBars > maxBars / 2) {
    gap = std::max(2 * gap, TimingModel::ticksPerCycle);
    numBars = 0;
    for (std::vector<Bar> &track : bars) {
      size_t kept = 0;
      for (const Bar &bar : track) {
        Bar *last = kept ? &track[kept - 1] : nullptr;
        bool same = last && last->op == bar.op && last->layer == bar.layer &&
                    bar.start - last->end <= gap;
        if (!same && !(last && bar.end - last->start <= gap)) {
          track[kept++] = bar;
          continue;
        }
        if (bar.busy > last->busy) {
          last->op = bar.op;
          last->layer = bar.layer;
        }
        last->end = std::max(last->end, bar.end);
        last->busy += bar.busy;
        last->count += bar.count;
      }
      track.resize(kept);
      numBars += kept;
    }
  }
}

static std::vector<double> scaled(const TimeSeries &series, double factor,
                                  double offset) {
  std::vector<double> values;
  // Three digits are more than a screen shows.
  for (double sum : series.sums())
    values.push_back(std::round((sum * factor + offset) * 1e3) / 1e3);
  return values;
}

llvm::Error Report::write(llvm::StringRef program, const Statistics &statistics,
                          Profile &profile, double staticWatts) {
  sortBars();
  const ScratchpadMap &scratchpad = profile.scratchpad;
  Json data;
  data["program"] = llvm::sys::path::filename(program).str();
  data["target"] = target.name().str();
  double ticksPerSecond =
      target.clockGhz().toDouble() * 1e9 * double(TimingModel::ticksPerCycle);
  data["ticks_per_second"] = ticksPerSecond;
  data["ticks_per_cycle"] = TimingModel::ticksPerCycle;
  data["statistics"] = Json::parse(statistics.toJson());
  Json &names = data["operator_names"] = Json::array();
  for (const OperatorStatistics &op : statistics.operators)
    names.push_back(op.name);

  data["merged_gap_ticks"] = gap;
  Json &tracks = data["tracks"] = Json::array();
  for (auto [index, track] : llvm::enumerate(bars)) {
    if (track.empty())
      continue;
    Json list = Json::array();
    int64_t at = 0;
    for (const Bar &bar : track) {
      for (int64_t value : {bar.start - at, bar.end - bar.start, bar.busy,
                            int64_t(bar.op), bar.layer, bar.count})
        list.push_back(value);
      at = bar.start;
    }
    tracks.push_back({{"name", trackName(index)}, {"bars", std::move(list)}});
  }

  double width = double(profile.align());
  double seconds = width / ticksPerSecond;
  data["series"] = {
      {"width_ticks", width},
      {"hbm_gigabytes_per_second", scaled(profile.hbmRead, 1e-9 / seconds, 0)},
      {"hbm_write_gigabytes_per_second",
       scaled(profile.hbmWrite, 1e-9 / seconds, 0)},
      {"watts", scaled(profile.picojoules, 1e-12 / seconds, staticWatts)}};

  // Rows as runs: how many columns, and what is there.
  Json rows = Json::array();
  for (size_t block = 0; block < scratchpad.numBlocks(); ++block) {
    Json runs = Json::array();
    llvm::ArrayRef<uint32_t> cells = scratchpad.row(block);
    for (size_t i = 0; i < cells.size();) {
      size_t begin = i;
      while (i < cells.size() && cells[i] == cells[begin])
        ++i;
      runs.push_back(i - begin);
      runs.push_back(cells[begin]);
    }
    rows.push_back(std::move(runs));
  }
  data["scratchpad"] = {{"block_bytes", scratchpad.bytesPerBlock()},
                        {"column_ticks", scratchpad.columnWidth()},
                        {"rows", std::move(rows)}};

  auto [before, after] = reportPage.split(reportDataMark);
  llvm::raw_ostream &os = file.stream();
  os << before;
  // A name must not end the script that holds the data.
  for (char c : data.dump())
    if (c == '<')
      os << "\\u003c";
    else
      os << c;
  os << after;
  return file.commit();
}
