//===- TensorDirective.cpp - where the model's tensors are ------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../OperandTypes.h"
#include "Assembler.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace serrano::isa {

std::vector<std::string> Assembler::parseSizes() {
  std::vector<std::string> sizes;
  expect("[");
  if (!lexer.peek().is("]"))
    do
      sizes.push_back(parseSize());
    while (accept(","));
  expect("]");
  return sizes;
}

void Assembler::parseTensor() {
  if (!inFunction)
    fail(directiveLoc, "the directive belongs into a function, before the "
                       "instruction at which the tensor is complete");
  SourceTensor tensor;
  tensor.word = static_cast<uint32_t>(program.text.size());
  if (accept("[")) {
    do
      tensor.names.push_back(expectSymbol("the name of a tensor"));
    while (accept(","));
    expect("]");
  } else {
    tensor.names.push_back(expectSymbol("the name of a tensor"));
  }
  expect(",");
  tensor.dtype = parseTypeName("an element type of NumPy", numpyTypes());
  tensor.stored = tensor.dtype;
  expect(",");
  tensor.shape = parseSizes();
  bool hasAddress = false;
  while (accept(",")) {
    Token key = expectName("spm=, hbm=, stored=, op=, layer=, extents= or "
                           "strides=");
    expect("=");
    if (key.text == "spm" || key.text == "hbm") {
      tensor.isInHbm = key.text == "hbm";
      tensor.address = parseBounded("the address", 0, (int64_t(1) << 42) - 1);
      hasAddress = true;
    } else if (key.text == "stored") {
      tensor.stored = parseTypeName("an element type of the chip", chipTypes());
    } else if (key.text == "op") {
      tensor.sourceOperator = static_cast<uint32_t>(
          parseBounded("the operator's index", 0, 0xffff));
    } else if (key.text == "layer") {
      tensor.layer =
          static_cast<uint32_t>(parseBounded("the layer", 1, 0x7fffffff));
    } else if (key.text == "extents") {
      tensor.extents = parseSizes();
    } else if (key.text == "strides") {
      tensor.strides = parseSizes();
    } else {
      fail(key.loc, formatv("unknown option '{0}': expected spm, hbm, stored, "
                            "op, layer, extents or strides",
                            key.text)
                        .str());
    }
  }
  const std::string &name = tensor.names.front();
  if (!hasAddress)
    fail(directiveLoc,
         formatv("'{0}' needs an address: spm= or hbm=", name).str());
  if (!is_contained(chipTypes(), tensor.stored))
    fail(directiveLoc,
         formatv("the chip has no type '{0}'; say with stored= how '{1}' is "
                 "kept: {2}",
                 tensor.dtype, name, join(chipTypes(), ", "))
             .str());
  if (tensor.extents.size() != tensor.strides.size())
    fail(directiveLoc,
         formatv("'{0}' has {1} extents and {2} strides; expected a stride for "
                 "each extent",
                 name, tensor.extents.size(), tensor.strides.size())
             .str());
  if (tensor.names.size() > 1 && !tensor.layer)
    fail(directiveLoc, formatv("'{0}' has {1} names, which are those of "
                               "layers; say with layer= which is the first",
                               name, tensor.names.size())
                           .str());
  program.tensors.push_back(std::move(tensor));
}

} // namespace serrano::isa
