//===- NearestName.h - what a misspelled name may have meant ----*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SUPPORT_NEARESTNAME_H
#define SERRANO_SUPPORT_NEARESTNAME_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace serrano {

/// The one of `names` that `wanted` may have meant, or "".
template <typename Range>
llvm::StringRef nearestName(llvm::StringRef wanted, const Range &names) {
  llvm::StringRef best;
  unsigned bestDistance = wanted.size() / 3 + 2;
  for (llvm::StringRef name : names) {
    unsigned distance = wanted.edit_distance(name, /*AllowReplacements=*/true,
                                             /*MaxEditDistance=*/bestDistance);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/// "; did you mean 'name'?" for the nearest of `names`, or "" if none is near.
template <typename Range>
std::string didYouMean(llvm::StringRef wanted, const Range &names) {
  llvm::StringRef name = nearestName(wanted, names);
  return name.empty() ? "" : ("; did you mean '" + name + "'?").str();
}

} // namespace serrano

#endif // SERRANO_SUPPORT_NEARESTNAME_H
