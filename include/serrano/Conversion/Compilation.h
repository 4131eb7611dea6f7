//===- Compilation.h - what a program is compiled for --------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_CONVERSION_COMPILATION_H
#define SERRANO_CONVERSION_COMPILATION_H

namespace serrano {

/// The options that say what a program is compiled for, from those of a compilation, a
/// stage or a pass to those of another.
template <typename To, typename From>
void copyCompilation(To &to, const From &from) {
  to.target = from.target;
  to.precision = from.precision;
  to.maxTokens = from.maxTokens;
  to.maxSequences = from.maxSequences;
  to.maxContext = from.maxContext;
}

} // namespace serrano

#endif // SERRANO_CONVERSION_COMPILATION_H
