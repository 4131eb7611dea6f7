//===- ConstantTable.cpp - the values of a constant tensor -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/ConstantTable.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/Path.h"
#include <cstring>

using namespace mlir;
using namespace serrano;
using namespace serrano::llm;

/// A mask of 2048 x 2048 in f32.
static constexpr int64_t kMostBytes = 16 << 20;

std::optional<ConstantTable> ConstantTable::open(Value value,
                                                 std::string &problem) {
  auto fail = [&](const auto &...parts) -> std::optional<ConstantTable> {
    problem = ::llvm::formatv(parts...);
    return std::nullopt;
  };
  auto type = cast<RankedTensorType>(value.getType());
  ConstantTable table(type);
  table.strides = ViewAttr::getRowMajorStrides(type.getShape());
  if (matchPattern(value, m_Constant(&table.elements)))
    return table;
  auto get = value.getDefiningOp<GetWeightOp>();
  auto weight = get ? SymbolTable::lookupNearestSymbolFrom<WeightOp>(
                          get, get.getNameAttr())
                    : WeightOp();
  if (!weight || weight.getViews().size() != 1)
    return fail("{0}", "a value is not one constant");
  auto view = cast<ViewAttr>(weight.getViews()[0]);
  if (view.getLength() > kMostBytes)
    return fail("'{0}' has {1} bytes, more than the {2} of the largest table "
                "that is looked into",
                weight.getModelName(), view.getLength(), kMostBytes);
  SmallString<128> path;
  if (auto folder = weight->getParentOfType<ModuleOp>()->getAttrOfType<StringAttr>(
          LlmDialect::kDirectoryAttr))
    path = folder.getValue();
  ::llvm::sys::path::append(path, view.getFile().getValue());
  ::llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return fail("{0}", ::llvm::toString(file.takeError()));
  ::llvm::Expected<ArrayRef<uint8_t>> bytes =
      file->slice(view.getOffset(), view.getLength());
  if (!bytes)
    return fail("{0}", ::llvm::toString(bytes.takeError()));
  table.base = bytes->data();
  table.file = std::move(*file);
  table.strides.assign(view.getStrides().begin(), view.getStrides().end());
  return table;
}

uint64_t ConstantTable::getBits(ArrayRef<int64_t> index) const {
  int64_t position = 0;
  for (auto [i, stride] : ::llvm::zip_equal(index, strides))
    position += i * stride;
  if (elements) {
    if (isa<FloatType>(type.getElementType()))
      return elements.getValues<APFloat>()[position].bitcastToAPInt().getZExtValue();
    return elements.getValues<APInt>()[position].getZExtValue();
  }
  // Booleans are bytes in files.
  size_t size = std::max(1u, type.getElementTypeBitWidth() / 8);
  uint64_t bits = 0;
  std::memcpy(&bits, base + position * size, size);
  return bits;
}

double ConstantTable::getNumber(uint64_t bits) const {
  Type element = type.getElementType();
  unsigned width = element.getIntOrFloatBitWidth();
  APInt value(width, bits, /*isSigned=*/false, /*implicitTrunc=*/true);
  if (auto floatType = dyn_cast<FloatType>(element))
    return APFloat(floatType.getFloatSemantics(), value).convertToDouble();
  return width == 1 ? double(bits != 0) : double(value.getSExtValue());
}
