//===- Codec.cpp - instructions to words and back ---------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/Codec.h"
#include "OperandLayout.h"
#include "serrano/Support/Error.h"
#include "llvm/Support/MathExtras.h"
#include <bit>
#include <utility>

using namespace llvm;

namespace serrano::isa {

namespace {

/// The encoding of one field, from its lowest bit upwards.
class FieldEncoder {
public:
  FieldEncoder(std::string_view mnemonic, std::string_view field)
      : mnemonic(mnemonic), field(field) {}

  template <typename T>
  void add(const PartInfo &part, const T &value) {
    if constexpr (std::is_enum_v<T>) {
      addNumber(part, static_cast<uint64_t>(value),
                std::size(EnumTraits<T>::cases) - 1);
    } else if constexpr (std::is_same_v<T, float>) {
      addNumber(part, std::bit_cast<uint32_t>(value), maxUIntN(part.width));
    } else if constexpr (std::is_signed_v<T>) {
      if (!isIntN(part.width, value))
        reject(part, std::to_string(value), minIntN(part.width),
               maxIntN(part.width));
      append(static_cast<uint64_t>(value) & maxUIntN(part.width), part.width);
    } else {
      addNumber(part, value, maxUIntN(part.width));
    }
  }

  /// An error of the field as a whole.
  void reject(const Twine &what) {
    if (message.empty())
      message = formatv("{0}: field '{1}' {2}", mnemonic, field, what.str());
  }

  uint64_t bits() const { return encoded; }
  std::string takeMessage() { return std::move(message); }

private:
  void addNumber(const PartInfo &part, uint64_t value, uint64_t max) {
    if (value > max)
      reject(part, std::to_string(value), 0, static_cast<int64_t>(max));
    append(value & maxUIntN(part.width), part.width);
  }

  void append(uint64_t value, unsigned width) {
    encoded |= value << position;
    position += width;
  }

  void reject(const PartInfo &part, const std::string &value, int64_t min,
              int64_t max) {
    reject(formatv("has {0}{1}{2}, outside {3} .. {4}{5}", part.name,
                   *part.name ? " " : "", value, min, max, part.remedy)
               .str());
  }

  std::string_view mnemonic;
  std::string_view field;
  uint64_t encoded = 0;
  unsigned position = 0;
  std::string message;
};

/// Takes a field apart again.
class FieldDecoder {
public:
  explicit FieldDecoder(uint64_t bits) : rest(bits) {}

  template <typename T>
  void take(const PartInfo &part, T &value) {
    uint64_t bits = rest & maxUIntN(part.width);
    rest = part.width == 64 ? 0 : rest >> part.width;
    if constexpr (std::is_enum_v<T>) {
      if (bits >= std::size(EnumTraits<T>::cases)) {
        message = formatv("{0} {1} does not exist", EnumTraits<T>::name, bits);
        return;
      }
      value = static_cast<T>(bits);
    } else if constexpr (std::is_same_v<T, float>) {
      value = std::bit_cast<float>(static_cast<uint32_t>(bits));
    } else if constexpr (std::is_signed_v<T>) {
      value = static_cast<T>(SignExtend64(bits, part.width));
    } else {
      value = static_cast<T>(bits);
    }
  }

  const std::string &error() const { return message; }

private:
  uint64_t rest;
  std::string message;
};

} // namespace

template <typename T>
static Error encodeInto(const T &instruction, MutableArrayRef<uint64_t> words) {
  words[0] = T::opcode;
  std::string message;
  T::visit(instruction, [&](FieldInfo info, const auto &field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    FieldEncoder encoder(T::mnemonic, info.name);
    if constexpr (HasParts<Field>) {
      visitParts(field, [&](const PartInfo &part, const auto &value) {
        encoder.add(part, value);
      });
      if (const char *part = meaninglessPart(field))
        encoder.reject(Twine("has ") + part);
    } else {
      encoder.add({"value", info.width}, field);
    }
    words[info.word] |= encoder.bits() << info.bit;
    if (message.empty())
      message = encoder.takeMessage();
  });
  if (!message.empty())
    return createStringError(message);
  return Error::success();
}

Error encode(const Instruction &instruction, SmallVectorImpl<uint64_t> &words) {
  SmallVector<uint64_t, 8> encoded(wordsOf(instruction), 0);
  if (Error error = std::visit(
          [&](const auto &i) { return encodeInto(i, encoded); }, instruction))
    return error;
  words.append(encoded);
  return Error::success();
}

Error checkEncodable(const Instruction &instruction) {
  SmallVector<uint64_t, 8> ignored;
  return encode(instruction, ignored);
}

template <typename T>
static Expected<Instruction> decodeAs(ArrayRef<uint64_t> words) {
  T instruction;
  std::string message;
  T::visit(instruction, [&](FieldInfo info, auto &field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    FieldDecoder decoder((words[info.word] >> info.bit) & maxUIntN(info.width));
    if constexpr (HasParts<Field>)
      visitParts(field, [&](const PartInfo &part, auto &value) {
        decoder.take(part, value);
      });
    else
      decoder.take({"value", info.width}, field);
    if (message.empty() && !decoder.error().empty())
      message = formatv("{0}: field '{1}': {2}", T::mnemonic, info.name,
                        decoder.error());
  });
  if (!message.empty())
    return createStringError(message);
  return instruction;
}

using Decoder = Expected<Instruction> (*)(ArrayRef<uint64_t>);

/// One decoder for each alternative of `Instruction`.
static constexpr auto decoders =
    []<size_t... index>(std::index_sequence<index...>) {
      return std::array<Decoder, sizeof...(index)>{
          decodeAs<std::variant_alternative_t<index, Instruction>>...};
    }(std::make_index_sequence<std::variant_size_v<Instruction>>());

Expected<Instruction> decode(ArrayRef<uint64_t> words) {
  if (words.empty())
    return makeError("no instruction: the program ends here");
  uint8_t opcode = words[0] & 0xff;
  int index = instructionIndexOfOpcode[opcode];
  if (index < 0)
    return makeError("unknown opcode {0:x2}", opcode);
  const InstructionInfo &info = instructionInfos[index];
  if (words.size() < info.words)
    return makeError("{0}: truncated: {1} of {2} words are left in the program",
                     info.mnemonic, words.size(), int(info.words));
  words = words.take_front(info.words);
  Expected<Instruction> instruction = decoders[index](words);
  if (!instruction)
    return instruction.takeError();
  // Every bit with a meaning is in the struct, so the others are those that
  // encoding does not give back.
  SmallVector<uint64_t, 8> again;
  if (Error error = encode(*instruction, again))
    return std::move(error);
  for (unsigned word = 0; word < info.words; ++word)
    if (uint64_t difference = words[word] ^ again[word])
      return makeError("{0}: reserved bit {1} of word {2} is set",
                       info.mnemonic, countr_zero(difference), word);
  return instruction;
}

} // namespace serrano::isa
