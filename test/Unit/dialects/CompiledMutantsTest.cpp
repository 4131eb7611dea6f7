//===- CompiledMutantsTest.cpp - compiled kernels without a wait ---*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernels of an encoder's layer (embedding, norm, projections through two
// accumulators, attention) are compiled, and each wait is dropped, and its lag
// made larger by one, in turn. The race prover and the simulator's
// `--check=races` judge every mutant: what a run shows the proof must have
// refused.
//
//===----------------------------------------------------------------------===//

#include "../TempFolder.h"
#include "WaitMutants.h"
#include "dialects/Dma/Passes/DmaPasses.h"
#include "dialects/Isa/Encode.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "serrano/Emit/Emit.h"
#include "serrano/InitAll.h"
#include "serrano/Pipelines/Pipelines.h"
#include "serrano/Runtime/Program.h"
#include "serrano/Target/TargetModel.h"
#include "gtest/gtest.h"
#include <fstream>

using namespace serrano;
using mlir::ModuleOp;
using mlir::OwningOpRef;

namespace {

class CompiledMutants : public testing::Test {
protected:
  CompiledMutants()
      : handler(&context, [](mlir::Diagnostic &) { return mlir::success(); }),
        target(llvm::cantFail(TargetModel::load("serrano-tiny"))) {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    std::ofstream weights(folder.path("weights.bin"), std::ios::binary);
    for (int i = 0; i < 1024; ++i) {
      float value = float(i % 13) / 13 - 0.5f;
      weights.write(reinterpret_cast<const char *>(&value), sizeof(value));
    }
  }

  /// The kernels, up to their waits.
  OwningOpRef<ModuleOp> scheduled() {
    auto module = mlir::parseSourceFile<ModuleOp>(
        SERRANO_SOURCE_DIR "/test/Unit/dialects/Inputs/encoder.mlir", &context);
    (*module)->setAttr("llm.directory",
                       mlir::StringAttr::get(&context, folder.path()));
    mlir::PassManager manager(&context);
    TileOptions tile;
    tile.target = "serrano-tiny";
    tile.precision = "f32";
    tile.maxTokens = 12;
    buildTileStage(manager, tile);
    buildPlaceStage(manager, PlaceOptions());
    buildScheduleStage(manager);
    if (failed(manager.run(*module)))
      return {};
    return module;
  }

  bool accepts(ModuleOp module) {
    mlir::PassManager manager(&context);
    manager.addNestedPass<mlir::func::FuncOp>(dma::createVerifyRaces());
    return mlir::succeeded(manager.run(module));
  }

  /// What a checked run of two sequences of five tokens says; "" if all is
  /// well.
  std::string failure(ModuleOp scheduled) {
    OwningOpRef<ModuleOp> module = scheduled.clone();
    mlir::PassManager manager(&context);
    buildEmitStage(manager);
    if (failed(manager.run(*module)))
      return "not emitted";
    auto program = isa::ir::encode(*module, &target);
    if (failed(program))
      return "not encoded";
    std::string path = folder.path("program.srn");
    if (llvm::Error error = emitProgram(*module, *program, target, path))
      return llvm::toString(std::move(error));
    auto loaded = Program::load(path);
    if (!loaded)
      return llvm::toString(loaded.takeError());
    NpzArrays inputs;
    for (const char *name : {"ids", "mask"}) {
      NpyArray &array = inputs[name];
      array.type = NpyType::i8;
      array.shape = {2, 5};
      std::vector<int64_t> values(10, 1);
      array.bytes.resize(values.size() * sizeof(int64_t));
      std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
    }
    auto result = (*loaded)->run((*loaded)->entries().front(), inputs,
                                 {.checkRaces = true, .timing = false});
    return result ? "" : llvm::toString(result.takeError());
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::ScopedDiagnosticHandler handler;
  TempFolder folder;
  TargetModel target;
};

} // namespace

TEST_F(CompiledMutants, ProofAndRunAgree) {
  OwningOpRef<ModuleOp> module = scheduled();
  ASSERT_TRUE(module);
  ASSERT_EQ(failure(*module), "");
  int mutants = 0, raced = 0, accepted = 0;
  dma::forEachMutant(*module, [&](const std::string &name) {
    ++mutants;
    std::string run = failure(*module);
    if (run.find("race on ") != std::string::npos)
      ++raced;
    else
      EXPECT_EQ(run, "") << name;
    if (!accepts(*module))
      return;
    ++accepted;
    EXPECT_EQ(run, "") << name << ": accepted, but it races";
  });
  EXPECT_GT(mutants, 40);
  EXPECT_EQ(accepted, 0);
  // The others are implied through a third queue, or need other lengths to
  // show.
  EXPECT_GE(raced, mutants * 4 / 5) << "of " << mutants;
}
