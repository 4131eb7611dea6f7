"""Llama blocks without a cache, features in and features out: compiled, run on the simulated chip and compared with ONNX Runtime.

Angles and masks are constants or computed in the graph. Every run is checked for races and for reads of what was never written.
"""

from dataclasses import replace

import llama_block
import numpy as np
import onnx
import onnxruntime
import pytest
import serrano
from llama_block import TINY, Sizes

TARGETS = ["serrano-1", "serrano-edge", "serrano-tiny"]
TOLERANCE = {"f32": 1e-5, "bf16": 8e-2}
# Sizes, angles, mask, and the shapes that it is run with.
TINY_BLOCKS = {
    "constants": (TINY, "heads-first", "lowest", [(1, 16)]),
    "flat-tables": (TINY, "flat", "inf", [(1, 16)]),
    "computed": (TINY, "range", "compare", [(1, 16)]),
    "batch-of-layers": (replace(TINY, tokens=8, batch=2, layers=3), "heads-first", "large", [(2, 8)]),
    "triangle": (replace(TINY, tokens=None), "range", "trilu", [(1, 1), (1, 11), (1, 16)]),
    "any-shape": (replace(TINY, tokens=None, batch=None, layers=2), "range", "compare", [(1, 1), (2, 8), (3, 5), (16, 1)]),
}
# Keys that are more than the matrix engine takes at once.
LARGE_BLOCKS = {
    "smollm2": (Sizes(), "heads-first", "lowest", [(1, 64)]),
    "long-constants": (Sizes(hidden=64, heads=4, kv_heads=2, intermediate=96, tokens=200), "flat", "inf", [(1, 200)]),
    "long": (Sizes(hidden=64, heads=4, kv_heads=2, intermediate=96, tokens=None), "range", "trilu", [(1, 129), (1, 200)]),
}


def check(folder, block, target, precision):
    sizes, angles, mask, shapes = block
    file = folder / "block.onnx"
    onnx.save(llama_block.make_model(sizes, angles, mask), file)
    most = max(batch * tokens for batch, tokens in shapes)
    program = serrano.compile(file, target=target, precision=precision, max_tokens=most)
    session = onnxruntime.InferenceSession(file)
    for shape in shapes:
        x = np.random.default_rng(shape).standard_normal((*shape, sizes.hidden), np.float32)
        found = program.run("main", {"x": x}, check=("races", "init"))["y"]
        np.testing.assert_allclose(found, session.run(None, {"x": x})[0], rtol=0, atol=TOLERANCE[precision])


@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", TINY_BLOCKS)
def test_tiny(name, target, precision, tmp_path):
    check(tmp_path, TINY_BLOCKS[name], target, precision)


@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("target", TARGETS[:2])
@pytest.mark.parametrize("name", LARGE_BLOCKS)
def test_large(name, target, precision, tmp_path):
    check(tmp_path, LARGE_BLOCKS[name], target, precision)


def test_a_key_that_comes_later_changes_nothing_before_it(tmp_path):
    file = tmp_path / "block.onnx"
    onnx.save(llama_block.make_model(TINY), file)
    program = serrano.compile(file, target="serrano-tiny", precision="f32", max_tokens=16)
    x = np.random.default_rng(0).standard_normal((1, 16, TINY.hidden), np.float32)
    before = program.run("main", {"x": x})["y"]
    x[0, 9] += 1
    after = program.run("main", {"x": x})["y"]
    np.testing.assert_array_equal(before[0, :9], after[0, :9])
    assert (before[0, 9:] != after[0, 9:]).any(axis=-1).all()


def test_a_batch_of_any_size_over_fixed_positions_is_refused(tmp_path):
    file = tmp_path / "block.onnx"
    onnx.save(llama_block.make_model(replace(TINY, batch=None)), file)
    with pytest.raises(serrano.Error, match="no kernel yet"):
        serrano.compile(file, max_tokens=16)
