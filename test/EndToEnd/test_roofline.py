"""tools/roofline against numbers that were worked out by hand, and on the graphs of all exporters."""

import json
import pathlib
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

BOUNDS = pathlib.Path(__file__).resolve().parents[2] / "tools" / "bounds"
TARGETS = BOUNDS.parent / "targets"
sys.path.insert(0, str(BOUNDS))

import roofline  # noqa: E402


def failure(capsys, *arguments: str | pathlib.Path) -> str:
    """What is said of bad input: one line."""
    assert roofline.main([str(a) for a in arguments]) == 1
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and err.startswith("tools/roofline: error: ")
    return err


@pytest.fixture
def bound(tmp_path):
    """The bound of a model as JSON."""

    def get(model: onnx.ModelProto | pathlib.Path, *arguments: str) -> dict:
        path = model
        if isinstance(model, onnx.ModelProto):
            path = tmp_path / "model.onnx"
            onnx.save(model, path)
        assert roofline.main([str(path), *arguments, "--json", str(tmp_path / "bound.json")]) == 0
        return json.loads((tmp_path / "bound.json").read_text())

    return get


def make_model(nodes, inputs, outputs, initializers, opset: int = 18) -> onnx.ModelProto:
    """Inputs and outputs by name with their type and dimensions; initialisers by name with their dimensions."""
    weights = [helper.make_tensor(name, TensorProto.FLOAT, dims, np.zeros(dims).ravel()) for name, dims in initializers.items()]
    infos = [[helper.make_tensor_value_info(name, *info) for name, info in values.items()] for values in (inputs, outputs)]
    graph = helper.make_graph(nodes, "graph", *infos, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def projection() -> onnx.ModelProto:
    """y[batch, 20] = x[batch, 10] w1[10, 16] w2[16, 20] + a bias."""
    return make_model(
        [
            helper.make_node("MatMul", ["x", "w1"], ["h"]),
            helper.make_node("Gemm", ["h", "w2", "b"], ["y"]),
        ],
        {"x": (TensorProto.FLOAT, ["batch", 10])},
        {"y": (TensorProto.FLOAT, ["batch", 20])},
        {"w1": [10, 16], "w2": [16, 20], "b": [20]},
    )


def test_projection(bound):
    """3 rows: weights 10 x 16 + 16 x 20, in 3 x 10, out 3 x 20; the vector b is not counted."""
    result = bound(projection(), "--lengths", "batch=3", "--target", "serrano-edge")
    assert result["bytes"] == {
        "total": 1140,
        "weights": 960,
        "table_rows": 0,
        "cache_read": 0,
        "cache_written": 0,
        "activations": 180,
    }
    assert result["multiply_accumulates"] == {"total": 1440, "bf16": 1440}
    # 68 GB/s sustained to 0.92; 32 x 32 MACs a cycle at 1 GHz.
    assert result["memory_seconds"] == pytest.approx(1140 / 62.56e9, rel=1e-12)
    assert result["compute_seconds"] == pytest.approx(1440 / 1.024e12, rel=1e-12)
    assert result["seconds"] == result["memory_seconds"]
    assert result["bound_by"] == "memory"


def test_precision_doubles_bytes_and_quarters_the_rate(bound):
    result = bound(projection(), "--lengths", "batch=3", "--target", "serrano-edge", "--precision", "f32")
    assert result["bytes"]["total"] == 2280
    assert result["compute_seconds"] == pytest.approx(1440 / 0.256e12, rel=1e-12)


def test_cores_share_the_memory(bound):
    """The ports of 24 cores take less than the 15.088 TB/s of the memory, those of 25 more."""
    bandwidths = {
        cores: bound(projection(), "--lengths", "batch=3", "--cores", str(cores))["bytes_per_second"]
        for cores in (1, 24, 25, 32)
    }
    assert bandwidths == pytest.approx({1: 614.4e9, 24: 24 * 614.4e9, 25: 15.088e12, 32: 15.088e12}, rel=1e-12)


def decoder(mask: str | None, window: int | None = None) -> onnx.ModelProto:
    """One head of 4 over a cache, vocabulary 6, tied: ids -> x -> q, k, v -> attention -> logits."""
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["x"]),
        helper.make_node("MatMul", ["x", "wq"], ["q"]),
        helper.make_node("MatMul", ["x", "wk"], ["k"]),
        helper.make_node("MatMul", ["x", "wv"], ["v"]),
        helper.make_node("Concat", ["past_key", "k"], ["present_key"], axis=1),
        helper.make_node("Concat", ["past_value", "v"], ["present_value"], axis=1),
        helper.make_node("Transpose", ["present_key"], ["kt"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "kt"], ["scores"]),
        # Which keys are after a query, or too far before it: positions[:, None] < arange(keys).
        helper.make_node("Shape", ["kt"], ["keys"], start=2, end=3),
        helper.make_node("Squeeze", ["keys"], ["count"]),
        helper.make_node("Range", ["zero", "count", "one"], ["key"]),
        helper.make_node("Unsqueeze", ["position_ids", "last"], ["query"]),
        helper.make_node("Greater", ["key", "query"], ["after"]),
    ]
    integers = {"zero": 0, "one": 1, "last": [-1], "window": window or 0}
    floats = {"lowest": np.finfo(np.float32).min, "nothing": 0.0}
    masked = "after"
    if window:
        nodes += [
            helper.make_node("Sub", ["query", "window"], ["edge"]),
            helper.make_node("LessOrEqual", ["key", "edge"], ["before"]),
            helper.make_node("Or", ["after", "before"], ["outside"]),
        ]
        masked = "outside"
    if mask == "add":
        nodes += [
            helper.make_node("Where", [masked, "lowest", "nothing"], ["mask"]),
            helper.make_node("Add", ["scores", "mask"], ["kept"]),
        ]
    elif mask == "where":
        nodes.append(helper.make_node("Where", [masked, "lowest", "scores"], ["kept"]))
    else:
        nodes.append(helper.make_node("Identity", ["scores"], ["kept"]))
    nodes += [
        helper.make_node("Softmax", ["kept"], ["probabilities"], axis=-1),
        helper.make_node("MatMul", ["probabilities", "present_value"], ["o"]),
        helper.make_node("Transpose", ["table"], ["head"], perm=[1, 0]),
        helper.make_node("MatMul", ["o", "head"], ["logits"]),
    ]
    cache = (TensorProto.FLOAT, ["batch", "past", 4])
    present = (TensorProto.FLOAT, ["batch", "past + tokens", 4])
    ids = (TensorProto.INT64, ["batch", "tokens"])
    model = make_model(
        nodes,
        {"input_ids": ids, "position_ids": ids, "past_key": cache, "past_value": cache},
        {"logits": (TensorProto.FLOAT, ["batch", "tokens", 6]), "present_key": present, "present_value": present},
        {"table": [6, 4], "wq": [4, 4], "wk": [4, 4], "wv": [4, 4]},
    )
    for name, value in integers.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value, np.int64), name))
    for name, value in floats.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value, np.float32), name))
    return model


