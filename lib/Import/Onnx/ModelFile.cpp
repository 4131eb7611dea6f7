//===- ModelFile.cpp - reads a model without its weights -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelFile.h"
#include "ImportError.h"

#include "onnx/defs/parser.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace serrano::onnx_import;
using llvm::ArrayRef;
using llvm::StringRef;

namespace {

/// Messages whose fields the scan looks into.
enum class Message { Model, Graph, Node, Attribute, Tensor };

// Field numbers of onnx.proto.
constexpr uint64_t kGraphNode = 1, kGraphValueInfo = 13, kNodeInput = 1,
                   kNodeOutput = 2, kNodeName = 3, kNodeOpType = 4,
                   kNodeAttribute = 5, kNodeDocString = 6, kNodeDomain = 7,
                   kNodeMetadata = 9, kTensorFloatData = 4, kTensorRawData = 9,
                   kTensorDoubleData = 10, kTensorExternalData = 13,
                   kTensorDataLocation = 14;

/// Data up to this size stays in the message.
constexpr uint64_t kInlineBytes = 8;
/// As deep as protobuf's own parser follows messages.
constexpr unsigned kMaxDepth = 100;

} // namespace

/// Copies a serialised model without the weights and without the nodes of its
/// graph, which it outlines.
///
/// Parsing the file as it is would copy all in-line weights to the heap. The
/// scan walks over the wire format instead: a field is a varint holding its
/// number and wire type, then its value; messages and byte strings are a length
/// and that many bytes.
class ModelFile::Stripper {
public:
  explicit Stripper(ArrayRef<uint8_t> file) : file(file) {}

  std::string copyModel(std::vector<NodeOutline> &nodes) {
    return copyMessage(Message::Model, 0, file.size(), 0, &nodes);
  }

  std::string copyNode(const NodeOutline &node) {
    uint64_t begin = node.bytes.bytes_begin() - file.data();
    return copyMessage(Message::Node, begin, begin + node.bytes.size(), 0,
                       nullptr);
  }

  NodeOutline outlineNode(uint64_t begin, uint64_t end) {
    NodeOutline node;
    // Most exporters write fields in the order of their numbers: attributes lie
    // together, and what is dropped is the end.
    uint64_t kept = begin, attributesBegin = begin, attributesEnd = begin;
    bool hasAttributes = true;
    for (uint64_t position = begin; position < end;) {
      Field field = readField(position, end);
      position = field.end;
      if (isDropped(Message::Node, field.number))
        continue;
      node.isWhole &= kept == field.begin;
      kept = field.end;
      if (!field.hasLength)
        continue;
      StringRef text = textOf(field.payload, field.end);
      switch (field.number) {
      case kNodeInput:
        node.inputs.push_back(text);
        break;
      case kNodeOutput:
        node.outputs.push_back(text);
        break;
      case kNodeName:
        node.name = text;
        break;
      case kNodeOpType:
        node.opType = text;
        break;
      case kNodeDomain:
        node.domain = text;
        break;
      case kNodeAttribute:
        if (attributesBegin == attributesEnd)
          attributesBegin = attributesEnd = field.begin;
        hasAttributes &= attributesEnd == field.begin;
        attributesEnd = field.end;
        // The layers of a model repeat their attributes.
        if (wholeAttributes.contains(text))
          break;
        if (isFieldWhole(Message::Node, field, /*depth=*/0))
          wholeAttributes.insert(text);
        else
          node.isWhole = hasAttributes = false;
        break;
      }
    }
    node.bytes = textOf(begin, node.isWhole ? kept : end);
    if (hasAttributes)
      node.attributes = textOf(attributesBegin, attributesEnd);
    return node;
  }

private:
  StringRef textOf(uint64_t begin, uint64_t end) const {
    return StringRef(reinterpret_cast<const char *>(file.data()) + begin,
                     end - begin);
  }

  [[noreturn]] void damaged(uint64_t position) {
    fail("damaged or not an ONNX model: no valid protobuf field at byte {0} of "
         "{1}; the file may be truncated",
         position, file.size());
  }

