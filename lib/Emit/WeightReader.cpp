//===- WeightReader.cpp - the values of weights, from their files ------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightReader.h"

#include "serrano/Support/Error.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/Path.h"
#include <cstring>

using namespace mlir;
using namespace serrano;

llvm::Expected<llvm::ArrayRef<uint8_t>> WeightReader::map(StringRef file) {
  auto it = files.find(file.str());
  if (it == files.end()) {
    SmallString<128> path(directory);
    llvm::sys::path::append(path, file);
    llvm::Expected<MappedFile> mapped = MappedFile::open(path);
    if (!mapped)
      return mapped.takeError();
    it = files.emplace(file.str(), std::move(*mapped)).first;
  }
  return it->second.bytes();
}

llvm::Expected<bool> WeightReader::isHole(llm::WeightOp weight) {
  for (auto view : weight.getViews().getAsRange<llm::ViewAttr>()) {
    // Reading says of what is not there what is wrong.
    llvm::Expected<llvm::ArrayRef<uint8_t>> bytes = map(view.getFile());
    if (!bytes)
      return bytes.takeError();
    const MappedFile &file = files.at(view.getFile().str());
    if (view.getOffset() + view.getLength() > int64_t(bytes->size()) ||
        file.hasData(view.getOffset(), view.getLength()))
      return false;
  }
  return true;
}

/// Widens one element; the two common types by hand, because everything is read
/// through here.
static float widen(const uint8_t *bytes, Type type) {
  if (type.isF32()) {
    float value;
    std::memcpy(&value, bytes, sizeof(value));
    return value;
  }
  uint16_t half;
  std::memcpy(&half, bytes, sizeof(half));
  if (type.isBF16()) {
    uint32_t wide = uint32_t(half) << 16;
    float value;
    std::memcpy(&value, &wide, sizeof(value));
    return value;
  }
  llvm::APFloat value(llvm::APFloat::IEEEhalf(), llvm::APInt(16, half));
  bool exact;
  value.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &exact);
  return value.convertToFloat();
}

llvm::Error WeightReader::readView(llm::WeightOp weight, llm::ViewAttr view, int64_t row,
                                   int64_t rows, int64_t col, int64_t cols, float *out,
                                   int64_t step) {
  Type type = weight.getTensorType().getElementType();
  if (!type.isF32() && !type.isF16() && !type.isBF16())
    return makeError("weight '{0}' has elements that are not f32, f16 or bf16",
                     weight.getModelName());
  llvm::Expected<llvm::ArrayRef<uint8_t>> bytes = map(view.getFile());
  if (!bytes)
    return bytes.takeError();
  if (view.getOffset() + view.getLength() > int64_t(bytes->size()))
    return makeError("weight '{0}' lies at bytes {1} to {2} of '{3}', which has {4}",
                     weight.getModelName(), view.getOffset(), view.getOffset() + view.getLength(),
                     view.getFile(), bytes->size());
  int64_t size = type.getIntOrFloatBitWidth() / 8;
  ArrayRef<int64_t> strides = view.getStrides();
  int64_t rowStride = strides.size() == 2 ? strides[0] * size : 0;
  int64_t colStride = strides.back() * size;
  const uint8_t *base = bytes->data() + view.getOffset() + row * rowStride + col * colStride;
  // The file's order inside, so that its pages are read one after the other.
  if (rowStride >= colStride) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c)
        out[r * step + c] = widen(base + r * rowStride + c * colStride, type);
  } else {
    for (int64_t c = 0; c < cols; ++c)
      for (int64_t r = 0; r < rows; ++r)
        out[r * step + c] = widen(base + r * rowStride + c * colStride, type);
  }
  return llvm::Error::success();
}

llvm::Error WeightReader::read(llm::WeightOp weight, int64_t row, int64_t rows, int64_t col,
                               int64_t cols, float *out, int64_t step) {
  bool vector = weight.getTensorType().getRank() == 1;
  bool alongRows = !vector && weight.getAxis().value_or(0) == 0;
  // Views lie one after the other along one dimension; read what each has of it.
  int64_t first = 0;
  for (auto view : weight.getViews().getAsRange<llm::ViewAttr>()) {
    int64_t extent = alongRows ? view.getShape()[0] : view.getShape().back();
    int64_t &begin = alongRows ? row : col, &count = alongRows ? rows : cols;
    int64_t from = std::max(begin, first), to = std::min(begin + count, first + extent);
    if (from < to) {
      float *place = out + (alongRows ? (from - begin) * step : from - begin);
      llvm::Error error =
          alongRows ? readView(weight, view, from - first, to - from, col, cols, place, step)
                    : readView(weight, view, row, rows, from - first, to - from, place, step);
      if (error)
        return error;
    }
    first += extent;
  }
  return llvm::Error::success();
}
