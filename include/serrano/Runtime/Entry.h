//===- Entry.h - what an entry takes and gives ---------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_RUNTIME_ENTRY_H
#define SERRANO_RUNTIME_ENTRY_H

#include "serrano/Isa/Instructions.h"
#include "serrano/Isa/Program.h"
#include "serrano/Support/Npz.h"
#include "llvm/Support/Error.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace serrano {

/// The values of symbolic dimensions in one run, by name.
using Dimensions = std::map<std::string, int64_t>;

/// A sum of products of numbers and names of dimensions: "seq", "past + seq",
/// "2*batch*seq + 1". The form in which a program's manifest gives sizes.
class SizeExpression {
public:
  static llvm::Expected<SizeExpression> parse(llvm::StringRef text);
  /// An error names the dimension that has no value.
  llvm::Expected<int64_t> evaluate(const Dimensions &dimensions) const;
  /// The name, if the expression is one dimension and nothing else; else "".
  llvm::StringRef symbol() const;
  llvm::StringRef text() const { return source; }

private:
  struct Product {
    int64_t factor = 1;
    std::vector<std::string> names;
  };
  std::string source;
  std::vector<Product> sum;
};

/// An array that goes in or comes out. The caller's arrays have element type
/// `type`; on the device the elements are `stored`, dense in C order.
struct Operand {
  std::string name;
  NpyType type;
  isa::DType stored;
  std::vector<SizeExpression> shape;
  bool scalarMemory; ///< in scalar memory instead of HBM
  int64_t address;   ///< byte address there
  /// Of indices: the elements are at least 0 and less than this.
  std::optional<SizeExpression> below;

  /// Understands an operand of a program.
  static llvm::Expected<Operand> create(const isa::Operand &source);

  llvm::Expected<std::vector<uint64_t>>
  shapeFor(const Dimensions &dimensions) const;
};

/// A symbolic dimension. The device finds its value as an i32 at byte address
/// `scalarAddress` of scalar memory.
struct Dimension {
  std::string name;
  int64_t max;
  int64_t scalarAddress;
};

/// The most that a size can be, because the program was compiled for no more.
struct Limit {
  /// What it counts: "tokens" or "sequences" of a run, or "row_tokens", those of
  /// a row of a batch.
  std::string of;
  SizeExpression size;
  int64_t max;
};

/// One way into a program.
struct Entry {
  std::string name;
  int64_t word; ///< word address of its function
  std::vector<Dimension> dimensions;
  std::vector<Operand> inputs, outputs;
  std::vector<Limit> limits;
  /// Of a step over a paged cache.
  std::optional<isa::PagedCache> cache;

  /// Understands an entry of `program`.
  static llvm::Expected<Entry> create(const isa::Entry &entry,
                                      const isa::Program &program);

  /// Checks the names, types and shapes of `arrays` against the inputs and
  /// gives the dimensions that follow from them. Errors name the array, what is
  /// expected and what was found, and for a misspelled name the nearest one.
  llvm::Expected<Dimensions> bind(const NpzArrays &arrays) const;

  /// Checks the sizes of all dimensions against what the program was compiled
  /// for.
  llvm::Error checkLimits(const Dimensions &sizes) const;

  /// What can be done about a sequence that is longer than the cache's context.
  std::string getContextRemedy() const;

  /// Checks the elements of `arrays`, which have been bound: indices are in
  /// their range, and what a step says of its sequences fits together and its
  /// cache. Errors name the array, the place, the value and what is expected.
  llvm::Error checkValues(const NpzArrays &arrays,
                          const Dimensions &dimensions) const;
};

} // namespace serrano

#endif // SERRANO_RUNTIME_ENTRY_H
