"""SmolLM2: a decoder from ONNX to logits and tokens, against ONNX Runtime in f32."""

import functools
import json
import pathlib
import time

import numpy as np
import onnxruntime
import serrano
import tokenizers
from checkpoints import MODELS, checkpoint
from commands import Cost, compile_model
from cut_layers import cut_layers
from figures import Measurement, Promise

EXPORTERS = ["optimum", "dynamo18", "dynamo23", "genai-fp32"]
CUT_LAYERS = 6
EVALUATED_TOKENS = 2048
DECODED_TOKENS = 32
DEPTH_ROUNDS = 10


def model_file() -> pathlib.Path:
    return checkpoint("smollm2/optimum") / "model.onnx"


@functools.cache
def compiled(folder: pathlib.Path, precision: str) -> tuple[pathlib.Path, Cost]:
    file = folder / f"smollm2-{precision}.srn"
    return file, compile_model(model_file(), file, f"--precision={precision}")


def evaluated_tokens(count: int) -> list[int]:
    tokenizer = tokenizers.Tokenizer.from_file(str(MODELS / "smollm2" / "tokenizer" / "tokenizer.json"))
    return tokenizer.encode((MODELS / "smollm2" / "eval.txt").read_text()).ids[:count]


def _expected_logits(tokens: list[int]) -> np.ndarray:
    """ONNX Runtime's logits of all positions."""
    session = onnxruntime.InferenceSession(model_file())
    feed = {"input_ids": tokens, "attention_mask": np.ones(len(tokens)), "position_ids": np.arange(len(tokens))}
    feed = {name: np.asarray(value, np.int64)[None] for name, value in feed.items()}
    for argument in session.get_inputs():
        if argument.name not in feed:
            _, heads, _, size = argument.shape
            feed[argument.name] = np.zeros((1, heads, 0, size), np.float32)
    return session.run(["logits"], feed)[0][0]


def f32_logits(folder: pathlib.Path) -> list[float]:
    file, _ = compiled(folder, "f32")
    tokens = evaluated_tokens(128)
    return [np.abs(serrano.LLM(serrano.load(file)).logits(tokens) - _expected_logits(tokens)).max()]


def f32_greedy(folder: pathlib.Path) -> list[float]:
    """The share of greedy tokens that are ONNX Runtime's."""
    file, _ = compiled(folder, "f32")
    model = serrano.LLM(serrano.load(file))
    equal = []
    for prompt in json.loads((MODELS / "smollm2" / "prompts.json").read_text())["prompts"]:
        tokens = list(model.generate_ids(prompt["prompt_ids"], len(prompt["new_ids"])))
        equal += np.equal(tokens, prompt["new_ids"]).tolist()
    return [100 * np.mean(equal)]


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.float64(logits) - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def bf16_accuracy(folder: pathlib.Path) -> list[float]:
    """Agreement of the most likely token, mean divergence, and change of the perplexity."""
    file, _ = compiled(folder, "bf16")
    tokens = evaluated_tokens(EVALUATED_TOKENS)
    found, expected = serrano.LLM(serrano.load(file)).logits(tokens), _expected_logits(tokens)
    divergences, losses = [], []
    for position, rows in enumerate(zip(found, expected)):
        p, q = map(_log_softmax, rows)
        divergences.append((np.exp(q) * (q - p)).sum())
        if position + 1 < len(tokens):
            losses.append((-p[tokens[position + 1]], -q[tokens[position + 1]]))
    ours, theirs = np.exp(np.mean(losses, axis=0))
    agreement = np.mean(found.argmax(-1) == expected.argmax(-1))
    return [100 * agreement, np.mean(divergences), 100 * abs(ours / theirs - 1)]


def bf16_compilation(folder: pathlib.Path) -> list[float]:
    """Costs of a compilation, and whether a second one gives the same bytes."""
    file, cost = compiled(folder, "bf16")
    again = folder / "smollm2-again.srn"
    compile_model(model_file(), again, "--precision=bf16")
    return [cost.cpu_seconds, cost.heap_bytes / 1e6, file.read_bytes() == again.read_bytes()]


def depth_ratio(folder: pathlib.Path) -> list[float]:
    """CPU time of all layers over that of a few, for the exporter of which it is the largest.

    Assembly has no weights, so that none are packed. The least of many in turn is what other work disturbed least.
    """
    ratios = []
    for exporter in EXPORTERS:
        whole = checkpoint(f"smollm2/{exporter}") / "model.onnx"
        seconds = {whole: [], cut_layers(whole, CUT_LAYERS, folder / f"smollm2-cut-{exporter}"): []}
        for _ in range(DEPTH_ROUNDS):
            for model, times in seconds.items():
                times.append(compile_model(model, folder / "smollm2.s", "--emit=asm").cpu_seconds)
        most, least = map(min, seconds.values())
        ratios.append(most / least)
    return [max(ratios)]


def decode_rate(folder: pathlib.Path) -> list[float]:
    """Tokens a second of one sequence after a short prompt, without timing on the chip."""
    file, _ = compiled(folder, "bf16")
    tokens = serrano.LLM(serrano.load(file)).generate_ids(evaluated_tokens(16), DECODED_TOKENS + 1)
    next(tokens)
    start = time.perf_counter()
    count = len(list(tokens))
    return [count / (time.perf_counter() - start)]


MEASUREMENTS = [
    Measurement([Promise("main.smollm2.f32.logits", "", "<=", 2e-3)], f32_logits),
    Measurement([Promise("main.smollm2.f32.greedy", "%", ">=", 100)], f32_greedy),
    Measurement(
        [
            Promise("main.smollm2.bf16.top1", "%", ">=", 97.0),
            Promise("main.smollm2.bf16.divergence", "nat", "<=", 1.2e-3),
            Promise("main.smollm2.bf16.perplexity", "%", "<=", 0.3),
        ],
        bf16_accuracy,
    ),
    Measurement(
        [
            Promise("main.smollm2.bf16.compile_cpu", "s", "<=", 15),
            Promise("main.smollm2.bf16.compile_heap", "MB", "<=", 500),
            Promise("main.smollm2.bf16.reproducible", "", ">=", 1),
        ],
        bf16_compilation,
    ),
    Measurement([Promise("main.smollm2.bf16.depth_ratio", "x", "<=", 1.3)], depth_ratio),
    Measurement([Promise("main.smollm2.bf16.decode_rate", "token/s", ">=", 5)], decode_rate),
]
