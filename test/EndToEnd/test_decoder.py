"""Decoders from ONNX to tokens: compiled once, run on the simulated chip and compared with ONNX Runtime.

One program serves prompts, single tokens and any mix of sequences. Runs are checked for races and for reads of what was
never written.
"""

import functools
import json

import numpy as np
import pytest
import serrano

CHECKS = ("races", "init")
# Small random models whose graphs real exporters wrote, with what ONNX Runtime gives for them.
TINY = ["llama-dynamo18", "llama-dynamo23", "qwen2-optimum"]
# What each target has room for.
LIMITS = {
    "serrano-1": {"max_tokens": 64, "max_context": 256},
    "serrano-edge": {"max_tokens": 32, "max_context": 256},
    "serrano-tiny": {"max_tokens": 4, "max_context": 64, "max_sequences": 3},
}


@pytest.fixture(scope="session")
def decoder(models, checkpoint):
    """An LLM by model, target and precision; each is compiled once."""

    @functools.cache
    def get(name: str, target: str, precision: str) -> serrano.LLM:
        folder = checkpoint(name) if name.startswith("smollm2") else models / "tiny" / name
        options = LIMITS[target] if not name.startswith("smollm2") else {"max_tokens": 64}
        return serrano.LLM(serrano.compile(folder / "model.onnx", target=target, precision=precision, **options))

    return get


@pytest.fixture(scope="session")
def prompts(models):
    data = json.loads((models / "smollm2" / "prompts.json").read_text())
    return data if isinstance(data, list) else data["prompts"]


@pytest.mark.parametrize("target", LIMITS)
@pytest.mark.parametrize("name", TINY)
def test_tiny_decoders_give_the_logits_of_onnx_runtime(decoder, models, name, target):
    recorded = np.load(models / "tiny" / name / "io.npz")
    llm = decoder(name, target, "f32")
    sequence = llm.open()
    for step in ("step0", "step1"):
        ids = recorded[f"{step}.in.input_ids"][0].tolist()
        parts = [ids[i : i + llm.max_tokens] for i in range(0, len(ids), llm.max_tokens)]
        logits = np.concatenate([llm.step([(sequence, p)], range(len(p)), check=CHECKS) for p in parts])
        np.testing.assert_allclose(logits, recorded[f"{step}.out.logits"][0], rtol=0, atol=2e-6)
    llm.close(sequence)


def split(random: np.random.Generator, llm: serrano.LLM, texts: list[list[int]]) -> list[np.ndarray]:
    """The logits of several texts that go in as random chunks, in random company."""
    sequences, done, logits = [llm.open() for _ in texts], [0] * len(texts), [[] for _ in texts]
    room = llm.max_tokens // len(texts)
    while any(d < len(t) for d, t in zip(done, texts)):
        batch, members = [], []
        for i in random.permutation(len(texts)):
            part = texts[i][done[i] : done[i] + int(random.integers(0, room + 1))]
            if part:
                batch.append((sequences[i], part))
                members.append(i)
                done[i] += len(part)
        if not batch:
            continue
        result = llm.step(batch, range(sum(len(part) for _, part in batch)), check=CHECKS)
        for i, (_, part) in zip(members, batch):
            logits[i].append(result[: len(part)])
            result = result[len(part) :]
    for sequence in sequences:
        llm.close(sequence)
    return [np.concatenate(parts) for parts in logits]


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("target", LIMITS)
def test_logits_do_not_depend_on_chunks_and_company(decoder, target, precision):
    llm = decoder("llama-dynamo18", target, precision)
    random = np.random.default_rng(1)
    for _ in range(3):
        texts = [random.integers(0, llm.vocabulary, size=int(n)).tolist() for n in random.integers(1, 60, size=3)]
        alone = []
        for text in texts:
            sequence = llm.open()
            alone.append(np.concatenate([llm.step([(sequence, [token])]) for token in text]))
            llm.close(sequence)
        for expected, found in zip(alone, split(random, llm, texts)):
            np.testing.assert_array_equal(expected.view(np.uint32), found.view(np.uint32))


def test_smollm2_continues_the_prompts_as_onnx_runtime_does(decoder, prompts):
    llm = decoder("smollm2/optimum", "serrano-1", "f32")
    for prompt in prompts:
        assert list(llm.generate_ids(prompt["prompt_ids"], 8)) == prompt["new_ids"][:8], prompt["name"]


def test_both_exporters_of_smollm2_give_the_same_text(decoder, prompts):
    for name in ("smollm2/optimum", "smollm2/genai-fp32"):
        llm = decoder(name, "serrano-1", "bf16")
        assert list(llm.generate_ids(prompts[0]["prompt_ids"], 3)) == prompts[0]["new_ids"][:3], name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda llm: llm.step([(llm.open(), [llm.vocabulary])]), "outside the vocabulary"),
        (lambda llm: llm.step([(llm.open(), [0] * (llm.max_tokens + 1))]), "compiled for"),
        (lambda llm: llm.logits([0] * (llm.max_context + 1)), "--max-context"),
        (lambda llm: llm.step([(llm.open(), [])]), "no new token"),
        (lambda llm: llm.step([(s, [1]) for s in [llm.open()] * 2]), "occurs twice"),
    ],
)
def test_bad_steps_are_refused(decoder, make, message):
    with pytest.raises(serrano.Error, match=message):
        make(decoder("llama-dynamo18", "serrano-1", "f32"))
