//===- Extents.cpp - integer polynomials over symbols -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Llm.h"

#include <map>

using namespace mlir;
using namespace serrano::llm;

namespace {

/// The symbols of a term, sorted by name, with repetitions.
using Monomial = SmallVector<StringAttr, 2>;

/// The order of terms when printed: by the names, the constant last. It is
/// compatible with multiplication, as long division needs.
struct PrintOrder {
  bool operator()(const Monomial &lhs, const Monomial &rhs) const {
    // The longer of two where one begins the other comes first, so that the
    // empty one, the constant, is last.
    for (auto [l, r] : llvm::zip(lhs, rhs))
      if (l != r)
        return l.getValue() < r.getValue();
    return lhs.size() > rhs.size();
  }
};

using Polynomial = std::map<Monomial, int64_t, PrintOrder>;

Polynomial toPolynomial(ExtentAttr extent) {
  Polynomial result;
  for (auto [coefficient, monomial] :
       llvm::zip(extent.getCoefficients(), extent.getMonomials()))
    result[llvm::map_to_vector<2>(monomial, [](Attribute a) {
      return cast<StringAttr>(a);
    })] = coefficient;
  return result;
}

ExtentAttr toExtent(MLIRContext *context, const Polynomial &polynomial) {
  SmallVector<int64_t> coefficients;
  SmallVector<ArrayAttr> monomials;
  for (const auto &[monomial, coefficient] : polynomial) {
    if (coefficient == 0)
      continue;
    coefficients.push_back(coefficient);
    monomials.push_back(
        ArrayAttr::get(context, llvm::to_vector_of<Attribute>(monomial)));
  }
  return ExtentAttr::get(context, coefficients, monomials);
}

Monomial multiply(const Monomial &lhs, const Monomial &rhs) {
  Monomial result(lhs);
  result.append(rhs);
  llvm::sort(result, [](StringAttr l, StringAttr r) {
    return l.getValue() < r.getValue();
  });
  return result;
}

/// `lhs / rhs`, if `rhs` has no symbol that `lhs` lacks.
std::optional<Monomial> divide(const Monomial &lhs, const Monomial &rhs) {
  Monomial result(lhs);
  for (StringAttr symbol : rhs) {
    auto *found = llvm::find(result, symbol);
    if (found == result.end())
      return std::nullopt;
    result.erase(found);
  }
  return result;
}

/// Recursive descent over `3 * a * "b c" + d - 1`.
class Parser {
public:
  Parser(MLIRContext *context, StringRef text) : context(context), rest(text) {}

  ExtentAttr parse() {
    ExtentAttr sum = ExtentAttr::getConstant(context, 0);
    bool negative = consume('-');
    while (true) {
      ExtentAttr term = parseTerm();
      if (!term)
        return {};
      sum = negative ? sum - term : sum + term;
      if (rest.ltrim().empty())
        return sum;
      negative = consume('-');
      if (!negative && !consume('+'))
        return {};
    }
  }

private:
  bool consume(char c) {
    rest = rest.ltrim();
    return rest.consume_front(StringRef(&c, 1));
  }

  ExtentAttr parseTerm() {
    ExtentAttr result = parseFactor();
    while (result && consume('*')) {
      ExtentAttr factor = parseFactor();
      result = factor ? result * factor : ExtentAttr();
    }
    return result;
  }

  ExtentAttr parseFactor() {
    if (consume('"')) {
      auto [name, after] = rest.split('"');
      rest = after;
      return name.empty() ? ExtentAttr() : ExtentAttr::getSymbol(context, name);
    }
    if (consume('(')) {
      size_t depth = 1, end = 0;
      for (; end < rest.size() && depth; ++end)
        depth += rest[end] == '(' ? 1 : rest[end] == ')' ? -1 : 0;
      if (depth)
        return {};
      ExtentAttr inner = Parser(context, rest.take_front(end - 1)).parse();
      rest = rest.drop_front(end);
      return inner;
    }
    StringRef word = rest.take_while(
        [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; });
    rest = rest.drop_front(word.size());
    if (word.empty())
      return {};
    if (!llvm::isDigit(word.front()))
      return ExtentAttr::getSymbol(context, word);
    int64_t value;
    return word.getAsInteger(10, value)
               ? ExtentAttr()
               : ExtentAttr::getConstant(context, value);
  }

  MLIRContext *context;
  StringRef rest;
};

bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

void printSymbol(llvm::raw_ostream &os, StringRef name) {
  if (isIdentifier(name))
    os << name;
  else
    os << '"' << name << '"';
}

} // namespace

ExtentAttr ExtentAttr::getConstant(MLIRContext *context, int64_t value) {
  return toExtent(context, {{Monomial(), value}});
}

ExtentAttr ExtentAttr::getSymbol(MLIRContext *context, StringRef name) {
  return toExtent(context, {{Monomial{StringAttr::get(context, name)}, 1}});
}

ExtentAttr ExtentAttr::fromString(MLIRContext *context, StringRef text) {
  return Parser(context, text).parse();
}

std::optional<int64_t> ExtentAttr::getConstantValue() const {
  if (getCoefficients().empty())
    return 0;
  if (getCoefficients().size() == 1 && getMonomials().front().empty())
    return getCoefficients().front();
  return std::nullopt;
}

std::optional<StringRef> ExtentAttr::getSymbolName() const {
  if (getCoefficients() == ArrayRef<int64_t>{1} &&
      getMonomials().front().size() == 1)
    return cast<StringAttr>(getMonomials().front()[0]).getValue();
  return std::nullopt;
}

