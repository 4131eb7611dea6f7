//===- RandomProgramTest.cpp - the race prover against real runs --*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random programs of loops and branches on four queues. What `dma-verify-races`
// accepts must not race in any run, whoever wrote the waits; what
// `dma-insert-waits` writes must be accepted, and little of it may be too much.
//
//===----------------------------------------------------------------------===//

#include "ConcreteRun.h"
#include "WaitMutants.h"
#include "dialects/Dma/Passes/DmaPasses.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

using namespace serrano;
using mlir::ModuleOp;
using mlir::OwningOpRef;

namespace {

class RandomProgram {
public:
  explicit RandomProgram(unsigned seed) : random(seed) {}

  std::string text() {
    std::string body = block(0);
    return R"(
tile.tensor @t temporary : memref<8x8xf32>
tile.tensor @unread temporary : memref<8x8xf32>
func.func @program(%n: index, %condition: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b0 = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %b1 = mem.buffer scratchpad at 128 : memref<8x8xf32>
  %b2 = mem.buffer scratchpad at 1024 : memref<8x8xf32>
  %b3 = mem.buffer accumulators at 0 : memref<8x8xf32>
)" + body + "  return\n}\n";
  }

private:
  unsigned below(unsigned n) { return random() % n; }

  std::string slot() { return "%b" + std::to_string(below(4)); }

  std::string operation() {
    std::string type = " : memref<8x8xf32>";
    switch (below(5)) {
    case 0:
      return "dma.load @t[%n, %n] to " + slot() + " rows %n" + type;
    case 1:
      return "tile.unary exp " + slot() + " to " + slot() + " rows %n cols %n" +
             type + ", memref<8x8xf32>";
    case 2:
      return "tile.fill 0.0 to " + slot() + " rows %n cols %n" + type;
    case 3:
      return "tile.matmul " + slot() + " to " + slot() + " m %n" + type +
             ", memref<8x8xf32>";
    default: // What is stored nobody loads: only the slots can race.
      return "dma.store " + slot() + " to @unread[%n, %n] rows %n" + type;
    }
  }

  static std::string index(unsigned depth) {
    return "%i" + std::to_string(depth);
  }

  std::string block(unsigned depth) {
    std::string result;
    for (unsigned i = 0, n = 1 + below(4); i < n; ++i) {
      unsigned kind = depth < 3 ? below(6) : 5;
      if (kind == 0)
        result += "scf.for " + index(depth) + " = %c0 to %n step %c1 {\n" +
                  block(depth + 1) + "}\n";
      else if (kind == 1)
        result += "scf.for " + index(depth) + " = %c0 to %c2 step %c1 {\n" +
                  block(depth + 1) + "}\n";
      else if (kind == 2)
        result += "scf.if %condition {\n" + block(depth + 1) + "} else {\n" +
                  block(depth + 1) + "}\n";
      else
        result += operation() + "\n";
    }
    return result;
  }

  std::mt19937 random;
};

class RaceProver : public testing::Test {
protected:
  RaceProver()
      : handler(&context, [](mlir::Diagnostic &) { return mlir::success(); }) {
    context.loadDialect<dma::DmaDialect, mlir::arith::ArithDialect,
                        mlir::func::FuncDialect, mlir::memref::MemRefDialect,
                        mlir::scf::SCFDialect>();
  }

  OwningOpRef<ModuleOp> parse(const std::string &text) {
    return mlir::parseSourceString<ModuleOp>(text, &context);
  }

  bool run(ModuleOp module, std::unique_ptr<mlir::Pass> pass) {
    mlir::PassManager manager(&context);
    manager.addNestedPass<mlir::func::FuncOp>(std::move(pass));
    return mlir::succeeded(manager.run(module));
  }
  bool insertWaits(ModuleOp module) {
    return run(module, dma::createInsertWaits());
  }
  bool accepts(ModuleOp module) {
    return run(module, dma::createVerifyRaces());
  }

