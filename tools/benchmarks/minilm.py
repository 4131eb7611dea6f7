"""MiniLM: an encoder from ONNX to sentence embeddings."""

import json
import pathlib

import numpy as np
import serrano
from checkpoints import MODELS, checkpoint
from commands import compile_model
from figures import Measurement, Promise


def model_file() -> pathlib.Path:
    return checkpoint("minilm/optimum") / "model.onnx"


def lowest_cosine(folder: pathlib.Path, precision: str) -> list[float]:
    """The worst of the recorded sentences' embeddings, against ONNX Runtime's."""
    file = folder / f"minilm-{precision}.srn"
    compile_model(model_file(), file, f"--precision={precision}")
    program = serrano.load(file)
    cosines = []
    for sentence in json.loads((MODELS / "minilm" / "sentences.json").read_text())["sentences"]:
        ids = np.array([sentence["input_ids"]])
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        embedding = np.float64(program.run("main", inputs)["last_hidden_state"][0]).mean(0)
        expected = np.array(sentence["embedding"])
        cosines.append(embedding @ expected / np.linalg.norm(embedding) / np.linalg.norm(expected))
    return [min(cosines)]


def compilation(folder: pathlib.Path) -> list[float]:
    """CPU time of a compilation, and whether a second one gives the same bytes."""
    files = [folder / "minilm-one.srn", folder / "minilm-other.srn"]
    costs = [compile_model(model_file(), file) for file in files]
    same = files[0].read_bytes() == files[1].read_bytes()
    return [costs[0].cpu_seconds, costs[0].heap_bytes / 1e6, same]


MEASUREMENTS = [
    Measurement(
        [Promise("main.minilm.f32.cosine", "", ">=", 0.99999)], lambda folder: lowest_cosine(folder, "f32")
    ),
    Measurement(
        [Promise("main.minilm.bf16.cosine", "", ">=", 0.9995)], lambda folder: lowest_cosine(folder, "bf16")
    ),
    Measurement(
        [
            Promise("main.minilm.bf16.compile_cpu", "s", "<=", 15),
            Promise("main.minilm.bf16.compile_heap", "MB", "<=", 500),
            Promise("main.minilm.bf16.reproducible", "", ">=", 1),
        ],
        compilation,
    ),
]
