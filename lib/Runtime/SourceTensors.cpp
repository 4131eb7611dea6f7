//===- SourceTensors.cpp - the model's tensors while it runs ------------ -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/SourceTensors.h"
#include "serrano/Runtime/Elements.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace serrano;

static llvm::Expected<std::vector<SizeExpression>>
parseAll(llvm::ArrayRef<std::string> texts) {
  std::vector<SizeExpression> result;
  for (const std::string &text : texts) {
    llvm::Expected<SizeExpression> size = SizeExpression::parse(text);
    if (!size)
      return size.takeError();
    result.push_back(std::move(*size));
  }
  return result;
}

llvm::Expected<SourceTensor>
SourceTensor::create(const isa::SourceTensor &source) {
  const std::string &name = source.names.front();
  llvm::Expected<Operand> operand =
      Operand::create({.name = name,
                       .dtype = source.dtype,
                       .stored = source.stored,
                       .shape = source.shape,
                       .isInScalarMemory = false,
                       .address = source.address,
                       .below = ""});
  if (!operand)
    return operand.takeError();
  auto extents = parseAll(source.extents);
  if (!extents)
    return addContext(extents.takeError(), "tensor '" + name + "'");
  auto strides = parseAll(source.strides);
  if (!strides)
    return addContext(strides.takeError(), "tensor '" + name + "'");
  return SourceTensor{source.word,
                      source.names,
                      int64_t(source.layer),
                      source.sourceOperator,
                      std::move(*operand),
                      source.isInHbm,
                      std::move(*extents),
                      std::move(*strides)};
}

TensorReader::TensorReader(const sim::Machine &machine,
                           llvm::ArrayRef<SourceTensor> tensors,
                           llvm::ArrayRef<std::string> operators,
                           const Dimensions &dimensions, TensorFilter filter,
                           sim::Debugger *next)
    : machine(machine), operators(operators), dimensions(dimensions),
      filter(std::move(filter)), next(next) {
  // The last of one address would come first.
  for (const SourceTensor &tensor : llvm::reverse(tensors))
    byWord.emplace(tensor.word, &tensor);
  if (next)
    watches = next->watches;
}

void TensorReader::accessed(const sim::WatchedAccess &access) {
  next->accessed(access);
}

bool TensorReader::before(const sim::Site &site) {
  auto [begin, end] = byWord.equal_range(site.word);
  for (const auto &[word, tensor] : llvm::make_range(begin, end)) {
    int64_t index = tensor->layer ? site.layer - tensor->layer : 0;
    if (index < 0 || index >= int64_t(tensor->names.size()))
      continue;
    const std::string &name = tensor->names[index];
    const std::string &op = operators[tensor->op];
    int64_t layer = tensor->layer ? site.layer : 0;
    if (!filter(name, op, layer) ||
        llvm::any_of(found, [&](const ReadTensor &t) { return t.name == name; }))
      continue;
    llvm::Expected<NpyArray> array = read(*tensor);
    if (!array) {
      problem = llvm::joinErrors(
          std::move(problem),
          addContext(array.takeError(), "tensor '" + name + "'"));
      return false;
    }
    found.push_back({name, op, layer, std::move(*array)});
  }
  return !next || next->before(site);
}

llvm::Expected<std::vector<ReadTensor>> TensorReader::take() {
  if (problem)
    return std::move(problem);
  return std::move(found);
}

/// Walks over a tensor's elements in row-major order.
namespace {
struct Loops {
  llvm::SmallVector<int64_t> extents, strides;

  /// Calls `visit` with the places of all elements, counted in elements.
  template <typename Visit>
  void walk(Visit visit, size_t loop = 0, int64_t place = 0) const {
    if (loop == extents.size())
      return visit(place);
    for (int64_t i = 0; i < extents[loop]; ++i)
      walk(visit, loop + 1, place + i * strides[loop]);
  }
  /// One past the last place; 0 if there is no element.
  uint64_t end() const {
    uint64_t last = 0;
    for (auto [extent, stride] : llvm::zip_equal(extents, strides)) {
      if (extent == 0)
        return 0;
      last = llvm::SaturatingMultiplyAdd<uint64_t>(extent - 1, stride, last);
    }
    return llvm::SaturatingAdd<uint64_t>(last, 1);
  }
};
} // namespace

llvm::Expected<NpyArray> TensorReader::read(const SourceTensor &tensor) const {
  llvm::Expected<std::vector<uint64_t>> shape =
      tensor.operand.shapeFor(dimensions);
  if (!shape)
    return shape.takeError();
  // Nothing larger than the memory is there to be read.
  sim::Memory memory =
      tensor.inHbm ? sim::Memory::Hbm : sim::Memory::Scratchpad;
  int64_t room = machine.bytesOf(memory);
  int64_t size = isa::sizeOf(tensor.operand.stored), elements = 1;
  for (uint64_t n : *shape) {
    if (n && elements > room / int64_t(n))
      return makeError("it is larger than the {0} bytes of its memory", room);
    elements *= int64_t(n);
  }
  Loops loops;
  if (tensor.extents.empty())
    loops = {{elements}, {1}};
  int64_t walked = tensor.extents.empty() ? elements : 1;
  for (auto [extent, stride] :
       llvm::zip_equal(tensor.extents, tensor.strides)) {
    llvm::Expected<int64_t> e = extent.evaluate(dimensions);
    if (!e)
      return e.takeError();
    llvm::Expected<int64_t> s = stride.evaluate(dimensions);
    if (!s)
      return s.takeError();
    if (*e < 0 || *s < 0 || *e > room || *s > room)
      return makeError("its loop of {0} rounds of {1} elements leaves the {2} "
                       "bytes of its memory",
                       *e, *s, room);
    loops.extents.push_back(*e);
    loops.strides.push_back(*s);
    walked = *e && walked > room / *e ? room : walked * *e;
  }
  if (walked != elements)
    return makeError("its loops go over {0} elements, its shape has {1}",
                     walked, elements);
  uint64_t end = loops.end();
  if (end > uint64_t(room / size))
    return makeError("it ends after the {0} bytes of its memory", room);
  std::vector<uint8_t> all(end * size), bytes;
  if (llvm::Error error = machine.read(memory, tensor.operand.address, all))
    return std::move(error);
  bytes.reserve(elements * size);
  loops.walk([&](int64_t place) {
    const uint8_t *element = all.data() + place * size;
    bytes.insert(bytes.end(), element, element + size);
  });
  return fromDevice(bytes, tensor.operand.stored, tensor.operand.type,
                    std::move(*shape));
}
