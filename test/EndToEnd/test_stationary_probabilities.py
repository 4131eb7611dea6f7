"""Encoders whose softmax stays in the array while values move: the same bits as with the values there."""

import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
import serrano
from onnx import TensorProto, helper
from tiny_encoder import Graph

CHECKS = ("races", "init")
MAX_TOKENS = 48
# Heads and their size, and columns of the projection that takes the sums turned: the last one ends with a block of
# which rows stay in the array, which is 8 x 8 on serrano-tiny.
SHAPES = [(1, 4, 16), (2, 10, 16), (3, 8, 20)]
PROBABILITIES_STAY, VALUES_STAY = "stationary_probabilities=1", "stationary_probabilities=0"


def make_model(heads: int, size: int, outputs: int) -> onnx.ModelProto:
    """One attention without a mask and its projection."""
    g = Graph(seed=heads * size)
    hidden = heads * size
    query, key, value = (
        g("Reshape", g("MatMul", "x", g.weight(name, hidden, hidden)), np.array([0, 0, heads, size]))
        for name in ("query", "key", "value")
    )
    scores = g("MatMul", g("Transpose", query, perm=[0, 2, 1, 3]), g("Transpose", key, perm=[0, 2, 3, 1]))
    weights = g("Softmax", g("Mul", scores, float(size**-0.5)), axis=-1)
    sums = g("MatMul", weights, g("Transpose", value, perm=[0, 2, 1, 3]))
    merged = g("Reshape", g("Transpose", sums, perm=[0, 2, 1, 3]), np.array([0, 0, hidden]))
    projected = g("MatMul", merged, g.weight("output", hidden, outputs))
    g.nodes.append(helper.make_node("Identity", [projected], ["y"], name="/Identity"))
    tensors = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "length", columns])
        for name, columns in (("x", hidden), ("y", outputs))
    ]
    graph = helper.make_graph(g.nodes, "attention", tensors[:1], tensors[1:], g.initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attention")

    def get(shape: tuple[int, int, int]):
        file = folder / f"{'-'.join(map(str, shape))}.onnx"
        onnx.save(make_model(*shape), file)
        return file

    return get


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_probabilities_that_stay_give_the_same_bits(model, shape, precision):
    file = model(shape)
    options = {"target": "serrano-tiny", "precision": precision, "max_tokens": MAX_TOKENS}
    one, other = (serrano.compile(file, **options, choices=c) for c in (PROBABILITIES_STAY, VALUES_STAY))
    session = onnxruntime.InferenceSession(file)
    random = np.random.default_rng(1)
    # Tiles of queries that are whole, cut and several; steps of the softmax likewise.
    for batch, length in ((1, 1), (3, 7), (1, 8), (2, 16), (2, 17), (1, 33), (1, 48)):
        x = random.standard_normal((batch, length, shape[0] * shape[1])).astype(np.float32)
        found = one.run("main", {"x": x}, check=CHECKS)["y"]
        np.testing.assert_array_equal(found, other.run("main", {"x": x}, check=CHECKS)["y"])
        if precision == "f32":
            np.testing.assert_allclose(found, session.run(None, {"x": x})[0], rtol=0, atol=2e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_probabilities_do_stay(model, shape):
    """Otherwise the test above would compare a program with itself."""
    command = ["serrano-compile", model(shape), "--target=serrano-tiny", f"--max-tokens={MAX_TOKENS}", "--emit=tile", "-o", "-"]
    sums = f"memref<{shape[0] * shape[1]}x{MAX_TOKENS}x"
    for choices, found in ((PROBABILITIES_STAY, True), (VALUES_STAY, False)):
        text = subprocess.run([*command, f"--choices={choices}"], check=True, capture_output=True, text=True).stdout
        assert (sums in text) == found, choices
