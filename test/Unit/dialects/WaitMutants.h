//===- WaitMutants.h - a program with one wait fewer ---------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_DIALECTS_WAITMUTANTS_H
#define SERRANO_TEST_UNIT_DIALECTS_WAITMUTANTS_H

#include "dialects/Dma/Dma.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <string>

namespace serrano::dma {

/// Calls `visit` with the program in which one wait is dropped, then with the
/// one in which its lag is one larger, for each wait in turn; `name` says
/// which. Afterwards the program is as it was.
inline void
forEachMutant(mlir::Operation *program,
              llvm::function_ref<void(const std::string &name)> visit) {
  int number = 0;
  program->walk([&](mlir::Operation *op) {
    auto waits = op->getAttrOfType<mlir::ArrayAttr>(DmaDialect::kWaitsAttr);
    if (!waits)
      return;
    mlir::MLIRContext *context = op->getContext();
    for (size_t i = 0; i < waits.size(); ++i) {
      auto wait = mlir::cast<WaitAttr>(waits[i]);
      std::string name = "wait " + std::to_string(number++) + ": " +
                         op->getName().getStringRef().str() + " for counter " +
                         std::to_string(wait.getCounter()) + " with lag " +
                         std::to_string(wait.getLag());
      llvm::SmallVector<mlir::Attribute> others(waits.getValue());
      others.erase(others.begin() + i);
      op->setAttr(DmaDialect::kWaitsAttr,
                  mlir::ArrayAttr::get(context, others));
      visit(name + ", dropped");
      if (wait.getLag() < maxLag) {
        llvm::SmallVector<mlir::Attribute> weaker(waits.getValue());
        weaker[i] =
            WaitAttr::get(context, wait.getCounter(), wait.getLag() + 1);
        op->setAttr(DmaDialect::kWaitsAttr,
                    mlir::ArrayAttr::get(context, weaker));
        visit(name + ", weakened");
      }
      op->setAttr(DmaDialect::kWaitsAttr, waits);
    }
  });
}

} // namespace serrano::dma

#endif // SERRANO_TEST_UNIT_DIALECTS_WAITMUTANTS_H
