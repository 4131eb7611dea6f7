"""Makes a Llama block: `llama_block.py OUT.onnx`, by default of SmolLM2-135M's sizes over 64 tokens.

Features are the input and the output; there is no cache. Norms, attention and SwiGLU are decomposed as exporters write them, keys and
values are repeated for the query heads that share them, and angles and mask are constants or computed in the graph.
"""

import argparse
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper
from tiny_encoder import Graph


@dataclass(frozen=True)
class Sizes:
    hidden: int = 576
    heads: int = 9
    kv_heads: int = 3
    intermediate: int = 1536
    tokens: int | None = 64  # None: a symbolic dimension
    batch: int | None = 1
    layers: int = 1

    @property
    def head(self) -> int:
        return self.hidden // self.heads


TINY = Sizes(hidden=32, heads=4, kv_heads=2, intermediate=48, tokens=16)  # fits the smallest target
LOWEST = float(np.finfo(np.float32).min)


def rms_norm(g: Graph, x: str, name: str, sizes: Sizes) -> str:
    mean = g("ReduceMean", g("Pow", x, 2.0), axes=[-1], keepdims=1)
    normal = g("Div", x, g("Sqrt", g("Add", mean, 1e-5)))
    return g("Mul", g.weight(name, sizes.hidden, around=1.0, scale=0.1), normal)


def constant_angles(g: Graph, sizes: Sizes, axes: tuple[int, ...]) -> list[str]:
    """Tables of cosines and sines, with an axis of extent 1 at each of `axes`."""
    frequencies = 10000.0 ** (-np.arange(0, sizes.head, 2) / sizes.head)
    angles = np.tile(np.arange(sizes.tokens)[:, None] * frequencies, 2)
    tables = (np.expand_dims(f(angles), axes).astype(np.float32) for f in (np.cos, np.sin))
    return [g.table(name, table) for name, table in zip(("cosine", "sine"), tables)]


def computed_angles(g: Graph, positions: str, sizes: Sizes) -> list[str]:
    frequencies = 10000.0 ** (-np.arange(0, sizes.head, 2) / sizes.head)
    column = g("Cast", g("Unsqueeze", positions, [1]), to=TensorProto.FLOAT)
    half = g("Mul", column, g.table("frequencies", frequencies[None].astype(np.float32)))
    angles = g("Concat", half, half, axis=-1)
    return [g("Unsqueeze", g(f, angles), [0, 1]) for f in ("Cos", "Sin")]


def constant_mask(g: Graph, sizes: Sizes, masked: float) -> str:
    return g.table("mask", np.triu(np.full((sizes.tokens,) * 2, masked, np.float32), 1)[None, None])


def trilu_mask(g: Graph, length: str) -> str:
    """The lowest number in a square's upper triangle."""
    square = g("Concat", length, length, axis=0)
    return g("Unsqueeze", g("Trilu", g("Expand", LOWEST, square), 1, upper=1), [0, 1])


def compared_mask(g: Graph, positions: str) -> str:
    keeps = g("LessOrEqual", g("Unsqueeze", positions, [0]), g("Unsqueeze", positions, [1]))
    return g("Unsqueeze", g("Where", keeps, 0.0, LOWEST), [0, 1])


def rope(g: Graph, x: str, angles: list[str], sizes: Sizes) -> str:
    cosine, sine = angles
    low = g("Slice", x, [0], [sizes.head // 2], [-1])
    high = g("Slice", x, [sizes.head // 2], [np.iinfo(np.int64).max], [-1])
    rotated = g("Concat", g("Neg", high), low, axis=-1)
    return g("Add", g("Mul", x, cosine), g("Mul", rotated, sine))


def attention(g: Graph, x: str, batch: str, length: str, angles: list[str], mask: str, sizes: Sizes) -> str:
    def project(name: str, heads: int) -> str:
        product = g("MatMul", x, g.weight(name, sizes.hidden, heads * sizes.head))
        split = g("Reshape", product, g("Concat", batch, length, [heads], [sizes.head], axis=0))
        return g("Transpose", split, perm=[0, 2, 1, 3])

    def repeat(x: str) -> str:
        groups = [sizes.kv_heads], [sizes.heads // sizes.kv_heads]
        expanded = g("Expand", g("Unsqueeze", x, [2]), g("Concat", batch, *groups, length, [sizes.head], axis=0))
        return g("Reshape", expanded, g("Concat", batch, [sizes.heads], length, [sizes.head], axis=0))

    query = rope(g, project("query", sizes.heads), angles, sizes)
    key = repeat(rope(g, project("key", sizes.kv_heads), angles, sizes))
    value = repeat(project("value", sizes.kv_heads))
    scores = g("Mul", g("MatMul", query, g("Transpose", key, perm=[0, 1, 3, 2])), sizes.head**-0.5)
    weights = g("Softmax", g("Add", scores, mask), axis=-1)
    context = g("Transpose", g("MatMul", weights, value), perm=[0, 2, 1, 3])
    merged = g("Reshape", context, g("Concat", batch, length, [sizes.hidden], axis=0))
    return g("MatMul", merged, g.weight("output", sizes.hidden, sizes.hidden))


def swiglu(g: Graph, x: str, sizes: Sizes) -> str:
    gate, up = (g("MatMul", x, g.weight(name, sizes.hidden, sizes.intermediate)) for name in ("gate", "up"))
    activated = g("Mul", g("Mul", gate, g("Sigmoid", gate)), up)
    return g("MatMul", activated, g.weight("down", sizes.intermediate, sizes.hidden))


def make_model(sizes: Sizes = Sizes(), angles: str = "heads-first", mask: str = "lowest", seed: int = 0) -> onnx.ModelProto:
    """`angles`: tables of shape "heads-first" [1, 1, T, D] or "flat" [T, D], or computed from a "range".

    `mask`: a constant of 0 and "lowest", "inf" or "large" (-1e9), or computed by "trilu" or by "compare".
    """
    g = Graph(seed)
    batch = [sizes.batch] if sizes.batch else g.size("x", 0)
    length = [sizes.tokens] if sizes.tokens else g.size("x", 1)
    positions = g("Range", 0, g("Squeeze", length, [0]), 1)
    if angles == "range":
        tables = computed_angles(g, positions, sizes)
    else:
        tables = constant_angles(g, sizes, {"heads-first": (0, 1), "flat": ()}[angles])
    masked = {"lowest": LOWEST, "inf": -np.inf, "large": -1e9}.get(mask)
    if masked is not None:
        bias = constant_mask(g, sizes, masked)
    else:
        bias = trilu_mask(g, length) if mask == "trilu" else compared_mask(g, positions)
    x = "x"
    for layer in range(sizes.layers):
        g.scope = f"/layers.{layer}/attention"
        attended = attention(g, rms_norm(g, x, "norm", sizes), batch, length, tables, bias, sizes)
        x = g("Add", x, attended)
        g.scope = f"/layers.{layer}/mlp"
        x = g("Add", x, swiglu(g, rms_norm(g, x, "norm", sizes), sizes))
    g.nodes.append(helper.make_node("Identity", [x], ["y"], name="/Identity"))
    shape = [sizes.batch or "batch", sizes.tokens or "seq", sizes.hidden]
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y")]
    graph = helper.make_graph(g.nodes, "llama_block", value[:1], value[1:], g.initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    onnx.save(make_model(), parser.parse_args().output)
