//===- Selector.h - selecting instructions for one function --- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_CONVERSION_DMATOISA_SELECTOR_H
#define SERRANO_CONVERSION_DMATOISA_SELECTOR_H

#include "dialects/Dma/Dma.h"
#include "dialects/Isa/Isa.h"
#include "llvm/ADT/MapVector.h"
#include <array>

namespace serrano {

/// The element type on the device, as the program's manifest names it.
llvm::StringRef nameOfStored(mlir::Type type);

/// Selects the instructions of one function. Blocks are walked in order; every
/// value has a register from its definition to its last use.
class Selector {
public:
  /// `operators` collects the names of source operators, by index.
  Selector(mlir::OpBuilder &builder, mlir::ModuleOp module,
           llvm::MapVector<mlir::StringAttr, unsigned> &operators)
      : builder(builder), module(module), operators(operators) {
    for (unsigned r = numRegisters; r-- > 1;)
      freeRegisters.push_back(r);
  }

  /// Appends the function's instructions at the builder's place.
  mlir::LogicalResult select(mlir::Block &block);

private:
  static constexpr unsigned numRegisters = 64;

  /// Where a slot's element (0, 0) is.
  struct Address {
    isa::TileSpace space;
    uint8_t ring = 0;
    uint8_t reg = 0;
    int64_t offset = 0; ///< bytes
  };

  // Selector.cpp: scalar values and control
  mlir::LogicalResult selectOp(mlir::Operation *op);
  mlir::LogicalResult selectLoop(mlir::scf::ForOp loop);
  mlir::LogicalResult selectArithmetic(mlir::Operation *op);
  /// A register until the operation that is selected ends, or for as long as values
  /// that it is given to are used.
  mlir::FailureOr<uint8_t> newRegister(mlir::Operation *op);
  void define(mlir::Value value, isa::Value place);
  void define(mlir::Value slot, const Address &place);
  void release(mlir::Value value);
  void release(uint8_t reg);
  /// The value as an operand of an instruction: register + immediate.
  isa::Value value(mlir::Value v) { return values.lookup(v); }
  /// A register that holds register + immediate.
  mlir::FailureOr<uint8_t> materialize(mlir::Operation *op, isa::Value v);
  /// register * factor, which may be 1, in a register.
  mlir::FailureOr<uint8_t> scaled(mlir::Operation *op, uint8_t reg, int64_t factor);
  void emit(const isa::Instruction &instruction) {
    isa::ir::createInstruction(builder, loc, instruction);
  }
  void mark(mlir::Operation *op);
  /// The index of the source operator that an operation came from, or if it has
  /// no instruction that of the one before it.
  unsigned operatorOf(mlir::Operation *op);

  // Observe.cpp
  /// Says where the program's manifest finds a tensor.
  void observe(tile::ObserveOp op);

  // Operands.cpp
  mlir::LogicalResult selectView(mlir::memref::ReinterpretCastOp view);
  mlir::FailureOr<Address> address(mlir::Operation *user, mlir::Value slot);
  mlir::FailureOr<isa::Tile> tile(mlir::Operation *user, mlir::Value slot);
  mlir::FailureOr<isa::LocalAddress> local(mlir::Operation *user, mlir::Value slot);
  /// The byte at (row, col) of a tensor in HBM whose rows have `rowBytes`, whose
  /// elements `elementBytes`.
  mlir::FailureOr<isa::HbmAddress> hbm(mlir::Operation *user, mlir::FlatSymbolRefAttr tensor,
                                       isa::Value row, int64_t rowBytes, isa::Value col,
                                       int64_t elementBytes);
  /// Bytes from one row to the next of a tensor or vectors.
  int64_t rowBytesOf(mlir::FlatSymbolRefAttr symbol);
  int64_t addressOf(mlir::FlatSymbolRefAttr symbol);
  /// Waits and signal from the operation's attributes.
  template <typename T>
  void synchronize(mlir::Operation *op, T &instruction);

  // Engines.cpp
  mlir::LogicalResult selectMatrix(mlir::Operation *op);
  mlir::LogicalResult selectVector(mlir::Operation *op);
  mlir::LogicalResult selectTransfer(mlir::Operation *op);

  mlir::OpBuilder &builder;
  mlir::ModuleOp module;
  llvm::MapVector<mlir::StringAttr, unsigned> &operators;
  mlir::Location loc = mlir::UnknownLoc::get(builder.getContext());
  unsigned marked = 0, lastMarked = 0; ///< the last one is known after loops too
  isa::Value layer = {0, 0}; ///< from 1; 0 outside of layers
  isa::Value namelessLayer = {0, 0}; ///< marked last, if operators have no names
  llvm::SmallVector<uint8_t> freeRegisters;
  /// How many values that are still used each register holds or is a part of.
  std::array<unsigned, numRegisters> holders = {};
  llvm::SmallVector<uint8_t> fresh; ///< registers that the operation took
  llvm::DenseMap<mlir::Value, isa::Value> values;
  llvm::DenseMap<mlir::Value, Address> views;
};

} // namespace serrano

#endif // SERRANO_CONVERSION_DMATOISA_SELECTOR_H
