//===- Arrays.h - NumPy's arrays and the runtime's ------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_PYTHONBINDINGS_ARRAYS_H
#define SERRANO_PYTHONBINDINGS_ARRAYS_H

#include "serrano/Support/Npz.h"
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

namespace serrano::python {

using InputArray =
    nanobind::ndarray<nanobind::ro, nanobind::c_contig, nanobind::device::cpu>;
using OutputArray = nanobind::ndarray<nanobind::numpy>;

/// A copy of `array`. Throws nanobind::type_error if NumPy's archives cannot
/// hold its elements either.
NpyArray fromPython(const InputArray &array);

/// `array`, its elements moved to an array that owns them.
OutputArray toPython(NpyArray array);

} // namespace serrano::python

#endif // SERRANO_PYTHONBINDINGS_ARRAYS_H
