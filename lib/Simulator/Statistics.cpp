//===- Statistics.cpp - what a run cost --------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Simulator/Statistics.h"
#include <nlohmann/json.hpp>

using namespace serrano::sim;

llvm::StringRef serrano::sim::waitCauseName(WaitCause cause) {
  static const llvm::StringRef names[] = {"dispatch", "counter", "slot",
                                          "result", "engine"};
  return names[unsigned(cause)];
}

std::string Statistics::toJson() const {
  nlohmann::ordered_json root;
  root["cycles"] = cycles;
  root["seconds"] = seconds;
  root["instructions_executed"] = instructions;
  root["instructions_dispatched"] = dispatched;
  root["dispatch_stall_cycles"] = dispatchStallCycles;
  root["hbm_read_bytes"] = hbmReadBytes;
  root["hbm_write_bytes"] = hbmWriteBytes;
  root["local_copy_bytes"] = localBytes;
  root["instruction_fetch_bytes"] = fetchBytes;
  root["multiply_accumulates"] = multiplies;
  auto &engineList = root["engines"] = nlohmann::ordered_json::array();
  for (const EngineStatistics &engine : engines) {
    if (engine.instructions == 0)
      continue;
    nlohmann::ordered_json entry;
    entry["name"] = engine.name;
    entry["instructions"] = engine.instructions;
    entry["busy_cycles"] = engine.busyCycles;
    double waited = 0;
    for (unsigned cause = unsigned(WaitCause::Counter); cause < numWaitCauses;
         ++cause) {
      entry["wait_cycles"][waitCauseName(WaitCause(cause)).str()] =
          engine.waitCycles[cause];
      waited += engine.waitCycles[cause];
    }
    entry["idle_cycles"] =
        std::max(0.0, double(cycles) - engine.busyCycles - waited);
    entry["bytes"] = engine.bytes;
    engineList.push_back(std::move(entry));
  }
  auto &operatorList = root["operators"] = nlohmann::ordered_json::array();
  for (const OperatorStatistics &op : operators) {
    if (op.instructions == 0)
      continue;
    operatorList.push_back({{"name", op.name},
                            {"instructions", op.instructions},
                            {"matrix_cycles", op.matrixCycles},
                            {"weight_port_cycles", op.weightCycles},
                            {"vector_cycles", op.vectorCycles},
                            {"dma_cycles", op.dmaCycles},
                            {"wait_cycles", op.waitCycles},
                            {"hbm_read_bytes", op.hbmReadBytes},
                            {"hbm_write_bytes", op.hbmWriteBytes},
                            {"multiply_accumulates", op.multiplies}});
  }
  return root.dump(1) + "\n";
}
