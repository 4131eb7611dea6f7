//===- IsaOps.cpp - operations and the instructions they are ----*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EntryAttributes.h"
#include "OperandAttributes.h"
#include "dialects/Isa/Isa.h"
#include "serrano/Isa/Assembly.h"
#include "serrano/Isa/Codec.h"
#include "serrano/Isa/Program.h"
#include "serrano/Support/NearestName.h"
#include <nlohmann/json.hpp>

using namespace mlir;

namespace serrano::isa::ir {

template <typename Field>
static constexpr bool isAttribute =
    !std::is_same_v<Field, Body> && !std::is_same_v<Field, Callee>;

/// The fields of `operation`, which stands for a T, in `instruction`. Returns
/// the name of an enumeration's field that has no possible value, or "".
template <typename T>
static StringRef readFields(Operation *operation, T &instruction) {
  StringRef wrong;
  T::visit(instruction, [&](FieldInfo info, auto &field) {
    if constexpr (isAttribute<std::remove_cvref_t<decltype(field)>>)
      if (Attribute attribute = operation->getAttr(info.name))
        if (!fromAttribute(attribute, field))
          wrong = info.name;
  });
  return wrong;
}

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

/// Parses the value of the field `name` of a T.
template <typename T>
static ParseResult parseField(OpAsmParser &parser, OperationState &state,
                              StringRef name, T &instruction) {
  ParseResult result = success();
  T::visit(instruction, [&](FieldInfo info, auto &field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if (StringRef(info.name) != name)
      return;
    if constexpr (std::is_same_v<Field, bool>) {
      field = true;
    } else if constexpr (!std::is_same_v<Field, Body>) {
      result = parser.parseEqual();
      if (failed(result))
        return;
      if constexpr (std::is_same_v<Field, Callee>) {
        StringAttr symbol;
        result = parser.parseSymbolName(symbol);
        if (succeeded(result))
          state.addAttribute(name, FlatSymbolRefAttr::get(symbol));
        return;
      } else if constexpr (std::is_enum_v<Field>) {
        result = parseEnumOperand(parser, field);
      } else {
        result = parseOperand(parser, field);
      }
    }
    if constexpr (isAttribute<Field>)
      if (succeeded(result) && !isLeftOut(field))
        state.addAttribute(name, toAttribute(parser.getContext(), field));
  });
  return result;
}

template <typename T>
static ParseResult parseInstruction(OpAsmParser &parser,
                                    OperationState &state) {
  SmallVector<StringRef> names;
  bool hasBody = false;
  T::visit(T{}, [&](FieldInfo info, const auto &field) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, Body>)
      hasBody = true;
    else
      names.push_back(info.name);
  });

  T instruction;
  SmallVector<StringRef> seen;
  StringRef name;
  llvm::SMLoc loc = parser.getCurrentLocation();
  // Any other name is that of the next operation.
  bool hasField = succeeded(parser.parseOptionalKeyword(&name, names));
  while (hasField) {
    if (!llvm::is_contained(names, name))
      return parser.emitError(loc)
             << "no field '" << name << "'" << didYouMean(name, names);
    if (llvm::is_contained(seen, name))
      return parser.emitError(loc) << "field '" << name << "' is given twice";
    seen.push_back(name);
    if (parseField(parser, state, name, instruction))
      return failure();
    hasField = succeeded(parser.parseOptionalComma());
    loc = parser.getCurrentLocation();
    if (hasField && parser.parseKeyword(&name))
      return failure();
  }

  if (parser.parseOptionalAttrDictWithKeyword(state.attributes))
    return failure();
  if (hasBody) {
    Region *body = state.addRegion();
    if (parser.parseRegion(*body))
      return failure();
    if (body->empty())
      body->emplaceBlock();
  }
  return success();
}

