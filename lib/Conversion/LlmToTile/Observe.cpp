//===- Observe.cpp - where the source model's tensors can be seen ------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "dialects/Llm/SourceTensors.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

namespace {

/// A dimension that is walked over, and how far apart its elements are.
struct Loop {
  llm::ExtentAttr extent, stride;
};

/// How a slot holds a tensor: dense, or of queries that share keys a group of
/// heads after the other, each with all its tokens.
struct Layout {
  int64_t heads = 0, group = 0, size = 0; ///< heads is 0 for a dense one
  int64_t slotRows = 0;
};

} // namespace

/// The loops of `view`, a view of a dense result, over a slot of queries that
/// share keys; nothing if they are not over tokens, heads and features.
static std::optional<SmallVector<Loop>> stack(ArrayRef<Loop> view, Layout layout) {
  MLIRContext *context = view.front().extent.getContext();
  auto number = [&](int64_t n) { return llm::ExtentAttr::getConstant(context, n); };
  int64_t cols = layout.group * layout.size;
  SmallVector<Loop> result;
  for (const Loop &loop : view) {
    if (loop.stride.isConstant(layout.heads * layout.size)) {
      result.push_back({loop.extent, number(cols)});
    } else if (loop.stride.isConstant(layout.size) && loop.extent.isConstant(layout.heads)) {
      result.push_back({number(layout.heads / layout.group), number(layout.slotRows * cols)});
      result.push_back({number(layout.group), number(layout.size)});
    } else if (loop.stride.isConstant(1) && loop.extent.isConstant(layout.size)) {
      result.push_back(loop);
    } else {
      return std::nullopt;
    }
  }
  return result;
}

void Lowering::observe(Operation &op) {
  for (llm::SourceTensorAttr tensor : llm::getSourceTensors(&op)) {
    // Layers have a name each, what is in none has one.
    if ((tensor.getNames().size() > 1) != layers.has_value())
      continue;
    Value value = op.getResult(tensor.getResult());
    auto it = matrices.find(value);
    std::optional<unsigned> result = getResultNumber(value);
    bool stored = it == matrices.end() && result &&
                  (isa<llm::LinearOp>(op) || fused.contains(&op));
    auto type = cast<RankedTensorType>(value.getType());
    if ((it == matrices.end() && !stored) || !isa<FloatType>(type.getElementType()))
      continue;

    SmallVector<llm::ExtentAttr> own = llm::getExtents(value);
    SmallVector<llm::ExtentAttr> ownStrides = llm::getRowMajorStrides(op.getContext(), own);
    ArrayRef<llm::ExtentAttr> shape = own, strides = ownStrides;
    if (tensor.getShape()) {
      shape = tensor.getShape().getExtents();
      strides = tensor.getStrides().getExtents();
    }
    // What has another number of elements was taken for equal by mistake.
    if (!llm::haveEqualProducts(shape, own))
      continue;
    SmallVector<Loop> loops;
    for (auto [extent, stride] : llvm::zip_equal(shape, strides))
      if (!extent.isConstant(1))
        loops.push_back({extent, stride});
    SmallVector<llm::ExtentAttr> dense = llm::getRowMajorStrides(
        op.getContext(),
        llvm::map_to_vector(loops, [](const Loop &loop) { return loop.extent; }));
    bool isDense = llvm::equal(loops, dense, [](const Loop &loop, llm::ExtentAttr stride) {
      return loop.stride == stride;
    });
    if (it != matrices.end()) {
      auto slotType = cast<MemRefType>(it->second.slot.getType());
      if (int64_t cols = slotType.getDimSize(1); cols != it->second.cols) {
        int64_t kvHeads = isa<llm::RopeOp>(op) ? getStackedHeads(value) : 0;
        if (!kvHeads || own.size() < 2)
          continue;
        Layout layout;
        layout.heads = *own[own.size() - 2].getConstantValue();
        layout.size = *own.back().getConstantValue();
        layout.group = layout.heads / kvHeads;
        layout.slotRows = slotType.getDimSize(0) / kvHeads;
        std::optional<SmallVector<Loop>> stacked = stack(loops, layout);
        if (!stacked)
          continue;
        loops = std::move(*stacked);
        isDense = false;
      }
    }

    auto texts = [&](auto range, auto get) {
      SmallVector<Attribute> result;
      for (const auto &element : range)
        result.push_back(builder.getStringAttr(get(element).str()));
      return builder.getArrayAttr(result);
    };
    ArrayAttr extents, steps;
    if (!isDense) {
      extents = texts(loops, [](const Loop &loop) { return loop.extent; });
      steps = texts(loops, [](const Loop &loop) { return loop.stride; });
    }
    // NumPy has no bf16.
    StringRef dtype = type.getElementType().isF16()   ? "f16"
                      : type.getElementType().isF64() ? "f64"
                                                      : "f32";
    tile::ObserveOp::create(
        builder, op.getLoc(), stored ? Value() : it->second.slot,
        stored ? FlatSymbolRefAttr::get(op.getContext(), "result" + std::to_string(*result))
               : FlatSymbolRefAttr(),
        tensor.getNames(), builder.getStringAttr(dtype),
        texts(shape, [](llm::ExtentAttr extent) { return extent; }), extents, steps);
  }
}
