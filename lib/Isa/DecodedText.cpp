//===- DecodedText.cpp - all instructions of a program ----------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DecodedText.h"
#include "serrano/Isa/Codec.h"

using namespace llvm;

namespace serrano::isa {

std::optional<uint32_t> PlacedInstruction::bodyWords() const {
  std::optional<uint32_t> words;
  std::visit(
      [&](const auto &i) {
        i.visit(i, [&](FieldInfo, const auto &field) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>,
                                       Body>)
            words = field.words;
        });
      },
      instruction);
  return words;
}

DecodedText::DecodedText(const Program &program,
                         std::vector<Finding> &findings) {
  for (const Function &function : program.functions) {
    std::vector<PlacedInstruction> &list = functions.emplace_back();
    uint32_t end = function.word + function.words;
    for (uint32_t word = function.word; word < end;) {
      Expected<Instruction> instruction =
          decode(ArrayRef(program.text).slice(word, end - word));
      if (!instruction) {
        findings.push_back(
            {word, std::nullopt, toString(instruction.takeError())});
        break;
      }
      list.push_back({*instruction, word});
      word += wordsOf(*instruction);
    }
  }
}

} // namespace serrano::isa
