//===- Progress.h - progress of long work -----------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SUPPORT_PROGRESS_H
#define SERRANO_SUPPORT_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace serrano {

/// Tells a person how far a long piece of work has come: a bar that is redrawn
/// in place on a terminal, one plain line for every tenth elsewhere. Work that
/// is over before `delay` shows nothing.
class Progress {
public:
  enum class Style { bar, lines, none };

  /// Work of `total` steps, shown on standard error as `label`; nothing in place
  /// of lines with `terminalOnly`.
  Progress(llvm::StringRef label, uint64_t total, bool terminalOnly = false);

  /// The same on another stream.
  Progress(llvm::StringRef label, uint64_t total, llvm::raw_ostream &output,
           Style style, std::chrono::milliseconds delay);

  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// Ends a bar's line, wherever the bar stands.
  ~Progress();

  /// `steps` more are done. May be called by several threads.
  void advance(uint64_t steps = 1);

private:
  void show(unsigned percent);

  std::string label;
  uint64_t total;
  llvm::raw_ostream &output;
  Style style;
  std::chrono::milliseconds delay;
  std::chrono::steady_clock::time_point start;
  std::mutex mutex;
  uint64_t done = 0;
  unsigned shownPercent = 0;
  bool hasShown = false;
};

} // namespace serrano

#endif // SERRANO_SUPPORT_PROGRESS_H
