//===- SourceTensors.cpp - which tensors of the model values are *- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/SourceTensors.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::llm;

LogicalResult
SourceTensorAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                         unsigned, ArrayAttr names, DimsAttr shape,
                         DimsAttr strides) {
  if (!names || names.empty() ||
      !llvm::all_of(names, [](Attribute n) { return isa<StringAttr>(n); }))
    return emitError() << "a source tensor has the names " << names
                       << "; expected one string or more";
  if (bool(shape) != bool(strides) ||
      (shape && shape.getExtents().size() != strides.getExtents().size()))
    return emitError() << "a source tensor has a stride for each dimension of "
                          "its shape, or neither";
  return success();
}

StringAttr llm::getSourceName(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName();
  if (auto fused = dyn_cast<FusedLoc>(loc);
      fused && !fused.getLocations().empty())
    return getSourceName(fused.getLocations().back());
  return {};
}

/// The tensors that a location names; null if it names none.
static ArrayAttr getMetadata(Location loc) {
  auto fused = dyn_cast<FusedLoc>(loc);
  auto list = fused ? dyn_cast_or_null<ArrayAttr>(fused.getMetadata())
                    : ArrayAttr();
  bool ours = list && llvm::all_of(list, [](Attribute a) {
                return isa<SourceTensorAttr>(a);
              });
  return ours ? list : ArrayAttr();
}

SmallVector<SourceTensorAttr> llm::getSourceTensors(Operation *op) {
  ArrayAttr list = getMetadata(op->getLoc());
  return list ? llvm::to_vector(list.getAsRange<SourceTensorAttr>())
              : SmallVector<SourceTensorAttr>();
}

Location llm::withoutSourceTensors(Location loc) {
  auto fused = dyn_cast<FusedLoc>(loc);
  if (!fused)
    return loc;
  // Patterns fuse the locations of what they replace.
  auto locations =
      llvm::map_to_vector(fused.getLocations(), withoutSourceTensors);
  Attribute metadata = getMetadata(loc) ? Attribute() : fused.getMetadata();
  return locations.size() == 1 && !metadata
             ? locations.front()
             : FusedLoc::get(locations, metadata, loc.getContext());
}

void llm::setSourceTensors(Operation *op, ArrayRef<SourceTensorAttr> tensors) {
  Location loc = withoutSourceTensors(op->getLoc());
  if (!tensors.empty())
    loc = FusedLoc::get(
        op->getContext(), {loc},
        ArrayAttr::get(op->getContext(),
                       SmallVector<Attribute>(tensors.begin(), tensors.end())));
  op->setLoc(loc);
}

static void add(Value value, ArrayRef<SourceTensorAttr> tensors) {
  auto result = dyn_cast<OpResult>(value);
  if (!result || tensors.empty())
    return;
  SmallVector<SourceTensorAttr> all = getSourceTensors(result.getOwner());
  for (SourceTensorAttr tensor : tensors) {
    auto own = SourceTensorAttr::get(tensor.getContext(),
                                     result.getResultNumber(),
                                     tensor.getNames(), tensor.getShape(),
                                     tensor.getStrides());
    if (!llvm::is_contained(all, own))
      all.push_back(own);
  }
  setSourceTensors(result.getOwner(), all);
}

void llm::addSourceTensor(Value value, StringRef name) {
  MLIRContext *context = value.getContext();
  add(value, SourceTensorAttr::get(
                 context, 0,
                 ArrayAttr::get(context, StringAttr::get(context, name)), {},
                 {}));
}

void llm::moveSourceTensors(Operation *op, ValueRange values) {
  for (SourceTensorAttr tensor : getSourceTensors(op))
    if (tensor.getResult() < values.size() && values[tensor.getResult()])
      add(values[tensor.getResult()], tensor);
  setSourceTensors(op, {});
}

SmallVector<ExtentAttr> llm::getRowMajorStrides(MLIRContext *context,
                                                ArrayRef<ExtentAttr> shape) {
  SmallVector<ExtentAttr> strides(shape.size());
  ExtentAttr next = ExtentAttr::getConstant(context, 1);
  for (size_t i = shape.size(); i-- > 0; next = next * shape[i])
    strides[i] = next;
  return strides;
}