template <typename T>
static void printInstruction(Operation *operation, OpAsmPrinter &printer) {
  T instruction;
  readFields(operation, instruction);
  SmallVector<StringRef> names;
  const char *separator = " ";
  T::visit(instruction, [&](FieldInfo info, const auto &field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (!std::is_same_v<Field, Body>) {
      names.push_back(info.name);
      Attribute attribute = operation->getAttr(info.name);
      if (!attribute)
        return;
      printer << std::exchange(separator, ", ") << StringRef(info.name);
      if constexpr (std::is_same_v<Field, Callee>)
        printer << '=' << attribute;
      else if constexpr (std::is_enum_v<Field>)
        printer << '=' << cast<StringAttr>(attribute).getValue();
      else if constexpr (!std::is_same_v<Field, bool>)
        isa::printOperand(printer.getStream() << '=', field);
    }
  });
  printer.printOptionalAttrDictWithKeyword(operation->getAttrs(), names);
  if (operation->getNumRegions()) {
    printer << ' ';
    printer.printRegion(operation->getRegion(0), /*printEntryBlockArgs=*/false,
                        /*printBlockTerminators=*/true);
  }
}

template <typename T>
static LogicalResult verifyInstruction(Operation *operation) {
  T instruction;
  StringRef wrong = readFields(operation, instruction);
  if (!wrong.empty())
    return operation->emitOpError()
           << "field '" << wrong << "' has no value '"
           << operation->getAttrOfType<StringAttr>(wrong).getValue() << "'";
  if (llvm::Error error = checkEncodable(instruction))
    return operation->emitError(llvm::toString(std::move(error)));
  return success();
}

#include "dialects/Isa/IsaOperations.cpp.inc"

LogicalResult EntryOp::verify() {
  llvm::Expected<Entry> entry = readEntry(entryToJson(*this));
  if (!entry)
    return emitOpError(llvm::toString(entry.takeError()));
  return success();
}

LogicalResult ObserveOp::verify() {
  llvm::Expected<SourceTensor> tensor = readTensor(tensorToJson(*this));
  if (!tensor)
    return emitOpError(llvm::toString(tensor.takeError()));
  return success();
}

LogicalResult ZeroesOp::verify() {
  if (static_cast<int64_t>(getAddress()) < 0 ||
      static_cast<int64_t>(getBytes()) <= 0)
    return emitOpError("needs an address that is not negative and at least one "
                       "byte");
  return success();
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

/// Calls `fn.template operator()<T>()` for the instruction T that operations of
/// that name stand for.
template <typename Fn>
static void dispatch(StringRef mnemonic, Fn &&fn) {
  [&]<size_t... index>(std::index_sequence<index...>) {
    (void)((StringRef(
                std::variant_alternative_t<index, Instruction>::mnemonic) ==
                    mnemonic
                ? (fn.template
                   operator()<std::variant_alternative_t<index, Instruction>>(),
                   true)
                : false) ||
           ...);
  }(std::make_index_sequence<std::variant_size_v<Instruction>>());
}

Instruction toInstruction(Operation *operation) {
  Instruction result;
  dispatch(operation->getName().stripDialect(), [&]<typename T>() {
    T instruction;
    readFields(operation, instruction);
    result = instruction;
  });
  return result;
}

Operation *createInstruction(OpBuilder &builder, Location location,
                             const Instruction &instruction, StringRef callee) {
  return std::visit(
      [&](const auto &i) {
        OperationState state(location, "isa." + std::string(i.mnemonic));
        i.visit(i, [&](FieldInfo info, const auto &field) {
          using Field = std::remove_cvref_t<decltype(field)>;
          if constexpr (std::is_same_v<Field, Body>)
            state.addRegion()->emplaceBlock();
          else if constexpr (std::is_same_v<Field, Callee>)
            state.addAttribute(info.name, FlatSymbolRefAttr::get(
                                              builder.getContext(), callee));
          else if (!isLeftOut(field))
            state.addAttribute(info.name,
                               toAttribute(builder.getContext(), field));
        });
        return builder.create(state);
      },
      instruction);
}

} // namespace serrano::isa::ir
