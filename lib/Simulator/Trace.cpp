//===- Trace.cpp - a trace for Perfetto --------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Trace.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace serrano;
using namespace serrano::sim;

static constexpr size_t bufferBytes = 1 << 18;
/// More than an event has, but for names and values.
static constexpr size_t eventBytes = 256;
/// More than a counter's value has, but for its name.
static constexpr size_t valueBytes = 32;
/// Counters are written in millionths.
static constexpr unsigned counterDigits = 6;
static constexpr double counterScale = 1e6;

Trace::Trace(AtomicFile output, llvm::ArrayRef<std::string> operators,
             double cyclesPerMicrosecond, Workers *workers)
    : file(std::move(output)),
      tenthsPerTick(1e4 / (cyclesPerMicrosecond * TimingModel::ticksPerCycle)),
      buffer(bufferBytes), workers(workers) {
  coming.reserve(slicesAtOnce);
  prefixes.reserve(operators.size());
  for (const std::string &name : operators)
    prefixes.push_back(",\"name\":" + nlohmann::json(name).dump() + ",\"ts\":");
  // Without the unit chrome://tracing takes what is less than a microsecond apart
  // for the same time, puts slices into others and drops arrows.
  text("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[{\"ph\":\"M\",\"pid\":0,\"name\":\"process_name\",\"args\":{\"name\":"
       "\"core 0\"}}");
  for (unsigned track = DmaInId; track < numTracks; ++track) {
    std::string name = trackName(track);
    put(room(eventBytes + name.size())
            .event('M', track)
            .text(",\"name\":\"thread_name\",\"args\":{\"name\":\"")
            .text(llvm::StringRef(name))
            .text("\"}}"));
  }
}

Trace::Cursor Trace::room(size_t bytes) {
  if (bytes > buffer.size() - used)
    flush();
  if (bytes > buffer.size())
    buffer.resize(bytes);
  return Cursor(buffer.data() + used);
}

Trace::Cursor &Trace::Cursor::number(int64_t value) {
  constexpr size_t most = 20;
  at = std::to_chars(at, at + most, value).ptr;
  return *this;
}

Trace::Cursor &Trace::Cursor::hex(uint64_t value) {
  constexpr size_t most = 16;
  at = std::to_chars(at, at + most, value, 16).ptr;
  return *this;
}

/// "00", "01", ..., "99".
static constexpr auto digitPairs = [] {
  std::array<std::array<char, 2>, 100> pairs;
  for (unsigned i = 0; i < pairs.size(); ++i)
    pairs[i] = {char('0' + i / 10), char('0' + i % 10)};
  return pairs;
}();

template <unsigned digits>
Trace::Cursor &Trace::Cursor::decimal(uint64_t value) {
  static_assert(digits % 2 == 0);
  constexpr uint64_t one = [] {
    uint64_t power = 1;
    for (unsigned i = 0; i < digits; ++i)
      power *= 10;
    return power;
  }();
  uint64_t whole = value / one;
  // As nearly all durations are.
  if (whole < 10)
    *at++ = char('0' + whole);
  else
    number(int64_t(whole));
  auto fraction = uint32_t(value % one);
  *at = '.';
  for (unsigned i = digits; i; i -= 2, fraction /= 100)
    std::memcpy(at + i - 1, digitPairs[fraction % 100].data(), 2);
  at += digits + 1;
  return *this;
}

Trace::Cursor &Trace::Cursor::withoutZeros() {
  while (at[-1] == '0')
    --at;
  if (at[-1] == '.')
    --at;
  return *this;
}

Trace::Cursor &Trace::Cursor::microseconds(uint64_t tenths) {
  return decimal<4>(tenths);
}

Trace::Cursor &Trace::Cursor::event(char phase, unsigned track) {
  text(",\n{\"ph\":\"");
  *at++ = phase;
  return text("\",\"pid\":0,\"tid\":").number(track);
}

void Trace::handOver() {
  auto writeAll = [this](const std::vector<Record> &records) {
    for (const Record &record : records)
      write(record);
  };
  if (!workers) {
    writeAll(coming);
    coming.clear();
    return;
  }
  workers->addJob(
      [writeAll, records = std::move(coming)] { writeAll(records); });
  coming = {};
  coming.reserve(slicesAtOnce);
}

