//===- RandomFixture.h - predictions of random programs --------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_RUNTIME_RANDOMFIXTURE_H
#define SERRANO_TEST_UNIT_RUNTIME_RANDOMFIXTURE_H

#include "RepetitionFixture.h"
#include <random>

namespace serrano {

class RandomFixture : public RepetitionFixture {
protected:
  using RepetitionFixture::RepetitionFixture;

  /// Programs of `Random`, of `n` layers, whose costs are to be those of going
  /// through all of them.
  template <typename Random>
  void compareRandom(unsigned seeds, int64_t n = 25) {
    for (unsigned seed = 0; seed < seeds; ++seed) {
      std::string source = Random(seed).program();
      leastSection = 40 << seed % 5;
      llvm::Expected<sim::Statistics> whole = predict(source, n, false);
      ASSERT_TRUE(bool(whole)) << llvm::toString(whole.takeError()) << source;
      llvm::Expected<sim::Statistics> left = predict(source, n);
      ASSERT_TRUE(bool(left)) << llvm::toString(left.takeError()) << source;
      ASSERT_EQ(left->toJson(), whole->toJson()) << "seed " << seed << "\n" << source;
    }
  }
};

/// Chooses what a random program is made of.
class RandomText {
public:
  explicit RandomText(unsigned seed) : random(seed) {}

protected:
  unsigned below(unsigned n) { return random() % n; }
  static std::string number(int64_t n) { return std::to_string(n); }
  std::string condition() {
    static const char *const names[] = {"lt", "ge", "ne", "eq"};
    return names[below(4)];
  }

private:
  std::mt19937 random;
};

} // namespace serrano

#endif // SERRANO_TEST_UNIT_RUNTIME_RANDOMFIXTURE_H