/// The tensor with its shape and strides, also if it is all of a result.
static SourceTensorAttr asView(SourceTensorAttr tensor, Operation *op) {
  if (tensor.getShape())
    return tensor;
  MLIRContext *context = tensor.getContext();
  auto shape = getExtents(op->getResult(tensor.getResult()));
  return SourceTensorAttr::get(
      context, tensor.getResult(), tensor.getNames(),
      DimsAttr::get(context, shape),
      DimsAttr::get(context, getRowMajorStrides(context, shape)));
}

void llm::copySourceTensors(
    Operation *from, Operation *to,
    llvm::function_ref<ExtentAttr(ExtentAttr)> convert) {
  MLIRContext *context = from->getContext();
  SmallVector<SourceTensorAttr> tensors;
  for (SourceTensorAttr tensor : getSourceTensors(from)) {
    SourceTensorAttr view = asView(tensor, from);
    auto shape = llvm::map_to_vector(view.getShape().getExtents(), convert);
    auto strides = llvm::map_to_vector(view.getStrides().getExtents(), convert);
    if (llvm::all_of(shape, [](ExtentAttr e) { return bool(e); }) &&
        llvm::all_of(strides, [](ExtentAttr e) { return bool(e); }))
      tensors.push_back(SourceTensorAttr::get(
          context, tensor.getResult(), tensor.getNames(),
          DimsAttr::get(context, shape), DimsAttr::get(context, strides)));
  }
  setSourceTensors(to, tensors);
}

void llm::joinSourceTensors(Operation *to, ArrayRef<Operation *> layers) {
  SmallVector<SmallVector<SourceTensorAttr>> each;
  for (Operation *layer : layers)
    each.push_back(getSourceTensors(layer));
  SmallVector<SourceTensorAttr> joined;
  for (auto [i, first] : llvm::enumerate(each.front())) {
    SmallVector<Attribute> names;
    for (const auto &tensors : each)
      if (i < tensors.size() && tensors[i].getResult() == first.getResult() &&
          tensors[i].getShape() == first.getShape() &&
          tensors[i].getStrides() == first.getStrides())
        llvm::append_range(names, tensors[i].getNames());
    if (names.size() == layers.size())
      joined.push_back(SourceTensorAttr::get(
          to->getContext(), first.getResult(),
          ArrayAttr::get(to->getContext(), names), first.getShape(),
          first.getStrides()));
  }
  setSourceTensors(to, joined);
}

/// The tensor as a view of the operand of `transpose`, of whose result it is
/// one now; null if it is not of this form.
static SourceTensorAttr throughTranspose(SourceTensorAttr tensor,
                                         TransposeOp transpose) {
  MLIRContext *context = tensor.getContext();
  auto shape = getExtents(transpose.getResult());
  auto strides = getRowMajorStrides(context, shape);
  auto from = getRowMajorStrides(context, getExtents(transpose.getOperand()));
  SmallVector<ExtentAttr> moved;
  for (auto [extent, stride] :
       llvm::zip_equal(tensor.getShape().getExtents(),
                       tensor.getStrides().getExtents())) {
    if (extent.isConstant(1)) {
      moved.push_back(stride);
      continue;
    }
    // A dimension of the view that is one of the result.
    size_t axis = 0;
    while (axis < shape.size() &&
           (shape[axis] != extent || strides[axis] != stride))
      ++axis;
    if (axis == shape.size())
      return {};
    moved.push_back(from[transpose.getPermutation()[axis]]);
  }
  return SourceTensorAttr::get(context, 0, tensor.getNames(),
                               tensor.getShape(),
                               DimsAttr::get(context, moved));
}

void llm::keepSourceTensors(Operation *op) {
  if (!isa<TransposeOp, ReshapeOp>(op))
    return;
  for (SourceTensorAttr tensor : getSourceTensors(op)) {
    // A reshape has the same elements in the same order.
    SourceTensorAttr view = asView(tensor, op);
    if (auto transpose = dyn_cast<TransposeOp>(op))
      view = throughTranspose(view, transpose);
    if (view)
      add(op->getOperand(0), view);
  }
}

void SourceTensorListener::notifyOperationInserted(
    Operation *op, OpBuilder::InsertPoint previous) {
  // Patterns give what they create the location of what they match.
  if (!previous.isSet())
    op->setLoc(withoutSourceTensors(op->getLoc()));
}

void SourceTensorListener::notifyOperationReplaced(Operation *op,
                                                   ValueRange replacement) {
  moveSourceTensors(op, replacement);
}

void SourceTensorListener::notifyOperationErased(Operation *op) {
  keepSourceTensors(op);
}
