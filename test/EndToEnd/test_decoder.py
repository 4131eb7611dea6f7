"""Decoders from ONNX to tokens: compiled once, run on the simulated chip and compared with ONNX Runtime.

One program serves prompts, single tokens and any mix of sequences. Runs are checked for races and for reads of what was
never written.
"""

import functools
import json
from collections.abc import Sequence

import numpy as np
import onnxruntime
import pytest
import serrano
from reference import rows_of_slots, run_onnx

CHECKS = ("races", "init")
# Small random models whose graphs real exporters wrote, with what ONNX Runtime gives for them.
TINY = [
    "gpt2-dynamo18",
    "gpt2-optimum",
    "llama-dynamo18",
    "llama-dynamo23",
    "phi3-dynamo23",
    "qwen2-genai",
    "qwen2-optimum",
]
# Those that are refused, because a kernel is missing, with the node and the reason.
REFUSED = {
    "gemma2-optimum": (
        "node '/model/layers.0/self_attn/MatMul_1' (MatMul): 'llm.cached_attention' op has a window or a softcap, for "
        "which there is no kernel yet"
    ),
    "mistral-genai": (
        "node '/model/layers.0/attn/GroupQueryAttention' (com.microsoft.GroupQueryAttention): 'llm.cached_attention' op has "
        "a window or a softcap, for which there is no kernel yet"
    ),
    "qwen3-dynamo23": (
        "node 'node_RMSNormalization_600' (RMSNormalization): 'llm.rms_norm' op normalises parts of 32 of 128 features, "
        "for which there is no kernel yet"
    ),
    "qwen3-genai": (
        "node '/model/layers.0/attn/q_norm/SimplifiedLayerNormalization' (SimplifiedLayerNormalization): 'llm.rms_norm' "
        "op normalises parts of 32 of 128 features, for which there is no kernel yet"
    ),
}
SMOLLM2 = ["smollm2/optimum", "smollm2/dynamo18", "smollm2/dynamo23", "smollm2/genai-fp32"]
# How far f32 logits may be from ONNX Runtime's, which adds up in another order. Those of the small models are below 1, where
# f32 resolves 6e-8, and differ by 2e-7; those of SmolLM2 reach 30, where it resolves 2e-6, and differ by 1e-4 after 30 layers.
TINY_TOLERANCE = 2e-6
SMOLLM2_TOLERANCE = 5e-4
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
        np.testing.assert_allclose(logits, recorded[f"{step}.out.logits"][0], rtol=0, atol=TINY_TOLERANCE)
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


@pytest.mark.parametrize("name", TINY)
def test_ragged_steps_give_the_logits_of_onnx_runtime(decoder, models, name):
    """Sequences of several blocks of the cache, cut at random places."""
    llm = decoder(name, "serrano-tiny", "f32")
    session = onnxruntime.InferenceSession(models / "tiny" / name / "model.onnx")
    random = np.random.default_rng(0)
    texts = [random.integers(0, llm.vocabulary, size=n).tolist() for n in (50, 41, 8)]
    for text, found in zip(texts, split(random, llm, texts)):
        np.testing.assert_allclose(found, run_onnx(session, text), rtol=0, atol=TINY_TOLERANCE)


@pytest.mark.parametrize("name", REFUSED)
def test_decoders_without_a_kernel_are_refused(name, models, tmp_path):
    model = models / "tiny" / name / "model.onnx"
    with pytest.raises(serrano.Error) as error:
        serrano.compile(model, output=tmp_path / "program.srn")
    assert str(error.value) == f"{model}: {REFUSED[name]}"
    assert list(tmp_path.iterdir()) == []


def check_chunks_and_company(llm: serrano.LLM, random: np.random.Generator, lengths: Sequence[int]):
    """Random chunks in random batches give the bits of one token at a time alone."""
    texts = [random.integers(0, llm.vocabulary, size=length).tolist() for length in lengths]
    alone = []
    for text in texts:
        sequence = llm.open()
        alone.append(np.concatenate([llm.step([(sequence, [token])]) for token in text]))
        llm.close(sequence)
    for expected, found in zip(alone, split(random, llm, texts)):
        np.testing.assert_array_equal(expected.view(np.uint32), found.view(np.uint32))


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("target", LIMITS)
def test_logits_do_not_depend_on_chunks_and_company(decoder, target, precision):
    random = np.random.default_rng(1)
    for _ in range(3):
        check_chunks_and_company(decoder("llama-dynamo18", target, precision), random, random.integers(1, 60, size=3))


