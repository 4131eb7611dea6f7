//===- ExtentSolver.cpp - what is known about symbolic extents -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExtentSolver.h"

#include "ImportError.h"

#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace serrano::llm;
using namespace serrano::onnx_import;

ExtentAttr ExtentSolver::resolve(ExtentAttr extent) const {
  if (abbreviations.empty())
    return extent;
  return extent.substitute(
      [&](StringAttr symbol) { return abbreviations.lookup(symbol); });
}

SmallVector<ExtentAttr>
ExtentSolver::resolve(ArrayRef<ExtentAttr> extents) const {
  return llvm::map_to_vector(
      extents, [&](ExtentAttr extent) { return resolve(extent); });
}

void ExtentSolver::declare(ExtentAttr extent) {
  for (StringAttr symbol : extent.getSymbols())
    order.try_emplace(symbol, order.size());
}

bool ExtentSolver::equate(ExtentAttr lhs, ExtentAttr rhs) {
  if (lhs == rhs)
    return true;
  ExtentAttr difference = resolve(lhs) - resolve(rhs);
  if (difference.isConstant(0))
    return true;
  // What can be solved for is a symbol that is a term of its own, with
  // coefficient 1 or -1, and in no other term. A solution that is a sum is
  // better than one that is a difference; then the symbol seen last is taken.
  StringAttr solved;
  ExtentAttr value;
  std::pair<bool, unsigned> best;
  for (auto [coefficient, monomial] :
       llvm::zip(difference.getCoefficients(), difference.getMonomials())) {
    if (monomial.size() != 1 || (coefficient != 1 && coefficient != -1))
      continue;
    auto symbol = cast<StringAttr>(monomial[0]);
    auto hasSymbol = [&](ArrayAttr m) { return llvm::is_contained(m, symbol); };
    if (llvm::count_if(difference.getMonomials(), hasSymbol) != 1)
      continue;
    ExtentAttr candidate =
        ExtentAttr::getSymbol(lhs.getContext(), symbol.getValue()) -
        difference * coefficient;
    bool isSum = llvm::all_of(candidate.getCoefficients(),
                              [](int64_t c) { return c > 0; });
    std::pair<bool, unsigned> rank{isSum, order.lookup(symbol)};
    if (!solved || rank > best) {
      solved = symbol;
      value = candidate;
      best = rank;
    }
  }
  if (!solved || value.getProblem())
    return false;
  // A size is never negative, so an extent that cannot be positive is no
  // solution.
  if (std::optional<int64_t> constant = value.getConstantValue();
      constant && *constant < 0)
    return false;
  for (auto &[symbol, abbreviated] : abbreviations)
    abbreviated = abbreviated.substitute(
        [&](StringAttr s) { return s == solved ? value : ExtentAttr(); });
  abbreviations[solved] = value;
  return true;
}

void ExtentSolver::applyTo(Operation *root) const {
  if (abbreviations.empty())
    return;
  std::optional<std::string> problem;
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](RankedTensorType type) -> std::optional<Type> {
    if (type.hasStaticShape())
      return std::nullopt;
    SmallVector<ExtentAttr> shape = resolve(getExtents(type));
    if (!problem)
      problem = findProblem(shape);
    return getTensorType(shape, type.getElementType());
  });
  replacer.addReplacement([&](DimsAttr dims) -> std::optional<Attribute> {
    return DimsAttr::get(dims.getContext(), resolve(dims.getExtents()));
  });
  replacer.recursivelyReplaceElementsIn(root, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
  // Which node it is the shape of is not known here: its extents only turned
  // out to be that large by what later nodes demanded.
  if (problem)
    fail("{0}", *problem);
}
