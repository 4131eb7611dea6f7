"""A decoder with fewer layers."""

import pathlib

import onnx
from onnx.utils import Extractor


def _norm_inputs(graph: onnx.GraphProto, weight: str) -> list[str]:
    """The values that a norm reads, which is one operation or several, of which one multiplies by `weight`."""
    producers = {output: node for node in graph.node for output in node.output if node.op_type != "Constant"}
    (node,) = (node for node in graph.node if weight in node.input)
    if node.op_type.endswith("Normalization"):
        return [name for name in node.input if name in producers]
    # Of a product or a quotient, the second factor leads to the squares whose mean is taken.
    while node.op_type != "Pow":
        node = producers[[name for name in node.input if name in producers][-1]]
    source = producers[node.input[0]]
    return [source.input[0] if source.op_type == "Cast" else node.input[0]]


def cut_layers(model: pathlib.Path, layers: int, folder: pathlib.Path) -> pathlib.Path:
    """Writes the model, of any exporter, but with its first `layers` layers only; it shares the weights' file."""
    whole = onnx.load(model, load_external_data=False)
    weights = [initializer.name for initializer in whole.graph.initializer]
    (first,) = (name for name in weights if name.endswith(f"layers.{layers}.input_layernorm.weight"))
    (last,) = (name for name in weights if name.endswith(("model.norm.weight", "final_norm_layernorm.weight")))
    # The last norm reads what the first layer that is left out would read.
    instead = dict(zip(_norm_inputs(whole.graph, last), _norm_inputs(whole.graph, first), strict=True))
    # Lengths are taken from the cache of any layer.
    for name in [v.name for v in whole.graph.input]:
        match name.split("."):
            case [prefix, layer, which] if int(layer) >= layers:
                instead[name] = f"{prefix}.0.{which}"
    for node in whole.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = instead.get(name, name)

    def kept(values):
        return [v.name for v in values if "." not in v.name or int(v.name.split(".")[1]) < layers]

    cut = Extractor(whole).extract_model(kept(whole.graph.input), kept(whole.graph.output))
    folder.mkdir(exist_ok=True)
    weights_file = folder / "model.onnx.data"
    if not weights_file.is_symlink():
        weights_file.symlink_to(model.with_name(weights_file.name))
    onnx.save(cut, folder / "model.onnx")
    return folder / "model.onnx"
