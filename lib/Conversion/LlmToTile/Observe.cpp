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

} // namespace

/// The loops of `view`, a view of a dense result, over a slot of queries that
/// share keys; nothing if they are not over tokens, heads and features.
static std::optional<SmallVector<Loop>> stack(ArrayRef<Loop> view, Layout layout) {
  if (view.empty())
    return std::nullopt;
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

/// The loops over the elements of `tensor`, which `value` holds; nothing if it
/// does not hold as many.
static std::optional<SmallVector<Loop>> getLoops(llm::SourceTensorAttr tensor,
                                                 ArrayRef<llm::ExtentAttr> shape, Value value) {
  SmallVector<llm::ExtentAttr> own = llm::getExtents(value);
  SmallVector<llm::ExtentAttr> strides =
      tensor.getStrides() ? llvm::to_vector(tensor.getStrides().getExtents())
                          : llm::getRowMajorStrides(tensor.getContext(), own);
  if (!llm::haveEqualProducts(shape, own))
    return std::nullopt;
  SmallVector<Loop> loops;
  for (auto [extent, stride] : llvm::zip_equal(shape, strides))
    if (!extent.isConstant(1))
      loops.push_back({extent, stride});
  return loops;
}

static bool isDense(ArrayRef<Loop> loops, MLIRContext *context) {
  SmallVector<llm::ExtentAttr> strides = llm::getRowMajorStrides(
      context, llvm::map_to_vector(loops, [](const Loop &loop) { return loop.extent; }));
  return llvm::equal(loops, strides, [](const Loop &loop, llm::ExtentAttr stride) {
    return loop.stride == stride;
  });
}

std::optional<Layout> Lowering::getLayout(Value value) {
  const Matrix &matrix = get(value);
  auto type = cast<MemRefType>(matrix.slot.getType());
  if (type.getDimSize(1) == matrix.cols)
    return Layout();
  SmallVector<llm::ExtentAttr> shape = llm::getExtents(value);
  int64_t kvHeads = value.getDefiningOp<llm::RopeOp>() ? getStackedHeads(value) : 0;
  if (!kvHeads)
    return std::nullopt;
  int64_t heads = *shape[shape.size() - 2].getConstantValue();
  return Layout{heads, heads / kvHeads, *shape.back().getConstantValue(),
                type.getDimSize(0) / kvHeads};
}

void Lowering::observe(Operation &op) {
  auto texts = [&](auto &&range, auto get) {
    SmallVector<Attribute> result;
    for (const auto &element : range)
      result.push_back(builder.getStringAttr(get(element).str()));
    return builder.getArrayAttr(result);
  };
  for (llm::SourceTensorAttr tensor : llm::getSourceTensors(&op)) {
    // Layers have a name each, what is in none has one.
    if ((tensor.getNames().size() > 1) != layers.has_value())
      continue;
    Value value = op.getResult(tensor.getResult());
    Type element = cast<RankedTensorType>(value.getType()).getElementType();
    bool inSlot = matrices.contains(value);
    std::optional<unsigned> result = getResultNumber(value);
    bool stored = !inSlot && result && (isa<llm::LinearOp>(op) || fused.contains(&op));
    std::optional<Layout> layout = inSlot ? getLayout(value) : Layout();
    if ((!inSlot && !stored) || !layout || !isa<FloatType>(element))
      continue;
    SmallVector<llm::ExtentAttr> shape = tensor.getShape()
                                             ? llvm::to_vector(tensor.getShape().getExtents())
                                             : llm::getExtents(value);
    std::optional<SmallVector<Loop>> loops = getLoops(tensor, shape, value);
    if (loops && layout->heads)
      loops = stack(*loops, *layout);
    if (!loops)
      continue;
    ArrayAttr extents, strides;
    if (!isDense(*loops, op.getContext())) {
      extents = texts(*loops, [](const Loop &loop) { return loop.extent; });
      strides = texts(*loops, [](const Loop &loop) { return loop.stride; });
    }
    // NumPy has no bf16.
    StringRef dtype = element.isF16() ? "f16" : element.isF64() ? "f64" : "f32";
    tile::ObserveOp::create(
        builder, op.getLoc(), inSlot ? get(value).slot : Value(),
        stored ? FlatSymbolRefAttr::get(op.getContext(), "result" + std::to_string(*result))
               : FlatSymbolRefAttr(),
        tensor.getNames(), builder.getStringAttr(dtype),
        texts(shape, [](llm::ExtentAttr extent) { return extent; }), extents, strides);
  }
}
