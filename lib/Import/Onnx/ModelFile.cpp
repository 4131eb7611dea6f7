//===- ModelFile.cpp - reads a model without its weights -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelFile.h"
#include "ImportError.h"

#include "onnx/defs/parser.h"
#include "serrano/Support/MappedFile.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace serrano::onnx_import;
using llvm::ArrayRef;
using llvm::StringRef;

namespace {

/// Messages whose fields the scan looks into.
enum class Message { Model, Graph, Node, Attribute, Tensor };

// Field numbers of onnx.proto.
constexpr uint64_t kGraphValueInfo = 13, kNodeDocString = 6, kNodeMetadata = 9,
                   kTensorFloatData = 4, kTensorRawData = 9,
                   kTensorDoubleData = 10, kTensorExternalData = 13,
                   kTensorDataLocation = 14;

/// Data up to this size stays in the message.
constexpr uint64_t kInlineBytes = 8;

/// Copies a serialised model without the weights.
///
/// Parsing the file as it is would copy all in-line weights to the heap. The
/// scan walks over the wire format instead: a field is a varint holding its
/// number and wire type, then its value; messages and byte strings are a length
/// and that many bytes.
class Stripper {
public:
  explicit Stripper(ArrayRef<uint8_t> file) : file(file) {}

  std::string run() { return copyMessage(Message::Model, 0, file.size()); }

private:
  [[noreturn]] void damaged(uint64_t position) {
    fail("damaged or not an ONNX model: no valid protobuf field at byte {0} of "
         "{1}; the file may be truncated",
         position, file.size());
  }

  uint64_t readVarint(uint64_t &position, uint64_t end) {
    uint64_t value = 0, start = position;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (position >= end)
        damaged(start);
      uint8_t byte = file[position++];
      value |= uint64_t(byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return value;
    }
    damaged(start);
  }

  static void writeVarint(std::string &out, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      out.push_back(char(value | 0x80));
    out.push_back(char(value));
  }

  static void writeBytes(std::string &out, uint64_t field, StringRef bytes) {
    writeVarint(out, field << 3 | 2);
    writeVarint(out, bytes.size());
    out.append(bytes);
  }

  /// The message in field `field` of `parent`, if the scan looks into it.
  static std::optional<Message> childOf(Message parent, uint64_t field) {
    switch (parent) {
    case Message::Model:
      return field == 7 ? std::optional(Message::Graph) : std::nullopt;
    case Message::Graph:
      return field == 1   ? std::optional(Message::Node)
             : field == 5 ? std::optional(Message::Tensor)
                          : std::nullopt;
    case Message::Node:
      return field == 5 ? std::optional(Message::Attribute) : std::nullopt;
    case Message::Attribute:
      return field == 5 || field == 10   ? std::optional(Message::Tensor)
             : field == 6 || field == 11 ? std::optional(Message::Graph)
                                         : std::nullopt;
    case Message::Tensor:
      return std::nullopt;
    }
    return std::nullopt;
  }

  static bool isDropped(Message message, uint64_t field) {
    return (message == Message::Graph && field == kGraphValueInfo) ||
           (message == Message::Node &&
            (field == kNodeDocString || field == kNodeMetadata));
  }

  std::string copyMessage(Message message, uint64_t begin, uint64_t end) {
    std::string out;
    for (uint64_t position = begin; position < end;) {
      uint64_t fieldStart = position;
      uint64_t key = readVarint(position, end);
      uint64_t field = key >> 3, wireType = key & 7;
      if (field == 0)
        damaged(fieldStart);
      if (wireType == 0) {
        readVarint(position, end);
      } else if (wireType == 1 || wireType == 5) {
        position += wireType == 1 ? 8 : 4;
      } else if (wireType == 2) {
        uint64_t length = readVarint(position, end);
        if (length > end - position)
          damaged(fieldStart);
        uint64_t payload = position;
        position += length;
        if (isDropped(message, field))
          continue;
        if (std::optional<Message> child = childOf(message, field)) {
          writeBytes(out, field, copyMessage(*child, payload, position));
          continue;
        }
        // Packed floats lie in the file as raw data does.
        bool isData = field == kTensorRawData || field == kTensorFloatData ||
                      field == kTensorDoubleData;
        if (message == Message::Tensor && isData && length > kInlineBytes) {
          writeReference(out, payload, length);
          continue;
        }
      } else {
        damaged(fieldStart);
      }
      if (position > end)
        damaged(fieldStart);
      out.append(reinterpret_cast<const char *>(file.data()) + fieldStart,
                 position - fieldStart);
    }
    return out;
  }

  static void writeReference(std::string &out, uint64_t offset,
                             uint64_t length) {
    auto writeEntry = [&](StringRef key, StringRef value) {
      std::string entry;
      writeBytes(entry, 1, key);
      writeBytes(entry, 2, value);
      writeBytes(out, kTensorExternalData, entry);
    };
    writeEntry("location", kModelFileLocation);
    writeEntry("offset", std::to_string(offset));
    writeEntry("length", std::to_string(length));
    writeVarint(out, kTensorDataLocation << 3);
    writeVarint(out, onnx::TensorProto::EXTERNAL);
  }

  ArrayRef<uint8_t> file;
};

onnx::ModelProto parseText(ArrayRef<uint8_t> bytes) {
  onnx::ModelProto model;
  std::string text(bytes.begin(), bytes.end());
  onnx::Common::Status status = onnx::OnnxParser::Parse(model, text.c_str());
  if (!status.IsOK()) {
    // The message shows the place in the text on lines of its own.
    std::string message = StringRef(status.ErrorMessage()).trim().str();
    std::replace(message.begin(), message.end(), '\n', ' ');
    fail("{0}", message);
  }
  return model;
}

} // namespace

onnx::ModelProto serrano::onnx_import::readModel(StringRef path) {
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    throw ImportError(llvm::toString(file.takeError()));
  if (path.ends_with(".onnxtext"))
    return parseText(file->bytes());
  if (file->size() == 0)
    fail("not an ONNX model: the file is empty");
  onnx::ModelProto model;
  std::string stripped = Stripper(file->bytes()).run();
  if (!model.ParseFromString(stripped))
    fail("damaged or not an ONNX model: its protobuf message cannot be parsed");
  if (!model.has_graph() || model.opset_import().empty())
    fail("not an ONNX model: it has no {0}",
         model.has_graph() ? "operator set" : "graph");
  return model;
}
