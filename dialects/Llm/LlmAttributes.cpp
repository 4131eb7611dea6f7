//===- LlmAttributes.cpp - parsing, printing and verifying attributes -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/LlmAttributes.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::llm;

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

static ParseResult parseExtentFactor(AsmParser &parser, std::string &text) {
  int64_t integer;
  OptionalParseResult hasInteger = parser.parseOptionalInteger(integer);
  if (hasInteger.has_value()) {
    text += std::to_string(integer);
    return *hasInteger;
  }
  std::string name;
  if (succeeded(parser.parseOptionalString(&name))) {
    text += '"' + name + '"';
    return success();
  }
  StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return failure();
  text += keyword;
  return success();
}

FailureOr<ExtentAttr> llm::parseExtent(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  std::string text;
  if (succeeded(parser.parseOptionalMinus()))
    text += '-';
  while (true) {
    if (parseExtentFactor(parser, text))
      return failure();
    if (succeeded(parser.parseOptionalStar()))
      text += '*';
    else if (succeeded(parser.parseOptionalPlus()))
      text += '+';
    else if (succeeded(parser.parseOptionalMinus()))
      text += '-';
    else
      break;
  }
  ExtentAttr extent = ExtentAttr::fromString(parser.getContext(), text);
  if (!extent)
    return parser.emitError(
        loc, "expected an extent: a sum of products of integers and symbols");
  return extent;
}

Attribute ExtentAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  FailureOr<ExtentAttr> extent = parseExtent(parser);
  if (failed(extent) || parser.parseGreater())
    return {};
  return *extent;
}

void ExtentAttr::print(AsmPrinter &printer) const {
  printer << '<' << str() << '>';
}

//===----------------------------------------------------------------------===//
// Dims
//===----------------------------------------------------------------------===//

ParseResult llm::parseExtents(AsmParser &parser, DimsAttr &dims) {
  SmallVector<ExtentAttr> extents;
  if (parser.parseCommaSeparatedList(
          AsmParser::Delimiter::Square, [&]() -> ParseResult {
            FailureOr<ExtentAttr> extent = parseExtent(parser);
            if (failed(extent))
              return failure();
            extents.push_back(*extent);
            return success();
          }))
    return failure();
  dims = DimsAttr::get(parser.getContext(), extents);
  return success();
}

void llm::printExtents(AsmPrinter &printer, Operation *, DimsAttr dims) {
  printer << toString(dims.getExtents());
}

Attribute DimsAttr::parse(AsmParser &parser, Type) {
  DimsAttr dims;
  if (parser.parseLess() || parseExtents(parser, dims) || parser.parseGreater())
    return {};
  return dims;
}

void DimsAttr::print(AsmPrinter &printer) const {
  printer << '<' << toString(getExtents()) << '>';
}

LogicalResult DimsAttr::verifyEncoding(
    ArrayRef<int64_t> shape, Type,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != getExtents().size())
    return emitError() << "encoding names " << getExtents().size()
                       << " extents of a tensor of rank " << shape.size();
  for (auto [index, size, extent] : llvm::enumerate(shape, getExtents())) {
    int64_t expected = extent.getConstantValue().value_or(ShapedType::kDynamic);
    if (size != expected)
      return emitError() << "dimension " << index << " has extent '"
                         << extent.str() << "' in the encoding but "
                         << (ShapedType::isDynamic(size)
                                 ? "is dynamic"
                                 : "size " + std::to_string(size))
                         << " in the shape";
  }
  if (!ShapedType::isDynamicShape(shape))
    return emitError() << "a tensor of static shape has no extents to encode; "
                          "remove the encoding";
  return success();
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

SmallVector<int64_t> ViewAttr::getRowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i > 1; --i)
    strides[i - 2] = strides[i - 1] * shape[i - 1];
  return strides;
}

LogicalResult
ViewAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                 StringAttr file, int64_t offset, int64_t length,
                 ArrayRef<int64_t> shape, ArrayRef<int64_t> strides) {
  if (shape.size() != strides.size())
    return emitError() << "view of " << file << " has " << shape.size()
                       << " dimensions but " << strides.size() << " strides";
  if (offset < 0 || length < 0)
    return emitError() << "view of " << file
                       << " has a negative offset or length";
  for (int64_t extent : shape)
    if (extent < 0)
      return emitError() << "view of " << file << " has a negative extent "
                         << extent;
  for (int64_t stride : strides)
    if (stride < 0)
      return emitError() << "view of " << file << " has a negative stride "
                         << stride;
  return success();
}
