"""Fixtures: a small encoder, its program and inputs for it."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
import serrano

MAKE_MODEL = pathlib.Path(__file__).parents[2] / "test" / "EndToEnd" / "tiny_encoder.py"


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("model") / "encoder.onnx"
    subprocess.run([sys.executable, MAKE_MODEL, path], check=True)
    return path


@pytest.fixture(scope="session")
def options() -> dict[str, object]:
    """How the program of these tests is compiled."""
    return {"target": "serrano-edge", "precision": "f32", "max_tokens": 32}


@pytest.fixture(scope="session")
def file(model, options, tmp_path_factory) -> pathlib.Path:
    """A program file."""
    path = tmp_path_factory.mktemp("program") / "encoder.srn"
    serrano.compile(model, output=path, **options)
    return path


@pytest.fixture(scope="session")
def program(file) -> serrano.Program:
    return serrano.load(file)


@pytest.fixture
def inputs() -> dict[str, np.ndarray]:
    ids = np.random.default_rng(0).integers(0, 64, (2, 9))
    mask = np.ones_like(ids)
    mask[1, 5:] = 0
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
