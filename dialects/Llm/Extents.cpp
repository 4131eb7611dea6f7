//===- Extents.cpp - integer polynomials over symbols -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Llm.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano::llm;

/// No shape of a real model comes near these; a file that multiplies an extent
/// by itself again and again would.
static constexpr size_t kMaxTerms = 256, kMaxDegree = 64;

/// The extent that is none, because of `problem`: a text instead of the symbols
/// of a term, and no coefficient.
static ExtentAttr makeInvalid(MLIRContext *context, StringRef problem) {
  return ExtentAttr::get(
      context, ArrayRef<int64_t>(),
      ArrayAttr::get(context, StringAttr::get(context, problem)));
}

static ExtentAttr makeTooLarge(MLIRContext *context) {
  return makeInvalid(context, "leaves the range of 64-bit integers");
}

namespace {

/// An integer times the product of the symbols of `monomial`, which are sorted
/// by name, with repetitions.
struct Term {
  ArrayAttr monomial;
  int64_t coefficient;
};

/// The order of terms when printed: by the names, the constant last. It is
/// compatible with multiplication, as long division needs.
bool comesBefore(ArrayAttr lhs, ArrayAttr rhs) {
  // The longer of two where one begins the other comes first, so that the
  // empty one, the constant, is last.
  for (auto [l, r] : llvm::zip(lhs, rhs))
    if (l != r)
      return cast<StringAttr>(l).getValue() < cast<StringAttr>(r).getValue();
  return lhs.size() > rhs.size();
}

ArrayAttr multiply(ArrayAttr lhs, ArrayAttr rhs) {
  if (lhs.empty() || rhs.empty())
    return lhs.empty() ? rhs : lhs;
  SmallVector<Attribute> result(lhs.getValue());
  llvm::append_range(result, rhs);
  llvm::sort(result, [](Attribute l, Attribute r) {
    return cast<StringAttr>(l).getValue() < cast<StringAttr>(r).getValue();
  });
  return ArrayAttr::get(lhs.getContext(), result);
}

/// The terms of an extent in the order in which they are printed.
class Polynomial {
public:
  explicit Polynomial(ExtentAttr extent) {
    for (auto [coefficient, monomial] :
         llvm::zip(extent.getCoefficients(), extent.getMonomials()))
      terms.push_back({monomial, coefficient});
  }
  Polynomial() = default;

  void add(ArrayAttr monomial, int64_t coefficient) {
    isTooComplex |= monomial.size() > kMaxDegree || terms.size() > kMaxTerms;
    if (isTooComplex)
      return;
    auto *place = llvm::find_if(terms, [&](const Term &term) {
      return !comesBefore(term.monomial, monomial);
    });
    if (place == terms.end() || place->monomial != monomial)
      terms.insert(place, {monomial, coefficient});
    else if (llvm::AddOverflow(place->coefficient, coefficient,
                               place->coefficient))
      isTooLarge = true;
    else if (place->coefficient == 0)
      terms.erase(place);
  }

  /// Adds the product of two terms.
  void add(const Term &lhs, const Term &rhs) {
    int64_t coefficient;
    isTooLarge |=
        llvm::MulOverflow(lhs.coefficient, rhs.coefficient, coefficient);
    if (!isTooLarge && !isTooComplex)
      add(multiply(lhs.monomial, rhs.monomial), coefficient);
  }

  ArrayRef<Term> getTerms() const { return terms; }
  bool isValid() const { return !isTooLarge && !isTooComplex; }

