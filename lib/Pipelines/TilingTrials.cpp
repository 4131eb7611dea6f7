//===- TilingTrials.cpp - what programs with other tiles take ----------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TilingTrials.h"

#include "Workload.h"
#include "dialects/Dma/Passes/DmaPasses.h"
#include "dialects/Isa/Encode.h"
#include "dialects/Llm/Llm.h"
#include "dialects/Mem/Mem.h"
#include "dialects/Mem/Passes/MemPasses.h"
#include "serrano/Conversion/Compilation.h"
#include "serrano/Conversion/Passes.h"
#include "serrano/Runtime/Program.h"
#include "serrano/Support/Error.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <numeric>

using namespace mlir;
using namespace serrano;

/// Layers of a loop that are predicted. The one before the last stands for those that are
/// left out: before it, rings have filled, and after it they run dry.
static constexpr int64_t fewLayers = 3;
/// Programs that are made, and instructions that are predicted: counts and not a time, so
/// that the same module has the same choices on every machine.
static constexpr int64_t mostPrograms = 20, mostInstructions = 8'000'000;
/// Words of instructions that are made: these, or one for so many cycles of the workload, as
/// the rules' program takes them for a few layers, so that a deep model is searched no longer.
/// One whose runs are short has less to gain than a search costs.
static constexpr int64_t fewestWords = 28'000, cyclesOfWord = 16;
static constexpr const char *spent =
    "the search has made as many programs, or made or predicted as many instructions, as it may";

TilingTrials::TilingTrials(ModuleOp module, const TileOptions &options, const TargetModel &target)
    : module(module), options(options), target(target),
      programsLeft(mostPrograms), instructions(mostInstructions) {
  module.walk([&](llm::LayersOp op) {
    loops.push_back({int64_t(op.getFirst()), int64_t(op.getCount())});
  });
}

/// Gives each operation a name of its own, as if it came from an operator: marks of operators
/// take time, and which names a module has, with locations or without, is not to matter.
static void nameOperations(ModuleOp module) {
  Builder builder(module.getContext());
  int64_t count = 0;
  module.walk([&](Operation *op) {
    op->setLoc(NameLoc::get(builder.getStringAttr(Twine(count++))));
  });
}

/// Keeps the first error in `obstacle`. Warnings are about the program that is made in the end.
static LogicalResult keepError(const Diagnostic &diagnostic, std::string &obstacle) {
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error && obstacle.empty())
    obstacle = diagnostic.str();
  return success();
}

OwningOpRef<ModuleOp> TilingTrials::lower(tile::ChoicesAttr choices, std::string &obstacle,
                                          llvm::function_ref<void(PassManager &)> addPasses) {
  OwningOpRef<ModuleOp> trial(module.clone());
  (*trial)->setAttr(tile::TileDialect::kChoicesAttr, choices);
  nameOperations(*trial);
  ScopedDiagnosticHandler quiet(module.getContext(), [&](Diagnostic &diagnostic) {
    return keepError(diagnostic, obstacle);
  });
  PassManager manager(module.getContext(), ModuleOp::getOperationName());
  manager.enableVerifier(false);
  addPasses(manager);
  if (succeeded(manager.run(*trial)))
    return trial;
  if (obstacle.empty())
    obstacle = "cannot be lowered";
  return {};
}

/// From slots to addresses, without remarks.
static void addPlacing(PassManager &manager, StringRef target) {
  manager.addPass(createConvertTileToMem());
  mem::MergeBuffersOptions merge;
  merge.quiet = true;
  manager.addNestedPass<func::FuncOp>(mem::createMergeBuffers(merge));
  mem::AssignAddressesOptions assign;
  assign.target = target.str();
  assign.quiet = true;
  manager.addPass(mem::createAssignAddresses(assign));
}

/// From tensors to slots.
static void addTiles(PassManager &manager, const TileOptions &options,
                     std::optional<int64_t> maxTokens = std::nullopt) {
  ConvertLlmToTileOptions convert;
  copyCompilation(convert, options);
  convert.maxTokens = maxTokens.value_or(convert.maxTokens);
  manager.addPass(createConvertLlmToTile(convert));
}

OwningOpRef<ModuleOp> TilingTrials::place(tile::ChoicesAttr choices, std::string &obstacle) {
  return lower(choices, obstacle, [&](PassManager &manager) {
    addTiles(manager, options);
    addPlacing(manager, options.target);
  });
}

bool TilingTrials::hasOnlyNoRoom(tile::ChoicesAttr choices) {
  std::string obstacle;
  return !place(choices, obstacle) &&
         lower(choices, obstacle, [&](PassManager &manager) { addTiles(manager, options); });
}

LogicalResult TilingTrials::checkOneToken() {
  OwningOpRef<ModuleOp> trial(module.clone());
  // Errors are for who compiles the module.
  ScopedDiagnosticHandler errors(module.getContext(), [](Diagnostic &diagnostic) {
    return success(diagnostic.getSeverity() != DiagnosticSeverity::Error);
  });
  PassManager manager(module.getContext(), ModuleOp::getOperationName());
  manager.enableVerifier(false);
  addTiles(manager, options, /*maxTokens=*/1);
  addPlacing(manager, options.target);
  return manager.run(*trial);
}

