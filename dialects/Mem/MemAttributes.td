//===- MemAttributes.td - attributes -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_MEM_MEMATTRIBUTES
#define SERRANO_DIALECTS_MEM_MEMATTRIBUTES

include "dialects/Mem/MemEnums.td"

#endif // SERRANO_DIALECTS_MEM_MEMATTRIBUTES
