//===- Lengths.cpp - the lengths of a run ------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Lengths.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/StringExtras.h"

using namespace serrano;

static llvm::Expected<int64_t> parseLength(llvm::StringRef text,
                                           llvm::StringRef part) {
  int64_t number;
  if (text.empty() || !llvm::all_of(text, llvm::isDigit) ||
      text.getAsInteger(10, number) || number < 1 || number > INT32_MAX)
    return makeError("'{0}': '{1}' is no length; expected 1 to {2}", part, text,
                     INT32_MAX);
  return number;
}

/// Adds the sequences of `part`, "[COUNTx]NEW@CONTEXT".
static llvm::Error parseSequences(llvm::StringRef part,
                                  std::vector<SequenceLengths> &sequences) {
  // No program takes more, and a typing error must not fill the memory.
  constexpr int64_t most = 1 << 20;
  auto [first, context] = part.split('@');
  llvm::StringRef count = "1", added = first;
  if (first.contains('x'))
    std::tie(count, added) = first.split('x');
  SequenceLengths sequence;
  int64_t repetitions = 0;
  for (auto [text, number] :
       {std::pair{count, &repetitions}, {added, &sequence.added},
        {context, &sequence.context}}) {
    llvm::Expected<int64_t> length = parseLength(text, part);
    if (!length)
      return length.takeError();
    *number = *length;
  }
  if (sequence.added > sequence.context)
    return makeError("'{0}': {1} new tokens in a context of {2}; the context "
                     "counts the new tokens too",
                     part, sequence.added, sequence.context);
  if (repetitions > most - int64_t(sequences.size()))
    return makeError("'{0}': more than {1} sequences", part, most);
  sequences.insert(sequences.end(), repetitions, sequence);
  return llvm::Error::success();
}

llvm::Expected<Lengths> Lengths::parse(llvm::StringRef text) {
  Lengths lengths;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',');
  for (llvm::StringRef part : parts) {
    part = part.trim();
    if (part.contains('@')) {
      if (llvm::Error error = parseSequences(part, lengths.sequences))
        return std::move(error);
      continue;
    }
    auto [name, size] = part.split('=');
    if (name.empty() || !part.contains('='))
      return makeError("'{0}' is neither NEW@CONTEXT, for example 1@128, nor "
                       "NAME=SIZE, for example batch=32",
                       part);
    llvm::Expected<int64_t> length = parseLength(size, part);
    if (!length)
      return length.takeError();
    if (!lengths.dimensions.try_emplace(name.str(), *length).second)
      return makeError("'{0}' is given twice", name);
  }
  if (!lengths.sequences.empty() && !lengths.dimensions.empty())
    return makeError("sequences (NEW@CONTEXT) and dimensions (NAME=SIZE) "
                     "exclude each other");
  return lengths;
}