TilingTrials::Times TilingTrials::predict(tile::ChoicesAttr choices,
                                          llvm::function_ref<bool(Times &)> goesOn) {
  Times times;
  if (instructions < 0 || programsLeft == 0 || (!runs.empty() && wordsLeft < 0)) {
    times.obstacle = spent;
    times.isSpent = true;
    return times;
  }
  --programsLeft;
  OwningOpRef<ModuleOp> trial = lower(choices, times.obstacle, [&](PassManager &manager) {
    ConvertLlmToTileOptions convert;
    copyCompilation(convert, options);
    convert.mostLayers = fewLayers;
    manager.addPass(createConvertLlmToTile(convert));
    manager.addPass(createCSEPass());
    manager.addPass(createCanonicalizerPass(
        GreedyRewriteConfig().setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled)));
    addPlacing(manager, options.target);
    // What the waits prove is proved of the program that is made in the end.
    manager.addPass(createConvertMemToDma());
    manager.addNestedPass<func::FuncOp>(dma::createInsertWaits());
    manager.addPass(createConvertDmaToIsa());
  });
  if (!trial)
    return times;
  times.made = tile::ChoicesAttr::madeOf(*trial);
  ScopedDiagnosticHandler quiet(module.getContext(), [&](Diagnostic &diagnostic) {
    return keepError(diagnostic, times.obstacle);
  });
  uint64_t hbmBytes =
      (*trial)->getAttrOfType<IntegerAttr>(mem::MemDialect::kHbmBytesAttr).getInt();
  FailureOr<isa::Program> program = isa::ir::encode(*trial, &target);
  if (failed(program))
    return times;
  wordsLeft -= int64_t(program->text.size());
  if (!programs.insert(program->text).second) {
    times.obstacle = "gives the same program as another choice";
    return times;
  }
  if (llvm::Error error = predict(std::move(*program), hbmBytes, times, goesOn))
    times.obstacle = llvm::toString(std::move(error));
  return times;
}

/// The runs that are farthest from their roofs come first: they decide most.
void TilingTrials::sortRuns(Times &times) {
  std::vector<size_t> order(runs.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::stable_sort(order, [&](size_t a, size_t b) {
    return times.cycles[a] * times.roofs[b] > times.cycles[b] * times.roofs[a];
  });
  auto sort = [&](auto &values) {
    auto sorted = values;
    for (auto [to, from] : llvm::zip_equal(sorted, order))
      to = values[from];
    values = sorted;
  };
  sort(runs), sort(times.cycles), sort(times.roofs);
}

/// Of a run whose program has few layers, what it takes with all of them: time, and the least
/// time for its bytes and products, which are those of the layers and those of the rest.
llvm::Expected<TilingTrials::Run> TilingTrials::getWhole(const sim::Statistics &few) const {
  double cycles = double(few.cycles), perSecond = cycles / few.seconds;
  double bytes = double(few.hbmReadBytes + few.hbmWriteBytes), multiplies = double(few.multiplies);
  double moreBytes = 0, moreMultiplies = 0;
  for (const Loop &loop : loops) {
    if (loop.count <= fewLayers)
      continue;
    auto layer = few.layers.find(loop.first + fewLayers - 1);
    if (layer == few.layers.end())
      return makeError("its layers are not marked, so that those left out cannot be counted");
    const sim::Costs &costs = layer->second;
    double left = double(loop.count - fewLayers);
    cycles += left * costs.criticalCycles;
    moreBytes += left * double(costs.hbmReadBytes + costs.hbmWriteBytes);
    moreMultiplies += left * double(costs.multiplies);
  }
  // All products are of one type.
  double memory = few.roof.memorySeconds * (bytes > 0 ? 1 + moreBytes / bytes : 1);
  double compute = few.roof.computeSeconds * (multiplies > 0 ? 1 + moreMultiplies / multiplies : 1);
  return Run{cycles, perSecond * std::max(memory, compute)};
}

llvm::Error TilingTrials::predict(isa::Program program, uint64_t hbmBytes, Times &times,
                                  llvm::function_ref<bool(Times &)> goesOn) {
  // Nobody looks at tensors, and weights are somewhere in HBM.
  program.tensors.clear();
  program.hbmBytes = std::max(program.hbmBytes, hbmBytes);
  llvm::Expected<std::unique_ptr<Program>> loaded =
      Program::create(isa::ProgramFile::withoutWeights(std::move(program), target.toJson()));
  if (!loaded)
    return loaded.takeError();
  if ((*loaded)->entries().size() != 1)
    return makeError("a program with several entries is not predicted");
  const Entry &entry = (*loaded)->entries().front();
  bool isFirst = runs.empty();
  if (isFirst)
    runs = getWorkload(entry, options);
  int64_t workload = 0;
  for (const std::string &run : runs) {
    llvm::Expected<Lengths> lengths = run.empty() ? Lengths() : Lengths::parse(run);
    if (!lengths)
      return lengths.takeError();
    llvm::Expected<sim::Statistics> statistics = (*loaded)->predict(entry, *lengths);
    if (!statistics)
      return statistics.takeError();
    instructions -= statistics->instructions;
    workload += statistics->cycles;
    llvm::Expected<Run> whole = getWhole(*statistics);
    if (!whole)
      return whole.takeError();
    times.cycles.push_back(whole->cycles);
    times.roofs.push_back(whole->roof);
    if (!goesOn(times))
      break;
    // Half is for the rules' program, of which all runs are wanted. Short ones come first, so
    // that a model which is too large is soon known to be.
    if (isFirst && statistics->instructions > mostInstructions / int64_t(2 * runs.size()))
      return makeError("{0} has {1} instructions; expected no more than {2}", run,
                       statistics->instructions, mostInstructions / int64_t(2 * runs.size()));
    times.isSpent = instructions < 0 && times.cycles.size() < runs.size();
    if (times.isSpent)
      return makeError("{0}", spent);
  }
  if (isFirst) {
    wordsLeft += std::max(fewestWords, workload / cyclesOfWord);
    sortRuns(times);
  }
  return llvm::Error::success();
}