@pytest.mark.parametrize("mask", ["add", "where"])
def test_causal_attention_is_half(bound, mask):
    """3 tokens after 5: queries see 6 + 7 + 8 = 21 keys. The table is read whole for the logits, its rows no more."""
    result = bound(decoder(mask), "--lengths", "3@8", "--target", "serrano-edge")
    projections, attention, logits = 3 * 3 * 16, 2 * 21 * 4, 6 * 4
    assert result["multiply_accumulates"]["total"] == projections + attention + logits
    assert result["bytes"] == {
        "total": 2 * (48 + 24) + 2 * 2 * 4 * (5 + 3) + 3 * 4 + 4,
        "weights": 144,
        "table_rows": 0,
        "cache_read": 2 * 2 * 4 * 5,
        "cache_written": 2 * 2 * 4 * 3,
        "activations": 16,  # ids in, one token out
    }


def test_attention_without_a_mask_is_whole(bound):
    result = bound(decoder(None), "--lengths", "3@8")
    assert result["multiply_accumulates"]["total"] == 3 * 3 * 16 + 2 * 3 * 8 * 4 + 24


def test_sliding_window_reads_what_it_sees(bound):
    """A window of 3 keys: 2 tokens after 6 see keys 4 to 6 and 5 to 7, of which 4 and 5 are old."""
    result = bound(decoder("where", window=3), "--lengths", "2@8")
    assert result["multiply_accumulates"]["total"] == 2 * 3 * 16 + 2 * 6 * 4 + 24
    assert result["bytes"]["cache_read"] == 2 * 2 * 4 * 2


