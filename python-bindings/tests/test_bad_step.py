"""What a decoder's step is given is checked before it runs, whoever calls: Python or serrano-sim."""

import pathlib
import subprocess

import numpy as np
import pytest
import serrano

MODEL = pathlib.Path(__file__).parents[2] / "test" / "EndToEnd" / "models" / "tiny" / "llama-dynamo18" / "model.onnx"
OPTIONS = {"target": "serrano-tiny", "precision": "f32", "max_tokens": 4, "max_sequences": 2, "max_context": 20}


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("program") / "decoder.srn"
    serrano.compile(MODEL, output=path, **OPTIONS)
    return path


@pytest.fixture(scope="module")
def program(file) -> serrano.Program:
    return serrano.load(file)


def ints(*values):
    return np.array(values, np.int32)


def first_step():
    """Two sequences without a past: two tokens in block 0, one in block 1."""
    return {
        "token_ids": ints(5, 6, 7),
        "positions": ints(0, 1, 0),
        "query_starts": ints(0, 2, 3),
        "kv_lengths": ints(2, 1),
        "block_tables": ints([0, -1, -1], [1, -1, -1]),
        "logit_rows": ints(1, 2),
    }


def test_entry(program):
    entry = program.entries["step"]
    assert list(entry.inputs) == list(first_step())
    assert entry.limits == {"tokens": 4, "sequences": 2, "blocks": 3, "logit_rows": 4}
    # serrano-tiny multiplies tiles of 8 x 8; each sequence has room for 20 tokens.
    assert entry.cache == serrano.Cache(block=8, blocks=6, context=20)


BAD_STEPS = {
    "token id": (
        {"token_ids": ints(5, 512, 7)},
        "input 'token_ids' holds 512 at [1], expected 0 to 511",
    ),
    "negative token id": (
        {"token_ids": ints(5, 6, -1)},
        "input 'token_ids' holds -1 at [2], expected 0 to 511",
    ),
    "row with logits": (
        {"logit_rows": ints(1, 3)},
        "input 'logit_rows' holds 3 at [1], expected at least 0 and less than 'tokens', which is 3 here",
    ),
    "starts": (
        {"query_starts": ints(0, 3, 3)},
        "input 'query_starts' holds 3 at [2], expected more than the 3 before it: every sequence of a step has a new token",
    ),
    "positions": (
        {"positions": ints(0, 1, 2)},
        "input 'positions' holds 2 at [2], expected 0: after the step sequence 1 has 1 tokens ('kv_lengths'), of which "
        "token 2 is number 0",
    ),
    "context": (
        {"kv_lengths": ints(21, 1), "positions": ints(19, 20, 0)},
        "input 'kv_lengths' holds 21 at [0], but the program was compiled for sequences of at most 20 tokens; compile it "
        "with a larger --max-context",
    ),
    "block id": (
        {"block_tables": ints([0, -1, -1], [6, -1, -1])},
        "input 'block_tables' holds 6 at [1, 0], outside the 6 blocks of the cache; expected 0 to 5",
    ),
    "shared block": (
        {"block_tables": ints([4, -1, -1], [4, -1, -1])},
        "input 'block_tables' holds 4 at [0, 0] and [1, 0], but the step writes to this block for sequence 0; only blocks "
        "that were full before it can be in two places",
    ),
    "too many tokens": (
        {"token_ids": ints(*range(5)), "positions": ints(*range(5))},
        "'tokens' is 5, but the program was compiled for at most 4 tokens; compile it with a larger --max-tokens",
    ),
    "too many sequences": (
        {"kv_lengths": ints(1, 1, 1), "query_starts": ints(0, 1, 2, 3), "block_tables": np.zeros((3, 3), np.int32)},
        "'sequences' is 3, but the program was compiled for at most 2 sequences; compile it with a larger --max-sequences",
    ),
    "dtype": (
        {"token_ids": np.array([5, 6, 7])},
        "input 'token_ids' has elements of type int64, expected int32; convert the array",
    ),
    "shape": (
        {"positions": ints([0, 1, 0])},
        "input 'positions' has shape [1, 3], expected 1 dimensions: [tokens]",
    ),
    "misspelled": (
        {"kv_length": ints(2, 1)},
        "'kv_length' is not an input of entry 'step'; did you mean 'kv_lengths'?",
    ),
}


@pytest.mark.parametrize("case", BAD_STEPS)
def test_bad_steps(case, program, file, tmp_path):
    changes, message = BAD_STEPS[case]
    before = program.run("step", first_step())["logits"]
    with pytest.raises(serrano.Error) as error:
        program.run("step", first_step() | changes)
    assert str(error.value) == message
    np.testing.assert_array_equal(program.run("step", first_step())["logits"], before)
    np.savez(tmp_path / "in.npz", **(first_step() | changes))
    command = ["serrano-sim", file, f"--inputs={tmp_path / 'in.npz'}", f"--outputs={tmp_path / 'out.npz'}"]
    tool = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (tool.returncode, tool.stderr) == (1, f"serrano-sim: error: {tmp_path / 'in.npz'}: {message}\n")
    assert not (tmp_path / "out.npz").exists()


def test_full_blocks_are_shared(program):
    """Two sequences that begin with the same eight tokens give the same logits from one block as from two."""
    tokens = np.arange(20, 28, dtype=np.int32)
    for block in (0, 1):
        for start in (0, 4):
            program.run(
                "step",
                {
                    "token_ids": tokens[start : start + 4],
                    "positions": np.arange(start, start + 4, dtype=np.int32),
                    "query_starts": ints(0, 4),
                    "kv_lengths": ints(start + 4),
                    "block_tables": ints([block, -1, -1]),
                    "logit_rows": ints(3),
                },
            )
    both = first_step() | {"positions": ints(8, 9, 8), "kv_lengths": ints(10, 9)}
    shared, own = (
        program.run("step", both | {"block_tables": ints([0, 2, -1], [second, 3, -1])}, check=["races"])["logits"]
        for second in (0, 1)
    )
    np.testing.assert_array_equal(shared, own)
    # They depend on the block: with another one in its place they are others.
    program.run("step", both | {"block_tables": ints([0, 2, -1], [1, 3, -1])})
    other = program.run("step", first_step() | {"block_tables": ints([0, -1, -1], [1, -1, -1])})["logits"]
    assert (other != own).any()


def test_empty_step(program):
    """No sequence: no logits, and nothing of the cache changes."""
    nothing = {name: array[:0] for name, array in first_step().items()} | {"query_starts": ints(0)}
    assert program.run("step", nothing, check=["races", "init"])["logits"].shape == (0, 512)
