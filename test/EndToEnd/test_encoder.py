"""Encoders from ONNX to the embedding: compiled, run on the simulated chip and compared with ONNX Runtime.

One program serves every number of rows and every length. Every run is checked for races and for reads of what was never written.
"""

import functools
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import serrano
import tiny_encoder
from reference import rows_of_slots

TARGETS = ["serrano-1", "serrano-edge"]
EXPORTERS = ["minilm/optimum", "minilm/dynamo23"]
# How near the vectors have to be.
COSINE = {"f32": 0.99999, "bf16": 0.9995}
SHAPES = [(1, 1), (1, 128), (128, 1), (2, 64), (3, 17), (7, 18)]


@pytest.fixture(scope="session")
def graph(checkpoint, tmp_path_factory):
    """The file of a model by name."""
    tiny = tmp_path_factory.mktemp("tiny") / "encoder.onnx"
    onnx.save(tiny_encoder.make_model(), tiny)
    return lambda name: tiny if name == "tiny" else checkpoint(name) / "model.onnx"


@pytest.fixture(scope="session")
def session(graph):
    return functools.cache(lambda name: onnxruntime.InferenceSession(graph(name)))


@pytest.fixture(scope="session")
def program(graph):
    """The compiled program of a model; each is made once."""

    @functools.cache
    def get(name: str, target: str, precision: str, max_tokens: int = 128) -> serrano.Program:
        return serrano.compile(graph(name), target=target, precision=precision, max_tokens=max_tokens)

    return get


@pytest.fixture(scope="session")
def sentences(models):
    return json.loads((models / "minilm" / "sentences.json").read_text())["sentences"]


def feed(ids: np.ndarray, mask: np.ndarray | None = None, types: np.ndarray | None = None) -> dict[str, np.ndarray]:
    return {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids) if mask is None else mask,
        "token_type_ids": np.zeros_like(ids) if types is None else types,
    }


def padded_batch(shape: tuple[int, int], vocabulary: int) -> dict[str, np.ndarray]:
    """Random tokens; every second row has padding at its end."""
    random = np.random.default_rng(shape)
    ids = random.integers(0, vocabulary, shape)
    mask = np.ones_like(ids)
    for row in range(1, shape[0], 2):
        mask[row, random.integers(1, shape[1] + 1) :] = 0
    return feed(ids, mask, random.integers(0, 2, shape))


def run(program: serrano.Program, inputs: dict[str, np.ndarray]) -> np.ndarray:
    return program.run("main", inputs, check=("races", "init"))["last_hidden_state"]


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = np.float64(a), np.float64(b)
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def check_tokens(program: serrano.Program, session: onnxruntime.InferenceSession, inputs, bar: float):
    """The vector of every token that is not padding."""
    (expected,) = session.run(None, inputs)
    hidden = run(program, inputs)
    assert hidden.shape == expected.shape and hidden.dtype == expected.dtype
    kept = inputs["attention_mask"] > 0
    assert cosines(hidden[kept], expected[kept]).min() >= bar
    return hidden, expected


@pytest.mark.parametrize("precision", COSINE)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", EXPORTERS)
def test_sentences(name, target, precision, program, sentences):
    for sentence in sentences:
        hidden = run(program(name, target, precision), feed(np.array([sentence["input_ids"]])))
        assert cosines(hidden[0].mean(0), np.array(sentence["embedding"])) >= COSINE[precision], sentence["text"]


@pytest.mark.parametrize("precision", COSINE)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", EXPORTERS)
def test_all_sentences_in_one_batch(name, target, precision, program, session, sentences):
    length = max(len(s["input_ids"]) for s in sentences)
    ids = np.array([s["input_ids"] + [0] * (length - len(s["input_ids"])) for s in sentences])
    mask = np.int64(ids > 0)
    hidden, expected = check_tokens(program(name, target, precision), session(name), feed(ids, mask), COSINE[precision])
    pooled, wanted = ((mask[..., None] * x).sum(1) for x in (hidden, expected))
    assert cosines(pooled, wanted).min() >= COSINE[precision]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("precision", COSINE)
def test_shapes(precision, shape, program, session):
    inputs = padded_batch(shape, 30522)
    check_tokens(program(EXPORTERS[0], TARGETS[0], precision), session(EXPORTERS[0]), inputs, COSINE[precision])


@pytest.mark.parametrize("precision", COSINE)
def test_same_bits_on_targets(precision, program):
    inputs = padded_batch((3, 21), 30522)
    one, other = (run(program(EXPORTERS[0], target, precision), inputs) for target in TARGETS)
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("precision", COSINE)
def test_rows_alone(precision, program):
    """A row's vectors are the same, to the bit, whatever other rows there are."""
    inputs = padded_batch((4, 9), 30522)
    encoder = program(EXPORTERS[0], TARGETS[1], precision)
    alone = [run(encoder, {name: array[row : row + 1] for name, array in inputs.items()}) for row in range(4)]
    np.testing.assert_array_equal(run(encoder, inputs), np.concatenate(alone))


