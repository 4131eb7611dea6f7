"""Products of few columns, for which rows of the input stay in the array: the same bits as with the weights there."""

import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
import serrano
from onnx import TensorProto, helper, numpy_helper

CHECKS = ("races", "init")
MAX_ROWS = 24
# Features before and after: what the array of serrano-tiny, 8 x 8, has no multiple of.
SIZES = [(12, 20), (16, 12), (20, 28), (36, 17)]
# Of columns, the most for which rows stay: half the array's, as by rule, or none.
ROWS_STAY, WEIGHTS_STAY = "stationary_rows=4", "stationary_rows=0"


def make_model(inputs: int, hidden: int, seed: int) -> onnx.ModelProto:
    """Two projections, each with a residual and a norm of what comes out."""
    random = np.random.default_rng(seed)
    nodes, initializers = [], []

    def weight(name: str, *shape: int) -> str:
        values = (random.standard_normal(shape) * shape[0] ** -0.5).astype(np.float32)
        initializers.append(numpy_helper.from_array(values, name))
        return name

    def node(operation: str, *names: str, **attributes) -> str:
        nodes.append(helper.make_node(operation, names, [f"v{len(nodes)}"], name=f"n{len(nodes)}", **attributes))
        return nodes[-1].output[0]

    def norm(x: str, number: int, size: int) -> str:
        scale, bias = weight(f"scale{number}", size), weight(f"shift{number}", size)
        return node("LayerNormalization", x, scale, bias, epsilon=1e-5, axis=-1)

    x = node("MatMul", "x", weight("w0", inputs, hidden))
    up = node("Add", node("MatMul", norm(x, 0, hidden), weight("w1", hidden, hidden)), weight("b1", hidden))
    x = node("Add", x, node("Tanh", up))
    y = node("MatMul", norm(x, 1, hidden), weight("w2", hidden, inputs))
    nodes.append(helper.make_node("Identity", [y], ["y"], name="out"))
    rows = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["rows", inputs]) for n in ("x", "y")]
    graph = helper.make_graph(nodes, "narrow", rows[:1], rows[1:], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("narrow")

    def get(sizes: tuple[int, int]):
        file = folder / f"{sizes[0]}-{sizes[1]}.onnx"
        onnx.save(make_model(*sizes, seed=sum(sizes)), file)
        return file

    return get


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_rows_that_stay_give_the_same_bits(model, sizes, precision):
    file = model(sizes)
    options = {"target": "serrano-tiny", "precision": precision, "max_tokens": MAX_ROWS}
    rows_stay, weights_stay = (serrano.compile(file, **options, choices=c) for c in (ROWS_STAY, WEIGHTS_STAY))
    session = onnxruntime.InferenceSession(file)
    random = np.random.default_rng(1)
    for rows in (1, 7, 8, 9, 16, 21, 24):
        x = random.standard_normal((rows, sizes[0])).astype(np.float32)
        found = rows_stay.run("main", {"x": x}, check=CHECKS)["y"]
        np.testing.assert_array_equal(found, weights_stay.run("main", {"x": x}, check=CHECKS)["y"])
        if precision == "f32":
            np.testing.assert_allclose(found, session.run(None, {"x": x})[0], rtol=0, atol=2e-5)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_rows_do_stay(model, sizes):
    """Otherwise the test above would compare a program with itself."""
    command = ["serrano-compile", model(sizes), "--target=serrano-tiny", f"--max-tokens={MAX_ROWS}", "--emit=tile", "-o", "-"]
    for choices, found in ((ROWS_STAY, True), (WEIGHTS_STAY, False)):
        text = subprocess.run([*command, f"--choices={choices}"], check=True, capture_output=True, text=True).stdout
        assert ("transpose :" in text) == found


def test_steps_of_smollm2_have_the_same_bits(checkpoint):
    """Queries, keys and values, whose last head is turned; sums that feed a norm in the order of their columns."""
    model = checkpoint("smollm2/optimum") / "model.onnx"
    options = {"target": "serrano-1", "precision": "bf16", "max_tokens": 256, "max_sequences": 2, "max_context": 256}
    random = np.random.default_rng(2)
    steps = [[200, 3], [1, 140]]
    texts = [random.integers(0, 49152, sum(lengths)).tolist() for lengths in zip(*steps)]
    logits = []
    for choices in ("stationary_rows=64", WEIGHTS_STAY):
        llm = serrano.LLM(serrano.compile(model, choices=choices, **options))
        sequences, done = [llm.open() for _ in texts], [0, 0]
        logits.append([])
        for lengths in steps:
            batch = [(s, t[d : d + n]) for s, t, d, n in zip(sequences, texts, done, lengths)]
            done = [d + n for d, n in zip(done, lengths)]
            logits[-1].append(llm.step(batch, [0, lengths[0] - 1, sum(lengths) - 1], check=CHECKS))
    for one, other in zip(*logits):
        np.testing.assert_array_equal(one, other)