def test_weights_count_once_for_all_sequences(bound):
    one, two = (bound(decoder("add"), "--lengths", lengths) for lengths in ("1@4", "2x1@4,3@3"))
    assert one["bytes"]["weights"] == two["bytes"]["weights"]
    assert two["bytes"]["cache_read"] == 2 * one["bytes"]["cache_read"] == 2 * 2 * 2 * 4 * 3
    # 3 logits rows, 5 tokens, pairs 4 + 4 + 6
    assert two["multiply_accumulates"]["total"] == 5 * 48 + 2 * 14 * 4 + 3 * 24


@pytest.mark.parametrize("exporter", ["optimum", "dynamo18", "dynamo23", "genai-fp32"])
def test_smollm2(bound, models, exporter):
    """Weights 30 x (2 x 576 x 576 + 2 x 576 x 192 + 3 x 576 x 1536) + 49152 x 576, cache 30 x 2 x 3 x 64 a token."""
    model = models / "smollm2" / exporter / "model.onnx"
    layers, head = 30 * 3_538_944, 49152 * 576
    for context, megabytes in ((128, 271.9), (1024, 292.6), (8192, 457.7)):
        result = bound(model, "--lengths", f"1@{context}")
        assert result["bytes"]["total"] == 2 * (layers + head) + 23040 * context + 8
        assert round(result["bytes"]["total"] / 1e6, 1) == megabytes
    prefill = bound(model, "--lengths", "512@512")["multiply_accumulates"]["total"]
    assert prefill == 512 * layers + head + 30 * 2 * 576 * (512 * 513 // 2)
    assert round(prefill / 1e9, 1) == 58.9


@pytest.mark.parametrize(
    "names",
    [
        ["llama-dynamo18", "llama-dynamo23", "phi3-dynamo23", "qwen2-genai", "qwen2-optimum"],
        ["gpt2-dynamo18", "gpt2-optimum"],
        ["qwen3-dynamo23", "qwen3-genai"],
    ],
)
def test_exporters_agree(bound, models, names):
    """Models of one architecture and one size have one bound, whoever wrote them."""
    for lengths in ("1@100", "7@7", "1@128,20@60"):
        found = [bound(models / "tiny" / name / "model.onnx", "--lengths", lengths) for name in names]
        assert all(b["bytes"] == found[0]["bytes"] for b in found), lengths
        assert all(b["multiply_accumulates"] == found[0]["multiply_accumulates"] for b in found), lengths


def test_windows_of_real_models(bound, models):
    """A token of a layer has 256 bytes of keys and values; with a window of 32 the queries of 1@128 see 31 old tokens, those of
    20@60 tokens 9 to 39. One of Gemma's two layers has a window, the other sees all 127 + 40."""
    for name, tokens in (("mistral-genai", 62), ("gemma2-optimum", 62 + 167)):
        result = bound(models / "tiny" / name / "model.onnx", "--lengths", "1@128,20@60")
        layer_bytes = 128 if name == "mistral-genai" else 256
        layers = 2 if name == "mistral-genai" else 1
        assert result["bytes"]["cache_read"] == tokens * layers * layer_bytes


def test_minilm(bound, models):
    """6 layers of 4 x 384 x 384 + 2 x 384 x 1536 over 4096 tokens; attention 2 x 384 x 128 for each."""
    for exporter, sizes in (("optimum", "batch_size=32,sequence_length=128"), ("dynamo23", "s18=32,s41=128")):
        result = bound(models / "minilm" / exporter / "model.onnx", "--lengths", sizes)
        assert result["multiply_accumulates"]["total"] == 4096 * 6 * (12 * 384 * 384 + 2 * 384 * 128)
        assert result["bytes"]["weights"] == 2 * 6 * 12 * 384 * 384


def einsum() -> onnx.ModelProto:
    return make_model(
        [helper.make_node("Einsum", ["x", "w"], ["y"], name="sum", equation="ij,jk->ik")],
        {"x": (TensorProto.FLOAT, ["n", 4])},
        {"y": (TensorProto.FLOAT, ["n", 4])},
        {"w": [4, 4]},
    )


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (projection, [], "model.onnx: --lengths: '' is neither NEW@CONTEXT, for example 1@128, nor NAME=SIZE"),
        (projection, ["--lengths=1@2"], "--lengths: the graph has no cache, so that it has no sequences; give the sizes of its dimensions: batch=SIZE"),
        (projection, ["--lengths=rows=3"], "--lengths: no dimension 'rows'; the graph's are batch"),
        (projection, ["--lengths=batch=0"], "--lengths: 'batch=0': 0 is no length; expected 1 to 2147483647"),
        (projection, ["--lengths=batch=1,batch=2"], "--lengths: 'batch' is given twice"),
        (projection, ["--lengths=batch=1", "--target=serrano-2"], "no bundled target 'serrano-2'; expected one of serrano-1, serrano-1-hbm3e, serrano-edge, serrano-tiny, or a JSON file"),
        (projection, ["--lengths=batch=1", "--target=/none.json"], "/none.json: cannot open: No such file or directory"),
        (projection, ["--lengths=batch=1", "--cores=33"], "--cores is 33; the target has 1 to 32"),
        (projection, ["--lengths=batch=1", "--json=/no/folder/b.json"], "/no/folder/b.json: cannot write: No such file or directory"),
        (lambda: decoder("add"), ["--lengths=batch=1"], "--lengths: the graph has a cache; give the step's sequences as NEW@CONTEXT"),
        (lambda: decoder("add"), ["--lengths=3@2"], "--lengths: '3@2': 3 new tokens in a context of 2; the context counts the new tokens too"),
        (lambda: decoder("add"), ["--lengths=1@2,batch=1"], "--lengths: sequences (NEW@CONTEXT) and dimensions (NAME=SIZE) exclude each other"),
        (einsum, ["--lengths=n=1"], "node 'sum' (Einsum): what this operator multiplies is not accounted for"),
    ],
)  # fmt: skip
def test_bad_input(tmp_path, capsys, make, arguments, message):
    onnx.save(make(), tmp_path / "model.onnx")
    assert message in failure(capsys, tmp_path / "model.onnx", *arguments)


