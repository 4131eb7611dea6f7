"""Models of Llama's architecture and any size without the weights: a graph as ONNX Runtime GenAI writes it, and a file of holes.

    shaped_llama.py llama-3.1-8b FOLDER              # model.onnx, and model.onnx.data that takes no space on the disk
    shaped_llama.py llama-3.1-70b FOLDER --layers 4

The graph is that of SmolLM2 with other shapes and its layers repeated. Weights are zeros, which a program does not mind in
its time; the tables of angles are real.
"""

import argparse
import dataclasses
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

TEMPLATE = (
    pathlib.Path(__file__).resolve().parents[2] / "test" / "EndToEnd" / "models" / "smollm2" / "genai-fp32" / "model.onnx"
)
_TEMPLATE_LAYERS = 30
_ALIGNMENT = 1 << 16  # of weights in the file, so that a hole is a weight's own
_FLOAT_BYTES = 4


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of a model of Llama's architecture; the embedding is not tied to the logits."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    head: int = 128
    positions: int = 8192
    theta: float = 500000.0

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name; `LAYER` stands for the layer's number."""
        hidden, head = self.hidden, self.head
        layer = "model.layers.LAYER."
        return {
            f"{layer}input_layernorm.weight": (hidden,),
            f"{layer}attn.qkv_proj.MatMul.weight": (hidden, (self.heads + 2 * self.kv_heads) * head),
            f"{layer}attn.o_proj.MatMul.weight": (self.heads * head, hidden),
            f"{layer}post_attention_layernorm.weight": (hidden,),
            f"{layer}mlp.gate_proj.MatMul.weight": (hidden, self.intermediate),
            f"{layer}mlp.up_proj.MatMul.weight": (hidden, self.intermediate),
            f"{layer}mlp.down_proj.MatMul.weight": (self.intermediate, hidden),
        }


SHAPES = {
    "llama-3.1-8b": Shape(hidden=4096, layers=32, heads=32, kv_heads=8, intermediate=14336, vocabulary=128256),
    "llama-3.1-70b": Shape(hidden=8192, layers=80, heads=64, kv_heads=8, intermediate=28672, vocabulary=128256),
}


def _renamed(node: onnx.NodeProto, layer: int, number: int) -> onnx.NodeProto:
    """The node of the template's layer `layer` as one of layer `number`, which follows the one before it."""
    result = onnx.NodeProto()
    result.CopyFrom(node)

    def rename(name: str) -> str:
        for old, new in ((layer, number), (layer - 1, number - 1)):
            for before, after in (("layers.", "/"), ("layers.", "."), ("past_key_values.", "."), ("present.", ".")):
                if f"{before}{old}{after}" in name:
                    return name.replace(f"{before}{old}{after}", f"{before}{new}{after}")
        return name

    result.name = rename(node.name)
    for names in (result.input, result.output):
        names[:] = [rename(name) for name in names]
    return result


class _Weights:
    """Initialisers in a file in which only what is written takes space."""

    def __init__(self, folder: pathlib.Path):
        self.tensors: list[onnx.TensorProto] = []
        self._path = folder / "model.onnx.data"
        self._path.write_bytes(b"")
        self._end = 0

    def add(self, name: str, shape: tuple[int, ...], values: np.ndarray | None = None) -> None:
        length = int(np.prod(shape)) * _FLOAT_BYTES
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", self._path.name), ("offset", self._end), ("length", length)):
            tensor.external_data.add(key=key, value=str(value))
        self.tensors.append(tensor)
        with self._path.open("r+b") as file:
            file.truncate(self._end + length)
            if values is not None:
                file.seek(self._end)
                file.write(np.ascontiguousarray(values, np.float32).tobytes())
        self._end = -(-(self._end + length) // _ALIGNMENT) * _ALIGNMENT


def write_model(shape: Shape, folder: pathlib.Path) -> pathlib.Path:
    """Writes model.onnx and model.onnx.data to a folder, which is made; gives the path of the model."""
    template = onnx.load(TEMPLATE, load_external_data=False)
    head_nodes, layer_nodes, tail_nodes = [], {0: [], 1: []}, []
    for node in template.graph.node:
        number = next((int(p.split(".")[1]) for p in node.name.split("/") if p.startswith("layers.")), None)
        if number is None:
            (tail_nodes if node.name == "/lm_head/MatMul" else head_nodes).append(node)
        elif number == _TEMPLATE_LAYERS:
            tail_nodes.insert(0, node)
        elif number in layer_nodes:
            layer_nodes[number].append(node)
    # The template's embedding is the transposed head; this one is a table of its own.
    head_nodes = [n for n in head_nodes if n.name != "/model/embed_tokens/Transpose"]
    for node in head_nodes:
        if node.name == "/model/embed_tokens/Gather":
            node.input[0] = "model.embed_tokens.weight"
    nodes = head_nodes + layer_nodes[0]
    for number in range(1, shape.layers):
        nodes += [_renamed(node, 1, number) for node in layer_nodes[1]]
    nodes += [_renamed(node, _TEMPLATE_LAYERS, shape.layers) for node in tail_nodes]
    for node in nodes:
        for attribute in node.attribute:
            if node.op_type == "GroupQueryAttention" and attribute.name in ("num_heads", "kv_num_heads", "scale"):
                attribute.CopyFrom(
                    helper.make_attribute(
                        attribute.name,
                        {"num_heads": shape.heads, "kv_num_heads": shape.kv_heads, "scale": shape.head**-0.5}[attribute.name],
                    )
                )

    folder.mkdir(parents=True, exist_ok=True)
    weights = _Weights(folder)
    weights.add("model.embed_tokens.weight", (shape.vocabulary, shape.hidden))
    frequencies = shape.theta ** (-np.arange(0, shape.head, 2) / shape.head)
    angles = np.arange(shape.positions)[:, None] * frequencies
    for name, table in (("cos_cache", np.cos(angles)), ("sin_cache", np.sin(angles))):
        weights.add(name, table.shape, table)
    for number in range(shape.layers):
        for name, dims in shape.weights().items():
            weights.add(name.replace("LAYER", str(number)), dims)
    weights.add(f"model.layers.{shape.layers}.final_norm_layernorm.weight", (shape.hidden,))
    weights.add("lm_head.MatMul.weight", (shape.hidden, shape.vocabulary))

    def cache(name: str, length: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch_size", shape.kv_heads, length, shape.head])

    inputs = [v for v in template.graph.input if not v.name.startswith("past_key_values.")]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch_size", "sequence_length", shape.vocabulary])
    ]
    for number in range(shape.layers):
        for kind in ("key", "value"):
            inputs.append(cache(f"past_key_values.{number}.{kind}", "past_sequence_length"))
            outputs.append(cache(f"present.{number}.{kind}", "total_sequence_length"))
    graph = helper.make_graph(nodes, "llama", inputs, outputs, weights.tensors)
    model = helper.make_model(graph, opset_imports=template.opset_import, ir_version=template.ir_version)
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--layers", metavar="N", type=int, help="fewer layers")
    options = parser.parse_args()
    shape = SHAPES[options.shape]
    if options.layers is not None:
        if not 1 <= options.layers <= shape.layers:
            parser.error(f"--layers is {options.layers}; expected 1 to {shape.layers}")
        shape = dataclasses.replace(shape, layers=options.layers)
    print(write_model(shape, options.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
