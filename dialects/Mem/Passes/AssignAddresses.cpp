//===- AssignAddresses.cpp - gives everything its address --------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Mem/Passes/MemPasses.h"

#include "dialects/Mem/Lifetimes.h"
#include "dialects/Mem/PlacementReport.h"
#include "dialects/Tile/Target.h"
#include "llvm/Support/MathExtras.h"

namespace serrano::mem {
#define GEN_PASS_DEF_ASSIGNADDRESSES
#include "dialects/Mem/Passes/MemPasses.h.inc"
} // namespace serrano::mem

using namespace mlir;
using namespace serrano;
using namespace serrano::mem;

/// Sections of the program file are mapped by pages.
static constexpr int64_t pageBytes = 4096;
/// A ring of one slot could not fill while it is read.
static constexpr int64_t fewestSlots = 2;
static constexpr int64_t mostSlots = 1023;

namespace {

class AssignAddresses : public mem::impl::AssignAddressesBase<AssignAddresses> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  LogicalResult placeBuffers(func::FuncOp function, const TargetModel &target);
  LogicalResult chooseSlots(func::FuncOp function, const TargetModel &target,
                            int64_t left);
  FailureOr<AllocationResult> place(func::FuncOp function, Space space,
                                    int64_t capacity);
  LogicalResult placeSymbols(const TargetModel &target);

  PlacementReport report;
};

} // namespace

/// What can be done if a memory of the core has no room.
static std::string getRemedy(ModuleOp module) {
  const char *larger = "compile for a target that has more (--target)";
  for (auto limit : module.getOps<tile::LimitOp>()) {
    int64_t tokens;
    if (limit.getOf() == tile::LimitKind::Tokens &&
        !limit.getExpression().getAsInteger(10, tokens))
      return ::llvm::formatv("the model always takes {0} tokens at once: export "
                             "it for fewer, or {1}",
                             tokens, larger);
  }
  if (tile::ChoicesAttr::madeOf(module).get(tile::Choice::Rows) == 1)
    return std::string("not even one token has room: ") + larger;
  return "compile for fewer tokens (--max-tokens)";
}

FailureOr<AllocationResult> AssignAddresses::place(func::FuncOp function,
                                                   Space space,
                                                   int64_t capacity) {
  Placement placement = getPlacement(function, space, capacity);
  // Scratchpad that is left makes rings longer; of the accumulators nothing else
  // can be made.
  int64_t enough = space == Space::Accumulators ? capacity : 0;
  llvm::Expected<AllocationResult> result =
      solve(placement.problem, {searchSteps, enough});
  if (!result) {
    std::string message = llvm::toString(result.takeError());
    // The buffer that the message begins with says which node it is for.
    Operation *place = function;
    for (auto [buffer, op] :
         llvm::zip_equal(placement.problem.buffers(), placement.operations))
      if (StringRef(message).starts_with(buffer.name + " of "))
        place = op;
    return mlir::emitError(place->getLoc())
           << stringifySpace(space) << ": " << message << "; "
           << getRemedy(getOperation());
  }
  Builder builder(&getContext());
  for (auto [buffer, op] :
       llvm::zip_equal(placement.problem.buffers(), placement.operations))
    op->setAttr("address", builder.getI64IntegerAttr(*buffer.address));
  return *result;
}

/// Rings whose number of slots is open share what the buffers leave: they were
/// placed first, so that it is in one piece.
LogicalResult AssignAddresses::chooseSlots(func::FuncOp function,
                                           const TargetModel &target,
                                           int64_t left) {
  SmallVector<RingOp> open;
  SmallVector<RingShare> shares;
  function.walk([&](RingOp ring) {
    if (ring.getSlots())
      return;
    open.push_back(ring);
    shares.push_back({"ring " + std::to_string(ring.getIndex()),
                      ring.getSlotBytes(), fewestSlots, mostSlots,
                      /*slots=*/0});
  });
  int64_t budget =
      std::min<int64_t>(left, int64_t(target.scratchpadBytes() * ringFraction));
  if (llvm::Error error = divideRest(budget, shares)) {
    std::string message = llvm::toString(std::move(error));
    Operation *place = function;
    for (auto [ring, share] : llvm::zip_equal(open, shares))
      if (StringRef(message).starts_with(share.name + " has"))
        place = ring;
    return mlir::emitError(place->getLoc())
           << message << "; " << getRemedy(getOperation());
  }
  for (auto [ring, share] : llvm::zip_equal(open, shares))
    ring.setSlots(share.slots);
  return success();
}

