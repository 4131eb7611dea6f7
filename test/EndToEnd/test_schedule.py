"""Compiled programs under the adversarial schedule: the engines run in another legal order, and the same bits come out."""

import functools

import numpy as np
import onnx
import pytest
import serrano
import tiny_encoder

SEEDS = range(6)
TARGETS = ["serrano-1", "serrano-edge", "serrano-tiny"]
DECODERS = ["gpt2-optimum", "llama-dynamo18", "qwen2-genai"]


class Reordered(serrano.Program):
    """A program whose runs are all under the adversarial schedule."""

    def __init__(self, path, seed):
        super().__init__(path)
        self._seed = seed

    def run(self, entry, inputs, **options):
        return super().run(entry, inputs, **options, schedule="adversarial", seed=self._seed)


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("target", TARGETS)
def test_encoder(target, precision, tmp_path):
    onnx.save(tiny_encoder.make_model(), tmp_path / "model.onnx")
    program = serrano.compile(
        tmp_path / "model.onnx", output=tmp_path / "m.srn", target=target, precision=precision, max_tokens=32
    )
    ids = np.random.default_rng(0).integers(1, tiny_encoder.VOCABULARY, (2, 13))
    mask = np.ones_like(ids)
    mask[1, 5:] = 0
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    inputs = {name: inputs[name] for name in program.entries["main"].inputs}
    expected = program.run("main", inputs)
    for seed in SEEDS:
        outputs = program.run("main", inputs, schedule="adversarial", seed=seed)
        assert {name: array.tobytes() for name, array in outputs.items()} == {
            name: array.tobytes() for name, array in expected.items()
        }, seed


def steps(program) -> bytes:
    """The logits of three ragged steps: a prompt in two parts, and one that comes later."""
    llm = serrano.LLM(program)
    random = np.random.default_rng(0)
    first, second = llm.open(), llm.open()
    batches = [[(first, 3)], [(second, 3), (first, 1)], [(first, 2), (second, 1)]]
    tokens = [[(s, random.integers(0, llm.vocabulary, n).tolist()) for s, n in batch] for batch in batches]
    return b"".join(llm.step(batch).tobytes() for batch in tokens)


@pytest.fixture(scope="module")
def decoder(models, tmp_path_factory):
    """The file of a decoder's program; each is compiled once."""

    @functools.cache
    def get(name: str, target: str, precision: str):
        path = tmp_path_factory.mktemp(name) / "model.srn"
        limits = {"max_tokens": 4, "max_context": 64, "max_sequences": 3}
        serrano.compile(models / "tiny" / name / "model.onnx", output=path, target=target, precision=precision, **limits)
        return path

    return get


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", DECODERS)
def test_decoder(name, target, precision, decoder):
    path = decoder(name, target, precision)
    expected = steps(serrano.load(path))
    for seed in SEEDS:
        assert steps(Reordered(path, seed)) == expected, seed


def test_the_real_decoder(checkpoint, tmp_path):
    """A step of SmolLM2: rings run ahead over all its layers."""
    path = tmp_path / "model.srn"
    serrano.compile(checkpoint("smollm2/optimum") / "model.onnx", output=path, max_tokens=64)
    expected = steps(serrano.load(path))
    for seed in range(2):
        assert steps(Reordered(path, seed)) == expected, seed


def test_refusals(decoder):
    program = serrano.load(decoder("gpt2-optimum", "serrano-tiny", "f32"))
    for options, message in (
        ({"schedule": "random"}, r"^unknown schedule 'random'; the schedules are program, adversarial$"),
        ({"seed": 1}, r'^seed is of the adversarial schedule; add schedule="adversarial"$'),
        ({"schedule": "adversarial", "seed": -1}, r"^seed is -1, expected 0 to 18446744073709551615$"),
        ({"schedule": "adversarial", "seed": 2**64}, r"^seed is 18446744073709551616, expected 0 to"),
    ):
        with pytest.raises(serrano.Error, match=message):
            program.run("step", {}, **options)
    llm = serrano.LLM(Reordered(decoder("gpt2-optimum", "serrano-tiny", "f32"), 0))
    for options in ({"check": ["races"]}, {"check": ["init"]}, {"stats": True}, {"trace": "trace.json"}):
        with pytest.raises(serrano.Error, match="^checks and times follow program order; leave out checks, statistics and"):
            llm.step([(llm.open(), [1])], **options)
