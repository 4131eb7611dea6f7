"""A decoder with fewer layers."""

import pathlib

import onnx
from onnx.utils import Extractor


def cut_layers(model: pathlib.Path, layers: int, folder: pathlib.Path) -> pathlib.Path:
    """Writes the model as Optimum exported it, but with its first `layers` layers only; it shares the weights' file."""
    whole = onnx.load(model, load_external_data=False)
    last = f"/model/layers.{layers - 1}/Add_1_output_0"
    norm = next(node for node in whole.graph.node if node.name == "/model/norm/Cast")
    norm.input[0] = last

    def kept(values):
        return [v.name for v in values if "." not in v.name or int(v.name.split(".")[1]) < layers]

    cut = Extractor(whole).extract_model(kept(whole.graph.input), kept(whole.graph.output))
    folder.mkdir(exist_ok=True)
    weights = folder / "model.onnx.data"
    if not weights.is_symlink():
        weights.symlink_to(model.with_name(weights.name))
    onnx.save(cut, folder / "model.onnx")
    return folder / "model.onnx"
