//===- RandomProgramTest.cpp - the race prover against real runs --*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random programs of loops and branches on all queues, over buffers, columns and
// rows of them at places that loops move, tensors and two rings of a cache. What
// `dma-verify-races` accepts must not race in any run, whoever wrote the waits; what
// `dma-insert-waits` writes must be accepted, and little of it may be too much. A proof
// that begins from another one must say what a whole one says.
//
//===----------------------------------------------------------------------===//

#include "../WaitReasons.h"
#include "ConcreteRun.h"
#include "WaitMutants.h"
#include "dialects/Dma/Passes/DmaPasses.h"
#include "dialects/Dma/Races.h"
#include "dialects/Dma/WaitProof.h"
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
    std::string body = block();
    return R"(
tile.tensor @t temporary : memref<32x8xf32>
tile.tensor @u temporary : memref<32x8xf32>
tile.tensor @ids temporary scalar : memref<1x8xi32>
tile.tensor @kv cache : memref<32x8xf32>
func.func @program(%n: index, %m: index, %rows: index, %cols: index, %condition: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %b0 = mem.buffer scratchpad at 0 : memref<8x8xf32>
  %b1 = mem.buffer scratchpad at 128 : memref<8x8xf32>
  %b2 = mem.buffer scratchpad at 1024 : memref<8x8xf32>
  %b3 = mem.buffer accumulators at 0 : memref<8x8xf32>
  %ring0 = mem.ring 0 of @kv at 2048 slots 2 : !tile.stream<memref<8x8xf32>>
  %ring1 = mem.ring 1 of @kv at 4096 slots 2 : !tile.stream<memref<8x8xf32>>
  %few = arith.minsi %n, %c3 : index
  %half = arith.divui %m, %c2 : index
  %fewer = arith.minsi %half, %c2 : index
)" + body + "  return\n}\n";
  }

private:
  unsigned below(unsigned n) { return random() % n; }

  struct Slot {
    std::string name, type;
  };

  /// A buffer, or a view of one: columns, every second row, one row for all, or columns
  /// or rows whose place depends on a loop around, or on an argument. The lines that it takes go to `text`.
  Slot slot(std::string &text) {
    std::string buffer = "%b" + std::to_string(below(4)), offset = "0", sizes, strides = "8, 1";
    switch (below(6)) {
    case 0:
    case 1:
      return {buffer, "memref<8x8xf32>"};
    case 2: { // Columns.
      unsigned col = below(8);
      offset = std::to_string(col);
      sizes = "8, " + std::to_string(1 + below(8 - col));
      break;
    }
    case 3: // Every second row.
      offset = std::to_string(8 * below(2));
      sizes = "4, 8", strides = "16, 1";
      break;
    case 4: // One row for all.
      offset = std::to_string(8 * below(8));
      sizes = "8, 8", strides = "0, 1";
      break;
    default: { // Columns 0 to 5, or rows 0 to 5, from where the loop is.
      unsigned first = below(3);
      bool rows = below(2);
      std::string moved = fresh(), at = fresh();
      text += moved + " = arith.muli " + loops[below(loops.size())] + ", %c" +
              (rows ? "8" : "1") + " : index\n";
      std::string start = fresh();
      text += start + " = arith.constant " + std::to_string(first * (rows ? 8 : 1)) +
              " : index\n" + at + " = arith.addi " + moved + ", " + start + " : index\n";
      offset = at;
      sizes = rows ? "2, 8" : "8, 2";
    }
    }
    std::string shape = sizes;
    shape.replace(shape.find(", "), 2, "x");
    std::string layout = offset[0] == '%' ? "?" : offset;
    std::string type = "memref<" + shape + "xf32, strided<[" + strides + "]" +
                       (layout == "0" ? "" : ", offset: " + layout) + ">>";
    std::string name = fresh();
    text += name + " = memref.reinterpret_cast " + buffer + " to offset: [" + offset +
            "], sizes: [" + sizes + "], strides: [" + strides + "] : memref<8x8xf32> to " + type +
            "\n";
    return {name, type};
  }

  std::string fresh() { return "%v" + std::to_string(values++); }

  std::string operation() {
    std::string text;
    unsigned kind = below(7);
    if (kind == 6) // What it reads may have been stored before.
      return "dma.order_blocks %ring" + std::to_string(below(2)) + "[%c0] by @ids[%c0] bound 4 step 8 count %n tail %n passes %m "
             ": !tile.stream<memref<8x8xf32>>\n";
    Slot a = slot(text), b = slot(text);
    switch (kind) {
    case 0:
      return text + "dma.load @" + (below(2) ? "t" : "u") + "[%n, %c0] to " + a.name +
             " rows %rows : " + a.type + "\n";
    case 1:
      return text + "tile.unary exp " + a.name + " to " + b.name + " rows %rows cols %cols : " +
             a.type + ", " + b.type + "\n";
    case 2:
      return text + "tile.fill 0.0 to " + a.name + " rows %rows cols %cols : " + a.type + "\n";
    case 3:
      return text + "tile.matmul " + a.name + " to " + b.name + " m %rows : " + a.type + ", " +
             b.type + "\n";
    case 4: // Two heads: within the view's 8 columns, or wherever the number of columns says.
      return text + "tile.rope %b" + std::to_string(below(4)) + ", %b2, %b2 to %b" +
             std::to_string(below(4)) + " heads 2 rotary 4 head_stride 4 rows %rows cols " +
             (below(2) ? "%c4" : "%cols") +
             " : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>\n";
    default: // Nobody loads what is stored to the cache but the ring.
      return text + "dma.store " + a.name + " to @" + (below(2) ? "u" : "kv") +
             "[%m, %c0] rows %rows : " + a.type + "\n";
    }
  }

  std::string loop(const std::string &trips) {
    std::string index = fresh();
    loops.push_back(index);
    std::string result =
        "scf.for " + index + " = %c0 to " + trips + " step %c1 {\n" + block() + "}\n";
    loops.pop_back();
    return result;
  }

  std::string block() {
    std::string result;
    ++depth;
    for (unsigned i = 0, n = 1 + below(4); i < n; ++i) {
      unsigned kind = depth < 4 ? below(7) : 6;
      if (kind == 0)
        result += loop("%few");
      else if (kind == 1)
        result += loop("%fewer");
      else if (kind == 2)
        result += loop("%c" + std::to_string(1 + below(3)));
      else if (kind == 3)
        result += "scf.if %condition {\n" + block() + "} else {\n" + block() + "}\n";
      else
        result += operation();
    }
    --depth;
    return result;
  }

  std::mt19937 random;
  unsigned depth = 0, values = 0;
  /// Indices of those around, and a number that is none but has the same limits.
  std::vector<std::string> loops = {"%fewer"};
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

  /// The graphs of so many runs.
  static std::vector<OrderGraph> record(ModuleOp module, int runs) {
    std::vector<OrderGraph> graphs;
    for (int seed = 0; seed < runs; ++seed)
      graphs.push_back(
          dma::ConcreteRun(seed).record(*module.getOps<mlir::func::FuncOp>().begin()));
    return graphs;
  }

  static bool racesInSomeRun(ModuleOp module, int runs) {
    return llvm::any_of(record(module, runs), [](const OrderGraph &graph) {
      return firstMissing(eventsMet(graph), eventsBefore(graph)).has_value();
    });
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
  MutantCounts counts;
  for (unsigned seed = 0; seed < 60; ++seed) {
    OwningOpRef<ModuleOp> module = parse(RandomProgram(seed).text());
    ASSERT_TRUE(insertWaits(*module));
    std::vector<WholeRun> whole;
    for (OrderGraph &graph : record(*module, 8))
      EXPECT_FALSE(whole.emplace_back(std::move(graph)).race()) << "program " << seed;
    dma::forEachMutant(*module, [&](const std::string &name) {
      // A wait that the prover can do without is not inserted. So it refuses each that
      // races in a run, and more: it knows neither the loops' counts nor all bytes.
      EXPECT_FALSE(accepts(*module)) << name << " of program " << seed;
      std::vector<MutantRun> judged;
      for (auto [each, graph] : llvm::zip_equal(whole, record(*module, 8)))
        judged.emplace_back(each, std::move(graph));
      counts.add("program " + std::to_string(seed) + ", " + name, judged);
    });
  }
  counts.print("random programs");
  EXPECT_GT(counts.mutants, 300);
  EXPECT_GT(counts.raced, counts.mutants / 2);
}