def test_logits_of_smollm2_do_not_depend_on_chunks_and_company(decoder):
    """One of the texts reaches into a second block of the cache, which has 128 tokens."""
    llm = decoder("smollm2/optimum", "serrano-1", "bf16")
    check_chunks_and_company(llm, np.random.default_rng(1), (139, 23, 6))


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("name", ["gpt2-optimum", "llama-dynamo18", "qwen2-optimum"])
def test_more_tokens_than_fit_are_taken_in_portions(models, name, precision):
    """The smallest target has room for the features of a few tokens; steps of many give the same bits."""
    model = models / "tiny" / name / "model.onnx"
    options = {"target": "serrano-tiny", "precision": precision, "max_tokens": 48, "max_context": 64, "max_sequences": 3}
    assert 2 * rows_of_slots(model, **options) <= options["max_tokens"]
    llm = serrano.LLM(serrano.compile(model, **options))
    random = np.random.default_rng(2)
    check_chunks_and_company(llm, random, (60, 41, 8))
    texts = [random.integers(0, llm.vocabulary, size=n).tolist() for n in (3, 28, 17)]
    sequences = [llm.open() for _ in texts]
    found = llm.step(list(zip(sequences, texts)), range(48), check=CHECKS)
    if precision == "f32":
        session = onnxruntime.InferenceSession(model)
        expected = np.concatenate([run_onnx(session, text) for text in texts])
        np.testing.assert_allclose(found, expected, rtol=0, atol=TINY_TOLERANCE)


@pytest.mark.parametrize("name", SMOLLM2)
def test_all_exporters_of_smollm2_give_the_logits_of_onnx_runtime(decoder, checkpoint, prompts, name):
    tokens = (prompts[0]["prompt_ids"] + prompts[0]["new_ids"])[:24]
    session = onnxruntime.InferenceSession(checkpoint(name) / "model.onnx")
    logits = decoder(name, "serrano-1", "f32").logits(tokens, check=CHECKS)
    np.testing.assert_allclose(logits, run_onnx(session, tokens), rtol=0, atol=SMOLLM2_TOLERANCE)


def test_smollm2_continues_the_prompts_as_onnx_runtime_does(decoder, prompts):
    llm = decoder("smollm2/optimum", "serrano-1", "f32")
    for prompt in prompts:
        assert list(llm.generate_ids(prompt["prompt_ids"], 8)) == prompt["new_ids"][:8], prompt["name"]


def test_both_exporters_of_smollm2_give_the_same_text(decoder, prompts):
    for name in ("smollm2/optimum", "smollm2/genai-fp32"):
        llm = decoder(name, "serrano-1", "bf16")
        assert list(llm.generate_ids(prompts[0]["prompt_ids"], 3)) == prompts[0]["new_ids"][:3], name


def test_table_of_positions_limits_the_context(models, capfd):
    """GPT-2 learns a vector for each of its 256 positions; a program with room for more takes no more, and nobody is told to ask for more."""
    program = serrano.compile(models / "tiny" / "gpt2-optimum" / "model.onnx", precision="f32", max_context=1000)
    warning = "the model has positions for 256 tokens of a sequence, but --max-context is 1000"
    assert capfd.readouterr().err.count(warning) == 1
    llm = serrano.LLM(program)
    assert program.entries["step"].cache.context == llm.max_context == 256
    assert np.isfinite(llm.logits([1] * 256)).all()
    message = "257 tokens, but the program was compiled for 256; the model has positions for no more$"
    with pytest.raises(serrano.Error, match=message):
        llm.logits([1] * 257)
    with pytest.raises(serrano.Error, match=message):
        program.predict("step", [(1, 257)])


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
