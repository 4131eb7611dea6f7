"""Time to first token and per output token, as functions of lengths: what predictions of the same lengths say."""

import json
import subprocess

import numpy as np
import onnx
import pytest
import serrano
import tiny_encoder

LIMITS = {"max_tokens": 32, "max_context": 256, "max_sequences": 6}


@pytest.fixture(scope="module")
def model(models):
    return models / "tiny" / "llama-dynamo18" / "model.onnx"


@pytest.fixture(scope="module", params=["serrano-1", "serrano-edge"])
def file(request, model, tmp_path_factory):
    path = tmp_path_factory.mktemp("latency") / "program.srn"
    serrano.compile(model, output=path, target=request.param, **LIMITS)
    return path


@pytest.fixture(scope="module")
def program(file):
    return serrano.load(file)


@pytest.fixture(scope="module")
def latency(program):
    return program.latency()


def cycles_at(function: dict, length: float) -> float:
    lengths, cycles = zip(*function["knots"])
    return float(np.interp(length, lengths, cycles))


def check(function: dict, length: int, exact: int):
    assert cycles_at(function, length) == pytest.approx(exact, rel=function["largest_error"]), length


def test_knots_are_exact(program, latency):
    for tokens, cycles in latency["first_token"]["knots"]:
        assert program.predict("step", [(tokens, tokens)])["cycles"] == cycles
    for context, cycles in latency["prompt_step"]["knots"]:
        assert program.predict("step", [(LIMITS["max_tokens"], context)])["cycles"] == cycles
    for function in latency["output_token"]:
        for context, cycles in function["knots"]:
            assert program.predict("step", [(1, context)] * function["sequences"])["cycles"] == cycles


def test_functions_reach_over_all_lengths(latency):
    assert latency["step_tokens"] == LIMITS["max_tokens"] and latency["longest"] == LIMITS["max_context"]
    assert [function["sequences"] for function in latency["output_token"]] == [1, 4, 6]
    functions = (latency["first_token"], latency["prompt_step"], *latency["output_token"])
    ends = [(f["knots"][0][0], f["knots"][-1][0]) for f in functions]
    assert ends == [(1, 32), (32, 256), (1, 256), (1, 256), (1, 256)]


def test_functions_are_as_near_as_they_say(program, latency):
    """At every length between their knots."""
    for tokens in range(1, LIMITS["max_tokens"] + 1):
        check(latency["first_token"], tokens, program.predict("step", [(tokens, tokens)])["cycles"])
    for function in latency["output_token"]:
        for context in range(1, LIMITS["max_context"] + 1):
            exact = program.predict("step", [(1, context)] * function["sequences"])["cycles"]
            check(function, context, exact)


@pytest.mark.parametrize("target", ["serrano-1", "serrano-edge"])
def test_functions_of_more_blocks_are_as_near_as_they_say(model, target):
    """With more blocks of the cache, steps of the softmax and tiles of a prompt than a function has knots."""
    program = serrano.compile(model, target=target, max_tokens=200, max_context=1000, max_sequences=9)
    latency, random = program.latency(), np.random.default_rng(0)
    for tokens in random.integers(1, 201, 50).tolist():
        check(latency["first_token"], tokens, program.predict("step", [(tokens, tokens)])["cycles"])
    for function in latency["output_token"]:
        assert len(function["knots"]) < 50
        # Also where blocks begin, and steps of the softmax with them.
        blocks = [128 * block + 1 + after for block in range(1, 8) for after in (0, 1)]
        for context in random.integers(1, 1001, 30).tolist() + blocks:
            check(function, context, program.predict("step", [(1, context)] * function["sequences"])["cycles"])


def test_steps_of_a_long_prompt_add_up(program, file, latency):
    """As the table of `serrano-sim --latency` says it, for a prompt of as many tokens as a sequence can have."""
    whole, steps = LIMITS["max_context"], range(32, LIMITS["max_context"] + 1, LIMITS["max_tokens"])
    exact = sum(program.predict("step", [(LIMITS["max_tokens"], end)])["cycles"] for end in steps)
    found = sum(cycles_at(latency["prompt_step"], end) for end in steps)
    assert found == pytest.approx(exact, rel=latency["prompt_step"]["largest_error"])
    table = subprocess.run(["serrano-sim", file, "--latency"], check=True, capture_output=True, text=True).stdout
    last = [line.split() for line in table.splitlines() if line.startswith(f"{whole} ")][0]
    assert float(last[1]) == pytest.approx(found / latency["cycles_per_second"] * 1e3, abs=6e-4)


@pytest.mark.parametrize("tokens, context", [(16, 1000), (16, 4096), (64, 8192)])
def test_steps_of_long_prompts_are_as_near_as_they_say(model, tokens, context):
    """At multiples of max_tokens between the knots: steps of the softmax and blocks of keys begin there too.

    What is said comes from a sample of the multiples, so others may be off by somewhat more.
    """
    program = serrano.compile(model, target="serrano-1", max_tokens=tokens, max_context=context, max_sequences=1)
    function = program.latency()["prompt_step"]
    ends = range(tokens, context + 1, tokens)
    # 640 keys are a step of the softmax.
    behind = [-(-(640 * step + 1) // tokens) * tokens for step in range(1, context // 640 + 1)]
    for end in np.random.default_rng(1).choice(ends, min(40, len(ends)), replace=False).tolist() + behind:
        if end <= context:
            exact = program.predict("step", [(tokens, end)])["cycles"]
            assert cycles_at(function, end) == pytest.approx(exact, rel=1.25 * function["largest_error"]), end
    few = len(ends) <= 62
    assert (function["largest_error"] == 0) == few
    assert few or len(function["knots"]) < len(ends) / 2


def test_the_report_of_a_compilation_has_them(model, tmp_path):
    program = serrano.compile(model, target="serrano-edge", report=tmp_path / "report.json", **LIMITS)
    assert json.loads((tmp_path / "report.json").read_text())["latency"] == program.latency()


def test_an_encoder_has_none(tmp_path):
    onnx.save(tiny_encoder.make_model(), tmp_path / "encoder.onnx")
    program = serrano.compile(tmp_path / "encoder.onnx", report=tmp_path / "report.json", max_tokens=32)
    assert "latency" not in json.loads((tmp_path / "report.json").read_text())
    with pytest.raises(serrano.Error, match="entry 'main' has no cache, and so no first token; its time is a function of"):
        program.latency("main")


@pytest.mark.parametrize(
    "option, message",
    [
        ("--lengths=1@2", "--latency predicts steps of its own; leave out --lengths"),
        ("--predict", "--latency predicts steps of its own; leave out --predict"),
        ("--check=races", "--latency computes nothing; leave out --check"),
        ("--break=0", "--latency computes nothing; leave out --break"),
    ],
)
def test_bad_commands(file, option, message):
    found = subprocess.run(["serrano-sim", file, "--latency", option], capture_output=True, text=True)
    assert found.returncode == 1
    assert found.stderr == f"serrano-sim: error: {message}\n"
