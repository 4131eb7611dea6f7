"""Fixtures of the end-to-end tests: where the models are."""

import pathlib

import checkpoints
import pytest


@pytest.fixture(scope="session")
def checkpoint():
    """The folder of a real model with its weights, made once and kept."""
    return checkpoints.checkpoint


@pytest.fixture(scope="session")
def models() -> pathlib.Path:
    return checkpoints.MODELS