TEST_F(RaceProver, WeakerWaitsAreJudgedAsByAWholeProof) {
  int accepted = 0, refused = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    OwningOpRef<ModuleOp> module = parse(RandomProgram(seed).text());
    ASSERT_TRUE(insertWaits(*module));
    auto function = *module->getOps<mlir::func::FuncOp>().begin();
    auto touches = dma::getTouches(function);
    dma::QueueProgram program(function, *touches);
    auto note = [&](mlir::Operation *op, llvm::ArrayRef<dma::Wait> waits) {
      auto attributes = llvm::map_to_vector(waits, [&](const dma::Wait &wait) -> mlir::Attribute {
        return dma::WaitAttr::get(&context, dma::getCounter(wait.queue), wait.lag);
      });
      op->setAttr(dma::DmaDialect::kWaitsAttr, mlir::ArrayAttr::get(&context, attributes));
    };
    // Each operation waits for all before it, which is more than it needs.
    for (dma::QueuedOp &op : program.ops) {
      op.waits = {{dma::Queue::DmaIn, 0}, {dma::Queue::DmaOut, 0}, {dma::Queue::Matrix, 0}, {dma::Queue::Vector, 0}};
      note(op.op, op.waits);
    }
    dma::WaitProof proof(program);
    std::mt19937 random(seed);
    for (int change = 0; change < 100; ++change) {
      unsigned number = random() % program.ops.size();
      llvm::SmallVector<dma::Wait, 2> before = program.ops[number].waits, weaker = before;
      if (weaker.empty())
        continue;
      size_t wait = random() % weaker.size();
      if (random() % 2)
        weaker[wait].lag += 1 + random() % 2;
      else
        weaker.erase(weaker.begin() + wait);
      note(program.ops[number].op, weaker);
      bool races = !dma::findRaces(function, *touches).empty();
      ASSERT_EQ(proof.accepts(number, weaker), !races) << "change " << change << " of program " << seed;
      ++(races ? refused : accepted);
      if (races)
        note(program.ops[number].op, before);
    }
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(refused, 500);
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
