//===- ExportProblems.cpp - writes allocation problems as files -----------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Mem/Passes/MemPasses.h"

#include "dialects/Mem/Lifetimes.h"
#include "dialects/Tile/Target.h"
#include "serrano/Schedule/AllocationFile.h"
#include "serrano/Support/AtomicFile.h"
#include "llvm/Support/Path.h"

namespace serrano::mem {
#define GEN_PASS_DEF_EXPORTPROBLEMS
#include "dialects/Mem/Passes/MemPasses.h.inc"
} // namespace serrano::mem

using namespace mlir;
using namespace serrano;
using namespace serrano::mem;

namespace {

class ExportProblems : public mem::impl::ExportProblemsBase<ExportProblems> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  llvm::Error write(func::FuncOp function, Space space, int64_t capacity);
};

} // namespace

llvm::Error ExportProblems::write(func::FuncOp function, Space space,
                                  int64_t capacity) {
  Placement placement = getPlacement(function, space, capacity);
  if (placement.problem.buffers().empty())
    return llvm::Error::success();
  SmallString<128> path(folder.getValue());
  llvm::sys::path::append(path, function.getName() + "." +
                                    stringifySpace(space) + ".csv");
  llvm::Expected<AtomicFile> file = AtomicFile::create(path);
  if (!file)
    return file.takeError();
  writeAllocation(placement.problem, file->stream());
  return file->commit();
}

void ExportProblems::runOnOperation() {
  markAllAnalysesPreserved();
  FailureOr<TargetModel> model = tile::getTarget(getOperation(), target);
  if (failed(model))
    return signalPassFailure();
  for (auto function : getOperation().getOps<func::FuncOp>())
    for (auto [space, capacity] :
         {std::pair{Space::Scratchpad, model->scratchpadBytes()},
          std::pair{Space::Accumulators, model->accumulatorBytes()}})
      if (llvm::Error error = write(function, space, capacity)) {
        function.emitError() << llvm::toString(std::move(error));
        return signalPassFailure();
      }
}
