"""Makes a small random encoder: `tiny_encoder.py OUT.onnx`.

Two layers of BERT in the operations that exporters write where ONNX has no LayerNormalization (opset 16): norms, attention, GELU
and the mask are all decomposed, and shapes are computed in the graph.
"""

import argparse

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HIDDEN, HEADS, LAYERS, VOCABULARY, POSITIONS, INTERMEDIATE = 32, 2, 2, 64, 48, 96


class Graph:
    """Nodes in the order in which they are called; a call gives the name of the node's output."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng(seed)
        self.nodes, self.initializers = [], []
        self.scope = ""

    def __call__(self, operation: str, *inputs, **attributes) -> str:
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        name = f"{self.scope}/{operation}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, names, [name + "_output_0"], name=name, **attributes))
        return name + "_output_0"

    def constant(self, value) -> str:
        if not isinstance(value, np.ndarray):
            value = np.array(value, np.float32 if isinstance(value, float) else np.int64)
        return self("Constant", value=numpy_helper.from_array(value))

    def weight(self, name: str, *shape: int, around: float = 0.0, scale: float = 0.0) -> str:
        values = around + self.random.standard_normal(shape) * (scale or shape[0] ** -0.5)
        return self.table(name, values.astype(np.float32))

    def table(self, name: str, values: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(values, f"{self.scope}.{name}"))
        return self.initializers[-1].name

    def size(self, tensor: str, axis: int) -> str:
        """One dimension of a tensor's shape, as a list of one element."""
        return self("Unsqueeze", self("Gather", self("Shape", tensor), axis, axis=0), [0])


def linear(g: Graph, x: str, name: str, inputs: int, outputs: int) -> str:
    product = g("MatMul", x, g.weight(name + ".weight", inputs, outputs))
    return g("Add", g.weight(name + ".bias", outputs, scale=0.1), product)


def layer_norm(g: Graph, x: str) -> str:
    centred = g("Sub", x, g("ReduceMean", x, axes=[-1]))
    variance = g("ReduceMean", g("Pow", centred, 2.0), axes=[-1])
    normal = g("Div", centred, g("Sqrt", g("Add", variance, 1e-12)))
    scaled = g("Mul", normal, g.weight("norm.weight", HIDDEN, around=1.0, scale=0.1))
    return g("Add", scaled, g.weight("norm.bias", HIDDEN, scale=0.1))


def additive_mask(g: Graph, ids: str, mask: str) -> str:
    """0 where a key counts and the lowest number where it does not, for each batch and query."""
    shape = g("Concat", g.size(mask, 0), [1], g.size(ids, 1), g.size(mask, 1), axis=0)
    expanded = g("Expand", g("Unsqueeze", g("Unsqueeze", mask, [1]), [2]), shape)
    inverted = g("Sub", 1.0, g("Cast", expanded, to=TensorProto.FLOAT))
    lowest = float(np.finfo(np.float32).min)
    return g("Where", g("Cast", inverted, to=TensorProto.BOOL), lowest, inverted)


def attention(g: Graph, x: str, mask: str) -> str:
    batch, length = g.size(x, 0), g.size(x, 1)
    shape = g("Concat", batch, length, [HEADS], [HIDDEN // HEADS], axis=0)
    heads = [g("Reshape", linear(g, x, name, HIDDEN, HIDDEN), shape) for name in ("query", "key", "value")]
    query, value = (g("Transpose", h, perm=[0, 2, 1, 3]) for h in heads[::2])
    scores = g("MatMul", query, g("Transpose", heads[1], perm=[0, 2, 3, 1]))
    scores = g("Div", scores, float(np.sqrt(HIDDEN / HEADS)))
    weights = g("Softmax", g("Add", scores, mask), axis=-1)
    context = g("Transpose", g("MatMul", weights, value), perm=[0, 2, 1, 3])
    merged = g("Reshape", context, g("Concat", batch, length, [HIDDEN], axis=0))
    return linear(g, merged, "output", HIDDEN, HIDDEN)


def gelu(g: Graph, x: str) -> str:
    erf = g("Erf", g("Div", x, float(np.sqrt(2))))
    return g("Mul", g("Mul", x, g("Add", erf, 1.0)), 0.5)


def make_model(seed: int = 0) -> onnx.ModelProto:
    g = Graph(seed)
    ids, mask, types = "input_ids", "attention_mask", "token_type_ids"
    g.scope = "/embeddings"
    positions = g("Slice", np.arange(POSITIONS)[None], [0], g.size(ids, 1), [1], [1])
    words = g("Gather", g.weight("words", VOCABULARY, HIDDEN, scale=1.0), ids)
    x = g("Add", words, g("Gather", g.weight("types", 2, HIDDEN, scale=1.0), types))
    x = g("Add", x, g("Gather", g.weight("positions", POSITIONS, HIDDEN, scale=1.0), positions))
    x = layer_norm(g, x)
    added = additive_mask(g, ids, mask)
    for layer in range(LAYERS):
        g.scope = f"/layer.{layer}/attention"
        x = layer_norm(g, g("Add", attention(g, x, added), x))
        g.scope = f"/layer.{layer}/mlp"
        inner = gelu(g, linear(g, x, "intermediate", HIDDEN, INTERMEDIATE))
        x = layer_norm(g, g("Add", linear(g, inner, "output", INTERMEDIATE, HIDDEN), x))
    g.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"], name="/Identity"))
    sizes = ["batch_size", "sequence_length"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, sizes) for name in (ids, mask, types)]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*sizes, HIDDEN])]
    graph = helper.make_graph(g.nodes, "tiny_encoder", inputs, outputs, g.initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    onnx.save(make_model(), parser.parse_args().output)
