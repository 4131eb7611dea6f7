//===- EntryAttributes.h - an entry as JSON ---------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_ISA_ENTRYATTRIBUTES_H
#define SERRANO_DIALECTS_ISA_ENTRYATTRIBUTES_H

#include "dialects/Isa/Isa.h"
#include <nlohmann/json_fwd.hpp>

namespace serrano::isa::ir {

/// What the manifest says of `entry`; an attribute that has no place there
/// becomes null.
nlohmann::json entryToJson(EntryOp entry);

/// The same for what the manifest says of a tensor.
nlohmann::json tensorToJson(ObserveOp observe);

} // namespace serrano::isa::ir

#endif // SERRANO_DIALECTS_ISA_ENTRYATTRIBUTES_H