LogicalResult AssignAddresses::placeBuffers(func::FuncOp function,
                                            const TargetModel &target) {
  for (auto [space, capacity] :
       {std::pair{Space::Scratchpad, target.scratchpadBytes()},
        std::pair{Space::Accumulators, target.accumulatorBytes()}}) {
    int64_t ringBytes = 0;
    if (space == Space::Scratchpad)
      function.walk([&](RingOp ring) {
        ringBytes += ring.getSlots() ? ring.getBytes() : 0;
      });
    FailureOr<AllocationResult> result = place(function, space, capacity);
    if (failed(result))
      return failure();
    if (space == Space::Scratchpad) {
      if (failed(chooseSlots(function, target, capacity - result->height)) ||
          failed(place(function, space, capacity)))
        return failure();
    }
    report.add(function, space, capacity, *result, ringBytes);
  }
  return success();
}

/// Gives the symbols of `placement` that `select` takes the addresses from
/// `next` on, in the order of the module.
static void append(Placement &placement, int64_t &next, int64_t alignment,
                   llvm::function_ref<bool(Operation *)> select) {
  for (auto [index, op] : llvm::enumerate(placement.operations)) {
    if (placement.problem.buffers()[index].address || !select(op))
      continue;
    next = llvm::alignTo(next, alignment);
    placement.problem.place(index, next);
    op->setAttr(MemDialect::kAddressAttr,
                IntegerAttr::get(IntegerType::get(op->getContext(), 64), next));
    next += placement.problem.buffers()[index].bytes;
  }
}

static bool isWeight(Operation *op) {
  auto tensor = dyn_cast<tile::TensorOp>(op);
  return isa<tile::PackedOp, tile::VectorsOp>(op) ||
         (tensor && tensor.getRole() == tile::TensorRole::Constant);
}

LogicalResult AssignAddresses::placeSymbols(const TargetModel &target) {
  ModuleOp module = getOperation();
  Placement hbm = getPlacement(module, SymbolMemory::Hbm, target.memoryBytes());
  Placement scalar =
      getPlacement(module, SymbolMemory::Scalar, target.scalarMemoryBytes());
  auto everything = [](Operation *) { return true; };
  // What is given stays, so all else comes after it.
  int64_t hbmEnd = hbm.problem.height(), scalarEnd = scalar.problem.height();
  append(hbm, hbmEnd, pageBytes, isWeight);
  hbmEnd = llvm::alignTo(hbmEnd, pageBytes);
  append(hbm, hbmEnd, target.memoryBurstBytes(), everything);
  append(scalar, scalarEnd, scalarBytes, everything);
  if (scalarEnd > target.scalarMemoryBytes())
    return module.emitError()
           << "needs " << scalarEnd
           << " bytes of scalar memory; the target has "
           << target.scalarMemoryBytes()
           << "; compile for fewer tokens, fewer sequences or a "
              "shorter context (--max-tokens, "
              "--max-sequences, --max-context)";
  if (hbmEnd > target.memoryBytes())
    return module.emitError()
           << "needs " << hbmEnd << " bytes of memory; the target has "
           << target.memoryBytes()
           << "; compile for fewer sequences or a shorter context "
              "(--max-sequences, --max-context)";
  report.addSymbols("hbm", target.memoryBytes(), hbmEnd);
  report.addSymbols("scalar memory", target.scalarMemoryBytes(), scalarEnd);
  module->setAttr(MemDialect::kHbmBytesAttr,
                  Builder(&getContext())
                      .getI64IntegerAttr(llvm::alignTo(hbmEnd, pageBytes)));
  return success();
}

void AssignAddresses::runOnOperation() {
  FailureOr<TargetModel> model = tile::getTarget(getOperation(), target);
  if (failed(model))
    return signalPassFailure();
  report = PlacementReport(quiet);
  for (auto function : getOperation().getOps<func::FuncOp>())
    if (!function.isDeclaration() && failed(placeBuffers(function, *model)))
      return signalPassFailure();
  if (failed(placeSymbols(*model)))
    return signalPassFailure();
  report.attach(getOperation());
}
