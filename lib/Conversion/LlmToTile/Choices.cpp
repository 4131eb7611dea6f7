//===- Choices.cpp - what is chosen and what kernels do ----------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

/// Whether a kernel takes less than what is chosen where no more has room or use.
static bool isLimit(tile::Choice choice) {
  switch (choice) {
  case tile::Choice::Rows:
  case tile::Choice::Accumulators:
  case tile::Choice::WrittenUnits:
  case tile::Choice::Pieces:
  case tile::Choice::StagedBlocks:
  case tile::Choice::SoftmaxBlocks:
  case tile::Choice::QueryTokens:
  case tile::Choice::EncoderQueries:
  case tile::Choice::EncoderLanes:
    return true;
  default:
    return false;
  }
}

void Lowering::note(tile::Choice choice, int64_t value) { done[choice].insert(value); }

int64_t Lowering::choose(tile::Choice choice, int64_t rule) {
  int64_t value = chosen(choice).value_or(rule);
  note(choice, value);
  return value;
}

tile::ChoicesAttr Lowering::getUnused(tile::ChoicesAttr choices) const {
  for (const auto &[choice, values] : done)
    choices = choices.with(choice, std::nullopt);
  return choices;
}

tile::ChoicesAttr Lowering::getChoices() const {
  tile::ChoicesAttr result = tile::ChoicesAttr::get(builder.getContext());
  // What kernels did differently no one number says, but for a limit that holds for all.
  for (const auto &[choice, values] : done)
    if (values.size() == 1 || isLimit(choice))
      result = result.with(choice, *values.rbegin());
  return result;
}
