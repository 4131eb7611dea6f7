"""How fast the simulator is on this machine, beside ONNX Runtime on the same model in the same run."""

import functools
import os
import pathlib
import subprocess
import time
from collections.abc import Callable

import commands
import llama_block
import minilm
import numpy as np
import onnx
import onnxruntime
import serrano
import smollm2
from figures import Measurement, Promise

PREFILL_TOKENS = 128
CONTEXT_TOKENS = 64
DECODED_TOKENS = 16
ROUNDS = 5
START_ROUNDS = 20
# As many for the simulator as for ONNX Runtime.
THREADS = min(len(os.sched_getaffinity(0)), 16)


@functools.cache
def _session(model: pathlib.Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(model, options)


def _ratio(ours: Callable[[], None], theirs: Callable[[], None]) -> float:
    """Their seconds over ours; the least of some rounds in turn."""
    seconds = {ours: [], theirs: []}
    for _ in range(ROUNDS):
        for run, times in seconds.items():
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    return min(seconds[theirs]) / min(seconds[ours])


class _OnnxDecoder:
    """SmolLM2 with a cache of its own, as ONNX Runtime runs it."""

    def __init__(self) -> None:
        self._session = _session(smollm2.model_file())
        self._past = [a for a in self._session.get_inputs() if a.name.startswith("past")]
        self._outputs = [a.name for a in self._session.get_outputs()]
        self.reset()

    def reset(self) -> None:
        self._cache = [np.zeros((1, a.shape[1], 0, a.shape[3]), np.float32) for a in self._past]

    def step(self, tokens: list[int]) -> None:
        past = self._cache[0].shape[2]
        feed = {
            "input_ids": np.array([tokens]),
            "attention_mask": np.ones((1, past + len(tokens)), np.int64),
            "position_ids": np.arange(past, past + len(tokens))[None],
        }
        feed |= {a.name: value for a, value in zip(self._past, self._cache)}
        results = dict(zip(self._outputs, self._session.run(None, feed)))
        self._cache = [results[a.name.replace("past_key_values", "present")] for a in self._past]


def smollm2_ratios(folder: pathlib.Path) -> list[float]:
    """Decoding and a prompt, with the chip's timing."""
    file, _ = smollm2.compiled(folder, "bf16")
    model = serrano.LLM(serrano.load(file))
    peer = _OnnxDecoder()
    tokens = smollm2.evaluated_tokens(PREFILL_TOKENS)

    def prefill_here() -> None:
        sequence = model.open()
        model.step([(sequence, tokens)], stats=True, threads=THREADS)
        model.close(sequence)

    def prefill_there() -> None:
        peer.reset()
        peer.step(tokens)

    prefill = _ratio(prefill_here, prefill_there)
    sequence = model.open()
    model.step([(sequence, tokens[:CONTEXT_TOKENS])])
    peer.reset()
    peer.step(tokens[:CONTEXT_TOKENS])

    def decode(step: Callable[[list[int]], object]) -> None:
        for token in tokens[:DECODED_TOKENS]:
            step([token])

    decoding = _ratio(
        lambda: decode(lambda t: model.step([(sequence, t)], stats=True, threads=THREADS)),
        lambda: decode(peer.step),
    )
    return [decoding, prefill]


def minilm_ratio(folder: pathlib.Path) -> list[float]:
    model = minilm.model_file()
    file = folder / "minilm-speed.srn"
    serrano.compile(model, output=file, precision="bf16")
    program, session = serrano.load(file), _session(model)
    ids = np.random.default_rng(0).integers(1000, 30000, (1, PREFILL_TOKENS))
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}

    def here() -> None:
        program.run("main", inputs, stats=True, threads=THREADS)

    return [_ratio(here, lambda: session.run(None, inputs))]


