"""What each operator multiplies, and which weights and which part of the cache it needs for that."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import onnx
from errors import BoundError
from values import Evaluator, Product, Value, attributes, node_name, unmasked

Inputs = Sequence[Value | None]

# Operators that multiply in a way that is not accounted for: better no bound than a wrong one.
UNACCOUNTED = {
    "Einsum", "ConvTranspose", "ConvInteger", "QLinearConv", "DeformConv", "LSTM", "GRU", "RNN", "If", "Loop", "Scan",
    "LinearAttention", "Det", "STFT", "DFT",
}  # fmt: skip


def _size(shape: Sequence[int]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _weights(inputs: Inputs) -> frozenset[str]:
    """The initialisers of the constant ones."""
    return frozenset().union(*(v.weights for v in inputs if v is not None and v.constant))


def _matrix_product(node: onnx.NodeProto, inputs: Inputs, output: Value, number_format: str) -> Product:
    a, b = inputs[:2]
    options = attributes(node)
    depth = a.shape[-2 if options.get("transA") and len(a.shape) > 1 else -1]
    result = Product(
        node.name, _size(output.shape) * depth, number_format, _weights((a, b)), rows=_size(output.shape[:-1])
    )
    if not a.constant and not b.constant:
        result.depth = depth
        result.caches = a.caches | b.caches
        if a.scores:  # Probabilities: what has none is not multiplied.
            result.macs = a.count_live() * output.shape[-1]
        else:
            output.scores = result
    return result


def _convolution(node: onnx.NodeProto, inputs: Inputs, output: Value, number_format: str) -> Product:
    weight = inputs[1]
    macs = _size(output.shape) * _size(weight.shape[1:])
    return Product(node.name, macs, number_format, _weights(inputs[:2]), rows=_size(output.shape) // weight.shape[0])


def visible_past(live: npt.NDArray[np.bool_] | None, past: int) -> int:
    """How many of the first `past` keys some query sees."""
    if live is None:
        return past
    seen = live.reshape(-1, live.shape[-1]).any(axis=0)
    return past if len(seen) == 1 and seen[0] else int(seen[:past].sum())


def causal(queries: int, keys: int, window: int = 0) -> npt.NDArray[np.bool_]:
    """Which keys each of the last `queries` tokens sees: those before it and itself, at most `window` of them."""
    position = np.arange(keys - queries, keys)[:, None]
    key = np.arange(keys)[None, :]
    return (key <= position) & (key > position - window) if window > 0 else key <= position


class Attention:
    """Operators that are an attention: `[scores, probabilities x values]` and the outputs' shapes."""

    def __init__(self, number_format: str):
        self._number_format = number_format

    def _product(self, node, heads: int, pairs: int, sizes: int, caches: frozenset[str], rows: int) -> Product:
        return Product(node.name, heads * pairs * sizes, self._number_format, rows=rows, caches=caches)

    def standard(
        self, node: onnx.NodeProto, inputs: Inputs, outputs: Mapping[str, Value]
    ) -> tuple[Product, npt.NDArray[np.bool_] | None]:
        """ai.onnx Attention."""
        q, k, v, mask, past_k, past_v = (*inputs, *[None] * 6)[:6]
        options = attributes(node)
        if len(q.shape) == 4:
            (batch, heads, queries, size), keys, value_size = q.shape, k.shape[2], v.shape[3]
        else:
            batch, queries, hidden = q.shape
            heads = options["q_num_heads"]
            size, keys = hidden // heads, k.shape[1]
            value_size = v.shape[2] // options["kv_num_heads"]
        if past_k is not None:
            keys += past_k.shape[2]
        live = None
        if mask is not None and mask.data is not None:
            live = unmasked(mask.data)
        if options.get("is_causal"):
            below = causal(queries, keys)
            live = below if live is None else live & below
        caches = frozenset().union(*(x.caches for x in (k, v, past_k, past_v) if x is not None))
        full = Value((batch, heads, queries, keys), q.element_type, live=live)
        product = self._product(node, 1, full.count_live(), size + value_size, caches, batch * queries)
        return product, live

    def grouped_query(
        self, node: onnx.NodeProto, inputs: Inputs
    ) -> tuple[Product, npt.NDArray[np.bool_], dict[str, Value]]:
        """com.microsoft GroupQueryAttention: causal, over a cache of [batch, kv heads, past, size]."""
        q, key, _, past_k, past_v = inputs[:5]
        if past_k is None or past_v is None:
            raise BoundError(f"{node_name(node)}: has no past keys and values, which only prompts from empty leave out")
        options = attributes(node)
        heads, groups = options["num_heads"], options["kv_num_heads"]
        batch, queries, hidden = q.shape
        size = hidden // heads if key is not None else hidden // (heads + 2 * groups)
        keys = past_k.shape[2] + queries
        live = causal(queries, keys, options.get("local_window_size", -1))
        caches = past_k.caches | past_v.caches
        product = self._product(node, batch * heads, int(live.sum()), 2 * size, caches, batch * queries)
        present = {
            name: Value((batch, groups, keys, size), past_k.element_type, caches=past.caches)
            for name, past in zip(node.output[1:3], (past_k, past_v))
        }
        return product, live, {node.output[0]: Value((batch, queries, heads * size), q.element_type), **present}


def _block_quantised(node: onnx.NodeProto, inputs: Inputs, number_format: str) -> tuple[Product, Value]:
    """com.microsoft MatMulNBits: weights of few bits with a scale for each block of K."""
    options = attributes(node)
    depth, columns = options["K"], options["N"]
    output = Value((*inputs[0].shape[:-1], columns), inputs[0].element_type)
    macs = _size(output.shape) * depth
    return Product(node.name, macs, number_format, _weights(inputs[1:4]), rows=_size(output.shape[:-1])), output


_PRODUCTS: dict[str, Callable[[onnx.NodeProto, Inputs, Value, str], Product]] = {
    "MatMul": _matrix_product,
    "Gemm": _matrix_product,
    "MatMulInteger": _matrix_product,
    "Conv": _convolution,
}


def account(
    node: onnx.NodeProto, inputs: Inputs, evaluator: Evaluator, number_format: str
) -> tuple[dict[str, Value], Product | None, npt.NDArray[np.bool_] | None]:
    """The outputs of a node that depends on activations, its product, and a fused attention's mask."""
    kind = node.op_type
    if kind in UNACCOUNTED or (kind.startswith("QLinear") and kind != "QLinearAdd"):
        raise BoundError(f"{node_name(node)}: what this operator multiplies is not accounted for")
    if node.domain == "com.microsoft" and kind == "GroupQueryAttention":
        product, live, outputs = Attention(number_format).grouped_query(node, inputs)
        return outputs, product, live
    if node.domain == "com.microsoft" and kind == "MatMulNBits":
        product, output = _block_quantised(node, inputs, number_format)
        return {node.output[0]: output}, product, None
    if node.domain not in ("", "ai.onnx") and kind in ("Attention", "MultiHeadAttention", "FusedMatMul", "QAttention"):
        raise BoundError(f"{node_name(node)}: what this operator multiplies is not accounted for")
    outputs = evaluator.shapes(node, inputs)
    if kind == "Attention":
        product, live = Attention(number_format).standard(node, inputs, outputs)
        return outputs, product, live
    rule = _PRODUCTS.get(kind)
    if rule is None:
        return outputs, None, None
    return outputs, rule(node, inputs, outputs[node.output[0]], "i8" if kind == "MatMulInteger" else number_format), None
