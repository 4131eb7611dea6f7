//===- Program.h - a program in memory --------------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_ISA_PROGRAM_H
#define SERRANO_ISA_PROGRAM_H

#include "llvm/Support/Error.h"
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace serrano::isa {

/// A function: a run of instructions that nothing jumps into.
struct Function {
  std::string name;
  uint32_t word = 0;
  uint32_t words = 0;
};

/// A symbolic dimension of an entry. The runtime writes its value as an i32 at
/// byte address `smem` of scalar memory.
struct Dimension {
  std::string name;
  int64_t max = 0;
  uint64_t smem = 0;
};

/// An array that the runtime passes in or takes out.
struct Operand {
  std::string name;
  /// The element type of the caller's array: "f32", "i64", "bool", ...
  std::string dtype;
  /// The element type on the device.
  std::string stored;
  /// Each a number or a sum of products of numbers and names of dimensions.
  std::vector<std::string> shape;
  bool isInScalarMemory = false;
  uint64_t address = 0;
  /// Of an input of indices: the size that each element is less than, and not
  /// below 0. Empty if the elements can be anything.
  std::string below;
};

/// The most that a size can be, because the program was compiled for no more.
struct Limit {
  /// What the size counts, one of `limitKinds()`.
  std::string of;
  std::string size;
  int64_t max = 0;
};

/// The cache of an entry whose inputs are those of a step
/// (docs/ProgramFile.md): `blocks` blocks of `block` tokens each, of which a
/// sequence has no more than `context` tokens.
struct PagedCache {
  int64_t block = 0;
  int64_t blocks = 0;
  int64_t context = 0;
};

/// One way into a program.
struct Entry {
  std::string name;
  std::string function;
  std::vector<Dimension> dimensions;
  std::vector<Operand> inputs;
  std::vector<Operand> outputs;
  std::vector<Limit> limits;
  std::optional<PagedCache> cache;
};

/// A range of HBM that starts out as zeroes.
struct ZeroRange {
  std::string name;
  uint64_t address = 0;
  uint64_t bytes = 0;
};

/// A tensor of the source model that can be looked at: before the instruction
/// at `word`, which no jump leads to, it is at `address`.
struct SourceTensor {
  uint32_t word = 0;
  /// Of what is computed in equal layers, the tensor of each.
  std::vector<std::string> names;
  /// The layer that the first name is of, as `mark` counts them; 0 outside of
  /// layers.
  uint32_t layer = 0;
  uint32_t sourceOperator = 0; ///< index of the operator that computes it
  std::string dtype, stored;   ///< as of an `Operand`
  std::vector<std::string> shape;
  bool isInHbm = false; ///< instead of the scratchpad
  uint64_t address = 0;
  /// A loop nest over the elements in row-major order, the last one innermost:
  /// rounds and, in elements, their distance. Empty if the tensor is dense.
  std::vector<std::string> extents, strides;
};

/// Everything of a program but its weights.
struct Program {
  std::vector<uint64_t> text;
  /// In the order of their addresses; together they cover the text.
  std::vector<Function> functions;
  /// The names of source operators; `mark` gives an index. The first stands for
  /// none.
  std::vector<std::string> operators = {""};
  std::vector<Entry> entries;
  /// In the order of their words.
  std::vector<SourceTensor> tensors;
  std::vector<ZeroRange> zeroes;
  /// Bytes of HBM that a run needs: the end of the last range or weight.
  uint64_t hbmBytes = 0;

  /// The function of that name, or null.
  const Function *findFunction(const std::string &name) const;
};

/// The parts of a program file's manifest that describe `program`: "operators",
/// "functions", "entries", "tensors" and "hbm_bytes".
nlohmann::json manifestOf(const Program &program);

/// Reads them back into `program`; an error names what is wrong in the
/// manifest.
llvm::Error readManifest(const nlohmann::json &manifest, Program &program);

/// Reads one element of "entries", whatever the functions.
llvm::Expected<Entry> readEntry(const nlohmann::json &entry);

/// Reads one element of "tensors", whatever the instructions.
llvm::Expected<SourceTensor> readTensor(const nlohmann::json &tensor);

} // namespace serrano::isa

#endif // SERRANO_ISA_PROGRAM_H
