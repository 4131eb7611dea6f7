//===- IntegerFunctions.cpp - functions of the vector engine in i32 -------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Simulator/Kernels/IntegerFunctions.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "ElementFunctions.h"
#include "Numerics/Arithmetic.h"
#include "llvm/Support/ErrorHandling.h"

HWY_BEFORE_NAMESPACE();
namespace serrano::sim {
namespace HWY_NAMESPACE {

using isa::BinaryFunction;
using isa::TernaryFunction;
using isa::UnaryFunction;

static int32_t copyOf(int32_t a) { return a; }
static int32_t negate(int32_t a) { return wrapSub(0, a); }
static int32_t absolute(int32_t a) { return a < 0 ? wrapSub(0, a) : a; }
static int32_t isZero(int32_t a) { return a == 0; }
static int32_t zero(int32_t) { return 0; }

static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }
static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }
static int32_t equal(int32_t a, int32_t b) { return a == b; }
static int32_t less(int32_t a, int32_t b) { return a < b; }
static int32_t lessEqual(int32_t a, int32_t b) { return a <= b; }
static int32_t bitAnd(int32_t a, int32_t b) { return a & b; }
static int32_t bitOr(int32_t a, int32_t b) { return a | b; }
static int32_t bitXor(int32_t a, int32_t b) { return a ^ b; }
static int32_t shiftLeft(int32_t a, int32_t b) {
  return int32_t(uint32_t(a) << (b & 31));
}
static int32_t shiftRight(int32_t a, int32_t b) { return a >> (b & 31); }

static int32_t multiplyAdd(int32_t a, int32_t b, int32_t c) {
  return wrapAdd(wrapMul(a, b), c);
}
static int32_t select(int32_t a, int32_t b, int32_t c) {
  return a != 0 ? b : c;
}

template <int32_t (*fn)(int32_t)>
static void run(const int32_t *HWY_RESTRICT a, int32_t *HWY_RESTRICT out,
                int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = fn(a[i]);
}

template <int32_t (*fn)(int32_t, int32_t)>
static void run(const int32_t *HWY_RESTRICT a, const int32_t *HWY_RESTRICT b,
                int32_t *HWY_RESTRICT out, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = fn(a[i], b[i]);
}

template <int32_t (*fn)(int32_t, int32_t, int32_t)>
static void run(const int32_t *HWY_RESTRICT a, const int32_t *HWY_RESTRICT b,
                const int32_t *HWY_RESTRICT c, int32_t *HWY_RESTRICT out,
                int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = fn(a[i], b[i], c[i]);
}

static UnaryRun<int32_t> chooseUnary(UnaryFunction fn) {
  switch (fn) {
  case UnaryFunction::Copy:
  case UnaryFunction::Floor:
  case UnaryFunction::Ceil:
  case UnaryFunction::Round:
    return run<copyOf>;
  case UnaryFunction::Neg:
    return run<negate>;
  case UnaryFunction::Abs:
    return run<absolute>;
  case UnaryFunction::Not:
    return run<isZero>;
  case UnaryFunction::Isnan:
    return run<zero>;
  default:
    return nullptr;
  }
}

static BinaryRun<int32_t> chooseBinary(BinaryFunction fn) {
  switch (fn) {
  case BinaryFunction::Add:
    return run<wrapAdd>;
  case BinaryFunction::Sub:
    return run<wrapSub>;
  case BinaryFunction::Mul:
    return run<wrapMul>;
  case BinaryFunction::Div:
    return run<divide>;
  case BinaryFunction::Max:
    return run<larger>;
  case BinaryFunction::Min:
    return run<smaller>;
  case BinaryFunction::Pow:
    return nullptr;
  case BinaryFunction::Mod:
    return run<floorMod>;
  case BinaryFunction::Eq:
    return run<equal>;
  case BinaryFunction::Lt:
    return run<less>;
  case BinaryFunction::Le:
    return run<lessEqual>;
  case BinaryFunction::And:
    return run<bitAnd>;
  case BinaryFunction::Or:
    return run<bitOr>;
  case BinaryFunction::Xor:
    return run<bitXor>;
  case BinaryFunction::Shl:
    return run<shiftLeft>;
  case BinaryFunction::Shr:
    return run<shiftRight>;
  }
  llvm_unreachable("not a binary function");
}

static TernaryRun<int32_t> chooseTernary(TernaryFunction fn) {
  switch (fn) {
  case TernaryFunction::Fma:
    return run<multiplyAdd>;
  case TernaryFunction::Select:
    return run<select>;
  }
  llvm_unreachable("not a ternary function");
}

} // namespace HWY_NAMESPACE
} // namespace serrano::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace serrano::sim {

HWY_EXPORT(chooseUnary);
HWY_EXPORT(chooseBinary);
HWY_EXPORT(chooseTernary);

UnaryRun<int32_t> integerRun(isa::UnaryFunction fn) {
  return HWY_DYNAMIC_DISPATCH(chooseUnary)(fn);
}

BinaryRun<int32_t> integerRun(isa::BinaryFunction fn) {
  return HWY_DYNAMIC_DISPATCH(chooseBinary)(fn);
}

TernaryRun<int32_t> integerRun(isa::TernaryFunction fn) {
  return HWY_DYNAMIC_DISPATCH(chooseTernary)(fn);
}

} // namespace serrano::sim
#endif // HWY_ONCE
