"""Fixtures of the end-to-end tests: where the tools and the models are."""

import os
import pathlib
import subprocess
import sys

import pytest

MODELS = pathlib.Path(__file__).parent / "models"


def _cache() -> pathlib.Path:
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    return pathlib.Path(os.environ.get("SERRANO_CACHE", home / "serrano"))


@pytest.fixture(scope="session")
def checkpoint():
    """The folder of a real model with its weights, made once and kept."""

    def get(name: str) -> pathlib.Path:
        folder = _cache() / "models" / name.replace("/", "-")
        if not (folder / "model.onnx").exists():
            subprocess.run([sys.executable, MODELS / "fill_weights.py", name, "-o", folder], check=True)
        return folder

    return get


@pytest.fixture(scope="session")
def models() -> pathlib.Path:
    return MODELS
