//===- Formats.h - what an element type costs ----------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_FORMATS_H
#define SERRANO_SIMULATOR_FORMATS_H

#include "Fault.h"
#include "serrano/Isa/Operands.h"
#include "serrano/Target/NumberFormat.h"

namespace serrano::sim {

/// The format under which the matrix engine multiplies elements of `dtype`;
/// faults if it does not multiply them.
inline NumberFormat formatOf(isa::DType dtype) {
  switch (dtype) {
  case isa::DType::F32:
    return NumberFormat::F32;
  case isa::DType::Bf16:
    return NumberFormat::BF16;
  case isa::DType::F16:
    return NumberFormat::F16;
  case isa::DType::F8e4m3:
  case isa::DType::F8e5m2:
    return NumberFormat::F8;
  case isa::DType::I8:
  case isa::DType::U8:
    return NumberFormat::I8;
  case isa::DType::I32:
    break;
  }
  fault("the matrix engine does not multiply i32; convert to i8 or to a "
        "floating-point type");
}

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_FORMATS_H
