//===- TensorStore.cpp - where the values of tensors are -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorStore.h"
#include "ImportError.h"
#include "ModelFile.h"

#include "dialects/Llm/Llm.h"
#include "onnx/defs/tensor_proto_util.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::onnx_import;

/// Values that are in no file, because the model stores them as varints or is
/// in text form, become constants up to this size.
static constexpr uint64_t kMaxCopiedBytes = 1 << 20;

const MappedFile &TensorStore::map(StringRef file, StringRef tensor) {
  auto found = files.find(file);
  if (found != files.end())
    return found->second;
  SmallString<128> path(llvm::sys::path::parent_path(modelPath));
  llvm::sys::path::append(path, file);
  llvm::Expected<MappedFile> mapped = MappedFile::open(path);
  if (!mapped)
    fail("external data of '{0}': {1}", tensor,
         llvm::toString(mapped.takeError()));
  return files.try_emplace(file, std::move(*mapped)).first->second;
}

Type TensorStore::elementTypeOf(int32_t onnxType) {
  Builder builder(context);
  switch (onnxType) {
  case onnx::TensorProto::FLOAT:
    return builder.getF32Type();
  case onnx::TensorProto::FLOAT16:
    return builder.getF16Type();
  case onnx::TensorProto::BFLOAT16:
    return builder.getBF16Type();
  case onnx::TensorProto::DOUBLE:
    return builder.getF64Type();
  case onnx::TensorProto::INT64:
    return builder.getI64Type();
  case onnx::TensorProto::INT32:
    return builder.getI32Type();
  case onnx::TensorProto::INT8:
    return builder.getI8Type();
  case onnx::TensorProto::UINT8:
    return builder.getIntegerType(8, /*isSigned=*/false);
  case onnx::TensorProto::BOOL:
    return builder.getI1Type();
  default:
    fail("element type {0} is not supported; expected float, float16, "
         "bfloat16, double, int64, int32, int8, uint8 "
         "or bool",
         onnx::TensorProto_DataType_IsValid(onnxType)
             ? onnx::TensorProto_DataType_Name(
                   onnx::TensorProto_DataType(onnxType))
             : std::to_string(onnxType));
  }
}

int32_t TensorStore::onnxTypeOf(Type elementType) {
  for (int32_t type = 1; onnx::TensorProto_DataType_IsValid(type); ++type)
    switch (type) {
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::FLOAT16:
    case onnx::TensorProto::BFLOAT16:
    case onnx::TensorProto::DOUBLE:
    case onnx::TensorProto::INT64:
    case onnx::TensorProto::INT32:
    case onnx::TensorProto::INT8:
    case onnx::TensorProto::UINT8:
    case onnx::TensorProto::BOOL:
      if (elementTypeOf(type) == elementType)
        return type;
    }
  return onnx::TensorProto::UNDEFINED;
}

RankedTensorType TensorStore::typeOf(const onnx::TensorProto &tensor) {
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  for (int64_t extent : shape)
    if (extent < 0)
      fail("tensor '{0}' has a negative extent {1}", tensor.name(), extent);
  if (std::optional<std::string> problem =
          llm::findProblem(llvm::map_to_vector(shape, [&](int64_t extent) {
            return llm::ExtentAttr::getConstant(context, extent);
          })))
    fail("tensor '{0}': {1}", tensor.name(), *problem);
  return RankedTensorType::get(shape, elementTypeOf(tensor.data_type()));
}

uint64_t TensorStore::byteSizeOf(RankedTensorType type) {
  return type.getNumElements() *
         std::max(1u, type.getElementTypeBitWidth() / 8);
}

