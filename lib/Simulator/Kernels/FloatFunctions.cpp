//===- FloatFunctions.cpp - functions of the vector engine in f32 ---------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Simulator/Kernels/FloatFunctions.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "ElementFunctions.h"
#include "Numerics/Activation.h"
#include "Numerics/Arithmetic.h"
#include "Numerics/Exponential.h"
#include "Numerics/Trigonometry.h"
#include "llvm/Support/ErrorHandling.h"
#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace serrano::sim {
namespace HWY_NAMESPACE {

using isa::BinaryFunction;
using isa::TernaryFunction;
using isa::UnaryFunction;

static float copyOf(float a) { return a; }
static float negate(float a) { return -a; }
static float absolute(float a) { return std::fabs(a); }
static float squareRoot(float a) { return std::sqrt(a); }
static float reciprocalRoot(float a) { return 1.0f / std::sqrt(a); }
static float reciprocal(float a) { return 1.0f / a; }
static float floorOf(float a) { return std::floor(a); }
static float ceilOf(float a) { return std::ceil(a); }
static float roundEven(float a) { return std::nearbyint(a); }
static float isZero(float a) { return a == 0.0f ? 1.0f : 0.0f; }
static float isNan(float a) { return a != a ? 1.0f : 0.0f; }

static float add(float a, float b) { return a + b; }
static float sub(float a, float b) { return a - b; }
static float mul(float a, float b) { return a * b; }
static float quotient(float a, float b) { return a / b; }
static float equal(float a, float b) { return a == b ? 1.0f : 0.0f; }
static float less(float a, float b) { return a < b ? 1.0f : 0.0f; }
static float lessEqual(float a, float b) { return a <= b ? 1.0f : 0.0f; }

static float fused(float a, float b, float c) { return std::fma(a, b, c); }
static float select(float a, float b, float c) { return a != 0.0f ? b : c; }

template <float (*fn)(float)>
static void run(const float *HWY_RESTRICT a, float *HWY_RESTRICT out,
                int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = fn(a[i]);
}

template <float (*fn)(float, float)>
static void run(const float *HWY_RESTRICT a, const float *HWY_RESTRICT b,
                float *HWY_RESTRICT out, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = fn(a[i], b[i]);
}

template <float (*fn)(float, float, float)>
static void run(const float *HWY_RESTRICT a, const float *HWY_RESTRICT b,
                const float *HWY_RESTRICT c, float *HWY_RESTRICT out,
                int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = fn(a[i], b[i], c[i]);
}

/// A vector loop for ordinary angles, then one over the few large ones.
template <float (*fn)(float), float (*largeFn)(float)>
static void runAngle(const float *HWY_RESTRICT a, float *HWY_RESTRICT out,
                     int64_t n) {
  run<fn>(a, out, n);
  for (int64_t i = 0; i < n; ++i)
    if (!(std::fabs(a[i]) < largeAngle))
      out[i] = largeFn(a[i]);
}

static UnaryRun<float> chooseUnary(UnaryFunction fn) {
  switch (fn) {
  case UnaryFunction::Copy:
    return run<copyOf>;
  case UnaryFunction::Neg:
    return run<negate>;
  case UnaryFunction::Abs:
    return run<absolute>;
  case UnaryFunction::Sqrt:
    return run<squareRoot>;
  case UnaryFunction::Rsqrt:
    return run<reciprocalRoot>;
  case UnaryFunction::Reciprocal:
    return run<reciprocal>;
  case UnaryFunction::Exp:
    return run<expF32>;
  case UnaryFunction::Log:
    return run<logF32>;
  case UnaryFunction::Tanh:
    return run<tanhF32>;
  case UnaryFunction::Sigmoid:
    return run<sigmoidF32>;
  case UnaryFunction::Erf:
    return run<erfF32>;
  case UnaryFunction::Sin:
    return runAngle<sinF32, sinF32Large>;
  case UnaryFunction::Cos:
    return runAngle<cosF32, cosF32Large>;
  case UnaryFunction::Floor:
    return run<floorOf>;
  case UnaryFunction::Ceil:
    return run<ceilOf>;
  case UnaryFunction::Round:
    return run<roundEven>;
  case UnaryFunction::Not:
    return run<isZero>;
  case UnaryFunction::Isnan:
    return run<isNan>;
  case UnaryFunction::Silu:
    return run<siluF32>;
  case UnaryFunction::Gelu:
    return run<geluF32>;
  case UnaryFunction::GeluTanh:
    return run<geluTanhF32>;
  }
  llvm_unreachable("not a unary function");
}

static BinaryRun<float> chooseBinary(BinaryFunction fn) {
  switch (fn) {
  case BinaryFunction::Add:
    return run<add>;
  case BinaryFunction::Sub:
    return run<sub>;
  case BinaryFunction::Mul:
    return run<mul>;
  case BinaryFunction::Div:
    return run<quotient>;
  case BinaryFunction::Max:
    return run<maximum>;
  case BinaryFunction::Min:
    return run<minimum>;
  case BinaryFunction::Pow:
    return run<powF32>;
  case BinaryFunction::Mod:
    return run<floorMod>;
  case BinaryFunction::Eq:
    return run<equal>;
  case BinaryFunction::Lt:
    return run<less>;
  case BinaryFunction::Le:
    return run<lessEqual>;
  default:
    llvm_unreachable("not a function of floating-point numbers");
  }
}

static TernaryRun<float> chooseTernary(TernaryFunction fn) {
  switch (fn) {
  case TernaryFunction::Fma:
    return run<fused>;
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

UnaryRun<float> floatRun(isa::UnaryFunction fn) {
  return HWY_DYNAMIC_DISPATCH(chooseUnary)(fn);
}

BinaryRun<float> floatRun(isa::BinaryFunction fn) {
  return HWY_DYNAMIC_DISPATCH(chooseBinary)(fn);
}

TernaryRun<float> floatRun(isa::TernaryFunction fn) {
  return HWY_DYNAMIC_DISPATCH(chooseTernary)(fn);
}

} // namespace serrano::sim
#endif // HWY_ONCE