  static bool racesInSomeRun(ModuleOp module, int runs) {
    auto function = *module.getOps<mlir::func::FuncOp>().begin();
    for (int seed = 0; seed < runs; ++seed)
      if (dma::ConcreteRun(seed).races(function))
        return true;
    return false;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace

TEST_F(RaceProver, WhatIsInsertedSuffices) {
  int waits = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::string text = RandomProgram(seed).text();
    OwningOpRef<ModuleOp> module = parse(text);
    ASSERT_TRUE(module) << text;
    ASSERT_TRUE(insertWaits(*module)) << text;
    EXPECT_TRUE(accepts(*module)) << text;
    EXPECT_FALSE(racesInSomeRun(*module, 8)) << text;
    module->walk([&](mlir::Operation *op) {
      waits += op->hasAttr(dma::DmaDialect::kWaitsAttr);
    });
  }
  EXPECT_GT(waits, 500);
}

TEST_F(RaceProver, InsertedWaitsAreNeeded) {
  int mutants = 0, implied = 0, raced = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    OwningOpRef<ModuleOp> module = parse(RandomProgram(seed).text());
    ASSERT_TRUE(insertWaits(*module));
    dma::forEachMutant(*module, [&](const std::string &name) {
      ++mutants;
      bool accepted = accepts(*module), races = racesInSomeRun(*module, 8);
      EXPECT_FALSE(accepted && races) << name << " of program " << seed;
      implied += accepted;
      raced += races;
    });
  }
  EXPECT_GT(mutants, 300);
  // A wait in an inner loop can become unnecessary through one that is found
  // later.
  EXPECT_LE(implied, mutants / 50);
  // Of those that are refused, some are implied through a third queue, and some
  // race in rarer runs only.
  EXPECT_GT(raced, mutants / 2);
}

TEST_F(RaceProver, WhatIsAcceptedNeverRaces) {
  // Waits and signals that nobody thought about.
  int accepted = 0, refused = 0;
  for (unsigned seed = 0; seed < 800; ++seed) {
    std::string text = RandomProgram(seed).text();
    OwningOpRef<ModuleOp> module = parse(text);
    ASSERT_TRUE(insertWaits(*module));
    std::mt19937 random(seed);
    module->walk([&](mlir::Operation *op) {
      if (!dma::getQueue(op))
        return;
      if (random() % 8 == 0)
        op->removeAttr(dma::DmaDialect::kSignalAttr);
      if (mlir::isa<dma::SyncOp>(op) || random() % 3)
        return;
      auto wait = dma::WaitAttr::get(&context, random() % 4, random() % 3);
      op->setAttr(dma::DmaDialect::kWaitsAttr,
                  mlir::ArrayAttr::get(&context, {wait}));
    });
    if (!accepts(*module)) {
      ++refused;
      continue;
    }
    ++accepted;
    EXPECT_FALSE(racesInSomeRun(*module, 8)) << "program " << seed;
  }
  EXPECT_GT(accepted, 50);
  EXPECT_GT(refused, 200);
}

TEST_F(RaceProver, LagsAreCutAtTheLargest) {
  // 70 loads follow the one that the fill depends on; an instruction can leave
  // out the last 63 of them at most.
  std::string text = "tile.tensor @t temporary : memref<8x8xf32>\n"
                     "func.func @program(%n: index) {\n"
                     "%x = mem.buffer scratchpad at 0 : memref<8x8xf32>\n"
                     "%y = mem.buffer scratchpad at 256 : memref<8x8xf32>\n"
                     "dma.load @t[%n, %n] to %x rows %n : memref<8x8xf32>\n";
  for (int i = 0; i < 70; ++i)
    text += "dma.load @t[%n, %n] to %y rows %n : memref<8x8xf32>\n";
  text += "tile.fill 0.0 to %x rows %n cols %n : memref<8x8xf32>\nreturn\n}\n";
  OwningOpRef<ModuleOp> module = parse(text);
  ASSERT_TRUE(insertWaits(*module));
  dma::WaitAttr wait;
  module->walk([&](tile::FillOp fill) {
    wait = mlir::cast<dma::WaitAttr>(
        fill->getAttrOfType<mlir::ArrayAttr>(dma::DmaDialect::kWaitsAttr)[0]);
  });
  EXPECT_EQ(wait, dma::WaitAttr::get(&context, 0, 63));
  EXPECT_TRUE(accepts(*module));
  EXPECT_FALSE(racesInSomeRun(*module, 1));
}
