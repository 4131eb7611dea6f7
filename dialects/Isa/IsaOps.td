//===- IsaOps.td - instructions, functions and what surrounds them -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_ISA_ISAOPS
#define SERRANO_DIALECTS_ISA_ISAOPS

include "dialects/Isa/IsaInstructions.td"
include "mlir/IR/SymbolInterfaces.td"

def FunctionOp : Isa_Op<"func", [IsolatedFromAbove, NoTerminator, SingleBlock, Symbol]> {
  let summary = "a function of the program";
  let description = [{
    The instructions of one function. Functions lie in the program's text in the
    order in which they are in the module.

    ```mlir
    isa.func @norm {
      isa.mark op=2
      isa.ret
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
}

def ZeroesOp : Isa_Op<"zeroes", []> {
  let summary = "a range of HBM that starts out as zeroes";
  let description = [{
    ```mlir
    isa.zeroes "kv_cache" at 4096 bytes 65536
    ```
  }];
  let arguments = (ins StrAttr:$name, I64Attr:$address, I64Attr:$bytes);
  let assemblyFormat = "$name `at` $address `bytes` $bytes attr-dict";
  let hasVerifier = 1;
}

def EntryOp : Isa_Op<"entry", []> {
  let summary = "a function that the runtime calls, and its operands";
  let description = [{
    The entry of a program's manifest (docs/ProgramFile.md). Each dimension is a
    dictionary of `name`, `max` and `smem`; each operand one of `name`, `dtype`,
    `stored`, `shape`, `space`, `address` and, for indices, `below`; each limit
    one of `of`, `size` and `max`; the cache one of `block`, `blocks` and
    `context`.

    ```mlir
    isa.entry @step dims [{name = "seq", max = 512, smem = 8} ]
      inputs [{name = "x", dtype = "f32", stored = "bf16", shape = ["seq", "64"],
               space = "hbm", address = 0} ]
      outputs []
      limits [{of = "tokens", size = "seq", max = 512} ]
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$function, DictArrayAttr:$dims,
                       DictArrayAttr:$inputs, DictArrayAttr:$outputs,
                       OptionalAttr<DictArrayAttr>:$limits, OptionalAttr<DictionaryAttr>:$cache);
  let assemblyFormat = [{
    $function `dims` $dims `inputs` $inputs `outputs` $outputs (`limits` $limits^)?
    (`cache` $cache^)? attr-dict
  }];
  let hasVerifier = 1;
}

def ObserveOp : Isa_Op<"observe", []> {
  let summary = "a tensor of the source model that is complete here";
  let description = [{
    No instruction, but an entry of the manifest's `tensors`
    (docs/ProgramFile.md), which gets the address of the instruction that
    follows: a dictionary of `names`, `dtype`, `stored`, `shape`, `space`,
    `address`, `operator` and, where they say something, `layer`, `extents` and
    `strides`.

    ```mlir
    isa.observe {names = ["h"], dtype = "f32", stored = "bf16", shape = ["seq", "64"],
                 space = "spm", address = 4096, operator = 3}
    ```
  }];
  let arguments = (ins DictionaryAttr:$tensor);
  let assemblyFormat = "$tensor attr-dict";
  let hasVerifier = 1;
}

#endif // SERRANO_DIALECTS_ISA_ISAOPS
