//===- FoldWeightViews.cpp - turns movements of weights into views -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/LlmPasses.h"

#include "dialects/Llm/SourceTensors.h"
#include "mlir/IR/PatternMatch.h"

namespace serrano::llm {
#define GEN_PASS_DEF_FOLDWEIGHTVIEWS
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

//===----------------------------------------------------------------------===//
// Views of views
//===----------------------------------------------------------------------===//

static ViewAttr withLayout(ViewAttr view, int64_t skippedBytes,
                           ArrayRef<int64_t> shape, ArrayRef<int64_t> strides) {
  return ViewAttr::get(view.getContext(), view.getFile(),
                       view.getOffset() + skippedBytes,
                       view.getLength() - skippedBytes, shape, strides);
}

static ViewAttr transposed(ViewAttr view, ArrayRef<int64_t> permutation) {
  auto permute = [&](ArrayRef<int64_t> values) {
    return llvm::map_to_vector(permutation,
                               [&](int64_t from) { return values[from]; });
  };
  return withLayout(view, 0, permute(view.getShape()),
                    permute(view.getStrides()));
}

static ViewAttr sliced(ViewAttr view, SliceOp op) {
  SmallVector<int64_t> strides;
  int64_t skipped = 0;
  for (auto [offset, step, stride] : llvm::zip(
           op.getOffsets().getExtents(), op.getSteps(), view.getStrides())) {
    std::optional<int64_t> constant = offset.getConstantValue();
    if (!constant || step < 0)
      return {};
    skipped += *constant * stride;
    strides.push_back(step * stride);
  }
  int64_t bytes = std::max(1u, op.getType().getElementTypeBitWidth() / 8);
  return withLayout(view, skipped * bytes, op.getType().getShape(), strides);
}

/// A view of the same elements in another shape: any shape if they are in
/// row-major order, otherwise only with other dimensions of extent 1.
static ViewAttr reshaped(ViewAttr view, ArrayRef<int64_t> shape) {
  if (view.isRowMajor())
    return withLayout(view, 0, shape, ViewAttr::getRowMajorStrides(shape));
  SmallVector<int64_t> extents, strides;
  for (auto [extent, stride] : llvm::zip(view.getShape(), view.getStrides()))
    if (extent != 1) {
      extents.push_back(extent);
      strides.push_back(stride);
    }
  SmallVector<int64_t> result;
  size_t next = 0;
  for (int64_t extent : shape) {
    if (extent != 1 && (next == extents.size() || extents[next] != extent))
      return {};
    result.push_back(extent == 1 ? 1 : strides[next++]);
  }
  return next == extents.size() ? withLayout(view, 0, shape, result)
                                : ViewAttr();
}

namespace {

struct FoldWeightViews
    : serrano::llm::impl::FoldWeightViewsBase<FoldWeightViews> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    SmallVector<LinearOp> projections;
    getOperation().walk(
        [&](LinearOp linear) { projections.push_back(linear); });
    for (LinearOp linear : projections)
      sliceWeights(linear);
    // Operations come after their operands, so one walk folds chains.
    getOperation().walk([&](Operation *op) {
      if (isa<TransposeOp, SliceOp, ReshapeOp>(op))
        fold(op, symbols);
    });
  }

  /// Makes a packed projection, of whose result only slices of features are
  /// used, one projection for each slice.
  void sliceWeights(LinearOp linear) {
    int64_t axis = linear.getType().getRank() - 1;
    for (Operation *user : linear->getUsers()) {
      auto slice = dyn_cast<SliceOp>(user);
      if (!slice)
        return;
      auto from = getExtents(slice.getOperand()),
           to = getExtents(slice.getResult());
      if (ArrayRef(from).drop_back() != ArrayRef(to).drop_back() ||
          slice.getSteps()[axis] != 1 ||
          !slice.getOffsets().getExtents()[axis].getConstantValue())
        return;
    }
    for (Operation *user : llvm::make_early_inc_range(linear->getUsers())) {
      auto slice = cast<SliceOp>(user);
      OpBuilder builder(slice);
      auto cut = [&](Value weight) -> Value {
        auto type = cast<RankedTensorType>(weight.getType());
        SmallVector<int64_t> shape(type.getShape());
        shape.back() = slice.getType().getShape().back();
        SmallVector<ExtentAttr> offsets(
            shape.size(), ExtentAttr::getConstant(&getContext(), 0));
        offsets.back() = slice.getOffsets().getExtents().back();
        SmallVector<int64_t> steps(shape.size(), 1);
        return SliceOp::create(builder, slice.getLoc(), type.clone(shape),
                               weight, DimsAttr::get(&getContext(), offsets),
                               builder.getDenseI64ArrayAttr(steps));
      };
      Value bias = linear.getBias() ? cut(linear.getBias()) : Value();
      auto part = LinearOp::create(
          builder,
          FusedLoc::get(&getContext(), {withoutSourceTensors(linear.getLoc()),
                                        withoutSourceTensors(slice.getLoc())}),
          slice.getType(), linear.getInput(), cut(linear.getWeight()), bias);
      moveSourceTensors(slice, part.getResult());
      slice.replaceAllUsesWith(part.getResult());
      slice.erase();
    }
    if (linear.use_empty())
      linear.erase();
  }

  void fold(Operation *op, SymbolTable &symbols) {
    auto get = op->getOperand(0).getDefiningOp<GetWeightOp>();
    if (!get)
      return;
    auto weight = symbols.lookup<WeightOp>(get.getName());
    if (!weight || weight.getViews().size() != 1)
      return;
    auto view = cast<ViewAttr>(weight.getViews()[0]);
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    if (!type.hasStaticShape())
      return;
    if (auto transpose = dyn_cast<TransposeOp>(op))
      view = transposed(view, transpose.getPermutation());
    else if (auto slice = dyn_cast<SliceOp>(op))
      view = sliced(view, slice);
    else
      view = reshaped(view, type.getShape());
    if (!view)
      return;
    // Equal views are one weight.
    WeightOp &folded = views[{view, type}];
    if (!folded) {
      OpBuilder builder(weight->getContext());
      folded = WeightOp::create(builder, weight.getLoc(), weight.getSymName(),
                                type, builder.getArrayAttr(view), IntegerAttr(),
                                builder.getStringAttr("private"));
      symbols.insert(folded, std::next(Block::iterator(weight)));
    }
    OpBuilder builder(op);
    Value value = GetWeightOp::create(builder, get.getLoc(), type,
                                      FlatSymbolRefAttr::get(folded));
    op->replaceAllUsesWith(ValueRange(value));
    op->erase();
  }

  DenseMap<std::pair<Attribute, Type>, WeightOp> views;
};

} // namespace
