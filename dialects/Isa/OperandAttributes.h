//===- OperandAttributes.h - operands as attributes -------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For every kind of field: its attribute, and its syntax, which is that of the
// assembly language without expressions.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_ISA_OPERANDATTRIBUTES_H
#define SERRANO_DIALECTS_ISA_OPERANDATTRIBUTES_H

#include "dialects/Isa/Isa.h"
#include "mlir/IR/OpImplementation.h"

namespace serrano::isa::ir {

mlir::ParseResult parseOperand(mlir::AsmParser &parser, Register &value);
mlir::ParseResult parseOperand(mlir::AsmParser &parser, Value &value);
mlir::ParseResult parseOperand(mlir::AsmParser &parser, HbmAddress &value);
mlir::ParseResult parseOperand(mlir::AsmParser &parser, LocalAddress &value);
mlir::ParseResult parseOperand(mlir::AsmParser &parser, Tile &value);
mlir::ParseResult parseOperand(mlir::AsmParser &parser, Wait &value);
mlir::ParseResult parseOperand(mlir::AsmParser &parser, Signal &value);
mlir::ParseResult parseOperand(mlir::AsmParser &parser, uint32_t &value);
mlir::ParseResult parseOperand(mlir::AsmParser &parser, int64_t &value);
mlir::ParseResult parseOperand(mlir::AsmParser &parser, float &value);

/// The name of a case of the enumeration `E`.
template <typename E>
mlir::ParseResult parseEnumOperand(mlir::AsmParser &parser, E &value) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  llvm::StringRef name;
  if (parser.parseKeyword(&name))
    return mlir::failure();
  std::optional<E> parsed = parseEnum<E>(name);
  if (!parsed) {
    mlir::InFlightDiagnostic error = parser.emitError(loc)
                                     << "expected one of ";
    llvm::interleaveComma(EnumTraits<E>::cases, error);
    return error;
  }
  value = *parsed;
  return mlir::success();
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

template <typename T>
struct OperandAttribute;
template <>
struct OperandAttribute<Register> {
  using Type = RegisterAttr;
};
template <>
struct OperandAttribute<Value> {
  using Type = ValueAttr;
};
template <>
struct OperandAttribute<HbmAddress> {
  using Type = HbmAddressAttr;
};
template <>
struct OperandAttribute<LocalAddress> {
  using Type = LocalAddressAttr;
};
template <>
struct OperandAttribute<Tile> {
  using Type = TileAttr;
};
template <>
struct OperandAttribute<Wait> {
  using Type = WaitAttr;
};
template <>
struct OperandAttribute<Signal> {
  using Type = SignalAttr;
};

template <typename T>
mlir::Attribute toAttribute(mlir::MLIRContext *context, const T &value) {
  mlir::Builder builder(context);
  if constexpr (std::is_enum_v<T>)
    return builder.getStringAttr(llvm::StringRef(stringify(value)));
  else if constexpr (std::is_same_v<T, bool>)
    return builder.getUnitAttr();
  else if constexpr (std::is_same_v<T, uint32_t>)
    return builder.getIntegerAttr(builder.getIntegerType(32),
                                  llvm::APInt(32, value));
  else if constexpr (std::is_same_v<T, int64_t>)
    return builder.getI64IntegerAttr(value);
  else if constexpr (std::is_same_v<T, float>)
    return mlir::FloatAttr::get(builder.getF32Type(), llvm::APFloat(value));
  else
    return OperandAttribute<T>::Type::get(context, value);
}

/// Reads what `toAttribute` makes; false if an enumeration has no such case.
template <typename T>
bool fromAttribute(mlir::Attribute attribute, T &value) {
  if constexpr (std::is_enum_v<T>) {
    std::optional<T> parsed =
        parseEnum<T>(llvm::cast<mlir::StringAttr>(attribute).getValue());
    if (!parsed)
      return false;
    value = *parsed;
  } else if constexpr (std::is_same_v<T, bool>) {
    value = true;
  } else if constexpr (std::is_same_v<T, uint32_t>) {
    value = llvm::cast<mlir::IntegerAttr>(attribute).getValue().getZExtValue();
  } else if constexpr (std::is_same_v<T, int64_t>) {
    value = llvm::cast<mlir::IntegerAttr>(attribute).getInt();
  } else if constexpr (std::is_same_v<T, float>) {
    value = llvm::cast<mlir::FloatAttr>(attribute).getValue().convertToFloat();
  } else {
    value =
        llvm::cast<typename OperandAttribute<T>::Type>(attribute).getValue();
  }
  return true;
}

} // namespace serrano::isa::ir

#endif // SERRANO_DIALECTS_ISA_OPERANDATTRIBUTES_H
