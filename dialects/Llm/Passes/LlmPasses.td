//===- LlmPasses.td - passes over the llm dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_PASSES_LLMPASSES
#define SERRANO_DIALECTS_LLM_PASSES_LLMPASSES

include "mlir/Pass/PassBase.td"

class Llm_Pass<string flag> : Pass<flag, "::mlir::ModuleOp"> {
  let dependentDialects = ["::serrano::llm::LlmDialect"];
}

def FoldWeightViews : Llm_Pass<"llm-fold-weight-views"> {
  let summary = "turn transposed, sliced and reshaped weights into views";
  let description = [{
    A transposition, slice or reshape of a weight becomes another `llm.weight`
    over the same bytes with other strides, so that no weight is ever moved at
    run time. Runs first, so that the other passes see weights as they are used.
    Slices of a projection's output become projections by slices of its weight:
    a packed q|k|v weight gives three. (test/Dialect/Llm/fold-weight-views.mlir)
  }];
}

def RaiseLinear : Llm_Pass<"llm-raise-linear"> {
  let summary = "recognise projections by a weight, with or without bias, and embeddings";
  let description = [{
    `matmul` with a weight of rank 2 as its right operand becomes `llm.linear`; a
    following `add` of a weight of rank 1 becomes its bias. `gather` of rows of a
    table of rank 2 becomes `llm.embedding`. (test/Dialect/Llm/raise-linear.mlir)
  }];
}

def RaiseNorm : Llm_Pass<"llm-raise-norm"> {
  let summary = "recognise decomposed root-mean-square and layer normalisations";
  let description = [{
    Matches what exporters write for `x / sqrt(mean(x^2) + eps) * w`, with the
    reciprocal root as `1 / sqrt`, `reciprocal(sqrt)` or `pow -0.5`, and for
    `(x - mean) / sqrt(mean((x - mean)^2) + eps) * w + b`.
    (test/Dialect/Llm/raise-norm.mlir)
  }];
}

def RaiseActivation : Llm_Pass<"llm-raise-activation"> {
  let summary = "recognise decomposed SiLU and GELU";
  let description = [{
    `x * sigmoid(x)` becomes `unary silu`; both forms of GELU become `unary
    gelu_erf` and `unary gelu_tanh`. A gated MLP is then a product of such an
    activation and a projection. (test/Dialect/Llm/raise-activation.mlir)
  }];
}

def RaiseRope : Llm_Pass<"llm-raise-rope"> {
  let summary = "recognise rotary position embedding";
  let description = [{
    Cosines and sines of the outer product of positions and a vector of
    frequencies become one `llm.rope_angles`. Tables that are weights with every
    column twice, which their values are read to see, are taken by half, as views
    of the same bytes. `x * cos + rotate_half(x) * sin`
    becomes `llm.rope`, in which heads come before the features of a head:
    transpositions move to its operand and result, where they cancel with those
    of the exporter. (test/Dialect/Llm/raise-rope.mlir)
  }];
}

def RaiseAttention : Llm_Pass<"llm-raise-attention"> {
  let summary = "recognise attention, grouped heads and masks";
  let description = [{
    `softmax(scale * q k^T + mask) v` becomes `llm.attention`. Heads of keys and
    values that were repeated by broadcast and reshape are taken without the
    repetition. The mask is evaluated symbolically as a function of query and key
    position: what is a causal comparison, a sliding window or a lookup of the
    attention mask input becomes `causal`, `window` and `key_mask`, and so does a
    constant mask of two values that follow from the distance between query and
    key; any other mask stays an operand, and a remark says why.
    (test/Dialect/Llm/raise-attention.mlir)
  }];
}

def PromoteCache : Llm_Pass<"llm-promote-cache"> {
  let summary = "make a decoder graph with a functional cache one step over a paged cache";
  let description = [{
    A function whose attentions append to past keys and values that it gets as
    arguments and returns becomes a function `step` over the tokens of any
    number of sequences: batch and sequence dimensions become one dimension
    `tokens`, attentions become `llm.cached_attention` on a cache `@kv`, masks
    disappear, and only the rows that the runtime asks for reach the last
    projection. A function that is no such graph stays as it is; a remark says
    why. (test/Dialect/Llm/promote-cache.mlir)
  }];
}

def ReportUnraised : Llm_Pass<"llm-report-unraised"> {
  let summary = "say what was not recognised and why";
  let description = [{
    Emits a remark for each softmax, product of two activations and integer
    computation that is left, since each is a part of a pattern that another pass
    should have recognised. Changes nothing.
    (test/Dialect/Llm/report-unraised.mlir)
  }];
}

def GatherEarly : Llm_Pass<"llm-gather-early"> {
  let summary = "take rows that an input names before they are computed with";
  let description = [{
    Moves `llm.gather` of rows by an argument up, before the operations that compute
    each row on its own and of which no other rows are used. Of a decoder's last layer all
    that comes after its attention is so done for those tokens only that have logits.
    (test/Dialect/Llm/gather-early.mlir)
  }];
}

def OutlineLayers : Llm_Pass<"llm-outline-layers"> {
  let summary = "make a chain of equal layers one function and a loop";
  let description = [{
    Finds the longest repetition of operations that differ only in weights and
    layer index, makes a private function of one period and replaces the chain
    by `llm.layers`. (test/Dialect/Llm/outline-layers.mlir)
  }];
}

#endif // SERRANO_DIALECTS_LLM_PASSES_LLMPASSES
