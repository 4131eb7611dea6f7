//===- Trace.cpp - a trace for Perfetto --------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Trace.h"
#include "llvm/Support/Format.h"
#include <nlohmann/json.hpp>

using namespace serrano;
using namespace serrano::sim;

Trace::Trace(AtomicFile output, std::vector<std::string> names,
             double cyclesPerMicrosecond)
    : file(std::move(output)), cyclesPerMicrosecond(cyclesPerMicrosecond) {
  // Names go into JSON strings: escape them once.
  for (const std::string &name : names)
    operators.push_back(nlohmann::json(name).dump());
  llvm::raw_ostream &os = file.stream();
  os << "[{\"ph\":\"M\",\"pid\":0,\"name\":\"process_name\",\"args\":{\"name\":"
        "\"core 0\"}}";
  for (unsigned track = DmaInId; track < numTracks; ++track)
    os << ",\n{\"ph\":\"M\",\"pid\":0,\"tid\":" << track
       << ",\"name\":\"thread_name\",\"args\":{\"name\":\"" << trackName(track)
       << "\"}}";
}

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

void Trace::slice(unsigned track, Work work, uint32_t word, uint32_t op,
                  int64_t layer, double start, double end) {
  llvm::raw_ostream &os = file.stream();
  os << ",\n{\"ph\":\"X\",\"pid\":0,\"tid\":" << track << ",\"name\":"
     << (op < operators.size() ? llvm::StringRef(operators[op]) : "\"\"")
     << ",\"cat\":\"" << workName(work)
     << "\",\"ts\":" << llvm::format("%.4f", start / cyclesPerMicrosecond)
     << ",\"dur\":"
     << llvm::format("%.4f", (end - start) / cyclesPerMicrosecond)
     << ",\"args\":{\"address\":\"" << llvm::format_hex(uint64_t(word) * 8, 6)
     << "\",\"layer\":" << layer << "}}";
}

llvm::Error Trace::commit() {
  file.stream() << "]\n";
  return file.commit();
}
