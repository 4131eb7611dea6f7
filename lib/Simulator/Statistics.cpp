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

static nlohmann::ordered_json toJsonObject(const Costs &costs) {
  nlohmann::ordered_json entry = {{"instructions", costs.instructions},
                                  {"critical_cycles", costs.criticalCycles},
                                  {"matrix_cycles", costs.matrixCycles},
                                  {"weight_port_cycles", costs.weightCycles},
                                  {"vector_cycles", costs.vectorCycles},
                                  {"dma_cycles", costs.dmaCycles}};
  for (unsigned cause = unsigned(WaitCause::Counter); cause < numWaitCauses;
       ++cause)
    entry["wait_cycles"][waitCauseName(WaitCause(cause)).str()] =
        costs.waitCycles[cause];
  entry["hbm_read_bytes"] = costs.hbmReadBytes;
  entry["hbm_write_bytes"] = costs.hbmWriteBytes;
  entry["multiply_accumulates"] = costs.multiplies;
  entry["joules"] = costs.joules;
  return entry;
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
  root["joules"] = {{"total", energy.total()},
                    {"multiplies", energy.multiplies},
                    {"scratchpad", energy.scratchpad},
                    {"accumulators", energy.accumulators},
                    {"hbm", energy.hbm},
                    {"static", energy.fixed}};
  root["roof"] = {{"memory_seconds", roof.memorySeconds},
                  {"compute_seconds", roof.computeSeconds},
                  {"share", seconds > 0 ? roof.seconds() / seconds : 0.0}};
  auto &operatorList = root["operators"] = nlohmann::ordered_json::array();
  for (const OperatorStatistics &op : operators) {
    if (op.instructions == 0)
      continue;
    nlohmann::ordered_json entry = {{"name", op.name}};
    entry.update(toJsonObject(op));
    operatorList.push_back(std::move(entry));
  }
  auto &layerList = root["layers"] = nlohmann::ordered_json::array();
  for (const auto &[layer, costs] : layers) {
    nlohmann::ordered_json entry = {{"layer", layer}};
    entry.update(toJsonObject(costs));
    layerList.push_back(std::move(entry));
  }
  return root.dump(1) + "\n";
}
