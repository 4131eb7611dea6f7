"""Lengths that do not fit the core: what is refused says what helps, and that helps."""

import dataclasses

import llama_block
import numpy as np
import onnx
import pytest
import serrano
import tiny_encoder
from test_names import check, residual

TINY = {"target": "serrano-tiny", "precision": "f32"}


@pytest.fixture
def compile_model(tmp_path):
    """Compiles a model."""

    def compile_model(model: onnx.ModelProto, **options) -> serrano.Program:
        onnx.save(model, tmp_path / "model.onnx")
        return serrano.compile(tmp_path / "model.onnx", output=tmp_path / "model.srn", **options)

    return compile_model


def refuses(message: str):
    return pytest.raises(serrano.Error, match=message)


def test_a_row_of_a_batch_that_is_longer_than_a_portion(compile_model, tmp_path):
    model = residual(sizes=("batch", "seq"))
    program = compile_model(model, max_tokens=4096, **TINY)
    message = r"'seq' is {0}, but a row of the batch has at most \d+ tokens .* \(--max-tokens={0}\) or .* \(--target\)"
    with refuses(message.format(140)):
        program.run("main", {"x": np.ones((1, 140, 24), np.float32)})
    check(tmp_path / "model.onnx", compile_model(model, max_tokens=140, **TINY), 1, 140, 24)
    long = {"x": np.ones((1, 1000, 24), np.float32)}
    for tokens in (4096, 1000):
        with refuses(message.format(1000)):
            compile_model(model, max_tokens=tokens, **TINY).run("main", long)
    edge = compile_model(model, max_tokens=1000, target="serrano-edge", precision="f32")
    check(tmp_path / "model.onnx", edge, 1, 1000, 24)


@pytest.mark.parametrize(("sizes", "shape"), [((8, "seq"), (8, 8)), (("s", "s"), (8, 8))])
def test_rows_that_cannot_be_cut_are_at_once_on_the_core(sizes, shape, compile_model, tmp_path):
    model = residual(sizes=sizes)
    with refuses(r"compile for fewer tokens \(--max-tokens\)"):
        compile_model(model, max_tokens=4096, **TINY)
    check(tmp_path / "model.onnx", compile_model(model, max_tokens=64, **TINY), *shape, 24)


def test_a_sequence_sees_keys_of_all_its_rows(compile_model):
    model = llama_block.make_model(dataclasses.replace(llama_block.TINY, tokens=None), angles="range", mask="trilu")
    with refuses(r"compile for fewer tokens \(--max-tokens\)"):
        compile_model(model, max_tokens=128, **TINY)
    compile_model(model, max_tokens=16, **TINY)


def test_rows_that_are_always_as_many(compile_model):
    sizes = dataclasses.replace(llama_block.TINY, tokens=256)
    with refuses(r"takes 256 tokens, but the program has room for 128; compile for more \(--max-tokens\)"):
        compile_model(llama_block.make_model(sizes), max_tokens=128, **TINY)
    message = r"the model always takes 256 tokens at once: export it for fewer, or compile for a target that has more \(--target\)"
    with refuses(message):
        compile_model(llama_block.make_model(sizes), max_tokens=1024, **TINY)
    compile_model(llama_block.make_model(sizes), max_tokens=1024, target="serrano-edge")
    compile_model(llama_block.make_model(llama_block.TINY), max_tokens=1024, **TINY)


def test_not_even_one_row(compile_model):
    model = residual(sizes=("tokens",), cols=4096)
    for tokens in (1, 64):
        with refuses(r"not even one token has room: compile for a target that has more \(--target\)"):
            compile_model(model, max_tokens=tokens, **TINY)
    compile_model(model, max_tokens=64, target="serrano-edge")


def test_the_order_of_names_does_not_decide_what_is_cut(compile_model):
    """An encoder attends to all keys of a sequence: portions are of the batch."""
    model = tiny_encoder.make_model()
    for value in [*model.graph.input, *model.graph.output]:
        batch, length = value.type.tensor_type.shape.dim[:2]
        batch.dim_param, length.dim_param = "rows", "length"
    program = compile_model(model, max_tokens=256, **TINY)
    ids = np.ones((256, 1), np.int64)
    assert program.run("main", {"input_ids": ids, "attention_mask": ids, "token_type_ids": 0 * ids})["last_hidden_state"].shape == (256, 1, 32)