  ExtentAttr toExtent(MLIRContext *context) const {
    if (isTooLarge)
      return makeTooLarge(context);
    if (isTooComplex)
      return makeInvalid(
          context,
          llvm::formatv("has more than {0} terms or a term of more than {1} "
                        "symbols",
                        kMaxTerms, kMaxDegree)
              .str());
    SmallVector<int64_t> coefficients;
    SmallVector<ArrayAttr> monomials;
    for (const Term &term : terms) {
      coefficients.push_back(term.coefficient);
      monomials.push_back(term.monomial);
    }
    return ExtentAttr::get(context, coefficients, monomials);
  }

private:
  SmallVector<Term, 4> terms;
  bool isTooLarge = false, isTooComplex = false;
};

/// `lhs / rhs`, if `rhs` has no symbol that `lhs` lacks.
std::optional<ArrayAttr> divide(ArrayAttr lhs, ArrayAttr rhs) {
  SmallVector<Attribute> result(lhs.getValue());
  for (Attribute symbol : rhs) {
    auto *found = llvm::find(result, symbol);
    if (found == result.end())
      return std::nullopt;
    result.erase(found);
  }
  return ArrayAttr::get(lhs.getContext(), result);
}

/// Recursive descent over `3 * a * "b c" + d - 1`.
class Parser {
public:
  Parser(MLIRContext *context, StringRef text, unsigned depth = 0)
      : context(context), rest(text), depth(depth) {}

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
      size_t open = 1, end = 0;
      for (; end < rest.size() && open; ++end)
        open += rest[end] == '(' ? 1 : rest[end] == ')' ? -1 : 0;
      if (open || depth == kMaxDegree)
        return {};
      ExtentAttr inner =
          Parser(context, rest.take_front(end - 1), depth + 1).parse();
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
  unsigned depth;
};

bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) && name.front() != '.' &&
         llvm::all_of(name, [](char c) {
           return llvm::isAlnum(c) || c == '_' || c == '.';
         });
}

void printSymbol(llvm::raw_ostream &os, StringRef name) {
  if (isIdentifier(name))
    os << name;
  else
    os << '"' << name << '"';
}

} // namespace

ExtentAttr ExtentAttr::getConstant(MLIRContext *context, int64_t value) {
  if (value == 0)
    return get(context, ArrayRef<int64_t>(), ArrayRef<ArrayAttr>());
  return get(context, value, ArrayAttr::get(context, {}));
}

ExtentAttr ExtentAttr::getSymbol(MLIRContext *context, StringRef name) {
  Attribute symbol = StringAttr::get(context, name);
  return get(context, 1, ArrayAttr::get(context, symbol));
}

ExtentAttr ExtentAttr::fromString(MLIRContext *context, StringRef text) {
  ExtentAttr extent = Parser(context, text).parse();
  return extent && !extent.getProblem() ? extent : ExtentAttr();
}

std::optional<StringRef> ExtentAttr::getProblem() const {
  if (getCoefficients().size() == getMonomials().size())
    return std::nullopt;
  return cast<StringAttr>(getMonomials().front()[0]).getValue();
}

std::optional<int64_t> ExtentAttr::getConstantValue() const {
  if (getMonomials().empty())
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
  if (getProblem())
    return result;
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
  if (divisor.isConstant(0) || getProblem() || divisor.getProblem())
    return std::nullopt;
  Polynomial remainder(*this), quotient, by(divisor);
  const Term leading = by.getTerms().front();
  while (!remainder.getTerms().empty()) {
    const Term first = remainder.getTerms().front();
    std::optional<ArrayAttr> ratio = divide(first.monomial, leading.monomial);
    if (!ratio ||
        llvm::divideSignedWouldOverflow(first.coefficient,
                                        leading.coefficient) ||
        first.coefficient % leading.coefficient != 0)
      return std::nullopt;
    int64_t factor = first.coefficient / leading.coefficient;
    if (factor == std::numeric_limits<int64_t>::min())
      return std::nullopt;
    quotient.add(*ratio, factor);
    for (const Term &term : by.getTerms())
      remainder.add(term, {*ratio, -factor});
    // The order of terms is not a monomial order for every pair of names, so a
    // leading term may come back; such a division is given up.
    auto isFirst = [&](const Term &term) {
      return term.monomial == first.monomial;
    };
    if (llvm::any_of(remainder.getTerms(), isFirst) || !remainder.isValid() ||
        quotient.getTerms().size() > 64)
      return std::nullopt;
  }
  return quotient.toExtent(getContext());
}

ExtentAttr ExtentAttr::substitute(
    llvm::function_ref<ExtentAttr(StringAttr)> values) const {
  if (getProblem())
    return *this;
  auto isReplaced = [&](ArrayAttr monomial) {
    return llvm::any_of(monomial, [&](Attribute symbol) {
      return bool(values(cast<StringAttr>(symbol)));
    });
  };
  if (llvm::none_of(getMonomials(), isReplaced))
    return *this;
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
  if (std::optional<StringRef> problem = getProblem())
    return "a number that " + problem->str();
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
    uint64_t magnitude =
        coefficient < 0 ? -uint64_t(coefficient) : uint64_t(coefficient);
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
  if (lhs.getProblem() || rhs.getProblem())
    return lhs.getProblem() ? lhs : rhs;
  if (lhs.getCoefficients().empty() || rhs.getCoefficients().empty())
    return lhs.getCoefficients().empty() ? rhs : lhs;
  Polynomial sum(lhs);
  for (auto [coefficient, monomial] :
       llvm::zip(rhs.getCoefficients(), rhs.getMonomials()))
    sum.add(monomial, coefficient);
  return sum.toExtent(lhs.getContext());
}

