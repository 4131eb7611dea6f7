//===- ReportUnraised.cpp - says what was not recognised -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/LlmPasses.h"
#include "dialects/Llm/Passes/Remarks.h"

#include "llvm/ADT/TypeSwitch.h"

namespace serrano::llm {
#define GEN_PASS_DEF_REPORTUNRAISED
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

/// Why the operation is a part of something unrecognised; empty if it is not.
static std::string findProblem(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::string>(op)
      .Case([](SoftmaxOp) {
        return "softmax is no part of a recognised attention: expected a "
               "product of query and key before it, with "
               "constant scales and at most one added mask, and a product with "
               "the values after it";
      })
      .Case([](MatmulOp matmul) {
        return "product of two computed matrices is no part of a recognised "
               "attention or projection; shapes are " +
               toString(getExtents(matmul.getLhs())) + " and " +
               toString(getExtents(matmul.getRhs()));
      })
      .Case([](ReduceOp reduce) -> std::string {
        if (reduce.getKind() != ReduceKind::Mean)
          return "";
        return "mean is no part of a recognised normalisation: expected it "
               "over the last dimension, of squares for a "
               "root mean square, and a weight of rank 1 as the scale";
      })
      .Case([](UnaryOp unary) -> std::string {
        switch (unary.getKind()) {
        case UnaryKind::Erf:
          return "erf is no part of a recognised gelu: expected x/2 * (1 + "
                 "erf(x / sqrt(2)))";
        case UnaryKind::Cos:
        case UnaryKind::Sin:
          return "angle is no part of a recognised rotary embedding: expected "
                 "the product of integer positions and a "
                 "vector of frequencies that is a weight";
        default:
          return "";
        }
      })
      .Case([](ExtentsOp) { return "shape arithmetic is used as data"; })
      .Default([](Operation *) { return ""; });
}

namespace {

struct ReportUnraised : serrano::llm::impl::ReportUnraisedBase<ReportUnraised> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (std::string problem = findProblem(op); !problem.empty())
        remarkUnrecognised(op->getLoc(), "llm-report-unraised", "NotRecognised",
                           problem);
    });
    markAllAnalysesPreserved();
  }
};

} // namespace
