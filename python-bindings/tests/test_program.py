"""Compiling, loading and running from Python."""

import json
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import serrano


def test_entries(program):
    assert list(program.entries) == ["main"]
    entry = program.entries["main"]
    # A vocabulary of 64, two types of tokens, and a mask of 0 and 1.
    ids, bits = (serrano.Operand(np.dtype(np.int64), ("batch_size", "sequence_length"), below) for below in ("64", "2"))
    assert entry.inputs == {"input_ids": ids, "attention_mask": bits, "token_type_ids": bits}
    hidden = serrano.Operand(np.dtype(np.float32), ("batch_size", "sequence_length", "32"))
    assert entry.outputs == {"last_hidden_state": hidden}
    assert entry.limits == {"batch_size": 32, "sequence_length": 32}
    assert program.target["name"] == "serrano-edge"


def test_outputs(program, inputs):
    outputs = program.run("main", inputs)
    assert list(outputs) == ["last_hidden_state"]
    hidden = outputs["last_hidden_state"]
    assert (hidden.shape, hidden.dtype) == ((2, 9, 32), np.float32)
    assert hidden.flags.writeable and np.isfinite(hidden).all()
    assert outputs.statistics is None


def test_outputs_outlive_their_program(file, inputs):
    program = serrano.load(file)
    first = program.run("main", inputs)["last_hidden_state"]
    kept = first.copy()
    program.run("main", {name: array[:1] for name, array in inputs.items()})
    del program
    np.testing.assert_array_equal(first, kept)


def test_same_as_the_tool(program, model, options, file, inputs, tmp_path):
    """The tools give the same program, outputs and costs."""
    tool_file = tmp_path / "tool.srn"
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    subprocess.run(["serrano-compile", model, "-o", tool_file, *flags], check=True)
    assert tool_file.read_bytes() == file.read_bytes()
    paths = [tmp_path / name for name in ("in.npz", "out.npz", "stats.json", "trace.json")]
    np.savez(paths[0], **inputs)
    flags = ["--inputs", "--outputs", "--stats", "--trace"]
    command = ["serrano-sim", file, "--entry=main", *(f"{flag}={path}" for flag, path in zip(flags, paths))]
    subprocess.run(command, check=True, capture_output=True)
    trace = tmp_path / "python.json"
    outputs = program.run("main", inputs, check=["races", "init"], stats=True, trace=trace)
    np.testing.assert_array_equal(outputs["last_hidden_state"], np.load(paths[1])["last_hidden_state"])
    assert outputs.statistics == json.loads(paths[2].read_text())
    assert outputs.statistics["cycles"] > 0
    assert trace.read_bytes() == paths[3].read_bytes()


def test_program_without_a_file(model, options, program, inputs):
    unnamed = serrano.compile(model, **options)
    again = serrano.compile(model, **options)
    del again
    np.testing.assert_array_equal(
        unnamed.run("main", inputs)["last_hidden_state"], program.run("main", inputs)["last_hidden_state"]
    )


@pytest.mark.parametrize(
    "change",
    [np.ndarray.tolist, np.asfortranarray, lambda a: a.astype(">i8"), lambda a: np.repeat(a, 2, axis=1)[:, ::2]],
    ids=["list", "columns first", "big-endian", "strided"],
)
def test_any_layout(change, program, inputs):
    changed = program.run("main", {name: change(array) for name, array in inputs.items()})
    np.testing.assert_array_equal(
        changed["last_hidden_state"], program.run("main", inputs)["last_hidden_state"]
    )


def test_threads_take_turns(program, inputs):
    expected = program.run("main", inputs)["last_hidden_state"]
    results = [None] * 4

    def work(index):
        results[index] = program.run("main", inputs)["last_hidden_state"]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("work", ["run", "compile"])
def test_others_work_meanwhile(work, program, model, options, inputs):
    """The GIL is free: this thread counts while the other is in the extension.

    The interpreter does not switch threads by itself here, so that the count stands still unless the other thread lets go.
    """
    counts, count = [], 0

    def other():
        counts.append(count)
        # Once can be over before a busy machine wakes the counting thread.
        for _ in range(50):
            program.run("main", inputs) if work == "run" else serrano.compile(model, **options)
        counts.append(count)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        thread = threading.Thread(target=other)
        thread.start()
        while thread.is_alive():
            count += 1
            time.sleep(0)
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert counts[1] > counts[0] + 1


def test_remarks_say_what_bounds_each_operator(model, options, tmp_path):
    serrano.compile(model, search="cycles", remarks=tmp_path / "remarks.yaml", **options)
    text = (tmp_path / "remarks.yaml").read_text()
    assert {"tile-report-bounds", "choose-tiling"} <= set(re.findall(r"^Pass: +(.+)$", text, re.MULTILINE))
    with pytest.raises(serrano.Error, match="absent"):
        serrano.compile(model, remarks=tmp_path / "absent" / "remarks.yaml", **options)
