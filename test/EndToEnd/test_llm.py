"""The imported and raised modules compute what the ONNX models do.

The modules are run by the reference evaluator, which is written from the operations' descriptions, and compared with ONNX
Runtime. So these tests show that importing, raising, the paged cache and outlining keep the meaning of real exporters' graphs.
"""

import json
import pathlib

import numpy as np
import onnxruntime
import pytest
from reference import compile_llm, evaluate, run_onnx, step_inputs

TINY = sorted(path.name for path in (pathlib.Path(__file__).parent / "models" / "tiny").iterdir())
SMOLLM2 = ["smollm2/optimum", "smollm2/dynamo18", "smollm2/dynamo23", "smollm2/genai-fp32"]


@pytest.mark.parametrize("name", TINY)
def test_recorded_steps(name, models, tmp_path):
    """A prompt, then one token, with the blocks of the cache in another order than the tokens."""
    io = np.load(models / "tiny" / name / "io.npz")
    module = compile_llm(models / "tiny" / name / "model.onnx", tmp_path / "m.mlir")
    prompt, token = io["step0.in.input_ids"][0], io["step1.in.input_ids"][0]
    table = [[3, 1, 2, 0]]
    steps = [step_inputs([prompt], [0], table), step_inputs([token], [len(prompt)], table)]
    for step, outputs in enumerate(evaluate(module, steps, tmp_path)):
        np.testing.assert_allclose(outputs["logits"], io[f"step{step}.out.logits"][0], rtol=0, atol=2e-6)


@pytest.mark.parametrize("outline", [False, True])
@pytest.mark.parametrize("name", TINY)
def test_ragged_steps(name, outline, models, tmp_path):
    """Two sequences longer than any sliding window (32), cut at different places, in one step each time."""
    model = models / "tiny" / name / "model.onnx"
    module = compile_llm(model, tmp_path / "m.mlir", outline)
    session = onnxruntime.InferenceSession(model)
    random = np.random.default_rng(0)
    sequences = [random.integers(0, 512, length) for length in (50, 41)]
    cuts = [(0, 37, 45, 50), (0, 3, 40, 41)]
    tables = np.arange(40).reshape(20, 2).T[:, ::-1]
    chunks = [[s[c[k] : c[k + 1]] for s, c in zip(sequences, cuts)] for k in range(3)]
    steps = [step_inputs(chunks[k], [c[k] for c in cuts], tables) for k in range(3)]
    outputs = evaluate(module, steps, tmp_path)
    for index, (sequence, cut) in enumerate(zip(sequences, cuts)):
        parts = [np.split(outputs[k]["logits"], [len(chunks[k][0])])[index] for k in range(3)]
        np.testing.assert_allclose(np.concatenate(parts), run_onnx(session, sequence), rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", SMOLLM2)
def test_smollm2(name, checkpoint, models, tmp_path):
    """The start of a prompt in two chunks; only the rows asked for come out."""
    module = compile_llm(checkpoint(name) / "model.onnx", tmp_path / "m.mlir", outline=True)
    recorded = json.loads((models / "smollm2" / "prompts.json").read_text())["prompts"][0]
    prompt = (recorded["prompt_ids"] + recorded["new_ids"])[:24]
    expected = run_onnx(onnxruntime.InferenceSession(checkpoint("smollm2/optimum") / "model.onnx"), prompt)
    table = [np.arange(8)]
    steps = [step_inputs([prompt[:19]], [0], table), step_inputs([prompt[19:]], [19], table, [4])]
    first, second = evaluate(module, steps, tmp_path)
    np.testing.assert_allclose(first["logits"], expected[:19], rtol=0, atol=2e-4)
    np.testing.assert_allclose(second["logits"], expected[23:], rtol=0, atol=2e-4)


@pytest.mark.parametrize("outline", [False, True])
@pytest.mark.parametrize("name", ["minilm/optimum", "minilm/dynamo23"])
def test_minilm(name, outline, checkpoint, tmp_path):
    """Two sentences, one of them padded."""
    folder = checkpoint(name)
    module = compile_llm(folder / "model.onnx", tmp_path / "m.mlir", outline)
    ids = np.array([[101, 7592, 2088, 102, 0, 0], [101, 2023, 2003, 1037, 3231, 102]])
    feed = {"input_ids": ids, "attention_mask": np.int64(ids > 0), "token_type_ids": np.zeros_like(ids)}
    expected = onnxruntime.InferenceSession(folder / "model.onnx").run(None, feed)[0]
    (outputs,) = evaluate(module, [feed], tmp_path)
    np.testing.assert_allclose(outputs["last_hidden_state"], expected, rtol=0, atol=2e-5)
