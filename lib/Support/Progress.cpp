//===- Progress.cpp - progress of long work -------------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/Progress.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>

using namespace llvm;

namespace serrano {

/// Width of the bar between its brackets.
static constexpr unsigned barWidth = 40;

static Progress::Style styleOf(const raw_ostream &output, bool terminalOnly) {
  if (output.is_displayed())
    return Progress::Style::bar;
  return terminalOnly ? Progress::Style::none : Progress::Style::lines;
}

Progress::Progress(StringRef label, uint64_t total, bool terminalOnly)
    : Progress(label, total, errs(), styleOf(errs(), terminalOnly),
               std::chrono::milliseconds(500)) {}

Progress::Progress(StringRef label, uint64_t total, raw_ostream &output,
                   Style style, std::chrono::milliseconds delay)
    : label(label), total(total), output(output), style(style), delay(delay),
      start(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  if (hasShown && style == Style::bar)
    output << '\n';
}

void Progress::advance(uint64_t steps) {
  if (style == Style::none)
    return;
  std::scoped_lock guard(mutex);
  done += std::min(steps, total - done);
  unsigned percent =
      total == 0 ? 100 : static_cast<unsigned>(100.0 * done / total);
  unsigned granularity = style == Style::bar ? 1 : 10;
  if (percent / granularity == shownPercent / granularity)
    return;
  if (!hasShown && std::chrono::steady_clock::now() - start < delay)
    return;
  show(percent);
}

void Progress::show(unsigned percent) {
  shownPercent = percent;
  hasShown = true;
  if (style == Style::lines) {
    output << formatv("{0}: {1}%\n", label, percent);
    return;
  }
  unsigned filled = barWidth * percent / 100;
  output << formatv("\r{0} [{1}{2}] {3,3}%", label, std::string(filled, '#'),
                    std::string(barWidth - filled, '.'), percent);
  output.flush();
}

} // namespace serrano
