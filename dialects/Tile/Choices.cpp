//===- Choices.cpp - what was chosen for a model on a target ------------ -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/Tile.h"

#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano::tile;

namespace {

/// What any target and model allow.
struct Bounds {
  int64_t least, most;
  bool isPowerOfTwo = false;
};

} // namespace

static Bounds getBounds(Choice choice) {
  // More than any program has of what is counted.
  constexpr int64_t many = 1 << 24;
  switch (choice) {
  case Choice::Accumulators:
    return {1, 16, /*isPowerOfTwo=*/true};
  case Choice::WrittenUnits:
    return {1, 64};
  case Choice::InterleaveGate:
  case Choice::CarryNorms:
  case Choice::ValuesByBlock:
  case Choice::StationaryProbabilities:
    return {0, 1};
  case Choice::Pieces:
  case Choice::StagedBlocks:
  case Choice::SoftmaxBlocks:
    return {1, 16};
  case Choice::CacheTiles:
    return {2, 1023};
  case Choice::Lanes:
  case Choice::EncoderLanes:
    return {1, 64};
  case Choice::Rows:
  case Choice::QueryTokens:
  case Choice::EncoderKeys:
  case Choice::EncoderQueries:
    return {1, many};
  case Choice::StationaryRows:
    return {0, 1024};
  }
  llvm_unreachable("a choice without a range");
}

static bool isAllowed(const Bounds &bounds, int64_t value) {
  return value >= bounds.least && value <= bounds.most &&
         (!bounds.isPowerOfTwo || llvm::isPowerOf2_64(value));
}

/// Says, as an error, that what was found is no number for `choice`.
static InFlightDiagnostic refuse(InFlightDiagnostic error, Choice choice, const Twine &found) {
  Bounds bounds = getBounds(choice);
  error << "'" << stringifyChoice(choice) << "' is " << found << "; expected "
        << (bounds.isPowerOfTwo ? "a power of two from " : "") << bounds.least << " to "
        << bounds.most << ", or nothing for the compiler to choose";
  return error;
}

LogicalResult ChoicesAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                  ArrayRef<int64_t> values) {
  if (values.size() != count)
    return emitError() << "has " << values.size() << " values; expected " << count;
  for (auto [i, value] : llvm::enumerate(values)) {
    auto choice = Choice(i);
    if (value != open && !isAllowed(getBounds(choice), value))
      return refuse(emitError(), choice, Twine(value));
  }
  return success();
}

ChoicesAttr ChoicesAttr::get(MLIRContext *context) {
  return get(context, ArrayRef<int64_t>(SmallVector<int64_t>(count, open)));
}

static ChoicesAttr getOrNone(Operation *module, StringRef name) {
  auto choices = module->getAttrOfType<ChoicesAttr>(name);
  return choices ? choices : ChoicesAttr::get(module->getContext());
}

ChoicesAttr ChoicesAttr::of(Operation *module) {
  return getOrNone(module, TileDialect::kChoicesAttr);
}

ChoicesAttr ChoicesAttr::madeOf(Operation *module) {
  return getOrNone(module, TileDialect::kMadeAttr);
}

std::optional<int64_t> ChoicesAttr::get(Choice choice) const {
  int64_t value = getValues()[size_t(choice)];
  return value == open ? std::nullopt : std::optional(value);
}

ChoicesAttr ChoicesAttr::with(Choice choice, std::optional<int64_t> value) const {
  SmallVector<int64_t> values(getValues());
  values[size_t(choice)] = value.value_or(open);
  return get(getContext(), ArrayRef<int64_t>(values));
}

Attribute ChoicesAttr::parse(AsmParser &parser, Type) {
  SmallVector<int64_t> values(count, open);
  auto parseOne = [&]() -> ParseResult {
    llvm::SMLoc loc = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    std::optional<Choice> choice = symbolizeChoice(name);
    if (!choice) {
      InFlightDiagnostic error = parser.emitError(loc)
                                 << "'" << name << "' is not a choice; expected one of ";
      for (size_t i = 0; i < count; ++i)
        error << (i ? ", " : "") << stringifyChoice(Choice(i));
      return error;
    }
    int64_t &value = values[size_t(*choice)];
    if (value != open)
      return parser.emitError(loc) << "'" << name << "' is chosen twice";
    if (parser.parseEqual())
      return failure();
    // Of any size, so that one that is too large is told like any other.
    APInt number;
    loc = parser.getCurrentLocation();
    OptionalParseResult parsed = parser.parseOptionalInteger(number);
    if (!parsed.has_value())
      return refuse(parser.emitError(loc), *choice, "no whole number");
    if (failed(*parsed))
      return failure();
    // What stands for no choice is none either.
    if (number.getSignificantBits() > 64 || !isAllowed(getBounds(*choice), number.getSExtValue()))
      return refuse(parser.emitError(loc), *choice, llvm::toString(number, 10, /*Signed=*/true));
    value = number.getSExtValue();
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, parseOne))
    return {};
  return get(parser.getContext(), ArrayRef<int64_t>(values));
}

void ChoicesAttr::print(AsmPrinter &printer) const {
  printer << '<';
  bool isFirst = true;
  for (auto [i, value] : llvm::enumerate(getValues())) {
    if (value == open)
      continue;
    printer << (isFirst ? "" : ", ") << stringifyChoice(Choice(i)) << " = " << value;
    isFirst = false;
  }
  printer << '>';
}

LogicalResult TileDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  StringRef name = attribute.getName();
  if ((name != kChoicesAttr && name != kMadeAttr) ||
      (isa<ModuleOp>(op) && isa<ChoicesAttr>(attribute.getValue())))
    return success();
  return op->emitOpError() << "has '" << name
                           << "'; expected it on a module, as #tile.choices<...>";
}