def start_milliseconds(folder: pathlib.Path) -> list[float]:
    """The whole process serrano-sim, which looks a row up in a table of 268 MB and multiplies it by 128 columns.

    It executes 48 instructions in microseconds, so this is the time to the first one and what comes after it.
    """
    rows, hidden = 131072, 1024
    table = np.random.default_rng(0).standard_normal((rows, hidden), np.float32)
    helper = onnx.helper
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "ids"], ["x"]), helper.make_node("MatMul", ["x", "projection"], ["y"])],
        "lookup",
        [helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, ["batch", "tokens"])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", "tokens", 128])],
        [
            onnx.numpy_helper.from_array(table, "table"),
            onnx.numpy_helper.from_array(np.ones((hidden, 128), np.float32), "projection"),
        ],
    )
    model, program, inputs = folder / "lookup.onnx", folder / "lookup.srn", folder / "lookup.npz"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), model)
    commands.compile_model(model, program, "--precision=bf16")
    np.savez(inputs, ids=np.array([[7]]))
    command = ["serrano-sim", program, f"--inputs={inputs}", f"--stats={folder / 'lookup.json'}"]
    seconds = []
    for _ in range(START_ROUNDS):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return [1000 * min(seconds)]


def checks_slowdown(folder: pathlib.Path) -> list[float]:
    """A decoding step with all checks over one without."""
    file, _ = smollm2.compiled(folder, "bf16")
    model = serrano.LLM(serrano.load(file))
    sequence = model.open()
    model.step([(sequence, smollm2.evaluated_tokens(CONTEXT_TOKENS))])

    def step(check: tuple[str, ...]) -> None:
        for _ in range(4):
            model.step([(sequence, [1])], stats=True, check=check)

    return [_ratio(lambda: step(()), lambda: step(("races", "init")))]


def llama_block_seconds(folder: pathlib.Path) -> list[float]:
    """CPU time of the compiler and of the simulator on a block of 64 tokens: whole processes, the larger of f32 and bf16."""
    model, inputs, stats = folder / "llama-block.onnx", folder / "llama-block.npz", folder / "llama-block.json"
    sizes = llama_block.Sizes()
    onnx.save(llama_block.make_model(sizes), model)
    x = np.random.default_rng(0).standard_normal((1, sizes.tokens, sizes.hidden), np.float32)
    np.savez(inputs, x=x)
    (expected,) = _session(model).run(None, {"x": x})
    compiled, simulated = [], []
    for precision, tolerance in (("f32", 1e-4), ("bf16", 0.1)):
        program, outputs = folder / f"llama-block-{precision}.srn", folder / f"llama-block-{precision}.npz"
        compiled.append(commands.compile_model(model, program, f"--precision={precision}").cpu_seconds)
        run = commands.run(
            "serrano-sim", program, f"--inputs={inputs}", f"--outputs={outputs}", f"--stats={stats}"
        )
        simulated.append(run.cpu_seconds)
        if not np.allclose(np.load(outputs)["y"], expected, rtol=0, atol=tolerance):
            raise commands.CommandFailed(f"the block's result in {precision} is not ONNX Runtime's")
    return [max(compiled), max(simulated)]


def trace_slowdown(folder: pathlib.Path) -> list[float]:
    """A decoding step that writes a trace over one that does not."""
    file, _ = smollm2.compiled(folder, "bf16")
    model = serrano.LLM(serrano.load(file))
    sequence = model.open()
    model.step([(sequence, smollm2.evaluated_tokens(CONTEXT_TOKENS))])

    def step(trace: pathlib.Path | None) -> None:
        for _ in range(4):
            model.step([(sequence, [1])], stats=True, trace=trace)

    return [_ratio(lambda: step(None), lambda: step(folder / "trace.json"))]


MEASUREMENTS = [
    Measurement(
        [Promise("sim.smollm2.decode_ratio", "x", ">=", 1.0), Promise("sim.smollm2.prefill_ratio", "x", ">=", 0.5)],
        smollm2_ratios,
    ),
    Measurement([Promise("sim.minilm.ratio", "x", ">=", 0.5)], minilm_ratio),
    Measurement([Promise("sim.start", "ms", "<=", 50)], start_milliseconds),
    Measurement([Promise("sim.checks_slowdown", "x", "<=", 5)], checks_slowdown),
    Measurement([Promise("sim.trace_slowdown", "x", "<=", 1.5)], trace_slowdown),
    Measurement(
        [Promise("sim.llama_block.compile_cpu", "s", "<=", 1), Promise("sim.llama_block.simulate_cpu", "s", "<=", 0.1)],
        llama_block_seconds,
    ),
]