@pytest.mark.parametrize("name", [*EXPORTERS, "tiny"])
def test_same_bytes_again(name, graph, tmp_path):
    """Two compilations, of files in different folders, give the same program."""
    for file in graph(name).parent.iterdir():
        (tmp_path / file.name).symlink_to(file)
    programs = [tmp_path / "one.srn", tmp_path / "other.srn"]
    for model, program in zip((graph(name), tmp_path / graph(name).name), programs):
        serrano.compile(model, output=program)
    assert programs[0].read_bytes() == programs[1].read_bytes()


@pytest.mark.parametrize("shape", [(1, 1), (2, 13), (3, 10), (1, 32), (32, 1)], ids=str)
@pytest.mark.parametrize("precision", COSINE)
@pytest.mark.parametrize("target", [*TARGETS, "serrano-tiny"])
def test_tiny(target, precision, shape, program, session):
    """A model that fits the smallest target."""
    inputs = padded_batch(shape, tiny_encoder.VOCABULARY)
    hidden, expected = check_tokens(program("tiny", target, precision, 32), session("tiny"), inputs, COSINE[precision])
    if precision == "f32":
        kept = inputs["attention_mask"] > 0
        np.testing.assert_allclose(hidden[kept], expected[kept], rtol=0, atol=1e-5)


@pytest.mark.parametrize("precision", COSINE)
def test_more_rows_than_fit_are_taken_in_portions(graph, program, session, precision):
    """A batch whose features do not fit the smallest target gives the bits of its rows alone; a row has to fit."""
    rows = rows_of_slots(graph("tiny"), target="serrano-tiny", precision=precision, max_tokens=256)
    assert 8 <= rows < 128
    encoder = program("tiny", "serrano-tiny", precision, 256)
    longest = min(rows, tiny_encoder.POSITIONS)
    for shape in [(256, 1), (30, 8), (256 // longest, longest), (3, longest // 2 + 1)]:
        inputs = padded_batch(shape, tiny_encoder.VOCABULARY)
        hidden, _ = check_tokens(encoder, session("tiny"), inputs, COSINE[precision])
        for row in range(0, shape[0], 7):
            alone = run(encoder, {name: array[row : row + 1] for name, array in inputs.items()})
            np.testing.assert_array_equal(hidden[row : row + 1], alone)
    with pytest.raises(serrano.Error, match="sequence_length"):
        run(encoder, padded_batch((1, longest + 1), tiny_encoder.VOCABULARY))


def test_lengths_end_with_the_position_table(graph, tmp_path):
    program = serrano.compile(graph("minilm/optimum"), output=tmp_path / "x.srn", max_tokens=600)
    assert dict(program.entries["main"].limits) == {"batch_size": 600, "sequence_length": 512}


def test_the_report_says_what_the_program_takes(graph, tmp_path):
    serrano.compile(graph("tiny"), output=tmp_path / "x.srn", report=tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["limits"]["max_tokens"] == 128
    assert report["instruction_bytes"] == sum(f["instruction_bytes"] for f in report["functions"]) > 0
    assert report["hbm_bytes"] > 0
    assert list(report["cpu_seconds"]) == ["import", "llm", "tile", "mem", "dma", "isa", "asm", "packing"]
    assert all(0 < seconds < 60 for seconds in report["cpu_seconds"].values())


@pytest.mark.parametrize("target", [*TARGETS, "serrano-tiny"])
@pytest.mark.parametrize(("precision", "tolerance"), [("f32", 1e-5), ("bf16", 5e-2)])
def test_features_can_be_an_input(tmp_path, target, precision, tolerance):
    random = np.random.default_rng(0)
    value, node, array = onnx.helper.make_tensor_value_info, onnx.helper.make_node, onnx.numpy_helper.from_array
    graph = onnx.helper.make_graph(
        [
            node("MatMul", ["x", "w"], ["product"], name="projection"),
            node("Add", ["product", "x"], ["sum"], name="residual"),
            node("LayerNormalization", ["sum", "scale"], ["y"], name="norm"),
        ],
        "projection",
        [value("x", onnx.TensorProto.FLOAT, ["batch", "seq", 24])],
        [value("y", onnx.TensorProto.FLOAT, ["batch", "seq", 24])],
        [
            array(random.standard_normal((24, 24), np.float32), "w"),
            array(random.standard_normal(24, np.float32), "scale"),
        ],
    )
    file = tmp_path / "model.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10), file)
    program = serrano.compile(file, target=target, precision=precision, max_tokens=24)
    session = onnxruntime.InferenceSession(file)
    for shape in [(1, 1), (2, 12), (3, 5), (24, 1)]:
        x = random.standard_normal((*shape, 24), np.float32)
        found = program.run("main", {"x": x}, check=("races", "init"))["y"]
        np.testing.assert_allclose(found, session.run(None, {"x": x})[0], rtol=0, atol=tolerance)
    with pytest.raises(serrano.Error, match="--max-tokens"):
        program.run("main", {"x": np.zeros((5, 5, 24), np.float32)})
