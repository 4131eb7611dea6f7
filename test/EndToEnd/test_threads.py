"""Compiled programs on several threads of the host: the same bits, and the same statistics, come out."""

import numpy as np
import onnx
import pytest
import serrano
import tiny_encoder

THREADS = [2, 3, 8]
TARGETS = ["serrano-1", "serrano-edge", "serrano-tiny"]


def outcome(outputs: serrano.Outputs) -> tuple[dict[str, bytes], object]:
    return {name: array.tobytes() for name, array in outputs.items()}, outputs.statistics


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
    expected = outcome(program.run("main", inputs, stats=True, threads=1))
    for threads in THREADS:
        for check in ((), ("races", "init")):
            found = outcome(program.run("main", inputs, stats=True, threads=threads, check=check))
            assert found == expected, (threads, check)


@pytest.mark.parametrize("name", ["gpt2-optimum", "llama-dynamo18", "qwen2-genai"])
@pytest.mark.parametrize("target", TARGETS)
def test_decoder(name, target, models, tmp_path):
    """A prompt in two parts and another one, in three steps."""
    limits = {"max_tokens": 4, "max_context": 64, "max_sequences": 3}
    program = serrano.compile(
        models / "tiny" / name / "model.onnx", output=tmp_path / "m.srn", target=target, precision="bf16", **limits
    )

    def steps(threads: int) -> list[object]:
        llm = serrano.LLM(program)
        random = np.random.default_rng(0)
        first, second = llm.open(), llm.open()
        results = []
        for batch in [[(first, 3)], [(second, 3), (first, 1)], [(first, 2), (second, 1)]]:
            tokens = [(s, random.integers(0, llm.vocabulary, n).tolist()) for s, n in batch]
            results.append(llm.step(tokens, stats=True, threads=threads).tobytes())
            results.append(llm.last_statistics)
        return results

    expected = steps(1)
    for threads in THREADS:
        assert steps(threads) == expected, threads


@pytest.mark.parametrize("threads", [0, 65, -1])
def test_refuses_numbers(threads, tmp_path):
    onnx.save(tiny_encoder.make_model(), tmp_path / "model.onnx")
    program = serrano.compile(tmp_path / "model.onnx", target="serrano-tiny", max_tokens=32)
    with pytest.raises(serrano.Error, match=f"threads is {threads}, expected 1 to 64"):
        program.run("main", {}, threads=threads)


def test_refuses_text(tmp_path):
    onnx.save(tiny_encoder.make_model(), tmp_path / "model.onnx")
    program = serrano.compile(tmp_path / "model.onnx", target="serrano-tiny", max_tokens=32)
    with pytest.raises(serrano.Error, match="threads is 'two'; expected a whole number"):
        program.run("main", {}, threads="two")


def test_refuses_the_environment(tmp_path, monkeypatch):
    onnx.save(tiny_encoder.make_model(), tmp_path / "model.onnx")
    program = serrano.compile(tmp_path / "model.onnx", target="serrano-tiny", max_tokens=32)
    ids = np.ones((1, 2), np.int64)
    inputs = {name: ids for name in program.entries["main"].inputs}
    monkeypatch.setenv("SERRANO_THREADS", "all")
    with pytest.raises(serrano.Error, match="SERRANO_THREADS is 'all'; expected a number of threads, 1 to 64"):
        program.run("main", inputs)
    program.run("main", inputs, threads=2)
