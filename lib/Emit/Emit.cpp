//===- Emit.cpp - from instructions to a program file ------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Emit/Emit.h"

#include "WeightReader.h"
#include "dialects/Mem/Mem.h"
#include "serrano/Isa/ProgramWriter.h"
#include "serrano/Support/Error.h"
#include "serrano/Support/Progress.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace mlir;
using namespace serrano;

namespace {

/// Writes sections of weights.
class WeightWriter {
public:
  WeightWriter(ModuleOp module, isa::ProgramWriter &writer, Progress &progress)
      : symbols(module),
        reader(module->getAttrOfType<StringAttr>(llm::LlmDialect::kDirectoryAttr).getValue()),
        writer(writer), progress(progress) {}

  llvm::Error write(tile::PackedOp packed);
  llvm::Error write(tile::VectorsOp vectors);
  llvm::Error write(tile::TensorOp table);

private:
  /// The weight of that name, of which `user` says the shape.
  llvm::Expected<llm::WeightOp> find(SymbolRefAttr name, StringRef user, ArrayRef<int64_t> shape);
  llvm::Expected<size_t> addSection(Operation *op, StringRef name, int64_t bytes);
  /// Appends `values` in the section's element type.
  void convert(ArrayRef<float> values, Type type, std::vector<uint8_t> &bytes);

  SymbolTable symbols;
  WeightReader reader;
  isa::ProgramWriter &writer;
  Progress &progress;
};

} // namespace

llvm::Expected<llm::WeightOp> WeightWriter::find(SymbolRefAttr name, StringRef user,
                                                 ArrayRef<int64_t> shape) {
  StringRef text = name.getRootReference().getValue();
  auto weight = symbols.lookup<llm::WeightOp>(name.getRootReference());
  if (!weight)
    return makeError("no llm.weight '{0}' says where the values are", text);
  if (weight.getTensorType().getShape() != shape)
    return makeError("weight '{0}' has shape [{1:$[, ]}], but '{2}' takes it as [{3:$[, ]}]",
                     weight.getModelName(),
                     llvm::make_range(weight.getTensorType().getShape().begin(),
                                      weight.getTensorType().getShape().end()),
                     user, llvm::make_range(shape.begin(), shape.end()));
  return weight;
}

llvm::Expected<size_t> WeightWriter::addSection(Operation *op, StringRef name, int64_t bytes) {
  auto address = op->getAttrOfType<IntegerAttr>(mem::MemDialect::kAddressAttr);
  return writer.addWeights(name, address.getInt(), bytes);
}

void WeightWriter::convert(ArrayRef<float> values, Type type, std::vector<uint8_t> &bytes) {
  size_t start = bytes.size();
  if (type.isF32()) {
    bytes.resize(start + values.size() * sizeof(float));
    std::memcpy(bytes.data() + start, values.data(), values.size() * sizeof(float));
    return;
  }
  bytes.resize(start + values.size() * sizeof(uint16_t));
  for (size_t i = 0; i < values.size(); ++i) {
    uint32_t word;
    std::memcpy(&word, &values[i], sizeof(word));
    // bfloat16, to nearest even; a NaN keeps a bit so that it stays one.
    uint32_t rounded = (word + 0x7fff + (word >> 16 & 1)) >> 16;
    uint16_t half = (word & 0x7fffffff) > 0x7f800000 ? uint16_t(0x7fc0) : uint16_t(rounded);
    std::memcpy(bytes.data() + start + i * sizeof(half), &half, sizeof(half));
  }
}

llvm::Error WeightWriter::write(tile::PackedOp packed) {
  int64_t tileK = packed.getTileK(), tileN = packed.getTileN();
  int64_t stride = llvm::alignTo(packed.getTileBytes(), mem::bufferAlignment);
  llvm::Expected<size_t> section =
      addSection(packed, packed.getSymName(), packed.getNumTiles() * stride);
  if (!section)
    return section.takeError();
  std::vector<float> slot(tileK * tileN);
  std::vector<uint8_t> bytes;
  int64_t written = 0;
  auto write = [&]() -> llvm::Error {
    if (bytes.empty())
      return llvm::Error::success();
    if (llvm::Error error = writer.write(*section, written, bytes))
      return error;
    written += int64_t(bytes.size());
    bytes.clear();
    return llvm::Error::success();
  };
  // A section begins as a hole: slots of nothing else stay one.
  bool slotIsHole = true;
  auto flush = [&]() -> llvm::Error {
    if (slotIsHole) {
      llvm::Error error = write();
      written += stride;
      return error;
    }
    convert(slot, packed.getElementType(), bytes);
    bytes.resize(llvm::alignTo(bytes.size(), mem::bufferAlignment));
    std::fill(slot.begin(), slot.end(), 0.0f);
    slotIsHole = true;
    return llvm::Error::success();
  };
  tile::WeightTape tape(tileK, tileN);
  auto names = packed.getWeights().getAsRange<SymbolRefAttr>().begin();
  for (const tile::WeightGroup &group : packed.getWeightGroups()) {
    SmallVector<llm::WeightOp> weights;
    SmallVector<bool> holes;
    for (int64_t n : group.n) {
      llvm::Expected<llm::WeightOp> weight = find(*names++, packed.getSymName(), {group.k, n});
      if (!weight)
        return weight.takeError();
      llvm::Expected<bool> hole = reader.isHole(*weight);
      if (!hole)
        return hole.takeError();
      weights.push_back(*weight);
      holes.push_back(*hole);
    }
    for (const tile::WeightBlock &block : tile::getBlocks(group, tileN)) {
      for (const tile::WeightTape::Piece &piece : tape.append(group.k, block.width, block.ends)) {
        float *place = slot.data() + piece.offset;
        for (const tile::WeightSegment &segment : block.segments) {
          if (!holes[segment.weight]) {
            slotIsHole = false;
            if (llvm::Error error = reader.read(weights[segment.weight], piece.row, piece.rows,
                                                segment.column, segment.width, place, block.width))
              return error;
          }
          place += segment.width;
        }
        if (piece.last)
          if (llvm::Error error = flush())
            return error;
      }
      progress.advance(group.k * block.width);
      if (llvm::Error error = write())
        return error;
    }
  }
  return llvm::Error::success();
}