ExtentAttr operator-(ExtentAttr lhs, ExtentAttr rhs) { return lhs + rhs * -1; }

ExtentAttr operator*(ExtentAttr lhs, ExtentAttr rhs) {
  if (lhs.getProblem() || rhs.getProblem())
    return lhs.getProblem() ? lhs : rhs;
  if (std::optional<int64_t> factor = rhs.getConstantValue())
    return lhs * *factor;
  if (std::optional<int64_t> factor = lhs.getConstantValue())
    return rhs * *factor;
  Polynomial result, left(lhs), right(rhs);
  for (const Term &l : left.getTerms())
    for (const Term &r : right.getTerms())
      result.add(l, r);
  return result.toExtent(lhs.getContext());
}

ExtentAttr operator+(ExtentAttr lhs, int64_t rhs) {
  return lhs + ExtentAttr::getConstant(lhs.getContext(), rhs);
}

ExtentAttr operator*(ExtentAttr lhs, int64_t rhs) {
  if (rhs == 1 || lhs.getProblem())
    return lhs;
  if (rhs == 0)
    return ExtentAttr::getConstant(lhs.getContext(), 0);
  SmallVector<int64_t> scaled(lhs.getCoefficients());
  for (int64_t &coefficient : scaled)
    if (llvm::MulOverflow(coefficient, rhs, coefficient))
      return makeTooLarge(lhs.getContext());
  return ExtentAttr::get(lhs.getContext(), scaled, lhs.getMonomials());
}

ExtentAttr product(MLIRContext *context, ArrayRef<ExtentAttr> extents) {
  // A dimension of no elements makes the product 0 however large the others
  // are.
  for (ExtentAttr extent : extents)
    if (extent.isConstant(0))
      return extent;
  int64_t constant = 1;
  ExtentAttr symbolic;
  for (ExtentAttr extent : extents) {
    if (std::optional<int64_t> factor = extent.getConstantValue()) {
      if (llvm::MulOverflow(constant, *factor, constant))
        return makeTooLarge(context);
    } else {
      symbolic = symbolic ? symbolic * extent : extent;
    }
  }
  return symbolic ? symbolic * constant
                  : ExtentAttr::getConstant(context, constant);
}

bool haveEqualProducts(ArrayRef<ExtentAttr> lhs, ArrayRef<ExtentAttr> rhs) {
  // What both have in common is taken away first: most reshapes keep their
  // symbolic extents. Only a constant can be zero.
  SmallVector<ExtentAttr> left, right(rhs);
  for (ExtentAttr extent : lhs) {
    auto *found =
        extent.getConstantValue() ? right.end() : llvm::find(right, extent);
    if (found == right.end())
      left.push_back(extent);
    else
      right.erase(found);
  }
  if (left.empty() && right.empty())
    return true;
  MLIRContext *context =
      (left.empty() ? right.front() : left.front()).getContext();
  ExtentAttr product = serrano::llm::product(context, left);
  return !product.getProblem() &&
         product == serrano::llm::product(context, right);
}

std::optional<std::string> findProblem(ArrayRef<ExtentAttr> shape) {
  // Sizes are counted in bits too, and no element has more than 64.
  int64_t most = 64;
  bool isEmpty = false, isTooLarge = false;
  for (ExtentAttr extent : shape) {
    if (std::optional<StringRef> problem = extent.getProblem())
      return "an extent " + problem->str();
    if (extent.getConstantValue().value_or(0) < 0)
      return "a shape of " + toString(shape) + " has a negative extent";
    isEmpty |= extent.isConstant(0);
    int64_t largest = 1;
    for (int64_t coefficient : extent.getCoefficients())
      largest = std::max(largest, coefficient);
    isTooLarge |= llvm::MulOverflow(most, largest, most);
  }
  if (isTooLarge && !isEmpty)
    return "a shape of " + toString(shape) +
           " has a size that leaves the range of 64-bit integers";
  return std::nullopt;
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
