"""What is wrong is said in one line, and the program can be used afterwards."""

import os
import subprocess

import numpy as np
import pytest
import serrano


def rename(inputs, name, new):
    return {new if key == name else key: array for key, array in inputs.items()}


def replace(inputs, **arrays):
    return inputs | arrays


BAD_INPUTS = {
    "missing": (
        lambda i: {n: a for n, a in i.items() if n != "attention_mask"},
        "input 'attention_mask' of entry 'main' is missing; expected int64 [batch_size, sequence_length]",
    ),
    "misspelled": (
        lambda i: rename(i, "input_ids", "inputs_ids"),
        "'inputs_ids' is not an input of entry 'main'; did you mean 'input_ids'?",
    ),
    "unknown": (
        lambda i: replace(i, pixels=np.zeros(3)),
        "'pixels' is not an input of entry 'main'; its inputs are input_ids, attention_mask, token_type_ids",
    ),
    "type": (
        lambda i: replace(i, input_ids=i["input_ids"].astype(np.float32)),
        "input 'input_ids' has elements of type float32, expected int64; convert the array",
    ),
    "text": (
        lambda i: replace(i, input_ids=np.array([["a", "b"]])),
        "input 'input_ids' has elements of type <U1, which no entry takes; convert the array",
    ),
    "dimensions": (
        lambda i: replace(i, input_ids=i["input_ids"][0]),
        "input 'input_ids' has shape [9], expected 2 dimensions: [batch_size, sequence_length]",
    ),
    "shape": (
        lambda i: replace(i, attention_mask=i["attention_mask"][:, :8]),
        "input 'attention_mask' has shape [2, 8], expected [batch_size, sequence_length] with sequence_length = 9 as in "
        "the inputs before it",
    ),
    "limit": (
        lambda i: {n: np.tile(a[:1], 4)[:, :33] for n, a in i.items()},
        "'batch_size * sequence_length' is 33, but the program was compiled for at most 32 tokens; compile it with a larger "
        "--max-tokens",
    ),
    "limit together": (
        lambda i: {n: np.tile(a, 2) for n, a in i.items()},
        "'batch_size * sequence_length' is 36, but the program was compiled for at most 32 tokens; compile it with a larger "
        "--max-tokens",
    ),
    "range": (
        lambda i: replace(i, attention_mask=i["attention_mask"] + 2**40),
        f"input 'attention_mask' holds {2**40 + 1} at [0, 0], expected 0 to 1",
    ),
    "mask": (
        lambda i: replace(i, attention_mask=i["attention_mask"] + np.eye(2, 9, 2, dtype=int)),
        "input 'attention_mask' holds 2 at [0, 2], expected 0 to 1",
    ),
    "negative mask": (
        lambda i: replace(i, attention_mask=i["attention_mask"] - np.eye(2, 9, 5, dtype=int) * 2),
        "input 'attention_mask' holds -1 at [0, 5], expected 0 to 1",
    ),
    "name of two lines": (
        lambda i: replace(i, **{"a\nb": np.zeros(3)}),
        "'a\\x0ab' is not an input of entry 'main'; its inputs are input_ids, attention_mask, token_type_ids",
    ),
    "vocabulary": (
        lambda i: replace(i, input_ids=i["input_ids"] + np.eye(2, 9, 2, dtype=int) * 2**40),
        f"input 'input_ids' holds {2**40 + 32} at [0, 2], expected 0 to 63",
    ),
    "negative": (
        lambda i: replace(i, token_type_ids=i["token_type_ids"] - np.eye(2, 9, 3, dtype=int)),
        "input 'token_type_ids' holds -1 at [0, 3], expected 0 to 1",
    ),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_bad_inputs(case, program, file, inputs, tmp_path):
    change, message = BAD_INPUTS[case]
    changed = change(inputs)
    before = program.run("main", inputs)["last_hidden_state"]
    with pytest.raises(serrano.Error) as error:
        program.run("main", changed)
    assert str(error.value) == message
    np.testing.assert_array_equal(program.run("main", inputs)["last_hidden_state"], before)
    if case == "text":  # an archive with it cannot be read at all
        return
    np.savez(tmp_path / "in.npz", **changed)
    command = ["serrano-sim", file, f"--inputs={tmp_path / 'in.npz'}", f"--outputs={tmp_path / 'out.npz'}"]
    tool = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (tool.returncode, tool.stderr) == (1, f"serrano-sim: error: {tmp_path / 'in.npz'}: {message}\n")
    assert not (tmp_path / "out.npz").exists()


def test_names_that_are_not_utf8(file, tmp_path):
    """Messages are UTF-8 whatever names are in them."""
    folder = os.fsencode(tmp_path) + b"/dir\xff"
    for command in (["serrano-compile", "-o", tmp_path / "out.srn"], ["serrano-sim"]):
        run = subprocess.run([*command, folder], capture_output=True, check=False)
        assert run.returncode == 1 and b"/dir\\xff: cannot" in run.stderr
    with pytest.raises(serrano.Error) as error:
        serrano.compile(folder)
    assert str(error.value) == f"{tmp_path}/dir\\xff: cannot open: no such file or directory"


def test_outputs_do_not_replace_what_is_read(file, inputs, tmp_path):
    path = tmp_path / "in.npz"
    np.savez(path, **inputs)
    before = path.read_bytes()
    (tmp_path / "link.npz").symlink_to(path)
    for flags in ([f"--outputs={path}"], [f"--outputs={tmp_path / 'link.npz'}"], [f"--stats={file}"], ["--stats=x", "--trace=x"]):
        run = subprocess.run(
            ["serrano-sim", file, f"--inputs={path}", *flags], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert run.returncode == 1 and "name another file" in run.stderr and run.stderr.count("\n") == 1
    assert path.read_bytes() == before


def test_compiling_is_quiet(model, options, tmp_path, monkeypatch):
    """Progress, which work that takes long shows, is for terminals only."""
    asked = []
    compiled = serrano._serrano.compile
    monkeypatch.setattr(serrano._serrano, "compile", lambda o: (asked.append(o.quiet), compiled(o)))
    serrano.compile(model, output=tmp_path / "out.srn", **options)
    assert asked == [True]


def test_unknown_entry_and_check(program, inputs):
    with pytest.raises(serrano.Error, match=r"no entry 'step'; the entries are main$"):
        program.run("step", inputs)
    with pytest.raises(serrano.Error, match=r"^unknown check 'race'; the checks are races, init$"):
        program.run("main", inputs, check=["race"])


def damaged(contents: bytes) -> bytes:
    """One bit of the manifest is another."""
    middle = contents.index(b'"entries"') + 100
    return contents[:middle] + bytes([contents[middle] ^ 1]) + contents[middle + 1 :]


@pytest.mark.parametrize("change", [lambda c: b"", lambda c: c[:1000], lambda c: c[:-1], damaged, lambda c: b"PK" + c[2:]])
def test_damaged_program(change, file, tmp_path):
    path = tmp_path / "damaged.srn"
    path.write_bytes(change(file.read_bytes()))
    with pytest.raises(serrano.Error) as error:
        serrano.load(path)
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


def test_damaged_weights(file, inputs, tmp_path):
    """Whichever piece of the weights it is, the run that uses it says so, and others are not harmed."""
    contents, path = file.read_bytes(), tmp_path / "damaged.srn"
    np.savez(tmp_path / "in.npz", **inputs)
    table = subprocess.run(["serrano-objdump", "--sections", file], capture_output=True, text=True, check=True).stdout
    sections = [line.split() for line in table.splitlines() if " of the file" in line]
    assert sections
    for name, _, size, _, offset, *_ in sections:
        changed = bytearray(contents)
        changed[int(offset, 16) + int(size) // 2] ^= 4
        path.write_bytes(changed)
        program = serrano.load(path)
        with pytest.raises(serrano.Error) as error:
            program.run("main", inputs)
        assert str(error.value).startswith(f"{path}: fault at ") and "\n" not in str(error.value)
        assert ": the file is damaged: bytes " in str(error.value) and f" of weights '{name}'" in str(error.value)
        command = ["serrano-sim", path, f"--inputs={tmp_path / 'in.npz'}", f"--outputs={tmp_path / 'out.npz'}"]
        tool = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (tool.returncode, tool.stderr) == (1, f"serrano-sim: error: {error.value}\n")
        assert not (tmp_path / "out.npz").exists()


def test_missing_files(tmp_path):
    for load in (serrano.load, serrano.compile):
        with pytest.raises(serrano.Error) as error:
            load(tmp_path / "nothing")
        assert str(error.value) == f"{tmp_path / 'nothing'}: cannot open: no such file or directory"


@pytest.mark.parametrize(
    "options, message",
    [
        ({"target": "serrano-2"}, r"target 'serrano-2': expected one of .*; did you mean 'serrano-1'\?"),
        ({"precision": "fp32"}, r"precision.*fp32.*f32.*bf16"),
        ({"target": "serrano-tiny", "max_tokens": 4096}, r"compile for fewer tokens.*--max-tokens"),
    ],
)
def test_bad_options(options, message, model, tmp_path):
    output = tmp_path / "out.srn"
    with pytest.raises(serrano.Error, match=message) as error:
        serrano.compile(model, output=output, **options)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [0, 100, 100_000])
def test_damaged_model(length, model, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(model.read_bytes()[:length])
    with pytest.raises(serrano.Error) as error:
        serrano.compile(path, output=tmp_path / "out.srn")
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)
    assert not (tmp_path / "out.srn").exists()