  uint64_t readVarint(uint64_t &position, uint64_t end) {
    // Most are one byte.
    if (position < end && !(file[position] & 0x80))
      return file[position++];
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

  /// A field of a message; its bytes are [begin, end) of the file, of which
  /// those from `payload` on are a message or a byte string.
  struct Field {
    uint64_t number, begin, payload, end;
    bool hasLength;
  };

  Field readField(uint64_t begin, uint64_t end) {
    uint64_t position = begin, key = readVarint(position, end);
    Field field{key >> 3, begin, position, position, (key & 7) == 2};
    switch (key & 7) {
    case 0:
      readVarint(field.end, end);
      break;
    case 1:
    case 5:
      field.end += (key & 7) == 1 ? 8 : 4;
      break;
    case 2: {
      uint64_t length = readVarint(field.payload, end);
      if (length > end - field.payload)
        damaged(begin);
      field.end = field.payload + length;
      break;
    }
    default:
      damaged(begin);
    }
    if (field.number == 0 || field.end > end)
      damaged(begin);
    return field;
  }

  /// Whether the field is data that stays in the file. Packed floats lie there
  /// as raw data does.
  static bool isLeftInFile(Message message, const Field &field) {
    bool isData = field.number == kTensorRawData ||
                  field.number == kTensorFloatData ||
                  field.number == kTensorDoubleData;
    return message == Message::Tensor && isData &&
           field.end - field.payload > kInlineBytes;
  }

  /// Whether the copy of a field is the field itself, as that of most nodes is.
  bool isFieldWhole(Message message, const Field &field, unsigned depth) {
    if (depth > kMaxDepth)
      fail("damaged or not an ONNX model: messages are nested more than {0} "
           "deep at byte {1}",
           kMaxDepth, field.begin);
    if (!field.hasLength)
      return true;
    if (isDropped(message, field.number) || isLeftInFile(message, field))
      return false;
    std::optional<Message> child = childOf(message, field.number);
    for (uint64_t position = field.payload; child && position < field.end;) {
      Field inner = readField(position, field.end);
      position = inner.end;
      if (!isFieldWhole(*child, inner, depth + 1))
        return false;
    }
    return true;
  }

  /// `nodes` takes the nodes of the model's graph, if the message is the model
  /// or its graph.
  std::string copyMessage(Message message, uint64_t begin, uint64_t end,
                          unsigned depth, std::vector<NodeOutline> *nodes) {
    std::string out;
    for (uint64_t position = begin; position < end;) {
      Field field = readField(position, end);
      position = field.end;
      if (nodes && message == Message::Graph && field.number == kGraphNode &&
          field.hasLength) {
        nodes->push_back(outlineNode(field.payload, field.end));
        continue;
      }
      std::optional<Message> child = childOf(message, field.number);
      bool hasNodes = nodes && child == Message::Graph && field.hasLength;
      if (!hasNodes && isFieldWhole(message, field, depth))
        out.append(textOf(field.begin, field.end));
      else if (isLeftInFile(message, field))
        writeReference(out, field.payload, field.end - field.payload);
      else if (!isDropped(message, field.number))
        writeBytes(out, field.number,
                   copyMessage(*child, field.payload, field.end, depth + 1,
                               hasNodes ? nodes : nullptr));
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
  /// Serialised attributes of which nothing is left in the file.
  llvm::DenseSet<StringRef> wholeAttributes;
};

/// Parses the text form of a model, whose weights are in the message.
void ModelFile::parseText() {
  std::string text(file.bytes().begin(), file.bytes().end());
  onnx::Common::Status status = onnx::OnnxParser::Parse(model, text.c_str());
  if (!status.IsOK()) {
    // The message shows the place in the text on lines of its own.
    std::string message = StringRef(status.ErrorMessage()).trim().str();
    std::replace(message.begin(), message.end(), '\n', ' ');
    fail("{0}", message);
  }
  for (const onnx::NodeProto &node : model.graph().node())
    serialized.push_back(node.SerializeAsString());
  for (const std::string &node : serialized) {
    ArrayRef bytes(reinterpret_cast<const uint8_t *>(node.data()), node.size());
    nodes.push_back(Stripper(bytes).outlineNode(0, node.size()));
    // There is no file that data could stay in.
    nodes.back().isWhole = true;
  }
  model.mutable_graph()->clear_node();
}

static serrano::MappedFile openModel(StringRef path) {
  llvm::Expected<serrano::MappedFile> file = serrano::MappedFile::open(path);
  if (!file)
    throw ImportError(llvm::toString(file.takeError()));
  return std::move(*file);
}

ModelFile::ModelFile(StringRef path) : file(openModel(path)) {
  if (path.ends_with(".onnxtext")) {
    parseText();
    return;
  }
  if (file.size() == 0)
    fail("not an ONNX model: the file is empty");
  if (!model.ParseFromString(Stripper(file.bytes()).copyModel(nodes)))
    fail("damaged or not an ONNX model: its protobuf message cannot be parsed");
  if (!model.has_graph() || model.opset_import().empty())
    fail("not an ONNX model: it has no {0}",
         model.has_graph() ? "operator set" : "graph");
}

const onnx::NodeProto &ModelFile::parse(const NodeOutline &outline) {
  bool parsed =
      outline.isWhole
          ? node.ParseFromArray(outline.bytes.data(), outline.bytes.size())
          : node.ParseFromString(Stripper(file.bytes()).copyNode(outline));
  if (!parsed)
    fail("damaged or not an ONNX model: the protobuf message of node '{0}' "
         "cannot be parsed",
         outline.name);
  return node;
}