llvm::Error WeightWriter::write(tile::VectorsOp vectors) {
  std::vector<float> values(vectors.getLength());
  for (auto [i, name] : llvm::enumerate(vectors.getWeights().getAsRange<SymbolRefAttr>())) {
    ArrayRef<int64_t> offsets = vectors.getOffsets();
    // Without gaps: a vector reaches to the next one, or to the end.
    int64_t offset = offsets[i];
    int64_t length =
        (i + 1 < offsets.size() ? offsets[i + 1] : int64_t(vectors.getLength())) - offset;
    llvm::Expected<llm::WeightOp> weight = find(name, vectors.getSymName(), {length});
    if (!weight)
      return weight.takeError();
    if (llvm::Error error = reader.read(*weight, 0, 1, 0, length, values.data() + offset, length))
      return error;
  }
  std::vector<uint8_t> bytes;
  convert(values, vectors.getElementType(), bytes);
  llvm::Expected<size_t> section = addSection(vectors, vectors.getSymName(), bytes.size());
  if (!section)
    return section.takeError();
  return writer.write(*section, 0, bytes);
}

llvm::Error WeightWriter::write(tile::TensorOp table) {
  llvm::Expected<llm::WeightOp> weight =
      find(*table.getWeight(), table.getSymName(), table.getSlotType().getShape());
  if (!weight)
    return weight.takeError();
  int64_t rows = table.getSlotType().getDimSize(0), cols = table.getSlotType().getDimSize(1);
  Type type = table.getSlotType().getElementType();
  int64_t rowBytes = cols * type.getIntOrFloatBitWidth() / 8;
  llvm::Expected<size_t> section =
      addSection(table, ("table." + weight->getModelName()).str(), rows * rowBytes);
  if (!section)
    return section.takeError();
  llvm::Expected<bool> hole = reader.isHole(*weight);
  if (!hole)
    return hole.takeError();
  if (*hole) {
    progress.advance(rows * cols);
    return llvm::Error::success();
  }
  constexpr int64_t step = 256;
  std::vector<float> values(step * cols);
  std::vector<uint8_t> bytes;
  for (int64_t row = 0; row < rows; row += step) {
    int64_t count = std::min(step, rows - row);
    if (llvm::Error error = reader.read(*weight, row, count, 0, cols, values.data(), cols))
      return error;
    bytes.clear();
    convert(ArrayRef(values).take_front(count * cols), type, bytes);
    if (llvm::Error error = writer.write(*section, row * rowBytes, bytes))
      return error;
    progress.advance(count * cols);
  }
  return llvm::Error::success();
}

/// Elements of all weights, for the progress shown.
static int64_t countElements(ModuleOp module) {
  int64_t total = 0;
  for (Operation &op : *module.getBody()) {
    if (auto packed = dyn_cast<tile::PackedOp>(op))
      for (size_t i = 0; i + 1 < packed.getSizes().size(); i += 2)
        total += packed.getSizes()[i] * packed.getSizes()[i + 1];
    auto tensor = dyn_cast<tile::TensorOp>(op);
    if (tensor && tensor.getRole() == tile::TensorRole::Constant)
      total += tensor.getSlotType().getNumElements();
  }
  return total;
}

llvm::Error serrano::emitProgram(ModuleOp module, const isa::Program &program,
                                 const TargetModel &target, StringRef path, bool quiet) {
  llvm::Expected<isa::ProgramWriter> writer = isa::ProgramWriter::create(path);
  if (!writer)
    return writer.takeError();
  Progress progress("packing weights", countElements(module), quiet);
  WeightWriter weights(module, *writer, progress);
  for (Operation &op : *module.getBody()) {
    llvm::Error error = llvm::Error::success();
    if (auto packed = dyn_cast<tile::PackedOp>(op))
      error = weights.write(packed);
    else if (auto vectors = dyn_cast<tile::VectorsOp>(op))
      error = weights.write(vectors);
    else if (auto tensor = dyn_cast<tile::TensorOp>(op);
             tensor && tensor.getRole() == tile::TensorRole::Constant)
      error = weights.write(tensor);
    if (error)
      return error;
  }
  return writer->finish(program, target.toJson());
}
