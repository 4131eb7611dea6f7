//===- CompiledMutantsTest.cpp - compiled kernels without a wait ---*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernels of an encoder's layer and of a decoder's step are compiled, and
// each wait is dropped, and its lag made larger by one, in turn. The race
// prover and the simulator's `--check=races` judge every mutant. The prover
// refuses all; runs show those whose wait no other implies, and the rest are
// listed with the reason.
//
//===----------------------------------------------------------------------===//

#include "../Runtime/MakeArray.h"
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
#include "gmock/gmock.h"
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

  /// The kernels of `file`, up to their waits.
  OwningOpRef<ModuleOp> scheduled(const std::string &file) {
    auto module = mlir::parseSourceFile<ModuleOp>(
        SERRANO_SOURCE_DIR "/test/Unit/dialects/Inputs/" + file, &context);
    (*module)->setAttr("llm.directory",
                       mlir::StringAttr::get(&context, folder.path()));
    mlir::PassManager manager(&context);
    TileOptions tile;
    tile.target = "serrano-tiny";
    tile.precision = "f32";
    tile.maxTokens = 12;
    tile.maxSequences = 3;
    tile.maxContext = 32;
    buildTileStage(manager, tile);
    PlaceOptions place;
    place.target = tile.target;
    buildPlaceStage(manager, place);
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

  /// What checked runs, one after the other, say; "" if all is well.
  std::string failure(ModuleOp scheduled, llvm::ArrayRef<NpzArrays> runs) {
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
    sim::RunOptions options;
    options.checkRaces = true;
    options.timing = false;
    for (const NpzArrays &inputs : runs) {
      auto result =
          (*loaded)->run((*loaded)->entries().front(), inputs, options);
      if (!result)
        return llvm::toString(result.takeError());
    }
    return "";
  }

  /// Judges the mutants of `file`, of which there are at least `expected`;
  /// gives those that no run shows.
  std::vector<std::string> unreported(const std::string &file, int expected,
                                      llvm::ArrayRef<NpzArrays> runs) {
    OwningOpRef<ModuleOp> module = scheduled(file);
    EXPECT_TRUE(module) << file;
    if (!module)
      return {};
    EXPECT_EQ(failure(*module, runs), "") << file;
    std::vector<std::string> result;
    int mutants = 0;
    dma::forEachMutant(*module, [&](const std::string &name) {
      ++mutants;
      EXPECT_FALSE(accepts(*module)) << name;
      std::string run = failure(*module, runs);
      if (run.empty())
        result.push_back(name);
      else
        EXPECT_NE(run.find("race on "), std::string::npos)
            << name << ": " << run;
    });
    EXPECT_GE(mutants, expected);
    return result;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::ScopedDiagnosticHandler handler;
  TempFolder folder;
  TargetModel target;
};

NpzArrays encoderInputs(uint64_t batch, uint64_t length) {
  NpzArrays result;
  for (const char *name : {"ids", "mask"})
    result[name] = makeArray(NpyType::i8, {batch, length},
                             std::vector<int64_t>(batch * length, 1));
  return result;
}

/// A step of sequences with so many tokens before it and in it, in blocks of
/// their own.
NpzArrays stepInputs(llvm::ArrayRef<std::pair<int32_t, int32_t>> sequences) {
  constexpr int32_t block = 8, blocksEach = 4;
  std::vector<int32_t> positions, starts = {0}, lengths, tables, rows;
  for (auto [past, count] : sequences) {
    for (int32_t i = past; i < past + count; ++i)
      positions.push_back(i);
    starts.push_back(int32_t(positions.size()));
    lengths.push_back(past + count);
    rows.push_back(int32_t(positions.size()) - 1);
    for (int32_t i = 0; i < blocksEach; ++i)
      tables.push_back(int32_t(tables.size()));
  }
  static_assert(block * blocksEach == 32, "the context that is compiled for");
  NpzArrays result;
  result["token_ids"] = indices(std::vector<int32_t>(positions.size(), 1));
  result["positions"] = indices(positions);
  result["query_starts"] = indices(starts);
  result["kv_lengths"] = indices(lengths);
  result["block_tables"] =
      makeArray(NpyType::i4, {lengths.size(), blocksEach}, tables);
  result["logit_rows"] = indices(rows);
  return result;
}

} // namespace