SmallVector<StringAttr> ExtentAttr::getSymbols() const {
  SmallVector<StringAttr> result;
  for (ArrayAttr monomial : getMonomials())
    for (Attribute symbol : monomial)
      result.push_back(cast<StringAttr>(symbol));
  llvm::sort(result, [](StringAttr l, StringAttr r) {
    return l.getValue() < r.getValue();
  });
  result.erase(llvm::unique(result), result.end());
  return result;
}

std::optional<ExtentAttr> ExtentAttr::dividedBy(ExtentAttr divisor) const {
  if (divisor.isConstant(0))
    return std::nullopt;
  Polynomial remainder = toPolynomial(*this), quotient;
  Polynomial by = toPolynomial(divisor);
  const auto &[leadingMonomial, leadingCoefficient] = *by.begin();
  while (!remainder.empty()) {
    auto [monomial, coefficient] = *remainder.begin();
    std::optional<Monomial> ratio = divide(monomial, leadingMonomial);
    if (!ratio || coefficient % leadingCoefficient != 0)
      return std::nullopt;
    int64_t factor = coefficient / leadingCoefficient;
    quotient[*ratio] += factor;
    for (const auto &[m, c] : by) {
      Monomial term = multiply(m, *ratio);
      if ((remainder[term] -= c * factor) == 0)
        remainder.erase(term);
    }
    // The order of terms is not a monomial order for every pair of names, so a
    // leading term may come back; such a division is given up.
    if (remainder.count(monomial) || quotient.size() > 64)
      return std::nullopt;
  }
  return toExtent(getContext(), quotient);
}

ExtentAttr ExtentAttr::substitute(
    llvm::function_ref<ExtentAttr(StringAttr)> values) const {
  ExtentAttr sum = getConstant(getContext(), 0);
  for (auto [coefficient, monomial] :
       llvm::zip(getCoefficients(), getMonomials())) {
    ExtentAttr term = getConstant(getContext(), coefficient);
    for (Attribute symbol : monomial) {
      ExtentAttr value = values(cast<StringAttr>(symbol));
      term = term * (value ? value
                           : getSymbol(getContext(),
                                       cast<StringAttr>(symbol).getValue()));
    }
    sum = sum + term;
  }
  return sum;
}

std::string ExtentAttr::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (getCoefficients().empty())
    os << 0;
  bool first = true;
  for (auto [coefficient, monomial] :
       llvm::zip(getCoefficients(), getMonomials())) {
    if (!first)
      os << (coefficient < 0 ? " - " : " + ");
    else if (coefficient < 0)
      os << '-';
    int64_t magnitude = coefficient < 0 ? -coefficient : coefficient;
    if (magnitude != 1 || monomial.empty())
      os << magnitude << (monomial.empty() ? "" : " * ");
    llvm::interleave(
        monomial,
        [&](Attribute symbol) {
          printSymbol(os, cast<StringAttr>(symbol).getValue());
        },
        [&] { os << " * "; });
    first = false;
  }
  return text;
}

namespace serrano::llm {

ExtentAttr operator+(ExtentAttr lhs, ExtentAttr rhs) {
  Polynomial sum = toPolynomial(lhs);
  for (const auto &[monomial, coefficient] : toPolynomial(rhs))
    sum[monomial] += coefficient;
  return toExtent(lhs.getContext(), sum);
}

ExtentAttr operator-(ExtentAttr lhs, ExtentAttr rhs) { return lhs + rhs * -1; }

ExtentAttr operator*(ExtentAttr lhs, ExtentAttr rhs) {
  Polynomial result;
  for (const auto &[leftMonomial, leftCoefficient] : toPolynomial(lhs))
    for (const auto &[rightMonomial, rightCoefficient] : toPolynomial(rhs))
      result[multiply(leftMonomial, rightMonomial)] +=
          leftCoefficient * rightCoefficient;
  return toExtent(lhs.getContext(), result);
}

ExtentAttr operator+(ExtentAttr lhs, int64_t rhs) {
  return lhs + ExtentAttr::getConstant(lhs.getContext(), rhs);
}

ExtentAttr operator*(ExtentAttr lhs, int64_t rhs) {
  return lhs * ExtentAttr::getConstant(lhs.getContext(), rhs);
}

ExtentAttr product(MLIRContext *context, ArrayRef<ExtentAttr> extents) {
  ExtentAttr result = ExtentAttr::getConstant(context, 1);
  for (ExtentAttr extent : extents)
    result = result * extent;
  return result;
}

SmallVector<ExtentAttr> getExtents(RankedTensorType type) {
  if (auto dims = dyn_cast_or_null<DimsAttr>(type.getEncoding()))
    return llvm::to_vector(dims.getExtents());
  return llvm::map_to_vector(type.getShape(), [&](int64_t extent) {
    return ExtentAttr::getConstant(type.getContext(), extent);
  });
}

RankedTensorType getTensorType(ArrayRef<ExtentAttr> extents, Type elementType) {
  SmallVector<int64_t> shape;
  for (ExtentAttr extent : extents)
    shape.push_back(extent.getConstantValue().value_or(ShapedType::kDynamic));
  Attribute encoding;
  if (ShapedType::isDynamicShape(shape))
    encoding = DimsAttr::get(elementType.getContext(), extents);
  return RankedTensorType::get(shape, elementType, encoding);
}

std::string toString(ArrayRef<ExtentAttr> extents) {
  return "[" +
         llvm::join(
             llvm::map_range(extents,
                             [](ExtentAttr extent) { return extent.str(); }),
             ", ") +
         "]";
}

} // namespace serrano::llm
