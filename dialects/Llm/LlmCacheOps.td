//===- LlmCacheOps.td - the paged key/value cache and the loop over layers -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_LLMCACHEOPS
#define SERRANO_DIALECTS_LLM_LLMCACHEOPS

include "dialects/Llm/LlmWeightOps.td"

def Llm_CacheOp : Llm_Op<"cache", [Symbol]> {
  let summary = "the keys and values that the device keeps of all sequences";
  let description = [{
    A paged store, resident on the device. It holds, for each layer, key/value
    head and slot of a sequence, a key and a value of `head_size` elements. Slots
    are grouped in blocks; the size of a block is the target's choice. Block
    tables, an operand of `llm.cached_attention`, say which blocks a sequence has.

    ```mlir
    llm.cache @kv layers 30 kv_heads 3 head_size 64 : f32
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$layers, I64Attr:$kv_heads, I64Attr:$head_size,
    TypeAttr:$element_type);
  let assemblyFormat = [{
    $sym_name `layers` $layers `kv_heads` $kv_heads `head_size` $head_size `:` $element_type attr-dict
  }];
  let hasVerifier = 1;
}

def Llm_CachedAttentionOp : Llm_Op<"cached_attention",
    [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "stores new keys and values, then attends over each token's own sequence";
  let description = [{
    The tokens of all sequences lie one after the other: those of sequence `s` are
    `query_starts[s] <= t < query_starts[s + 1]`. `kv_lengths[s]` counts the slots
    that sequence `s` uses after this step, `positions[t]` is the slot of token
    `t`, so `positions[t] = kv_lengths[s] - (query_starts[s + 1] - t)`.

    ```
    for each token t of sequence s, for each kv head g:
      cache[layer, s, positions[t], g] = key[t, g], value[t, g]
    for each token t of sequence s, for each head h, g = h / (heads / kv_heads):
      score[j] = scale * dot(query[t, h], key of cache[layer, s, j, g])
      score[j] = softcap * tanh(score[j] / softcap)            if softcap is given
        for j in 0 .. positions[t], and j > positions[t] - window if window is given
      result[t, h] = sum over j of softmax(score)[j] * value of cache[layer, s, j, g]
    ```

    All stores come before all loads. The operation reads and writes the cache and
    nothing else.

    ```mlir
    %o = llm.cached_attention @kv[%layer] %q, %k, %v at %positions
      of %query_starts, %kv_lengths, %block_tables scale 1.250000e-01 : (...) -> ...
    ```

    Verified: the cache exists, its heads, head size and element type are those of
    `key` and `value`; `heads` is a multiple of `kv_heads`; a constant layer is
    one of the cache's.
  }];
  let arguments = (ins FlatSymbolRefAttr:$cache, Index:$layer, Llm_FloatTensor:$query, Llm_FloatTensor:$key,
    Llm_FloatTensor:$value, Llm_IntegerTensor:$positions, Llm_IntegerTensor:$query_starts,
    Llm_IntegerTensor:$kv_lengths, Llm_IntegerTensor:$block_tables, F32Attr:$scale,
    OptionalAttr<I64Attr>:$window, OptionalAttr<F32Attr>:$softcap);
  let results = (outs Llm_FloatTensor:$result);
  let assemblyFormat = [{
    $cache `[` $layer `]` $query `,` $key `,` $value `at` $positions
    `of` $query_starts `,` $kv_lengths `,` $block_tables `scale` $scale
    (`window` $window^)? (`softcap` $softcap^)? attr-dict
    `:` `(` type($query) `,` type($key) `,` type($value) `,` type($positions) `,` type($query_starts) `,`
    type($kv_lengths) `,` type($block_tables) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def Llm_LayersOp : Llm_Op<"layers",
    [AttrSizedOperandSegments, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a chain of layers that differ only in their weights";
  let description = [{
    Calls `callee` `count` times. Its arguments are the layer's index (`first`,
    `first + 1`, ...), the carried values, the values that all layers share, then
    one tensor for each list in `weights`: call `i` gets the `i`-th weight of each
    list. The results of one call are carried to the next, those of the last call
    are the operation's results.

    ```mlir
    %h = llm.layers @layer from 0 count 30 carry(%x) share(%cos, %sin)
      weights [[@l0.wq, @l1.wq, ...], [@l0.wk, ...]] : (tensor<...>, ...) -> tensor<...>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, I64Attr:$first, I64Attr:$count,
    Variadic<Llm_Tensor>:$carried, Variadic<Llm_Tensor>:$shared, ArrayAttr:$weights);
  let results = (outs Variadic<Llm_Tensor>:$results);
  let assemblyFormat = [{
    $callee `from` $first `count` $count `carry` `(` $carried `)` `share` `(` $shared `)` `weights` $weights attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // SERRANO_DIALECTS_LLM_LLMCACHEOPS