TEST_F(CompiledMutants, Encoder) {
  std::vector<NpzArrays> runs = {encoderInputs(2, 5), encoderInputs(1, 12),
                                 encoderInputs(3, 4), encoderInputs(12, 1)};
  EXPECT_THAT(
      unreported("encoder.mlir", 70, runs),
      testing::UnorderedElementsAre(
          // The product reads what norms wrote where the embedding's rows were
          // gathered: the vector engine waited for the gather (0), and the
          // product waits for the vector engine (2).
          "wait 1: tile.matmul for counter 0 with lag 0, dropped",
          "wait 1: tile.matmul for counter 0 with lag 0, weakened",
          // The mask comes where the norm's values were: the products that the
          // load waits for (14) read them, and waited for the norm (2).
          "wait 15: dma.load for counter 3 with lag 6, dropped",
          "wait 15: dma.load for counter 3 with lag 6, weakened",
          // The product reads attention's result where the mask was: the
          // vector engine waited for the mask (16), and the product waits for
          // the vector engine (22).
          "wait 21: tile.matmul for counter 0 with lag 0, dropped",
          "wait 21: tile.matmul for counter 0 with lag 0, weakened",
          // The result is stored from where the mask was, likewise (16, 37).
          "wait 36: dma.store for counter 0 with lag 0, dropped",
          "wait 36: dma.store for counter 0 with lag 0, weakened"));
}

TEST_F(CompiledMutants, Decoder) {
  std::vector<NpzArrays> runs = {stepInputs({{0, 9}, {0, 3}}),
                                 stepInputs({{9, 1}, {3, 8}, {0, 2}}),
                                 stepInputs({{10, 1}, {11, 1}, {2, 1}}),
                                 stepInputs({{11, 12}}),
                                 stepInputs({{23, 9}, {12, 3}}),
                                 stepInputs({{3, 2}})};
  EXPECT_THAT(
      unreported("decoder.mlir", 100, runs),
      testing::UnorderedElementsAre(
          // Between the keys and their store lie the vector operations of one
          // tile of queries at least, as every sequence of a step has a new
          // token; the prover counts those of none.
          "wait 24: dma.store for counter 3 with lag 2, weakened",
          // Between the values and their store lie the same; the store of the
          // keys, before it in the queue, waited for all but two of them (24).
          "wait 25: dma.store for counter 3 with lag 0, dropped",
          "wait 25: dma.store for counter 3 with lag 0, weakened",
          // The product reads attention's result where the embedding's rows
          // were: the vector engine waited for them (2), and the product waits
          // for the vector engine (27).
          "wait 26: tile.matmul for counter 0 with lag 0, dropped",
          "wait 26: tile.matmul for counter 0 with lag 0, weakened",
          // The rows with logits come where the gated values were. The last
          // product reads columns 16 to 23 of these, the load overwrites the
          // first 12 of the fifth row; the prover takes the rows as a whole.
          "wait 45: dma.load for counter 2 with lag 0, weakened",
          // The products that the load waits for (45) read the gated values,
          // and waited for the vector engine to write them (41).
          "wait 46: dma.load for counter 3 with lag 2, dropped",
          "wait 46: dma.load for counter 3 with lag 2, weakened",
          // The logits are stored from where the embedding's rows were: the
          // vector engine waited for them (2), and the store waits for the
          // vector engine (51).
          "wait 50: dma.store for counter 0 with lag 1, dropped",
          "wait 50: dma.store for counter 0 with lag 1, weakened"));
}
