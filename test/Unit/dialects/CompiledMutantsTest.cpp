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
// refuses all but a few of what is waited for before loops, and runs show most of
// those. Under the adversarial schedule those that runs show give other results
// for one seed of 16 (but for few), and the rest never do.
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
#include "gtest/gtest.h"
#include <fstream>
#include <random>

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
    context.loadDialect<tile::TileDialect>();
    std::ofstream weights(folder.path("weights.bin"), std::ios::binary);
    std::mt19937 random;
    for (int i = 0; i < 4096; ++i) {
      float value = float(random()) / 4294967296.0f - 0.5f;
      weights.write(reinterpret_cast<const char *>(&value), sizeof(value));
    }
  }

  /// The kernels of `file`, up to their waits, for so many rows at once; 0 for
  /// as many as fit.
  OwningOpRef<ModuleOp> scheduled(const std::string &file, int64_t rows = 0) {
    auto module = mlir::parseSourceFile<ModuleOp>(
        SERRANO_SOURCE_DIR "/test/Unit/dialects/Inputs/" + file, &context);
    (*module)->setAttr("llm.directory",
                       mlir::StringAttr::get(&context, folder.path()));
    if (rows)
      (*module)->setAttr(tile::TileDialect::kChoicesAttr,
                         tile::ChoicesAttr::get(&context).with(tile::Choice::Rows, rows));
    mlir::PassManager manager(&context);
    TileOptions tile;
    tile.target = "serrano-tiny";
    tile.precision = "f32";
    tile.maxTokens = file == "encoder.mlir" ? 12 : 28;
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

  bool accepts(ModuleOp module) {
    mlir::PassManager manager(&context);
    manager.addNestedPass<mlir::func::FuncOp>(dma::createVerifyRaces());
    return mlir::succeeded(manager.run(module));
  }

  /// Writes the program; why that fails, or "".
  std::string emit(ModuleOp scheduled) {
    OwningOpRef<ModuleOp> module = scheduled.clone();
    mlir::PassManager manager(&context);
    buildEmitStage(manager);
    if (failed(manager.run(*module)))
      return "not emitted";
    auto program = isa::ir::encode(*module, &target);
    if (failed(program))
      return "not encoded";
    if (llvm::Error error = emitProgram(*module, *program, target, path))
      return llvm::toString(std::move(error));
    return "";
  }

  struct Outcome {
    std::string failure; ///< "" if all is well
    std::string outputs; ///< the bytes of all
  };
  /// What runs of the written program, one after the other, give.
  Outcome run(llvm::ArrayRef<NpzArrays> runs, sim::RunOptions options) {
    auto loaded = Program::load(path);
    if (!loaded)
      return {llvm::toString(loaded.takeError()), ""};
    options.timing = false;
    Outcome outcome;
    for (const NpzArrays &inputs : runs) {
      auto result =
          (*loaded)->run((*loaded)->entries().front(), inputs, options);
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
    return run(runs, options);
  }

  /// Whether the written program gives `outputs` in each of some legal orders.
  bool gives(const std::string &outputs, llvm::ArrayRef<NpzArrays> runs) {
    return llvm::all_of(llvm::seq<uint64_t>(0, 16), [&](uint64_t seed) {
      sim::RunOptions options;
      options.adversarialSeed = seed;
      Outcome outcome = run(runs, options);
      return outcome.failure.empty() && outcome.outputs == outputs;
    });
  }

  /// Steps of one to three sequences: prompts, single tokens, and chunks that
  /// begin and end within blocks of the cache and within steps of the softmax.
  static std::vector<NpzArrays> decoderRuns();

  struct Judgement {
    int mutants = 0, implied = 0; ///< by other waits, as the prover knows
    std::vector<std::string> unreported; ///< by a run
    /// Of those reported, the ones that give the same results in all orders.
    std::vector<std::string> unchanged;
  };
  /// Runs report most mutants, of which there are `fewest` at least, and each of
  /// those goes wrong in some order.
  ///
  /// Not reported are those whose wait runs do not need, but the prover does: it
  /// does not see that two queues are ordered through a third (an operand lies
  /// where the embedding's rows were gathered, and its writer waited for the
  /// gather), that a loop runs at least once (scores are written over after the
  /// softmax that read them, for which the products with its weights waited), or
  /// that rows which are known only when the program runs are others.
  static void expectMostReported(const Judgement &judgement, int fewest) {
    EXPECT_GE(judgement.mutants, fewest);
    EXPECT_LE(int(judgement.unreported.size()), judgement.mutants / 3)
        << testing::PrintToString(judgement.unreported);
    EXPECT_LE(judgement.implied, judgement.mutants / 20);
    // Few need an order that no seed finds.
    EXPECT_LE(int(judgement.unchanged.size()), judgement.mutants / 50)
        << testing::PrintToString(judgement.unchanged);
  }

  /// Judges the mutants of `file`.
  Judgement judge(const std::string &file, llvm::ArrayRef<NpzArrays> runs,
                  int64_t rows = 0) {
    OwningOpRef<ModuleOp> module = scheduled(file, rows);
    EXPECT_TRUE(module) << file;
    if (!module)
      return {};
    EXPECT_EQ(emit(*module), "") << file;
    Outcome expected = runChecked(runs);
    EXPECT_EQ(expected.failure, "") << file;
    EXPECT_TRUE(gives(expected.outputs, runs)) << file;
    Judgement result;
    dma::forEachMutant(*module, [&](const std::string &name) {
      ++result.mutants;
      bool accepted = accepts(*module);
      EXPECT_EQ(emit(*module), "") << name;
      std::string failure = runChecked(runs).failure;
      bool unchanged = gives(expected.outputs, runs);
      if (accepted) {
        // What a loop waits for in each round it need not wait for before it.
        ++result.implied;
        EXPECT_EQ(failure, "") << name;
        EXPECT_TRUE(unchanged) << name;
        return;
      }
      if (failure.empty()) {
        result.unreported.push_back(name);
        EXPECT_TRUE(unchanged) << name;
        return;
      }
      EXPECT_NE(failure.find("race on "), std::string::npos)
          << name << ": " << failure;
      if (unchanged)
        result.unchanged.push_back(name);
    });
    return result;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::ScopedDiagnosticHandler handler;
  TempFolder folder;
  std::string path = folder.path("program.srn");
  TargetModel target;
};

/// Token ids of the models' small vocabulary, hardly two after another the
/// same.
template <typename T>
std::vector<T> tokens(size_t count) {
  std::mt19937 random(count);
  std::vector<T> result(count);
  std::generate(result.begin(), result.end(), [&] { return T(random() % 10); });
  return result;
}

/// Rows of so many tokens, of which the last one of several is left out.
NpzArrays encoderInputs(uint64_t batch, uint64_t length) {
  NpzArrays result;
  result["ids"] =
      makeArray(NpyType::i8, {batch, length}, tokens<int64_t>(batch * length));
  std::vector<int64_t> mask(batch * length, 1);
  for (uint64_t row = 0; length > 1 && row < batch; ++row)
    mask[(row + 1) * length - 1] = 0;
  result["mask"] = makeArray(NpyType::i8, {batch, length}, mask);
  return result;
}

/// A step of sequences with so many tokens before it and in it, in blocks of
/// their own.
NpzArrays stepInputs(llvm::ArrayRef<std::pair<int32_t, int32_t>> sequences) {
  constexpr int32_t block = 8, blocksEach = 9;
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
  static_assert(block * blocksEach == 72, "the context that is compiled for");
  NpzArrays result;
  result["token_ids"] = indices(tokens<int32_t>(positions.size()));
  result["positions"] = indices(positions);
  result["query_starts"] = indices(starts);
  result["kv_lengths"] = indices(lengths);
  result["block_tables"] =
      makeArray(NpyType::i4, {lengths.size(), blocksEach}, tables);
  result["logit_rows"] = indices(rows);
  return result;
}

} // namespace

std::vector<NpzArrays> CompiledMutants::decoderRuns() {
  return {stepInputs({{0, 9}, {0, 3}}), stepInputs({{9, 1}, {3, 8}, {0, 2}}),
          stepInputs({{10, 1}, {11, 1}, {2, 1}}), stepInputs({{11, 12}}),
          stepInputs({{23, 9}, {12, 3}}), stepInputs({{3, 2}}),
          // The fifth token has logits.
          stepInputs({{0, 5}, {0, 7}}),
          // Two and three steps of the softmax, several tiles of queries.
          stepInputs({{32, 1}, {15, 27}}), stepInputs({{42, 28}}),
          stepInputs({{0, 28}}), stepInputs({{28, 28}}),
          stepInputs({{56, 9}, {33, 16}, {0, 1}}),
          stepInputs({{65, 1}, {64, 1}, {71, 1}})};
}

TEST_F(CompiledMutants, PortionsGiveTheSameBits) {
  std::vector<NpzArrays> steps = decoderRuns();
  // Rows of the batch stay whole.
  std::vector<NpzArrays> batches = {encoderInputs(6, 2), encoderInputs(1, 3),
                                    encoderInputs(12, 1), encoderInputs(4, 3)};
  for (const auto &[file, runs] :
       {std::pair("decoder.mlir", steps), std::pair("encoder.mlir", batches)}) {
    OwningOpRef<ModuleOp> whole = scheduled(file, 12);
    ASSERT_TRUE(whole) << file;
    ASSERT_EQ(emit(*whole), "") << file;
    Outcome expected = runChecked(runs);
    ASSERT_EQ(expected.failure, "") << file;
    for (int64_t rows : {3, 4, 5, 8, 11}) {
      OwningOpRef<ModuleOp> module = scheduled(file, rows);
      ASSERT_TRUE(module) << file;
      EXPECT_TRUE(accepts(*module)) << file << " with " << rows << " rows";
      ASSERT_EQ(emit(*module), "") << file;
      Outcome found = runChecked(runs);
      EXPECT_EQ(found.failure, "") << file << " with " << rows << " rows";
      EXPECT_EQ(found.outputs, expected.outputs) << file << " with " << rows << " rows";
      EXPECT_TRUE(gives(expected.outputs, runs)) << file << " with " << rows << " rows";
    }
  }
}

TEST_F(CompiledMutants, Encoder) {
  std::vector<NpzArrays> runs = {encoderInputs(2, 5), encoderInputs(1, 12),
                                 encoderInputs(3, 4), encoderInputs(12, 1)};
  expectMostReported(judge("encoder.mlir", runs, 12), 60);
}

TEST_F(CompiledMutants, Decoder) {
  expectMostReported(judge("decoder.mlir", decoderRuns(), 12), 100);
}

TEST_F(CompiledMutants, DecoderInPortions) {
  // What a later portion reads of the cache an earlier one has stored.
  expectMostReported(judge("decoder.mlir", decoderRuns(), 5), 100);
}
