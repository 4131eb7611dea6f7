//===- Trace.h - a trace for Perfetto ------------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_TRACE_H
#define SERRANO_SIMULATOR_TRACE_H

#include "Profile.h"
#include "Timeline.h"
#include "Workers.h"
#include "serrano/Support/AtomicFile.h"
#include <cstring>

namespace serrano::sim {

/// Writes a run in the Trace Event Format (JSON object form) that Perfetto and
/// chrome://tracing open: one track per queue and one for the weight port,
/// slices named by source operator, arrows from what signals to what it held
/// up, and counters over time. One microsecond of the trace is one microsecond
/// of the chip. Slices are written some hundreds at a time, so memory does not
/// grow with the run.
class Trace final : public SliceSink {
public:
  /// `operators`: names by index. `cyclesPerMicrosecond`: the clock. Of
  /// `workers`, if there are any, one that has nothing else to do writes.
  Trace(AtomicFile file, llvm::ArrayRef<std::string> operators,
        double cyclesPerMicrosecond, Workers *workers);
  ~Trace() override { finishWriting(); }

  void slice(const Slice &slice) override {
    const Dispatched &d = slice.instruction;
    coming.push_back({slice.track, d.op, d.word, d.layer, slice.start,
                      slice.end, slice.heldBy});
    if (coming.size() == slicesAtOnce)
      handOver();
  }
  /// Writes the counters: bandwidth, ring slots, bytes of the scratchpad, and
  /// power on top of `staticWatts`.
  void counters(Profile &profile, double staticWatts);
  /// Completes the file; without it nothing is left behind.
  llvm::Error commit();

private:
  static constexpr size_t slicesAtOnce = 512;
  struct Record {
    unsigned track;
    uint32_t op, word;
    int64_t layer, start, end;
    Moment heldBy;
  };

  /// Lets what came be written, after what came before it has been.
  void handOver();
  void finishWriting() {
    if (workers)
      workers->finishJobs();
  }
  void write(const Record &record);

  /// A place in the buffer where at least `bytes` fit, and text that is put
  /// there piece by piece. It counts when it is `put`.
  class Cursor {
  public:
    explicit Cursor(char *at) : at(at) {}
    template <size_t n>
    Cursor &text(const char (&literal)[n]) {
      std::memcpy(at, literal, n - 1);
      at += n - 1;
      return *this;
    }
    Cursor &text(llvm::StringRef s) {
      std::memcpy(at, s.data(), s.size());
      at += s.size();
      return *this;
    }
    Cursor &number(int64_t value);
    Cursor &hex(uint64_t value);
    /// `value` / 10^`digits`, with as many digits after the point.
    template <unsigned digits>
    Cursor &decimal(uint64_t value);
    /// Takes back zeros that end a decimal.
    Cursor &withoutZeros();
    /// Tenths of nanoseconds as microseconds.
    Cursor &microseconds(uint64_t tenths);
    /// The beginning of an event.
    Cursor &event(char phase, unsigned track);

  private:
    friend class Trace;
    char *at;
  };
  Cursor room(size_t bytes);
  void put(const Cursor &cursor) { used = cursor.at - buffer.data(); }
  void text(llvm::StringRef s) { put(room(s.size()).text(s)); }
  int64_t tenthsOf(int64_t ticks) const {
    return int64_t(double(ticks) * tenthsPerTick);
  }
  void arrow(const Moment &from, unsigned track, int64_t to);
  /// One counter with a value for each name and interval.
  struct Values {
    std::string name;
    llvm::ArrayRef<double> sums;
    double factor, offset;
  };
  void counter(llvm::StringRef name, llvm::ArrayRef<Values> values,
               int64_t width);
  /// Writes what is buffered.
  void flush();

  AtomicFile file;
  /// By operator: `"name":...,"ts":`.
  std::vector<std::string> prefixes;
  double tenthsPerTick;
  int64_t arrows = 0;
  std::vector<char> buffer;
  size_t used = 0;
  Workers *workers;
  std::vector<Record> coming;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_TRACE_H
