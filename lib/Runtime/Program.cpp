//===- Program.cpp - a program that can be run -------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Program.h"
#include "serrano/Runtime/Elements.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace serrano;

llvm::Expected<std::unique_ptr<Program>> Program::load(llvm::StringRef path) {
  llvm::Expected<isa::ProgramFile> file = isa::ProgramFile::open(path);
  if (!file)
    return file.takeError();
  return create(std::move(*file));
}

llvm::Expected<std::unique_ptr<Program>>
Program::create(isa::ProgramFile file) {
  std::unique_ptr<Program> result(new Program());
  result->programFile = std::make_unique<isa::ProgramFile>(std::move(file));
  llvm::StringRef path = result->programFile->path();
  const isa::Program &program = result->programFile->program();
  for (const isa::Entry &source : program.entries) {
    llvm::Expected<Entry> entry = Entry::create(source, program);
    if (!entry)
      return addContext(entry.takeError(), path);
    result->entryList.push_back(std::move(*entry));
  }
  for (const isa::SourceTensor &source : program.tensors) {
    llvm::Expected<SourceTensor> tensor = SourceTensor::create(source);
    if (!tensor)
      return addContext(tensor.takeError(), path);
    result->tensorList.push_back(std::move(*tensor));
  }
  auto machine = sim::Machine::create(*result->programFile);
  if (!machine)
    return machine.takeError();
  result->core = std::move(*machine);
  return result;
}

llvm::Expected<const Entry *> Program::entry(llvm::StringRef name) const {
  for (const Entry &entry : entryList)
    if (entry.name == name)
      return &entry;
  return makeError(
      "{0}: no entry '{1}'; the entries are {2}", programFile->path(), name,
      llvm::join(
          llvm::map_range(entryList, [](const Entry &e) { return e.name; }),
          ", "));
}

/// Fails if an array of `shape` for `operand` would reach beyond the range of
/// HBM that the operand begins in: the program's limits allow more than it has
/// room for, as the compiler's programs never do.
static llvm::Error checkRoom(const Operand &operand,
                             llvm::ArrayRef<uint64_t> shape,
                             llvm::ArrayRef<isa::Section> ranges) {
  if (operand.scalarMemory)
    return llvm::Error::success();
  uint64_t size = isa::sizeOf(operand.stored), elements = 1;
  for (uint64_t n : shape)
    elements = llvm::SaturatingMultiply(elements, n);
  for (const isa::Section &range : ranges) {
    uint64_t offset = uint64_t(operand.address) - range.address;
    if (offset >= range.memorySize ||
        elements <= (range.memorySize - offset) / size)
      continue;
    return makeError("array '{0}' of shape [{1:$[, ]}] has {2} elements, but "
                     "the program reserves room for {3} in '{4}'",
                     operand.name, llvm::make_range(shape.begin(), shape.end()),
                     elements, (range.memorySize - offset) / size, range.name);
  }
  return llvm::Error::success();
}

llvm::Error Program::write(const Operand &operand, const NpyArray &array) {
  llvm::Expected<std::vector<uint8_t>> bytes =
      toDevice(operand.name, array, operand.stored);
  if (!bytes)
    return bytes.takeError();
  return operand.scalarMemory ? core->writeScalar(operand.address, *bytes)
                              : core->writeHbm(operand.address, *bytes);
}

llvm::Expected<NpyArray> Program::read(const Operand &operand,
                                       const Dimensions &dimensions) {
  llvm::Expected<std::vector<uint64_t>> shape = operand.shapeFor(dimensions);
  if (!shape)
    return shape.takeError();
  // Nothing larger than the memory is there to be read.
  uint64_t size = isa::sizeOf(operand.stored);
  uint64_t limit =
      std::max<uint64_t>(programFile->program().hbmBytes, UINT16_MAX);
  for (uint64_t n : *shape)
    if ((size = llvm::SaturatingMultiply(size, n)) > limit)
      return makeError("it is larger than the memory of the program, {0} bytes",
                       limit);
  std::vector<uint8_t> bytes(size);
  if (llvm::Error error = operand.scalarMemory
                              ? core->readScalar(operand.address, bytes)
                              : core->readHbm(operand.address, bytes))
    return std::move(error);
  return fromDevice(bytes, operand.stored, operand.type, std::move(*shape));
}

llvm::Expected<Dimensions> Program::writeInputs(const Entry &entry,
                                                const NpzArrays &inputs) {
  llvm::Expected<Dimensions> dimensions = entry.bind(inputs);
  if (!dimensions)
    return dimensions.takeError();
  if (llvm::Error error = entry.checkValues(inputs, *dimensions))
    return std::move(error);
  for (const std::vector<Operand> *operands : {&entry.inputs, &entry.outputs})
    for (const Operand &operand : *operands) {
      llvm::Expected<std::vector<uint64_t>> shape =
          operand.shapeFor(*dimensions);
      if (!shape)
        return shape.takeError();
      if (llvm::Error error =
              checkRoom(operand, *shape, programFile->sections()))
        return std::move(error);
    }
  for (const Dimension &dimension : entry.dimensions) {
    int32_t value = int32_t(dimensions->at(dimension.name));
    uint8_t bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    if (llvm::Error error = core->writeScalar(dimension.scalarAddress, bytes))
      return std::move(error);
  }
  for (const Operand &operand : entry.inputs)
    if (llvm::Error error = write(operand, inputs.find(operand.name)->second))
      return addContext(std::move(error), "input '" + operand.name + "'");
  return dimensions;
}

llvm::Expected<Program::Result> Program::run(const Entry &entry,
                                             const NpzArrays &inputs,
                                             const sim::RunOptions &options,
                                             llvm::StringRef inputsPath,
                                             const TensorFilter &filter) {
  llvm::Expected<Dimensions> dimensions = writeInputs(entry, inputs);
  if (!dimensions)
    return inputsPath.empty() ? dimensions.takeError()
                              : addContext(dimensions.takeError(), inputsPath);
  std::optional<TensorReader> reader;
  sim::RunOptions all = options;
  if (filter)
    all.debugger =
        &reader.emplace(*core, tensorList, programFile->operators(),
                        *dimensions, filter, options.debugger);
  llvm::Expected<sim::Statistics> statistics = core->run(entry.word, all);
  Result result;
  if (reader) {
    // What keeps a tensor from being read ends the run.
    llvm::Expected<std::vector<ReadTensor>> tensors = reader->take();
    if (!tensors) {
      llvm::consumeError(statistics.takeError());
      return tensors.takeError();
    }
    result.tensors = std::move(*tensors);
  }
  if (!statistics)
    return statistics.takeError();
  result.statistics = std::move(*statistics);
  for (const Operand &operand : entry.outputs) {
    llvm::Expected<NpyArray> array = read(operand, *dimensions);
    if (!array)
      return addContext(array.takeError(), "output '" + operand.name + "'");
    result.outputs.emplace(operand.name, std::move(*array));
  }
  return result;
}
