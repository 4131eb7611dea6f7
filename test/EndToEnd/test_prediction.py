"""Predictions of compiled programs: without computing, they give what a run costs, to the cycle."""

import functools

import numpy as np
import onnx
import pytest
import serrano
import tiny_encoder

# A small model by the way its exporter writes attention, and what each target has room for.
MODELS = ["llama-dynamo18", "gpt2-optimum", "qwen2-genai"]
LIMITS = {
    "serrano-1": {"max_tokens": 64, "max_context": 300, "max_sequences": 5},
    "serrano-edge": {"max_tokens": 32, "max_context": 256, "max_sequences": 5},
    "serrano-tiny": {"max_tokens": 4, "max_context": 64, "max_sequences": 3},
}
ROUNDS = 5


@pytest.fixture(scope="session")
def decoder(models):
    """A program by model, target and precision; each is compiled once."""

    @functools.cache
    def get(name: str, target: str, precision: str = "bf16") -> serrano.Program:
        return serrano.compile(
            models / "tiny" / name / "model.onnx", target=target, precision=precision, **LIMITS[target]
        )

    return get


def run_step(program: serrano.Program, lengths: list[tuple[int, int]], random: np.random.Generator) -> dict:
    """The statistics of a step with these lengths, with random tokens in random blocks of the cache."""
    entry = program.entries["step"]
    cache = entry.cache
    width = -(-cache.context // cache.block)
    free = random.permutation(cache.blocks).tolist()
    tables = np.zeros((len(lengths), width), np.int32)
    for table, (_, context) in zip(tables, lengths):
        for i in range(-(-context // cache.block)):
            table[i] = free.pop()
    starts = np.cumsum([0] + [new for new, _ in lengths], dtype=np.int32)
    arrays = {
        "token_ids": random.integers(0, int(entry.outputs["logits"].shape[-1]), starts[-1]).astype(np.int32),
        "positions": np.concatenate([np.arange(c - n, c) for n, c in lengths]).astype(np.int32),
        "query_starts": starts,
        "kv_lengths": np.array([c for _, c in lengths], np.int32),
        "block_tables": tables,
        "logit_rows": starts[1:] - 1,
    }
    return program.run("step", arrays, stats=True).statistics


def random_lengths(program: serrano.Program, random: np.random.Generator) -> list[tuple[int, int]]:
    limits, context = program.entries["step"].limits, program.entries["step"].cache.context
    room, result = limits["tokens"], []
    for left in range(int(random.integers(1, limits["sequences"] + 1)), 0, -1):
        new = int(random.integers(1, room - left + 2))
        room -= new
        result.append((new, int(random.integers(new, context + 1))))
    return result


@pytest.mark.parametrize("target", LIMITS)
@pytest.mark.parametrize("name", MODELS)
def test_steps_cost_what_is_predicted(decoder, name, target):
    program, random = decoder(name, target), np.random.default_rng(len(name))
    for _ in range(ROUNDS):
        lengths = random_lengths(program, random)
        assert program.predict("step", lengths) == run_step(program, lengths, random), lengths


@pytest.mark.parametrize("target", LIMITS)
def test_time_does_not_depend_on_blocks_and_tokens(decoder, target):
    program, random = decoder("llama-dynamo18", target, "f32"), np.random.default_rng(3)
    lengths = random_lengths(program, random)
    statistics = [run_step(program, lengths, random) for _ in range(ROUNDS)]
    assert all(s == statistics[0] for s in statistics)
    assert program.predict("step", lengths) == statistics[0]


def test_longer_steps_cost_more(decoder):
    program = decoder("llama-dynamo18", "serrano-edge")
    cycles = [program.predict("step", [lengths])["cycles"] for lengths in ((1, 1), (1, 256), (32, 256))]
    assert cycles == sorted(set(cycles))


def test_smollm2_costs_what_is_predicted(checkpoint):
    program = serrano.compile(checkpoint("smollm2/optimum") / "model.onnx", max_tokens=64, max_sequences=8)
    random = np.random.default_rng(0)
    for lengths in ([(1, 128)], [(64, 64)], [(1, 700), (1, 5), (30, 90)]):
        assert program.predict("step", lengths) == run_step(program, lengths, random), lengths


@pytest.mark.parametrize("target", LIMITS)
def test_encoders_cost_what_is_predicted(target, tmp_path):
    model = tmp_path / "encoder.onnx"
    onnx.save(tiny_encoder.make_model(), model)
    program = serrano.compile(model, target=target, max_tokens=32)
    random = np.random.default_rng(4)
    for batch, tokens in ((1, 1), (1, 32), (3, 7), (2, 16)):
        ids = random.integers(0, 64, (batch, tokens))
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        ran = program.run("main", inputs, stats=True).statistics
        assert program.predict("main", {"batch_size": batch, "sequence_length": tokens}) == ran


def test_prediction_leaves_the_cache_alone(decoder, models):
    program = decoder("llama-dynamo18", "serrano-edge")
    llm = serrano.LLM(program)
    sequence = llm.open()
    llm.step([(sequence, [1, 2, 3])])
    before = llm.step([(sequence, [4])])
    again = llm.open()
    llm.step([(again, [1, 2, 3])])
    program.predict("step", [(8, 8), (1, 200)])
    np.testing.assert_array_equal(llm.step([(again, [4])]), before)


def test_trace_is_that_of_the_run(decoder, tmp_path):
    program, random = decoder("llama-dynamo18", "serrano-edge"), np.random.default_rng(5)
    run_step(program, [(3, 70)], random)
    program.predict("step", [(3, 70)], trace=tmp_path / "predicted.json")
    assert (tmp_path / "predicted.json").stat().st_size > 10000


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([], "give its sequences as NEW@CONTEXT"),
        ({"tokens": 3}, "give its sequences as NEW@CONTEXT"),
        ([(2, 1)], "2 new tokens in a context of 1; the context counts the new tokens too"),
        ([(0, 1)], "the number of new tokens is 0; expected 1 to"),
        ([(1.5, 2)], "the number of new tokens is 1.5; expected a whole number"),
        ([3], "3 are no lengths of a sequence; give its new tokens and its context"),
        ([(33, 33)], "'tokens' is 33, but the program was compiled for at most 32 tokens"),
        ([(1, 257)], "257 tokens, but the program was compiled for 256; compile it with a larger --max-context"),
        ([(1, 1)] * 6, "'sequences' is 6, but the program was compiled for at most 5 sequences"),
    ],
)
def test_bad_lengths_are_refused(decoder, lengths, message):
    with pytest.raises(serrano.Error) as error:
        decoder("llama-dynamo18", "serrano-edge").predict("step", lengths)
    assert message in str(error.value)
