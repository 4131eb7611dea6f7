"""Writes models that say something twice into the folder of the first argument."""

import pathlib
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

folder = pathlib.Path(sys.argv[1])
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy")
add = helper.make_node("Add", ["x", "w"], ["y"], name="add")


def write(name: str, weights: list[TensorProto], inputs=(x,), nodes=(add,)):
    graph = helper.make_graph(nodes, "g", inputs, [y], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


def weight(*values: float, external: bool = False) -> TensorProto:
    tensor = numpy_helper.from_array(np.array(values, np.float32), "w")
    if external:
        (folder / "w.data").write_bytes(tensor.raw_data)
        tensor.external_data.add(key="location", value="w.data")
        tensor.data_location = TensorProto.EXTERNAL
    return tensor


# Raw data of more than 8 bytes is not copied out of the file.
write("raw-and-external", [weight(1, 2, 3, 4, external=True)])
write("small-raw-and-external", [weight(1, external=True)])
write("initialisers", [weight(1, 2), weight(3, 4)])
write("inputs", [weight(1, 2)], inputs=(x, x))
constants = [helper.make_node("Constant", [], ["c"], value=weight(1, i), name=f"c{i}") for i in range(2)]
write("outputs", [weight(1, 2)], nodes=[*constants, add])
write("shadowed", [weight(1, 2)], nodes=[helper.make_node("Neg", ["x"], ["w"], name="turn"), add])
