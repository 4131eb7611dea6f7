//===- CompiledKernels.h - kernels of models, compiled and run - -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_DIALECTS_COMPILEDKERNELS_H
#define SERRANO_TEST_UNIT_DIALECTS_COMPILEDKERNELS_H

#include "../Simulator/RunRecorder.h"
#include "../TempFolder.h"
#include "dialects/Dma/Passes/DmaPasses.h"
#include "dialects/Isa/Encode.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "serrano/Emit/Emit.h"
#include "serrano/InitAll.h"
#include "serrano/Isa/Codec.h"
#include "serrano/Pipelines/Pipelines.h"
#include "serrano/Runtime/Program.h"
#include "serrano/Target/TargetModel.h"
#include "gtest/gtest.h"
#include <fstream>
#include <random>

namespace serrano {

/// Compiles the models of Inputs/ for the smallest target and runs what comes out.
class CompiledKernels : public testing::Test {
protected:
  CompiledKernels()
      : handler(&context, [](mlir::Diagnostic &) { return mlir::success(); }),
        target(llvm::cantFail(TargetModel::load("serrano-tiny"))) {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadDialect<tile::TileDialect>();
    std::ofstream weights(folder.path("weights.bin"), std::ios::binary);
    std::mt19937 random;
    for (int i = 0; i < 4096; ++i) {
      float value = float(random()) / 4294967296.0f - 0.5f;
      weights.write(reinterpret_cast<const char *>(&value), sizeof(value));
    }
  }

  /// The kernels of `file`, up to their waits, for so many tokens, and so many rows at
  /// once.
  mlir::OwningOpRef<mlir::ModuleOp> scheduled(const std::string &file, int64_t tokens,
                                              int64_t rows) {
    auto module = mlir::parseSourceFile<mlir::ModuleOp>(
        SERRANO_SOURCE_DIR "/test/Unit/dialects/Inputs/" + file, &context);
    (*module)->setAttr("llm.directory", mlir::StringAttr::get(&context, folder.path()));
    (*module)->setAttr(tile::TileDialect::kChoicesAttr,
                       tile::ChoicesAttr::get(&context).with(tile::Choice::Rows, rows));
    mlir::PassManager manager(&context);
    TileOptions tile;
    tile.target = "serrano-tiny";
    tile.precision = "f32";
    tile.maxTokens = tokens;
    tile.maxSequences = 3;
    tile.maxContext = 72;
    buildTileStage(manager, tile);
    PlaceOptions place;
    place.target = tile.target;
    buildPlaceStage(manager, place);
    buildScheduleStage(manager);
    if (failed(manager.run(*module)))
      return {};
    return module;
  }

  /// Whether the race prover does.
  bool accepts(mlir::ModuleOp module) {
    mlir::PassManager manager(&context);
    manager.addNestedPass<mlir::func::FuncOp>(dma::createVerifyRaces());
    return mlir::succeeded(manager.run(module));
  }

  /// Writes the program; why that fails, or "".
  std::string emit(mlir::ModuleOp scheduled) {
    mlir::OwningOpRef<mlir::ModuleOp> module = scheduled.clone();
    mlir::PassManager manager(&context);
    buildEmitStage(manager);
    if (failed(manager.run(*module)))
      return "not emitted";
    auto program = isa::ir::encode(*module, &target);
    if (failed(program))
      return "not encoded";
    operations.clear();
    std::vector<mlir::Operation *> queued;
    scheduled.walk([&](mlir::Operation *op) {
      if (dma::getQueue(op))
        queued.push_back(op);
    });
    for (uint32_t word = 0; word < program->text.size();) {
      isa::Instruction instruction =
          llvm::cantFail(isa::decode(llvm::ArrayRef(program->text).drop_front(word)));
      if (isQueued(instruction)) {
        if (operations.size() == queued.size())
          return "more instructions than operations";
        operations[queued[operations.size()]] = word;
      }
      word += isa::wordsOf(instruction);
    }
    if (operations.size() != queued.size())
      return "more operations than instructions";
    if (llvm::Error error = emitProgram(*module, *program, target, path))
      return llvm::toString(std::move(error));
    return "";
  }

  /// Whether an operation that `dma::getQueue` knows became this instruction.
  static bool isQueued(const isa::Instruction &instruction) {
    return std::visit(
        [](const auto &i) {
          using T = std::remove_cvref_t<decltype(i)>;
          if constexpr (std::is_same_v<T, isa::Sync>)
            return i.waiter != isa::SyncQueue::Sequencer;
          else if constexpr (requires { i.wait0; })
            return !std::is_same_v<T, isa::RingFill>;
          else
            return false;
        },
        instruction);
  }

  struct Outcome {
    std::string failure; ///< "" if all is well
    std::string outputs; ///< the bytes of all
    bool operator==(const Outcome &) const = default;
  };
  /// What runs of the written program, one after the other, give. Each run has its
  /// options from `options`, given its number.
  Outcome run(llvm::ArrayRef<NpzArrays> runs,
              llvm::function_ref<sim::RunOptions(size_t)> options) {
    auto loaded = Program::load(path);
    if (!loaded)
      return {llvm::toString(loaded.takeError()), ""};
    Outcome outcome;
    for (const auto &[number, inputs] : llvm::enumerate(runs)) {
      sim::RunOptions each = options(number);
      each.timing = false;
      each.threads = 1;
      auto result = (*loaded)->run((*loaded)->entries().front(), inputs, each);
      if (!result)
        return {llvm::toString(result.takeError()), ""};
      for (const auto &[name, array] : result->outputs)
        outcome.outputs.append(array.bytes.begin(), array.bytes.end());
    }
    return outcome;
  }

  Outcome runChecked(llvm::ArrayRef<NpzArrays> runs) {
    sim::RunOptions options;
    options.checkRaces = true;
    return run(runs, [&](size_t) { return options; });
  }

  /// Whether the written program gives `expected` in each of some legal orders.
  bool gives(const Outcome &expected, llvm::ArrayRef<NpzArrays> runs) {
    return llvm::all_of(llvm::seq<uint64_t>(0, 16), [&](uint64_t seed) {
      sim::RunOptions options;
      options.adversarialSeed = seed;
      return run(runs, [&](size_t) { return options; }) == expected;
    });
  }

  /// The graphs of runs.
  std::vector<RunRecorder> record(llvm::ArrayRef<NpzArrays> runs) {
    std::vector<RunRecorder> recorders(runs.size());
    Outcome outcome = run(runs, [&](size_t i) {
      sim::RunOptions options;
      options.observer = &recorders[i];
      return options;
    });
    EXPECT_EQ(outcome.failure, "");
    return recorders;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::ScopedDiagnosticHandler handler;
  TempFolder folder;
  std::string path = folder.path("program.srn");
  /// Where the written program has the operations of queues: each has one instruction.
  llvm::DenseMap<mlir::Operation *, uint32_t> operations;
  TargetModel target;
};

} // namespace serrano

#endif // SERRANO_TEST_UNIT_DIALECTS_COMPILEDKERNELS_H