/// Of what is written, so that slices do not overlap. Perfetto rounds beginnings
/// and durations to nanoseconds, each for itself, and drops a slice that then
/// reaches into the next one.
static int64_t durationOf(int64_t start, int64_t end) {
  auto nanoseconds = [](int64_t tenths) { return (tenths + 5) / 10; };
  return std::min(end - start,
                  10 * (nanoseconds(end) - nanoseconds(start)) + 4);
}

void Trace::write(const Record &slice) {
  llvm::StringRef prefix = slice.op < prefixes.size()
                               ? llvm::StringRef(prefixes[slice.op])
                               : ",\"name\":\"\",\"ts\":";
  int64_t start = tenthsOf(slice.start);
  put(room(eventBytes + prefix.size())
          .event('X', slice.track)
          .text(prefix)
          .microseconds(start)
          .text(",\"dur\":")
          .microseconds(durationOf(start, tenthsOf(slice.end)))
          .text(",\"args\":{\"layer\":")
          .number(slice.layer)
          .text(",\"address\":\"0x")
          .hex(uint64_t(slice.word) * 8)
          .text("\"}}"));
  if (slice.heldBy.track >= 0)
    arrow(slice.heldBy, slice.track, slice.start);
}

void Trace::arrow(const Moment &from, unsigned track, int64_t to) {
  ++arrows;
  put(room(2 * eventBytes)
          .event('s', from.track)
          .text(",\"name\":\"signal\",\"id\":")
          .number(arrows)
          .text(",\"ts\":")
          .microseconds(tenthsOf(from.time))
          .text("}")
          .event('f', track)
          .text(",\"bp\":\"e\",\"name\":\"signal\",\"id\":")
          .number(arrows)
          .text(",\"ts\":")
          .microseconds(tenthsOf(to))
          .text("}"));
}

void Trace::counter(llvm::StringRef name, llvm::ArrayRef<Values> values,
                    int64_t width) {
  size_t intervals = 0, bytes = eventBytes + name.size();
  for (const Values &v : values) {
    intervals = std::max(intervals, v.sums.size());
    bytes += v.name.size() + valueBytes;
  }
  std::vector<int64_t> sample(values.size()), previous;
  // After the last interval everything has ended.
  for (size_t i = 0; i <= intervals; ++i) {
    for (auto [scaled, v] : llvm::zip_equal(sample, values)) {
      double value = i < v.sums.size() ? v.sums[i] * v.factor : 0;
      scaled = std::llround((value + v.offset) * counterScale);
    }
    if (sample == previous)
      continue;
    previous = sample;
    Cursor cursor = room(bytes);
    cursor.event('C', 0)
        .text(",\"name\":\"")
        .text(name)
        .text("\",\"ts\":")
        .microseconds(tenthsOf(int64_t(i) * width))
        .text(",\"args\":{");
    for (auto [n, v] : llvm::enumerate(values))
      cursor.text(n ? llvm::StringRef(",\"") : llvm::StringRef("\""))
          .text(llvm::StringRef(v.name))
          .text("\":")
          .decimal<counterDigits>(sample[n])
          .withoutZeros();
    put(cursor.text("}}"));
  }
}

void Trace::counters(Profile &profile, double staticWatts) {
  handOver();
  finishWriting();
  int64_t width = profile.align();
  double seconds = double(width) * tenthsPerTick * 1e-10;
  double gigabytes = 1e-9 / seconds;
  counter("bandwidth, GB/s",
          {{"hbm read", profile.hbmRead.sums(), gigabytes, 0},
           {"hbm write", profile.hbmWrite.sums(), gigabytes, 0},
           {"local copy", profile.local.sums(), gigabytes, 0}},
          width);
  std::vector<Values> rings;
  for (auto [i, slots] : llvm::enumerate(profile.slots))
    if (!slots.sums().empty())
      rings.push_back({queueName(FirstRingId + unsigned(i)), slots.sums(),
                       1.0 / double(width), 0});
  if (!rings.empty())
    counter("scratchpad, full ring slots", rings, width);
  counter("scratchpad, bytes in use",
          {{"bytes", profile.scratchpad.bytesInUse(), 1, 0}},
          profile.scratchpad.columnWidth());
  counter("power, W",
          {{"power", profile.picojoules.sums(), 1e-12 / seconds, staticWatts}},
          width);
}

void Trace::flush() {
  file.stream().write(buffer.data(), used);
  used = 0;
}

llvm::Error Trace::commit() {
  text("]}\n");
  flush();
  return file.commit();
}
