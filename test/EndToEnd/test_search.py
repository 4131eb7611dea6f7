"""What may be chosen for a program changes its time and nothing else, and the search finds what takes less of it.

Times are those of runs that compute, not of the search's own predictions.
"""

import functools
import json
import re
import subprocess
from dataclasses import replace

import llama_block
import numpy as np
import onnx
import pytest
import serrano
import tiny_encoder
from reference import step_inputs

LIMITS = {"max_tokens": 8, "max_sequences": 2, "max_context": 40}
# One at a time, of a decoder: each is another program.
CHOICES = [
    "rows = 3",
    "accumulators = 1",
    "written_units = 64",
    "interleave_gate = 0",
    "pieces = 1",
    "lanes = 2",
    "cache_tiles = 11",
    "values_by_block = 1",
    "query_tokens = 1",
    "accumulators = 2, cache_tiles = 10, pieces = 3, query_tokens = 3, values_by_block = 1",
]
# A core with accumulators to bridge the latency of its vector engine, which the rules know nothing of, and with a fast memory.
SLOW_TARGET = {
    "schema": 1,
    "variant_of": "serrano-tiny",
    "name": "serrano-slow",
    "description": "serrano-tiny with a slow vector engine",
    "vector": {"provenance": "Made up.", "latency_cycles": 2000},
    "storage": {"provenance": "Made up.", "accumulator_bytes": 65536, "scratchpad_bytes": 131072},
    "memory": {"provenance": "Made up.", "hbm_pin_gb_per_s": 64},
}
ENCODER_CHOICES = ["accumulators = 1", "pieces = 2", "encoder_queries = 3", "encoder_lanes = 1"]
# Of equal layers under a causal mask.
LAYER_CHOICES = ["carry_norms = 1", "interleave_gate = 0", "encoder_queries = 3"]


