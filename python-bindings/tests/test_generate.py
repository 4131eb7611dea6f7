"""Sequences in the cache, sampling, and `python -m serrano generate`."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import serrano
import tokenizers

MODEL = pathlib.Path(__file__).parents[2] / "test" / "EndToEnd" / "models" / "tiny" / "llama-dynamo18" / "model.onnx"


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("program") / "decoder.srn"
    serrano.compile(MODEL, output=path, precision="f32", target="serrano-tiny", max_tokens=4, max_sequences=2, max_context=40)
    return path


@pytest.fixture
def program(file) -> serrano.Program:
    return serrano.load(file)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> pathlib.Path:
    """A tokenizer with a token for each byte: most of what the model says are no whole characters."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE({c: i for i, c in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    path = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(str(path / "tokenizer.json"))
    return path


def generate(*arguments, **options):
    command = [sys.executable, "-m", "serrano", "generate", *arguments]
    return subprocess.run(command, capture_output=True, check=False, **options)


def test_models_of_one_program_share_its_cache(program):
    alone = serrano.LLM(program).logits([1, 2, 3, 4])[-1]
    first, second = serrano.LLM(program), serrano.LLM(program)
    a, b = first.open(), second.open()
    first.step([(a, [1, 2, 3])])
    second.step([(b, [7, 8, 9, 10])])
    assert not set(a.blocks) & set(b.blocks)
    np.testing.assert_array_equal(first.step([(a, [4])])[0], alone)


def test_blocks_of_forgotten_sequences_are_free_again(program):
    for _ in range(program.entries["step"].cache.blocks + 1):
        llm = serrano.LLM(program)
        llm.step([(llm.open(), [1])])


def test_sequences_of_other_programs_are_refused(program, file):
    llm, other = serrano.LLM(program), serrano.LLM(serrano.load(file))
    sequence = other.open()
    other.step([(sequence, [1])])
    for use in (lambda: llm.step([(sequence, [2])]), lambda: llm.close(sequence)):
        with pytest.raises(serrano.Error, match="not in the cache of this program"):
            use()
    assert sequence.length == 1 and len(sequence.blocks) == 1


@pytest.mark.parametrize("ids", [[1.7, 2.2], np.array([1.0]), [True], ["a"], [[1, 2]], [[1], [1, 2]], 5])
def test_token_ids_are_integers(ids, program):
    llm = serrano.LLM(program)
    for use in (llm.logits, lambda i: list(llm.generate_ids(i, 1)), lambda i: llm.step([(llm.open(), i)])):
        with pytest.raises(serrano.Error, match="integers"):
            use(ids)


def test_token_ids_from_arrays(program):
    llm = serrano.LLM(program)
    assert list(llm.generate_ids(np.array([1, 2, 3]), 4)) == list(llm.generate_ids([1, 2, 3], 4))


@pytest.mark.parametrize("row", [3, -1, 2**40])
def test_rows_are_of_the_step(row, program):
    llm = serrano.LLM(program)
    with pytest.raises(serrano.Error, match=f"row {row} of the logits"):
        llm.step([(llm.open(), [1, 2, 3])], [row])


def test_what_is_no_program(file):
    with pytest.raises(serrano.Error, match=r"no program; load it with serrano\.load$"):
        serrano.LLM(str(file))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"temperature": -1}, "temperature is -1"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": "hot"}, "temperature is 'hot'"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 0.5}, "seed is 0.5"),
        ({"max_new_tokens": -3}, "max_new_tokens is -3"),
        ({"max_new_tokens": 1.5}, "max_new_tokens is 1.5"),
    ],
)
def test_bad_sampling(options, message, program, folder):
    with pytest.raises(serrano.Error, match=message):
        serrano.LLM(program, folder).generate("a", **options)


def test_lowest_temperature_takes_the_likeliest(program, folder):
    llm = serrano.LLM(program, folder)
    assert list(llm.generate("ab", 6, temperature=1e-320)) == list(llm.generate("ab", 6))


def test_generated_text_and_count(program, file, folder):
    """All bytes are shown in the end, and tokens are counted, not pieces of text."""
    llm = serrano.LLM(program, folder)
    pending = 0
    for count in range(1, 7):
        ids = list(llm.generate_ids(llm.tokenizer.encode("ab"), count))
        text = llm.tokenizer.decode(ids)
        pieces = list(llm.generate("ab", count))
        assert len(pieces) == count and "".join(pieces) == text
        pending += text.endswith("\ufffd")
    assert pending
    run = generate(file, "--tokenizer", folder, "--prompt", "ab", "--max-new-tokens", "6", "--greedy")
    assert run.returncode == 0 and run.stdout.decode() == f"ab{text}\n"
    assert run.stderr.startswith(b"6 tokens; ") and run.stderr.count(b"\n") == 1


def test_end_of_the_context(file, folder):
    run = generate(file, "--tokenizer", folder, "--prompt", "ab", "--max-new-tokens", "60", "--greedy")
    assert run.returncode == 1 and run.stdout.endswith(b"\n")
    assert run.stderr.startswith(b"serrano: error: a sequence of 41 tokens") and run.stderr.count(b"\n") == 1


