//===- Verify.h - checks of a program's form --------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_ISA_VERIFY_H
#define SERRANO_ISA_VERIFY_H

#include "serrano/Isa/Program.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <vector>

namespace serrano {
class TargetModel;
} // namespace serrano

namespace serrano::isa {

/// Something that no run of the program can be right with.
struct Finding {
  /// Word address of the instruction.
  uint32_t word = 0;
  /// Index of the entry, if it is the entry that is wrong.
  std::optional<size_t> entry;
  std::string message;
};

/// Checks what can be known without running `program`:
///
///  * every instruction decodes, every block ends inside the block around it,
///    and no function runs off its end;
///  * calls go to functions, none is recursive, loops nest at most 8 deep and
///    calls at most 8;
///  * `ret` is in no loop, and no entry returns;
///  * a counter is signalled by one queue only, and what waits for a counter of
///    this core finds an instruction that signals it;
///  * a ring is set up before it is used;
///  * `mark` names operators that exist.
///
/// With `target` also that rings, counters, scalar memory and HBM are there.
/// Findings come in the order of their addresses.
std::vector<Finding> verify(const Program &program,
                            const TargetModel *target = nullptr);

/// All findings as one error, one to a line with the function, the address and
/// the instruction.
llvm::Error verifyOrError(const Program &program,
                          const TargetModel *target = nullptr);

} // namespace serrano::isa

#endif // SERRANO_ISA_VERIFY_H
