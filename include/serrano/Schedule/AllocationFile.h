//===- AllocationFile.h - allocation problems as text ---------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SCHEDULE_ALLOCATIONFILE_H
#define SERRANO_SCHEDULE_ALLOCATIONFILE_H

#include "serrano/Schedule/Allocation.h"
#include "llvm/Support/raw_ostream.h"

namespace serrano {

/// Reads a problem in the form that MiniMalloc's benchmarks have
/// (github.com/google/minimalloc): a heading and a line for each buffer, which
/// is alive in [lower, upper) and has `size` bytes. An offset is a given
/// address; it may be missing. Lines with a number sign say what is beside the
/// buffers; without them the capacity is unlimited and the alignment 1:
///
///   # capacity: 32768
///   # alignment: 64
///   id,lower,upper,size,offset
///   buffer 0,0,4,1024,
///   ring 0,0,9,8192,24576
///
/// Errors name `source` and the line.
llvm::Expected<AllocationProblem> readAllocation(llvm::StringRef text,
                                                 llvm::StringRef source);

/// Writes a problem, with the addresses that its buffers have, so that it can
/// be read again. Names must have no commas and line breaks.
void writeAllocation(const AllocationProblem &problem, llvm::raw_ostream &os);

} // namespace serrano

#endif // SERRANO_SCHEDULE_ALLOCATIONFILE_H
