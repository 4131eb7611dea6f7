//===- Npz.h - NumPy's archives of arrays -----------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SUPPORT_NPZ_H
#define SERRANO_SUPPORT_NPZ_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace serrano {

/// The element types that can be exchanged with NumPy.
enum class NpyType { b1, i1, i2, i4, i8, u1, u2, u4, u8, f2, f4, f8 };

/// NumPy's own name of `type`, which counts bits: "float32".
llvm::StringRef npyTypeName(NpyType type);

/// The number of bytes of one element.
uint64_t npyTypeSize(NpyType type);

/// An array, its elements little-endian and in C order (last index fastest).
struct NpyArray {
  NpyType type = NpyType::f4;
  /// Empty for a scalar.
  std::vector<uint64_t> shape;
  std::vector<uint8_t> bytes;

  /// The number of elements that `shape` stands for.
  uint64_t size() const;

  /// The elements as an array of `T`, whose size has to be that of the type.
  template <typename T>
  llvm::ArrayRef<T> as() const {
    assert(sizeof(T) == npyTypeSize(type) && "element size mismatch");
    return {reinterpret_cast<const T *>(bytes.data()),
            bytes.size() / sizeof(T)};
  }
};

/// The arrays of one archive, sorted by name.
using NpzArrays = std::map<std::string, NpyArray>;

/// Reads one array in NumPy's .npy format. An array in Fortran order is brought
/// into C order. Big-endian, structured, text and object arrays are refused.
/// Errors start with `where`.
llvm::Expected<NpyArray> parseNpy(llvm::ArrayRef<uint8_t> file,
                                  llvm::StringRef where);

/// The head of an .npy file; the array's bytes follow it.
std::string npyHeader(const NpyArray &array);

/// Reads all arrays of the archive `path`. Errors name the file and the array.
llvm::Expected<NpzArrays> readNpz(llvm::StringRef path);

/// Writes `arrays`, of which there has to be one at least, as the archive
/// `path`, whole or not at all. The same arrays give the same bytes on every
/// run.
llvm::Error writeNpz(llvm::StringRef path, const NpzArrays &arrays,
                     bool compress = false);

} // namespace serrano

#endif // SERRANO_SUPPORT_NPZ_H
