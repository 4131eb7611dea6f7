//===- Trace.h - a trace for Perfetto ------------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_TRACE_H
#define SERRANO_SIMULATOR_TRACE_H

#include "Timeline.h"
#include "serrano/Support/AtomicFile.h"

namespace serrano::sim {

/// Writes slices in the Trace Event Format (JSON array form) that Perfetto and
/// chrome://tracing open: one track per queue and one for the weight port,
/// slices named by source operator. One microsecond of the trace is one
/// microsecond of the chip. Slices are written as they come, so memory does not
/// grow with the run.
class Trace final : public SliceSink {
public:
  /// `operators`: names by index. `cyclesPerMicrosecond`: the clock.
  Trace(AtomicFile file, std::vector<std::string> operators,
        double cyclesPerMicrosecond);

  void slice(unsigned track, Work work, uint32_t word, uint32_t op,
             int64_t layer, double start, double end) override;
  /// Completes the file; without it nothing is left behind.
  llvm::Error commit();

private:
  AtomicFile file;
  std::vector<std::string> operators;
  double cyclesPerMicrosecond;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_TRACE_H
