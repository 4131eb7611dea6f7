//===- Codec.h - instructions to words and back -----------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_ISA_CODEC_H
#define SERRANO_ISA_CODEC_H

#include "serrano/Isa/Instructions.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

namespace serrano::isa {

/// The number of words that `instruction` occupies.
inline unsigned wordsOf(const Instruction &instruction) {
  return infoOf(instruction).words;
}

/// Appends the words of `instruction`. A field that cannot be encoded gives an
/// error that names the instruction, the field, the value and its range.
llvm::Error encode(const Instruction &instruction,
                   llvm::SmallVectorImpl<uint64_t> &words);

/// Whether every field of `instruction` can be encoded.
llvm::Error checkEncodable(const Instruction &instruction);

/// The instruction that starts at the first of `words`. Unknown opcodes,
/// reserved bits, values without a meaning and a missing end are errors.
llvm::Expected<Instruction> decode(llvm::ArrayRef<uint64_t> words);

} // namespace serrano::isa

#endif // SERRANO_ISA_CODEC_H