def decode(program):
    """Logits and cycles of a few steps: prompts in chunks of odd sizes, then both sequences together."""
    width = -(-LIMITS["max_context"] // program.entries["step"].cache.block)
    tables = np.arange(2 * width).reshape(2, width)
    steps = [
        ([[1, 2, 3, 4, 5], [6, 7]], [0, 0]),
        ([[8, 9, 10, 11, 12, 13, 14], []], [5, 2]),
        ([[15], [16]], [12, 2]),
        ([[17, 18, 19], [20, 21, 22, 23]], [13, 3]),
    ]
    logits, cycles = [], 0
    for chunks, past in steps:
        rows = [i for i, chunk in enumerate(chunks) if chunk]
        inputs = step_inputs([chunks[i] for i in rows], [past[i] for i in rows], tables[rows])
        outputs = program.run("step", inputs, check=("races", "init"), stats=True)
        logits.append(outputs["logits"].tobytes())
        cycles += outputs.statistics["cycles"]
    return logits, cycles


@pytest.fixture(scope="module")
def llama(models):
    """A decoder, compiled for the smallest target."""
    model = models / "tiny" / "llama-dynamo18" / "model.onnx"

    @functools.cache
    def get(choices="", search="none", target="serrano-tiny"):
        return serrano.compile(model, target=target, precision="f32", search=search, choices=choices, **LIMITS)

    get.model = model
    return get


@pytest.mark.parametrize("choices", CHOICES)
def test_results_do_not_depend_on_choices(llama, choices):
    logits, cycles = decode(llama(choices))
    expected, others = decode(llama())
    assert logits == expected
    assert cycles != others, "the choice changed nothing"


def check_encoder(model, inputs, output, choices):
    results = []
    for chosen in ("", choices):
        program = serrano.compile(
            model, target="serrano-tiny", precision="f32", max_tokens=24, search="none", choices=chosen
        )
        outputs = program.run("main", inputs, check=("races", "init"), stats=True)
        results.append((outputs[output].tobytes(), outputs.statistics["cycles"]))
    assert results[0][0] == results[1][0]
    assert results[0][1] != results[1][1], "the choice changed nothing"


@pytest.mark.parametrize("choices", ENCODER_CHOICES)
def test_embeddings_do_not_depend_on_choices(choices, tmp_path):
    onnx.save(tiny_encoder.make_model(), tmp_path / "encoder.onnx")
    ids = np.random.default_rng(0).integers(0, 20, (2, 12))
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    check_encoder(tmp_path / "encoder.onnx", inputs, "last_hidden_state", choices)


@pytest.mark.parametrize("choices", LAYER_CHOICES)
def test_layers_do_not_depend_on_choices(choices, tmp_path):
    sizes = replace(llama_block.TINY, tokens=None, layers=3)
    onnx.save(llama_block.make_model(sizes, "range", "trilu"), tmp_path / "block.onnx")
    x = np.random.default_rng(0).standard_normal((1, 11, sizes.hidden), np.float32)
    check_encoder(tmp_path / "block.onnx", {"x": x}, "y", choices)


def test_edited_text_is_the_same_program(llama, tmp_path):
    """The module that is chosen for can be written out, edited and lowered by hand."""
    limits = [f"--{name.replace('_', '-')}={value}" for name, value in LIMITS.items()]
    common = ["--target=serrano-tiny", "--precision=f32", *limits]
    edited, flags = "lanes = 1, query_tokens = 2", "target=serrano-tiny precision=f32 max-tokens=8 max-sequences=2 max-context=40"
    subprocess.run(["serrano-compile", llama.model, "--emit=llm", "--locations", "-o", tmp_path / "llm.mlir", *common], check=True)
    chosen = ["serrano-opt", "--llm-outline-layers", f"--choose-tiling={flags} search=true", "--mlir-print-debuginfo", tmp_path / "llm.mlir"]
    text = subprocess.run(chosen, check=True, capture_output=True, text=True).stdout
    assert "query_tokens = " in text and "softmax_blocks = " in text
    text, count = re.subn(r"#tile\.choices<[^>]*>", f"#tile.choices<{edited}>", text)
    assert count == 1
    (tmp_path / "edited.mlir").write_text(text)
    stages = [f"--serrano-tile={flags}", "--serrano-place=target=serrano-tiny", "--serrano-schedule", "--serrano-emit"]
    by_hand = subprocess.run(["serrano-opt", tmp_path / "edited.mlir", *stages], check=True, capture_output=True).stdout.strip()
    command = ["serrano-compile", llama.model, "--emit=isa", "--search=none", f"--choices={edited}", *common]
    assert subprocess.run(command, check=True, capture_output=True).stdout.strip() == by_hand


def remarks_of(command):
    """What `choose-tiling` says: the name of each remark and its metrics."""
    result = subprocess.run([*command, "--remarks-filter=choose-tiling"], check=True, capture_output=True, text=True)
    lines = re.findall(r"\] (\w+) \| Category:choose-tiling \| (.*)", result.stderr)
    return [(name, dict(re.findall(r'(\w+)=("[^"]*"|[^,]*)', metrics))) for name, metrics in lines], result.stdout


def test_search_needs_no_names(tmp_path):
    """The cost of a choice, with layers that are left out of a trial, does not depend on whether operators have names."""
    sizes = replace(llama_block.TINY, tokens=None, layers=6)
    onnx.save(llama_block.make_model(sizes, "range", "trilu"), tmp_path / "block.onnx")
    found = []
    for names in ([], ["--locations"]):
        common = ["--target=serrano-tiny", "--precision=f32", "--max-tokens=16"]
        subprocess.run(["serrano-compile", tmp_path / "block.onnx", "--emit=llm", "-o", tmp_path / "llm.mlir", *common, *names], check=True)
        flags = "target=serrano-tiny precision=f32 max-tokens=16 search=true"
        remarks, text = remarks_of(["serrano-opt", "--llm-outline-layers", f"--choose-tiling={flags}", tmp_path / "llm.mlir"])
        found.append((remarks, re.findall(r"#tile\.choices<[^>]*>", text)))
    assert found[0] == found[1] and len(found[0][1]) == 1
    program = serrano.compile(
        tmp_path / "block.onnx", output=tmp_path / "block.srn", target="serrano-tiny", precision="f32", search="none", max_tokens=16
    )
    runs = [metrics for name, metrics in found[0][0] if name == "Workload"]
    assert len(runs) == 2
    for run in runs:
        whole = program.predict("main", {"seq": int(run["Lengths"].removeprefix("seq="))})
        assert int(run["Cycles"]) == pytest.approx(whole["cycles"], rel=1e-3)
        # What a program of all layers cannot beat, not what three of them cannot, so often.
        roof = max(whole["roof"]["memory_seconds"], whole["roof"]["compute_seconds"])
        assert int(run["Roof"]) == pytest.approx(roof * whole["cycles"] / whole["seconds"], abs=1)


def test_remarks_say_what_was_not_tried(llama, tmp_path):
    """That nothing is better is said only of a choice of which something else was tried."""
    limits = [f"--{name.replace('_', '-')}={value}" for name, value in LIMITS.items()]
    common = ["--target=serrano-tiny", "--precision=f32", *limits]
    subprocess.run(["serrano-compile", llama.model, "--emit=llm", "-o", tmp_path / "llm.mlir", *common], check=True)
    flags = "target=serrano-tiny precision=f32 max-tokens=8 max-sequences=2 max-context=40 search=true"
    remarks, _ = remarks_of(["serrano-opt", "--llm-outline-layers", f"--choose-tiling={flags}", tmp_path / "llm.mlir"])
    untried = ("the search has made as many programs", "no program could take so much less")
    tried, all_of = set(), set()
    for name, metrics in remarks:
        if name == "Alternative":
            all_of.add(metrics["Choice"])
            if not metrics.get("Reason", "").strip('"').startswith(untried):
                tried.add(metrics["Choice"])
    reasons = {metrics["Choice"]: metrics["Reason"].strip('"') for name, metrics in remarks if name == "Choice"}
    assert tried and all_of - tried
    for choice in all_of & reasons.keys():
        expected = "no alternative is known to take less time" if choice in tried else "no alternative was tried: the search"
        assert reasons[choice].startswith(expected), choice
    assert reasons["rows"] == "there is no alternative to try"


def test_choices_that_take_the_room_of_rows_are_warned_of(llama):
    """A choice with which fewer rows fit makes all weights be read several times, which nothing else would say."""
    limits = ["--target=serrano-tiny", "--precision=f32", "--search=none", "--max-tokens=32", "--max-sequences=2", "--max-context=2000"]
    command = ["serrano-compile", llama.model, "--emit=tile", *limits]
    said = [
        subprocess.run([*command, f"--choices={choices}"], check=True, capture_output=True, text=True).stderr
        for choices in ("lanes = 2", "lanes = 1", "lanes = 2, rows = 4")
    ]
    assert said[1:] == ["", ""]
    assert "warning" in said[0] and said[0].endswith(
        ": #tile.choices<lanes = 2> leaves room for 4 rows of features at a time instead of 8, "
        "and all weights are read again for each portion of the rows\n"
    )


@pytest.mark.parametrize("search", ["none", "cycles"])
def test_choices_that_nothing_uses_are_warned_of(llama, tmp_path, search):
    limits = [f"--{name.replace('_', '-')}={value}" for name, value in LIMITS.items()]
    command = ["serrano-compile", llama.model, "--target=serrano-tiny", "--precision=f32", *limits, f"--search={search}"]
    command += ["--emit=tile", "-o", tmp_path / "tile.mlir", "--choices=lanes = 1, encoder_keys = 64"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    assert said.count("warning") == 1 and said.endswith(
        ": #tile.choices<encoder_keys = 64> changes nothing, since no kernel of the model has that to choose; leave it out\n"
    )


def test_search_is_deterministic(llama, tmp_path):
    programs = [tmp_path / "a.srn", tmp_path / "b.srn"]
    for file in programs:
        serrano.compile(llama.model, output=file, target="serrano-tiny", precision="f32", **LIMITS)
    assert programs[0].read_bytes() == programs[1].read_bytes()


def test_search_beats_rules(llama, tmp_path):
    """On a chip that the rules were not made for."""
    (tmp_path / "slow.json").write_text(json.dumps(SLOW_TARGET))
    target = str(tmp_path / "slow.json")
    logits, cycles = decode(llama(search="cycles", target=target))
    expected, by_rule = decode(llama(search="none", target=target))
    assert logits == expected
    assert cycles < 0.97 * by_rule


@pytest.mark.parametrize(
    "choices, error",
    [
        ("lanes = 3", "'lanes' of tile.choices is 3; expected a divisor of the heads"),
        ("cache_tiles = 3", "'cache_tiles' of tile.choices is 3; expected 10 or more"),
        ("accumulators = 3", "'accumulators' is 3; expected a power of two from 1 to 16"),
        ("lane = 1", "'lane' is not a choice; expected one of rows, accumulators"),
        ("carry_norms = 1, rows = 8, pieces = 0", "'pieces' is 0; expected 1 to 16"),
        ("values_by_block = -1", "'values_by_block' is -1; expected 0 to 1"),
        ("cache_tiles = 60", "<cache_tiles = 60> has no room on serrano-tiny, but the model fits without it; choose less"),
    ],
)
def test_impossible_choices_are_refused(llama, choices, error):
    with pytest.raises(serrano.Error, match=re.escape(error)):
        llama(choices)
    with pytest.raises(serrano.Error, match="--search is 'time'; expected cycles or none"):
        llama(search="time")
