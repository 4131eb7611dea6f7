//===- Observe.cpp - where the source model's tensors can be seen ------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tensor can be seen where its kernel ends: later on, sums and norms may take its
// place. What never leaves the accumulators cannot be seen, nor what is kept without
// the factors of its rows.
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

/// The loops of `view`, a view of a dense tensor, over the slot that holds its heads;
/// nothing if they are not over tokens, heads and features.
static std::optional<SmallVector<Loop>> overHeads(ArrayRef<Loop> view, const Layout &layout) {
  SmallVector<Loop> result;
  auto add = [&](int64_t extent, int64_t stride) {
    MLIRContext *context = view.front().extent.getContext();
    if (extent != 1)
      result.push_back({llm::ExtentAttr::getConstant(context, extent),
                        llm::ExtentAttr::getConstant(context, stride)});
  };
  auto addHeads = [&] {
    add(layout.heads / layout.group, layout.groupStride);
    add(layout.group, layout.headStride);
  };
  for (const Loop &loop : view) {
    if (loop.stride.isConstant(layout.heads * layout.size)) {
      result.push_back({loop.extent, llm::ExtentAttr::getConstant(loop.extent.getContext(),
                                                                  layout.tokenStride)});
    } else if (loop.stride.isConstant(layout.size) && loop.extent.isConstant(layout.heads)) {
      addHeads();
    } else if (loop.stride.isConstant(1) && loop.extent.isConstant(layout.size)) {
      result.push_back(loop);
    } else if (loop.stride.isConstant(1) && loop.extent.isConstant(layout.heads * layout.size)) {
      addHeads();
      add(layout.size, 1);
    } else {
      return std::nullopt;
    }
  }
  return result;
}

/// The loops of `view`, a view of a dense tensor of `cols` features, over the slot that has a row
/// of `slotRows` elements for each of them; nothing if one is over tokens and features.
static std::optional<SmallVector<Loop>> overTurned(ArrayRef<Loop> view, int64_t cols,
                                                   int64_t slotRows) {
  SmallVector<Loop> result;
  for (const Loop &loop : view) {
    auto getConstant = [&](int64_t value) {
      return llm::ExtentAttr::getConstant(loop.extent.getContext(), value);
    };
    std::optional<int64_t> extent = loop.extent.getConstantValue();
    std::optional<int64_t> stride = loop.stride.getConstantValue();
    if (auto tokens = loop.stride.dividedBy(getConstant(cols)))
      result.push_back({loop.extent, *tokens});
    else if (extent && stride && *extent * *stride <= cols)
      result.push_back({loop.extent, getConstant(*stride * slotRows)});
    else
      return std::nullopt;
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
  for (unsigned half : {0, 1}) {
    auto attention = getOnlyAttention(value, 1 + half);
    if (!attention || keyValueSlots.lookup(attention.getOperation()) != matrix.slot)
      continue;
    SmallVector<llm::ExtentAttr> shape = llm::getExtents(attention.getKey());
    int64_t heads = *shape[1].getConstantValue(), size = *shape[2].getConstantValue();
    return Layout{heads, size, 2 * heads * size, 2 * size, heads, 0, half * size};
  }
  if (int64_t kvHeads = getStackedHeads(value)) {
    SmallVector<llm::ExtentAttr> shape = llm::getExtents(value);
    int64_t heads = *shape[1].getConstantValue(), size = *shape[2].getConstantValue();
    int64_t group = heads / kvHeads, cols = group * size;
    return Layout{heads, size, cols, size, group, slotRows * cols, 0};
  }
  if (matrix.transposed || type.getDimSize(1) == matrix.cols)
    return Layout();
  return std::nullopt;
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
    bool stored = !inSlot && result && fused.contains(&op);
    // A portion has some of the rows only.
    bool isPart = portion && llvm::is_contained(getShape(value).first.getSymbols(), portion->symbol);
    if ((!inSlot && !stored) || isPart || (inSlot && get(value).factor) ||
        !isa<FloatType>(element))
      continue;
    std::optional<Layout> layout = inSlot ? getLayout(value) : Layout();
    SmallVector<llm::ExtentAttr> shape = tensor.getShape()
                                             ? llvm::to_vector(tensor.getShape().getExtents())
                                             : llm::getExtents(value);
    std::optional<SmallVector<Loop>> loops = getLoops(tensor, shape, value);
    if (loops && inSlot && get(value).transposed)
      loops = overTurned(*loops, get(value).cols, slotRows);
    else if (loops && layout && layout->heads)
      loops = overHeads(*loops, *layout);
    if (!loops || !layout)
      continue;
    ArrayAttr extents, strides;
    if (!isDense(*loops, op.getContext())) {
      extents = texts(*loops, [](const Loop &loop) { return loop.extent; });
      strides = texts(*loops, [](const Loop &loop) { return loop.stride; });
    }
    Value slot = inSlot ? get(value).slot : Value();
    if (layout->offset)
      slot = window(slot, index(0), index(layout->offset),
                    slotRows, cast<MemRefType>(slot.getType()).getDimSize(1) - layout->offset);
    // NumPy has no bf16.
    StringRef dtype = element.isF16() ? "f16" : element.isF64() ? "f64" : "f32";
    tile::ObserveOp::create(
        builder, op.getLoc(), slot,
        stored ? FlatSymbolRefAttr::get(op.getContext(), "result" + std::to_string(*result))
               : FlatSymbolRefAttr(),
        tensor.getNames(), builder.getStringAttr(dtype),
        texts(shape, [](llm::ExtentAttr extent) { return extent; }), extents, strides);
  }
}
