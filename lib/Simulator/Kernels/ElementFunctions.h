//===- ElementFunctions.h - functions of the vector engine on runs -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each function of the vector engine as a loop over n elements, which may not
// overlap the result. A kernel looks one up once per instruction.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_KERNELS_ELEMENTFUNCTIONS_H
#define SERRANO_SIMULATOR_KERNELS_ELEMENTFUNCTIONS_H

#include "serrano/Isa/Operands.h"
#include <cstdint>

namespace serrano::sim {

template <typename T>
using UnaryRun = void (*)(const T *a, T *out, int64_t n);
template <typename T>
using BinaryRun = void (*)(const T *a, const T *b, T *out, int64_t n);
template <typename T>
using TernaryRun = void (*)(const T *a, const T *b, const T *c, T *out,
                            int64_t n);

UnaryRun<float> floatRun(isa::UnaryFunction fn);
TernaryRun<float> floatRun(isa::TernaryFunction fn);
/// Not for the bitwise functions, which are defined on integers alone.
BinaryRun<float> floatRun(isa::BinaryFunction fn);

/// Null for functions that are computed in f32 whatever the operand is.
UnaryRun<int32_t> integerRun(isa::UnaryFunction fn);
BinaryRun<int32_t> integerRun(isa::BinaryFunction fn);
TernaryRun<int32_t> integerRun(isa::TernaryFunction fn);

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_KERNELS_ELEMENTFUNCTIONS_H