std::optional<TensorStore::Location>
TensorStore::locate(const onnx::TensorProto &tensor) {
  // Data that stayed in the model's file is external data with a location too.
  auto isLocation = [](const onnx::StringStringEntryProto &entry) {
    return entry.key() == "location";
  };
  size_t places = llvm::count_if(tensor.external_data(), isLocation);
  if (places > 1 || (places == 1 && tensor.has_raw_data()))
    fail("tensor '{0}' has its data in the model and in another file, or in "
         "two; expected one place",
         tensor.name());
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL)
    return std::nullopt;
  Location location{"", 0, 0};
  bool hasLength = false;
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    uint64_t *number = entry.key() == "offset"   ? &location.offset
                       : entry.key() == "length" ? &location.length
                                                 : nullptr;
    if (entry.key() == "location")
      location.file = entry.value();
    else if (number && StringRef(entry.value()).getAsInteger(10, *number))
      fail("external data of '{0}' has {1} '{2}'; expected a number",
           tensor.name(), entry.key(), entry.value());
    hasLength |= entry.key() == "length";
  }
  if (location.file == kModelFileLocation)
    location.file = llvm::sys::path::filename(modelPath);
  else if (llvm::sys::path::is_absolute(location.file) ||
           llvm::any_of(llvm::make_range(llvm::sys::path::begin(location.file),
                                         llvm::sys::path::end(location.file)),
                        [](StringRef part) { return part == ".."; }))
    fail("external data of '{0}' is in '{1}', outside the model's folder",
         tensor.name(), location.file);
  uint64_t needed = byteSizeOf(typeOf(tensor));
  if (!hasLength)
    location.length = needed;
  if (location.length != needed)
    fail("external data of '{0}' has {1} bytes; its type and shape need {2}",
         tensor.name(), location.length, needed);
  const MappedFile &file = map(location.file, tensor.name());
  if (location.offset > file.size() ||
      location.length > file.size() - location.offset)
    fail("external data of '{0}' is missing: '{1}' has {2} bytes, expected {3} "
         "at offset {4}; the file may be truncated",
         tensor.name(), location.file, file.size(), location.length,
         location.offset);
  return location;
}

namespace {

template <typename T>
DenseElementsAttr makeElements(RankedTensorType type,
                               const onnx::TensorProto &tensor) {
  std::vector<T> values = onnx::ParseData<T>(&tensor);
  if (int64_t(values.size()) != type.getNumElements())
    fail("tensor '{0}' has {1} values; its shape needs {2}", tensor.name(),
         values.size(), type.getNumElements());
  return DenseElementsAttr::get(type, ArrayRef<T>(values));
}

/// Elements of types that ONNX keeps in int32_data.
DenseElementsAttr makeNarrowElements(RankedTensorType type,
                                     const onnx::TensorProto &tensor) {
  if (tensor.int32_data_size() != type.getNumElements())
    fail("tensor '{0}' has {1} values; its shape needs {2}", tensor.name(),
         tensor.int32_data_size(), type.getNumElements());
  unsigned width = type.getElementTypeBitWidth();
  auto bits = llvm::map_to_vector(tensor.int32_data(), [&](int32_t value) {
    return APInt(width, uint64_t(value), /*isSigned=*/false,
                 /*implicitTrunc=*/true);
  });
  if (auto floatType = dyn_cast<FloatType>(type.getElementType()))
    return DenseElementsAttr::get(
        type, llvm::map_to_vector(bits, [&](const APInt &value) {
          return APFloat(floatType.getFloatSemantics(), value);
        }));
  return DenseElementsAttr::get(type, bits);
}

/// MLIR keeps booleans as bits, ONNX as bytes.
DenseElementsAttr makeBooleans(RankedTensorType type, ArrayRef<uint8_t> bytes) {
  return DenseElementsAttr::get(
      type, llvm::map_to_vector(bytes, [](uint8_t byte) { return byte != 0; }));
}

} // namespace

DenseElementsAttr TensorStore::read(const onnx::TensorProto &tensor) {
  RankedTensorType type = typeOf(tensor);
  uint64_t size = byteSizeOf(type);
  std::optional<ArrayRef<uint8_t>> bytes;
  if (std::optional<Location> location = locate(tensor))
    bytes = map(location->file, tensor.name())
                .bytes()
                .slice(location->offset, location->length);
  else if (tensor.has_raw_data())
    bytes =
        ArrayRef(reinterpret_cast<const uint8_t *>(tensor.raw_data().data()),
                 tensor.raw_data().size());
  if (bytes) {
    if (bytes->size() != size)
      fail("tensor '{0}' has {1} bytes; its type and shape need {2}",
           tensor.name(), bytes->size(), size);
    if (type.getElementType().isInteger(1))
      return makeBooleans(type, *bytes);
    return DenseElementsAttr::getFromRawBuffer(
        type,
        ArrayRef(reinterpret_cast<const char *>(bytes->data()), bytes->size()));
  }
  if (size > kMaxCopiedBytes)
    fail("tensor '{0}' has {1} bytes that are not stored as raw data; at most "
         "{2} are supported, save the model with "
         "raw or external data",
         tensor.name(), size, kMaxCopiedBytes);
  switch (tensor.data_type()) {
  case onnx::TensorProto::FLOAT:
    return makeElements<float>(type, tensor);
  case onnx::TensorProto::DOUBLE:
    return makeElements<double>(type, tensor);
  case onnx::TensorProto::INT64:
    return makeElements<int64_t>(type, tensor);
  default:
    return makeNarrowElements(type, tensor);
  }
}