def damaged(folder, tmp_path, name, contents):
    path = tmp_path / os.fsdecode(b"dir\xff")
    path.mkdir()
    (path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    if contents is None:
        (path / name).unlink()
    else:
        (path / name).write_bytes(contents)
    return path


@pytest.mark.parametrize(
    "name, contents",
    [
        ("tokenizer.json", b"{"),
        ("tokenizer.json", b"\xff\xfe"),
        ("tokenizer.json", b"[]"),
        ("tokenizer.json", None),
        ("tokenizer_config.json", b"{"),
        ("tokenizer_config.json", b"\xff"),
        ("tokenizer_config.json", b"[1]"),
        ("tokenizer_config.json", b'{"eos_token": 3}'),
    ],
)
def test_damaged_tokenizers(name, contents, file, folder, tmp_path):
    path = damaged(folder, tmp_path, name, contents)
    run = generate(file, "--tokenizer", path, "--prompt", "ab")
    assert (run.returncode, run.stdout) == (1, b"")
    start = f"serrano: error: {tmp_path}/dir\\xff"
    assert run.stderr.decode().startswith(start) and run.stderr.count(b"\n") == 1


def test_names_that_are_not_utf8(file, folder, tmp_path):
    path = damaged(folder, tmp_path, "tokenizer_config.json", json.dumps({"eos_token": None}).encode())
    copy = path / os.fsdecode(b"p\xff.srn")
    copy.write_bytes(file.read_bytes())
    run = generate(copy, "--tokenizer", path, "--prompt", "ab", "--max-new-tokens", "1")
    assert run.returncode == 0
    assert serrano.load(os.fsencode(copy)).entries == serrano.load(file).entries
    with pytest.raises(serrano.Error) as error:
        serrano.load(path / "none.srn")
    assert str(error.value) == f"{tmp_path}/dir\\xff/none.srn: cannot open: no such file or directory"


def test_prompts(file, folder):
    arguments = [file, "--tokenizer", folder, "--max-new-tokens", "1", "--prompt"]
    run = generate(*arguments, b"a\xff")
    assert (run.returncode, run.stdout) == (1, b"")
    assert run.stderr == b"serrano: error: the text 'a\\udcff' is not valid Unicode; give it as UTF-8\n"
    run = generate(*arguments, "größe", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert run.returncode == 0 and run.stdout.startswith(b"gr\\xf6\\xdfe")


@pytest.mark.parametrize("option", ["--temperature=-1", "--temperature=nan", "--max-new-tokens=-3", "--seed=-1"])
def test_bad_options_of_generate(option, file, folder):
    run = generate(file, "--tokenizer", folder, "--prompt", "ab", option)
    assert (run.returncode, run.stdout) == (1, b"")
    assert run.stderr.startswith(b"serrano: error: ") and run.stderr.count(b"\n") == 1


@pytest.fixture
def endless(file, folder):
    """A generation that waits for its reader: the prompt is longer than a pipe holds."""
    code = (
        "import sys, serrano, serrano.__main__ as m\n"
        "def pieces(*_, **__):\n"
        "    while True: yield 'x' * 100\n"
        "serrano.LLM.generate = pieces\n"
        "serrano.LLM.last_statistics = property(lambda s: dict(seconds=0, hbm_read_bytes=0, hbm_write_bytes=0), lambda s, v: 0)\n"
        "sys.exit(m.main())\n"
    )
    command = [sys.executable, "-c", code, "generate", file, "--tokenizer", folder, "--prompt", "ab"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.read(2) == b"ab"
        yield process
        process.kill()


def test_interrupt_is_quiet(endless):
    time.sleep(0.2)
    endless.send_signal(signal.SIGINT)
    _, said = endless.communicate(timeout=60)
    assert (endless.returncode, said) == (130, b"")


def test_broken_pipe_is_quiet(endless):
    endless.stdout.close()
    assert endless.stderr.read() == b""
    assert endless.wait(timeout=60) == 1


@pytest.mark.parametrize("option", ["--prompt=ab", "--help"])
def test_full_disk(option, file, folder):
    command = [sys.executable, "-m", "serrano", "generate", file, "--tokenizer", folder, option]
    with open("/dev/full", "w") as full:
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (1, "serrano: error: standard output: cannot write: no space left on device\n")


def test_damaged_weights(file, folder, tmp_path):
    """A weight that a step uses and that the file has damaged ends the text with an error, not with another text."""
    contents = bytearray(file.read_bytes())
    contents[4096 + 100] ^= 1  # Weights begin at the second page.
    damaged = tmp_path / "damaged.srn"
    damaged.write_bytes(contents)
    run = generate(damaged, "--tokenizer", folder, "--prompt", "ab", "--greedy")
    assert (run.returncode, run.stdout) == (1, b"ab\n")
    said = run.stderr.decode()
    assert said.startswith(f"serrano: error: {damaged}: fault at ") and said.count("\n") == 1
    assert ": the file is damaged: bytes 4096 to " in said
    with pytest.raises(serrano.Error, match="the file is damaged: bytes 4096 to "):
        serrano.LLM(serrano.load(damaged)).logits([1, 2])


@pytest.mark.parametrize("name", ["max_tokens", "max_sequences", "max_context"])
@pytest.mark.parametrize("value", [1.5, "4", 2**70])
def test_limits_are_integers(name, value, tmp_path):
    with pytest.raises(serrano.Error, match=f"^{name} is "):
        serrano.compile(MODEL, output=tmp_path / "out.srn", **{name: value})


def test_paths_and_texts_of_other_types(program):
    for use in (lambda: serrano.load(3), lambda: serrano.compile(None), lambda: serrano.compile(MODEL, precision=3)):
        with pytest.raises(serrano.Error, match="no path|expected a string"):
            use()
    with pytest.raises(serrano.Error, match="an input's name is 3"):
        program.run("step", {3: np.zeros(1)})
    with pytest.raises(serrano.Error, match=r"no entry 's\\udc"):
        program.run("s\udcff", {})
