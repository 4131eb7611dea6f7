//===- Trace.cpp - a trace for Perfetto --------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Trace.h"
#include "llvm/ADT/StringExtras.h"
#include <charconv>
#include <nlohmann/json.hpp>

using namespace serrano;
using namespace serrano::sim;

static constexpr size_t bufferBytes = 1 << 18;
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
  for (const std::string &name : operators)
    for (unsigned work = 0; work < numWorks; ++work)
      prefixes.push_back(",\"name\":" + nlohmann::json(name).dump() +
                         ",\"cat\":\"" + workName(Work(work)) + "\",\"ts\":");
  // Without the unit chrome://tracing takes what is less than a microsecond apart
  // for the same time, puts slices into others and drops arrows.
  text("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[{\"ph\":\"M\",\"pid\":0,\"name\":\"process_name\",\"args\":{\"name\":"
       "\"core 0\"}}");
  for (unsigned track = DmaInId; track < numTracks; ++track) {
    event('M', track);
    text(",\"name\":\"thread_name\",\"args\":{\"name\":\"");
    text(trackName(track));
    text("\"}}");
  }
}

void Trace::number(int64_t value) {
  char digits[20];
  text({digits,
        size_t(std::to_chars(digits, std::end(digits), value).ptr - digits)});
}

void Trace::microseconds(int64_t tenths) {
  number(tenths / 10000);
  int fraction = int(tenths % 10000);
  char digits[5] = {'.', char('0' + fraction / 1000),
                    char('0' + fraction / 100 % 10),
                    char('0' + fraction / 10 % 10), char('0' + fraction % 10)};
  text({digits, 5});
}

void Trace::time(int64_t ticks) { microseconds(tenthsOf(ticks)); }

void Trace::event(char phase, unsigned track) {
  text(",\n{\"ph\":\"");
  text({&phase, 1});
  text("\",\"pid\":0,\"tid\":");
  number(track);
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
  event('X', slice.track);
  size_t prefix = size_t(slice.op) * numWorks + size_t(slice.work);
  text(prefix < prefixes.size() ? llvm::StringRef(prefixes[prefix])
                                : ",\"name\":\"\",\"ts\":");
  // The difference of what is written, so that slices do not overlap.
  int64_t start = tenthsOf(slice.start);
  microseconds(start);
  text(",\"dur\":");
  microseconds(tenthsOf(slice.end) - start);
  text(",\"args\":{\"layer\":");
  number(slice.layer);
  text(",\"address\":\"0x");
  char digits[16];
  text({digits,
        size_t(std::to_chars(digits, std::end(digits), uint64_t(slice.word) * 8, 16)
                   .ptr -
               digits)});
  text("\"}}");
  if (slice.heldBy.track >= 0)
    arrow(slice.heldBy, slice.track, slice.start);
}

void Trace::arrow(const Moment &from, unsigned track, int64_t to) {
  ++arrows;
  event('s', from.track);
  text(",\"name\":\"signal\",\"cat\":\"wait\",\"id\":");
  number(arrows);
  text(",\"ts\":");
  time(from.time);
  text("}");
  event('f', track);
  text(",\"bp\":\"e\",\"name\":\"signal\",\"cat\":\"wait\",\"id\":");
  number(arrows);
  text(",\"ts\":");
  time(to);
  text("}");
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
    event('C', 0);
    text(",\"name\":\"");
    text(name);
    text("\",\"ts\":");
    time(int64_t(i) * width);
    text(",\"args\":{");
    text(sample);
    text("}}");
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

void Trace::flush(llvm::StringRef more) {
  file.stream().write(buffer.data(), used) << more;
  used = 0;
}

llvm::Error Trace::commit() {
  text("]}\n");
  flush();
  return file.commit();
}
