"""Models whose names are also names of the compiler: programs are those of models with other names."""

import re
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
import serrano
from onnx import TensorProto, helper, numpy_helper

WEIGHT_NAMES = ["main", "layer", "weights", "vectors", "arg0", "result0", "s", "kv", "weight.w", "table.w", "a \"b\"\n"]
TINY = {"target": "serrano-tiny", "precision": "f32"}
# What a decoder's step and its passes call their own symbols.
STEP_DIMENSIONS = {"batch_size": "sequences", "sequence_length": "tokens", "past_sequence_length": "blocks"}
STEP_NAMES = ["step", "layer", "kv", "cache.kv", "work.kv", "rows0", "weights", "vectors", "tokens", "logit_rows", "arg0"]


def residual(weight: str = "w", scale: str = "scale", sizes: tuple[str | int, ...] = ("batch", "seq"), cols: int = 24) -> onnx.ModelProto:
    random = np.random.default_rng(0)
    value, node, array = helper.make_tensor_value_info, helper.make_node, numpy_helper.from_array
    graph = helper.make_graph(
        [
            node("MatMul", ["x", weight], ["product"], name="projection"),
            node("Add", ["product", "x"], ["sum"], name="residual"),
            node("LayerNormalization", ["sum", scale], ["y"], name="norm"),
        ],
        "residual",
        [value("x", TensorProto.FLOAT, [*sizes, cols])],
        [value("y", TensorProto.FLOAT, [*sizes, cols])],
        [array(random.standard_normal((cols, cols), np.float32), weight), array(random.standard_normal(cols, np.float32), scale)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def check(file, program: serrano.Program, *shape: int):
    x = np.random.default_rng(1).standard_normal(shape, np.float32)
    found = program.run("main", {"x": x}, check=("races", "init"))["y"]
    np.testing.assert_allclose(found, onnxruntime.InferenceSession(file).run(None, {"x": x})[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", WEIGHT_NAMES)
def test_a_weight_may_have_any_name(name, tmp_path):
    for weight, scale in [(name, "scale"), ("w", name)]:
        onnx.save(residual(weight, scale, ("s",)), tmp_path / "model.onnx")
        program = serrano.compile(tmp_path / "model.onnx", output=tmp_path / "model.srn", max_tokens=24, **TINY)
        check(tmp_path / "model.onnx", program, 7, 24)


@pytest.mark.parametrize("sizes", [("sequences", "blocks"), ("tokens", "logit_rows"), ("z", "a"), ("x.1", "x.0")])
def test_names_of_dimensions_decide_nothing(sizes, tmp_path):
    """The outer dimension is cut in portions, and lengths are those of any encoder."""
    onnx.save(residual(sizes=sizes), tmp_path / "model.onnx")
    program = serrano.compile(tmp_path / "model.onnx", output=tmp_path / "model.srn", max_tokens=4096, max_sequences=2, max_context=16, **TINY)
    assert dict(program.entries["main"].limits) == dict.fromkeys(sizes, 4096)
    check(tmp_path / "model.onnx", program, 700, 5, 24)
    check(tmp_path / "model.onnx", program, 3, 100, 24)


def rename(model: onnx.ModelProto, weights: dict[str, str], dimensions: dict[str, str]):
    for tensor in model.graph.initializer:
        tensor.name = weights.get(tensor.name, tensor.name)
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = weights.get(name, name)
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = re.sub(r"\w+", lambda word: dimensions.get(word[0], word[0]), size.dim_param)


def test_a_decoder_may_have_the_names_of_its_step(models, tmp_path):
    """All instructions are the same, and all tensors of the model are seen where they were."""
    source = models / "tiny" / "qwen2-optimum" / "model.onnx"
    model = onnx.load(source)
    weights = [tensor.name for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT]
    rename(model, dict(zip(weights, STEP_NAMES)), STEP_DIMENSIONS)
    onnx.save(model, tmp_path / "renamed.onnx")
    texts = []
    for file in (source, tmp_path / "renamed.onnx"):
        options = ["--target=serrano-edge", "--max-tokens=8", "--max-context=64", "--search=none", "--emit=asm"]
        texts.append(subprocess.run(["serrano-compile", file, *options], check=True, capture_output=True, text=True).stdout)
    assert texts[0] == texts[1]
    assert "self_attn" in texts[0]
