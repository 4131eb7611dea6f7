//===- LlmTransformerOps.td - the operations that transformers are made of -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_LLMTRANSFORMEROPS
#define SERRANO_DIALECTS_LLM_LLMTRANSFORMEROPS

include "dialects/Llm/LlmWeightOps.td"

def Llm_EmbeddingOp : Llm_Op<"embedding", [Pure]> {
  let summary = "rows of a table chosen by indices";
  let description = [{
    `result[i..., :] = table[indices[i...], :]`. Indices are in range and not
    negative; the runtime checks the ones it is given.

    ```mlir
    %1 = llm.embedding %table[%ids] : (tensor<49152x576xf32>, tensor<?xi32, #llm.dims<[tokens]>>)
      -> tensor<?x576xf32, #llm.dims<[tokens, 576]>>
    ```
  }];
  let arguments = (ins Llm_Tensor:$table, Llm_IntegerTensor:$indices);
  let results = (outs Llm_Tensor:$result);
  let assemblyFormat = "$table `[` $indices `]` attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Llm_LinearOp : Llm_Op<"linear", [Pure]> {
  let summary = "a projection of the last dimension by a weight";
  let description = [{
    `result[..., n] = sum_k input[..., k] * weight[k, n] + bias[n]`. The weight
    is `[in, out]`, however its bytes lie in the file.

    ```mlir
    %1 = llm.linear %0, %w, %b : (tensor<?x384xf32, #llm.dims<[tokens, 384]>>, tensor<384x1536xf32>, tensor<1536xf32>)
      -> tensor<?x1536xf32, #llm.dims<[tokens, 1536]>>
    ```
  }];
  let arguments = (ins Llm_FloatTensor:$input, Llm_FloatTensor:$weight, Optional<Llm_FloatTensor>:$bias);
  let results = (outs Llm_FloatTensor:$result);
  let assemblyFormat = "$input `,` $weight (`,` $bias^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Llm_RmsNormOp : Llm_Op<"rms_norm", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "root-mean-square normalisation of the last dimension";
  let description = [{
    `result = input / sqrt(mean(input^2) + epsilon) * (scale + scale_offset)`,
    computed in f32. `scale_offset` is 1 in models that store the scale less one.

    ```mlir
    %1 = llm.rms_norm %0, %scale epsilon 1.000000e-05 : tensor<?x576xf32, #llm.dims<[tokens, 576]>>, tensor<576xf32>
    ```
  }];
  let arguments = (ins Llm_FloatTensor:$input, Llm_FloatTensor:$scale, F32Attr:$epsilon,
    DefaultValuedAttr<F32Attr, "0.0f">:$scale_offset);
  let results = (outs Llm_FloatTensor:$result);
  let assemblyFormat = "$input `,` $scale `epsilon` $epsilon attr-dict `:` type($input) `,` type($scale)";
  let hasVerifier = 1;
}

def Llm_LayerNormOp : Llm_Op<"layer_norm", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "normalisation of the last dimension to mean 0 and variance 1";
  let description = [{
    `result = (input - mean(input)) / sqrt(variance(input) + epsilon) * scale + bias`,
    computed in f32; the variance is that of the population.
  }];
  let arguments = (ins Llm_FloatTensor:$input, Llm_FloatTensor:$scale, Optional<Llm_FloatTensor>:$bias,
    F32Attr:$epsilon);
  let results = (outs Llm_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $scale (`,` $bias^)? `epsilon` $epsilon attr-dict `:` type($input) `,` type($scale) (`,` type($bias)^)?
  }];
  let hasVerifier = 1;
}

def Llm_RopeAnglesOp : Llm_Op<"rope_angles", [Pure, AllTypesMatch<["cosine", "sine"]>]> {
  let summary = "cosines and sines of the angles by which rope rotates";
  let description = [{
    `cosine[p..., i] = cos(f32(positions[p...]) * frequencies[i])`, and
    the sine likewise.

    ```mlir
    %cos, %sin = llm.rope_angles %positions, %frequencies : (tensor<?xi32, #llm.dims<[tokens]>>, tensor<32xf32>)
      -> tensor<?x32xf32, #llm.dims<[tokens, 32]>>
    ```
  }];
  let arguments = (ins Llm_IntegerTensor:$positions, Llm_FloatTensor:$frequencies);
  let results = (outs Llm_FloatTensor:$cosine, Llm_FloatTensor:$sine);
  let assemblyFormat = [{
    $positions `,` $frequencies attr-dict `:` `(` type($positions) `,` type($frequencies) `)` `->` type($cosine)
  }];
  let hasVerifier = 1;
}

def Llm_RopeOp : Llm_Op<"rope", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "rotary position embedding of the first features of each head";
  let description = [{
    `input` is `[p..., heads, head_size]`, `cosine` and `sine` are `[p..., half]`
    with `2 * half <= head_size`; a leading dimension of extent 1 broadcasts.
    With `x = input[p, h, :]`, `c = cosine[p, :]`, `s = sine[p, :]`:

    ```
    result[p, h, i]        = x[i] * c[i] - x[i + half] * s[i]         for i < half
    result[p, h, i + half] = x[i + half] * c[i] + x[i] * s[i]         for i < half
    result[p, h, i]        = x[i]                                     for i >= 2 * half
    ```
  }];
  let arguments = (ins Llm_FloatTensor:$input, Llm_FloatTensor:$cosine, Llm_FloatTensor:$sine);
  let results = (outs Llm_FloatTensor:$result);
  let assemblyFormat = "$input `,` $cosine `,` $sine attr-dict `:` type($input) `,` type($cosine) `,` type($sine)";
  let hasVerifier = 1;
}

def Llm_AttentionOp : Llm_Op<"attention", [Pure, AttrSizedOperandSegments]> {
  let summary = "softmax attention of a batch of sequences";
  let description = [{
    `query` is `[batch, queries, heads, size]`, `key` is `[batch, keys, kv_heads,
    size]`, `value` is `[batch, keys, kv_heads, value_size]`; query head `h` reads
    key/value head `h / (heads / kv_heads)`. With `i` a query and `j` a key, and
    `past = keys - queries`:

    ```
    score = scale * dot(query[b, i, h], key[b, j, h'])
    score = softcap * tanh(score / softcap)             if softcap is given
    score = score + mask[b, h, i, j]                    if mask is given (broadcasts)
    j takes part if  j <= past + i                      if causal
                and  j >  past + i - window             if window is given
                and  key_mask[b, j] != 0                if key_mask is given
    result[b, i, h] = sum over j of softmax(score)[j] * value[b, j, h']
    ```

    A query for which no key takes part gives zeros.

    ```mlir
    %4 = llm.attention %q, %k, %v key_mask %m scale 1.250000e-01 :
      (tensor<?x?x12x32xf32, #llm.dims<[batch, seq, 12, 32]>>, ...) -> tensor<?x?x12x32xf32, ...>
    ```
  }];
  let arguments = (ins Llm_FloatTensor:$query, Llm_FloatTensor:$key, Llm_FloatTensor:$value,
    Optional<Llm_FloatTensor>:$mask, Optional<Llm_IntegerTensor>:$key_mask,
    F32Attr:$scale, UnitAttr:$causal, OptionalAttr<I64Attr>:$window, OptionalAttr<F32Attr>:$softcap);
  let results = (outs Llm_FloatTensor:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` $mask^)? (`key_mask` $key_mask^)? `scale` $scale
    (`causal` $causal^)? (`window` $window^)? (`softcap` $softcap^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // SERRANO_DIALECTS_LLM_LLMTRANSFORMEROPS
