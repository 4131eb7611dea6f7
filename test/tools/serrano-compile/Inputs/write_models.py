"""Writes a model that compiles and models that do not into the folder of the first argument."""

import pathlib
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

folder = pathlib.Path(sys.argv[1])


def write(name: str, *nodes, inputs=("x", TensorProto.INT32, [2]), outputs=("y", TensorProto.INT32, [2]), weights=None):
    x, y = helper.make_tensor_value_info(*inputs), helper.make_tensor_value_info(*outputs)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    tensors = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    model = helper.make_model(helper.make_graph(nodes, "g", [x], [y], tensors), opset_imports=opsets)
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


def field(number: int, payload: bytes) -> bytes:
    """A field of protobuf's wire format that holds a message."""
    length, size = len(payload), b""
    while length >= 0x80:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + payload


decoder = {
    "inputs": ("ids", TensorProto.INT64, ["tokens"]),
    "outputs": ("y", TensorProto.FLOAT, ["tokens", 8]),
    "weights": {"table": np.ones((4, 8), np.float32), "w": np.ones((8, 8), np.float32)},
}
look = helper.make_node("Gather", ["table", "ids"], ["x"], name="look")
write("model", look, helper.make_node("MatMul", ["x", "w"], ["y"], name="project"), **decoder)
# Dimensions with names that the compiler and the program file cannot take.
for number, tokens in enumerate(["arg0", "main", "weights", "weight.w", "batch size"]):
    sizes = {"inputs": ("ids", TensorProto.INT64, [tokens]), "outputs": ("y", TensorProto.FLOAT, [tokens, 8])}
    write(f"dimension-{number}", look, helper.make_node("MatMul", ["x", "w"], ["y"], name="project"), **decoder | sizes)
wide = {"table": np.ones((4, 32768), np.float32), "w": np.ones((32768, 8), np.float32)}
write("wide", look, helper.make_node("MatMul", ["x", "w"], ["y"], name="project"), **decoder | {"weights": wide})
features = {"inputs": ("x", TensorProto.FLOAT, [1, 2048, 8]), "outputs": ("y", TensorProto.FLOAT, [1, 2048, 8])}
write("fixed", helper.make_node("MatMul", ["x", "w"], ["y"], name="project"), **features, weights={"w": decoder["weights"]["w"]})
write("refused", look, helper.make_node("Relu", ["x"], ["y"], name="clip"), **decoder)
write("softmax", look, helper.make_node("Softmax", ["x"], ["y"], name="weigh"), **decoder)
indices = {"inputs": decoder["inputs"], "outputs": ("y", TensorProto.INT64, None)}
write("passed-on", helper.make_node("Identity", ["ids"], ["y"], name="pass"), **indices)
row = {"row": np.array([1, -1], np.int64)}
write("reshaped", helper.make_node("Reshape", ["ids", "row"], ["y"], name="turn"), **indices, weights=row)
write("newline", helper.make_node("Foo", ["x"], ["y"], name="a\nb"))
write("no-output", helper.make_node("Constant", [], [], name="silent", value_int=1))
write("element-type", helper.make_node("FastGelu", ["x"], ["y"], name="root", domain="com.microsoft"))

# A graph in an attribute of a node of a graph, and so on.
graph = b""
for _ in range(200):
    graph = field(1, field(5, field(6, graph)))
(folder / "deep.onnx").write_bytes(field(7, graph))
