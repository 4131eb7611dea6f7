//===- SizeExpression.cpp - sizes over symbolic dimensions -------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Entry.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace serrano;

static bool isName(llvm::StringRef text) {
  return !text.empty() && !llvm::isDigit(text.front()) &&
         llvm::all_of(text, [](char c) {
           return llvm::isAlnum(c) || c == '_' || c == '.';
         });
}

llvm::Expected<SizeExpression> SizeExpression::parse(llvm::StringRef text) {
  SizeExpression result;
  result.source = text.trim().str();
  llvm::SmallVector<llvm::StringRef> terms, factors;
  text.split(terms, '+');
  for (llvm::StringRef term : terms) {
    Product &product = result.sum.emplace_back();
    factors.clear();
    term.split(factors, '*');
    for (llvm::StringRef factor : factors) {
      factor = factor.trim();
      int64_t number;
      if (isName(factor))
        product.names.push_back(factor.str());
      else if (!factor.getAsInteger(10, number) && number >= 0) {
        if (llvm::MulOverflow(product.factor, number, product.factor))
          return makeError("'{0}' is a size that does not fit 64 bits", text);
      } else
        return makeError("'{0}' is not a size: expected sums of products of "
                         "numbers and names",
                         text);
    }
  }
  return result;
}

llvm::Expected<int64_t>
SizeExpression::evaluate(const Dimensions &dimensions) const {
  int64_t total = 0;
  for (const Product &product : sum) {
    int64_t value = product.factor;
    for (const std::string &name : product.names) {
      auto it = dimensions.find(name);
      if (it == dimensions.end())
        return makeError("dimension '{0}' of size '{1}' has no value: no input "
                         "has it as a size of "
                         "its own",
                         name, source);
      if (llvm::MulOverflow(value, it->second, value))
        return makeError("size '{0}' does not fit 64 bits", source);
    }
    if (llvm::AddOverflow(total, value, total))
      return makeError("size '{0}' does not fit 64 bits", source);
  }
  return total;
}

llvm::StringRef SizeExpression::symbol() const {
  if (sum.size() == 1 && sum[0].factor == 1 && sum[0].names.size() == 1)
    return sum[0].names[0];
  return "";
}
