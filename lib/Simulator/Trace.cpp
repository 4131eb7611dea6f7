//===- Trace.cpp - a trace for Perfetto --------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Trace.h"
#include <charconv>
#include <nlohmann/json.hpp>

using namespace serrano;
using namespace serrano::sim;

static constexpr size_t bufferBytes = 1 << 18;
/// More than an event has, but for names and values.
static constexpr size_t eventBytes = 256;
static constexpr unsigned numWorks = unsigned(Work::Setup) + 1;

static const char *workName(Work work) {
  switch (work) {
  case Work::LoadWeights:
    return "load weights";
  case Work::Multiply:
    return "multiply";
  case Work::Vector:
    return "vector";
  case Work::Transfer:
    return "transfer";
  case Work::Order:
    return "slot";
  default:
    return "none";
  }
}

Trace::Trace(AtomicFile output, llvm::ArrayRef<std::string> operators,
             double cyclesPerMicrosecond, bool background)
    : file(std::move(output)),
      tenthsPerTick(1e4 / (cyclesPerMicrosecond * TimingModel::ticksPerCycle)),
      buffer(bufferBytes),
      policy(background ? std::launch::async : std::launch::deferred) {
  coming.reserve(slicesAtOnce);
  going.reserve(slicesAtOnce);
  prefixes.reserve(operators.size() * numWorks);
  for (const std::string &name : operators) {
    std::string named = ",\"name\":" + nlohmann::json(name).dump();
    for (unsigned work = 0; work < numWorks; ++work)
      prefixes.push_back(named + ",\"cat\":\"" + workName(Work(work)) +
                         "\",\"ts\":");
  }
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

Trace::Cursor &Trace::Cursor::microseconds(int64_t tenths) {
  number(tenths / 10000);
  int fraction = int(tenths % 10000);
  *at++ = '.';
  *at++ = char('0' + fraction / 1000);
  *at++ = char('0' + fraction / 100 % 10);
  *at++ = char('0' + fraction / 10 % 10);
  *at++ = char('0' + fraction % 10);
  return *this;
}

Trace::Cursor &Trace::Cursor::event(char phase, unsigned track) {
  text(",\n{\"ph\":\"");
  *at++ = phase;
  return text("\",\"pid\":0,\"tid\":").number(track);
}

void Trace::finishWriting() {
  if (writing.valid())
    writing.get();
}

void Trace::handOver() {
  finishWriting();
  std::swap(coming, going);
  coming.clear();
  writing = std::async(policy, [this] {
    for (const Record &record : going)
      write(record);
  });
}

void Trace::write(const Record &slice) {
  size_t index = size_t(slice.op) * numWorks + size_t(slice.work);
  llvm::StringRef prefix = index < prefixes.size()
                               ? llvm::StringRef(prefixes[index])
                               : ",\"name\":\"\",\"ts\":";
  // The difference of what is written, so that slices do not overlap.
  int64_t start = tenthsOf(slice.start);
  put(room(eventBytes + prefix.size())
          .event('X', slice.track)
          .text(prefix)
          .microseconds(start)
          .text(",\"dur\":")
          .microseconds(tenthsOf(slice.end) - start)
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
          .text(",\"name\":\"signal\",\"cat\":\"wait\",\"id\":")
          .number(arrows)
          .text(",\"ts\":")
          .microseconds(tenthsOf(from.time))
          .text("}")
          .event('f', track)
          .text(",\"bp\":\"e\",\"name\":\"signal\",\"cat\":\"wait\",\"id\":")
          .number(arrows)
          .text(",\"ts\":")
          .microseconds(tenthsOf(to))
          .text("}"));
}

void Trace::counter(llvm::StringRef name, llvm::ArrayRef<Values> values,
                    int64_t width) {
  size_t intervals = 0;
  for (const Values &v : values)
    intervals = std::max(intervals, v.sums.size());
  std::string previous;
  // After the last interval everything has ended.
  for (size_t i = 0; i <= intervals; ++i) {
    std::string sample;
    for (const Values &v : values) {
      double value = i < v.sums.size() ? v.sums[i] * v.factor : 0;
      char digits[32];
      char *end = std::to_chars(digits, std::end(digits), value + v.offset,
                                std::chars_format::general, 9)
                      .ptr;
      sample += (sample.empty() ? "\"" : ",\"") + v.name + "\":";
      sample.append(digits, end);
    }
    if (sample == previous)
      continue;
    put(room(eventBytes + name.size() + sample.size())
            .event('C', 0)
            .text(",\"name\":\"")
            .text(name)
            .text("\",\"ts\":")
            .microseconds(tenthsOf(int64_t(i) * width))
            .text(",\"args\":{")
            .text(llvm::StringRef(sample))
            .text("}}"));
    previous = std::move(sample);
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