def test_files_that_are_no_models(tmp_path, capsys):
    (tmp_path / "text").write_text("this is no model")
    assert "not an ONNX model" in failure(capsys, tmp_path / "text", "--lengths=n=1")
    assert "cannot open: No such file or directory" in failure(capsys, tmp_path / "absent", "--lengths=n=1")


def test_gpt2_has_no_more_positions(models, capsys):
    message = failure(capsys, models / "tiny" / "gpt2-optimum" / "model.onnx", "--lengths=1@257")
    assert "(Gather): looks up row 256 of a table of 256; give shorter lengths" in message


def test_variant_of_a_target(bound):
    result = bound(projection(), "--lengths", "batch=3", "--target", "serrano-1-hbm3e", "--cores", "32")
    assert result["bytes_per_second"] == pytest.approx(8.6e12 * 0.92, rel=1e-12)
    assert result["target"] == "serrano-1-hbm3e"


def test_target_without_a_format(tmp_path, capsys):
    numbers = json.loads((TARGETS / "serrano-edge.json").read_text())
    numbers["matrix"]["macs_per_element_per_cycle"]["bf16"] = 0
    (tmp_path / "t.json").write_text(json.dumps(numbers))
    onnx.save(projection(), tmp_path / "model.onnx")
    arguments = [tmp_path / "model.onnx", "--lengths=batch=1", f"--target={tmp_path / 't.json'}"]
    assert "target 'serrano-edge' does not multiply bf16; choose another --precision" in failure(capsys, *arguments)
    del numbers["memory"]["hbm_pin_gb_per_s"]
    (tmp_path / "t.json").write_text(json.dumps(numbers))
    assert "t.json: memory.hbm_pin_gb_per_s: expected a number that is not negative" in failure(capsys, *arguments)
