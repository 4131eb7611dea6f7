//===- IsaDialectTest.cpp - tests of operations and encoding ----*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomInstruction.h"
#include "dialects/Isa/Encode.h"
#include "dialects/Isa/Isa.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "serrano/Isa/Assembly.h"
#include "serrano/Isa/Codec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

using namespace serrano;
using mlir::ModuleOp;
using mlir::OwningOpRef;

namespace {

class IsaDialectTest : public testing::Test {
protected:
  IsaDialectTest()
      : handler(&context, [this](mlir::Diagnostic &diagnostic) {
          diagnostics += diagnostic.str() + "\n";
        }) {
    context.loadDialect<isa::ir::IsaDialect>();
  }

  OwningOpRef<ModuleOp> parse(llvm::StringRef text) {
    return mlir::parseSourceString<ModuleOp>(text, &context);
  }

  mlir::MLIRContext context;
  std::string diagnostics;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace

/// With the fields that a single operation knows.
template <typename T>
static T withoutAddresses(T instruction) {
  T::visit(instruction, [](isa::FieldInfo, auto &field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, isa::Body> ||
                  std::is_same_v<Field, isa::Callee>)
      field = {};
  });
  return instruction;
}

static llvm::SmallVector<uint64_t> encodedWords(const isa::Instruction &i) {
  llvm::SmallVector<uint64_t> words;
  llvm::cantFail(isa::encode(i, words));
  return words;
}

TEST_F(IsaDialectTest, OperationsAreTheirInstructions) {
  isa::RandomInstruction(8).forEach(50, [&](const auto &drawn) {
    isa::Instruction instruction = withoutAddresses(drawn);
    // Made, verified, printed, parsed: still the same.
    OwningOpRef<ModuleOp> module =
        ModuleOp::create(mlir::UnknownLoc::get(&context));
    mlir::OpBuilder builder(module->getBodyRegion());
    mlir::Operation *operation = isa::ir::createInstruction(
        builder, builder.getUnknownLoc(), instruction, "callee");
    ASSERT_TRUE(succeeded(mlir::verify(operation))) << diagnostics;
    EXPECT_EQ(encodedWords(isa::ir::toInstruction(operation)),
              encodedWords(instruction));

    std::string text;
    llvm::raw_string_ostream(text) << *module;
    OwningOpRef<ModuleOp> parsed = parse(text);
    ASSERT_TRUE(parsed) << text << diagnostics;
    EXPECT_EQ(encodedWords(isa::ir::toInstruction(&parsed->getBody()->front())),
              encodedWords(instruction))
        << text;
  });
}

TEST_F(IsaDialectTest, EncodesAsTheAssembler) {
  OwningOpRef<ModuleOp> module = parse(R"(
    module attributes {isa.operators = ["norm"]} {
      isa.zeroes "x" at 0 bytes 256
      isa.entry @f dims [{name = "n", max = 4, smem = 0}]
        inputs [{name = "a", dtype = "f32", stored = "bf16", shape = ["n", "2*n"],
                 space = "hbm", address = 0}]
        outputs []
      isa.func @f {
        isa.loop index=r1, count=3 {
          isa.skip condition=lt, a=r1, b=r2 {
            isa.call callee=@g
          }
          isa.s.add rd=r3, a=r1, b=r2-1
        }
        isa.halt
      }
      isa.func @g {
        isa.mark op=1, layer=r1
        isa.v.fill signal=c1, dst=acc[r1+64]:16:f32, imm=-inf, rows=1, cols=1
        isa.sync waiter=vector, wait0=c1
        isa.ret
      }
    })");
  ASSERT_TRUE(module) << diagnostics;
  mlir::FailureOr<isa::Program> program = isa::ir::encode(*module);
  ASSERT_TRUE(succeeded(program)) << diagnostics;

  isa::Program expected = llvm::cantFail(isa::assemble(R"(
    .hbm x, 256
    .op 1, "norm"
    .entry f
    .dim n, max=4, smem=0
    .input a, f32, [n, 2*n], hbm=x, stored=bf16
    func f {
      loop index=r1, count=3 {
        skip condition=lt, a=r1, b=r2 {
          call callee=g
        }
        s.add rd=r3, a=r1, b=r2-1
      }
      halt
    }
    func g {
      mark op=1, layer=r1
      v.fill signal=c1, dst=acc[r1+64]:16:f32, imm=-inf, rows=1, cols=1
      sync waiter=vector, wait0=c1
      ret
    })",
                                                       "f.s"));
  EXPECT_EQ(program->text, expected.text);
  EXPECT_EQ(isa::manifestOf(*program), isa::manifestOf(expected));
}

TEST_F(IsaDialectTest, EncodeNamesTheOperationThatIsWrong) {
  OwningOpRef<ModuleOp> module =
      parse("isa.func @f { isa.call callee=@missing\n isa.halt }");
  ASSERT_TRUE(module) << diagnostics;
  EXPECT_TRUE(failed(isa::ir::encode(*module)));
  EXPECT_THAT(diagnostics,
              testing::HasSubstr("calls @missing, which is no isa.func of the "
                                 "module"));

  diagnostics.clear();
  module = parse("isa.func @f { isa.sync wait0=c1\n isa.halt }");
  ASSERT_TRUE(module) << diagnostics;
  EXPECT_TRUE(failed(isa::ir::encode(*module)));
  EXPECT_THAT(diagnostics,
              testing::HasSubstr("waits for c1, which nothing signals"));
}
