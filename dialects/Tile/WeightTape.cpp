//===- WeightTape.cpp - where packed weights lie in a stream's slots ---- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/WeightTape.h"

#include <algorithm>

using namespace serrano::tile;

llvm::SmallVector<WeightBlock> serrano::tile::getBlocks(const WeightGroup &group, int64_t tileN) {
  llvm::SmallVector<WeightBlock> blocks;
  auto add = [&](size_t weight, int64_t column, int64_t width) {
    blocks.back().segments.push_back({weight, column, width});
    blocks.back().width += width;
  };
  if (group.interleaved) {
    int64_t most = *std::max_element(group.n.begin(), group.n.end());
    for (int64_t column = 0; column < most; column += tileN)
      for (size_t weight = 0; weight < group.n.size(); ++weight)
        if (column < group.n[weight]) {
          blocks.emplace_back();
          add(weight, column, std::min(tileN, group.n[weight] - column));
        }
  } else {
    int64_t room = 0;
    for (size_t weight = 0; weight < group.n.size(); ++weight)
      for (int64_t column = 0; column < group.n[weight];) {
        if (room == 0) {
          blocks.emplace_back();
          room = tileN;
        }
        int64_t width = std::min(room, group.n[weight] - column);
        add(weight, column, width);
        column += width;
        room -= width;
      }
  }
  if (group.narrowAt >= 0 && group.narrowAt < int64_t(blocks.size()))
    std::rotate(blocks.begin() + group.narrowAt, std::prev(blocks.end()), blocks.end());
  if (!blocks.empty())
    blocks.back().ends = group.ends;
  return blocks;
}

llvm::SmallVector<WeightTape::Piece> WeightTape::append(int64_t k, int64_t width, bool ends) {
  llvm::SmallVector<Piece> pieces;
  for (int64_t row = 0; row < k;) {
    int64_t rows = std::min({tileK, k - row, (tileK * tileN - offset) / width});
    Piece piece{row, rows, offset, false};
    row += rows;
    offset += rows * width;
    piece.last = isFull() || (ends && row == k);
    if (piece.last)
      close();
    pieces.push_back(piece);
  }
  return pieces;
}

void WeightTape::skip(int64_t k, int64_t width, bool ends) {
  // Whole slots at once.
  if (offset == 0 && width == tileN && k > tileK) {
    int64_t whole = (k - 1) / tileK;
    closed += whole;
    k -= whole * tileK;
  }
  append(k, width, ends);
}
