"""How near the compiled programs come to the roof of their target: the bound of tools/roofline over the predicted time."""

import dataclasses
import functools
import pathlib
import sys
import time
from collections.abc import Callable, Mapping

import commands
import llama_block
import minilm
import numpy as np
import onnx
import overlap
import serrano
import shaped_llama
import smollm2
from figures import Measurement, Promise

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bounds"))

from accounting import Model  # noqa: E402
from errors import BoundError  # noqa: E402
from hardware import load_hardware  # noqa: E402
from lengths import parse_lengths  # noqa: E402
from roofline import Bound, bound  # noqa: E402

TARGETS = {"edge": "serrano-edge", "serrano1": "serrano-1"}  # by their part of a figure's name
# Tokens of the 16 sequences that decode together.
MIXED_CONTEXTS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 640, 768, 1024, 1280, 1536, 2048)
STEPS = {
    "decode_128": "1@128",
    "decode_1024": "1@1024",
    "decode_8192": "1@8192",
    "decode_16_sequences": ",".join(f"1@{context}" for context in MIXED_CONTEXTS),
    "prefill_512": "512@512",
    "mixed": "8x1@1024,256@256",
}
# The steps that a run is compared with too.
CHECKED_STEPS = ("decode_128", "mixed")
LIMITS = {"max_tokens": 512, "max_sequences": 16, "max_context": 8192}
MINILM_SIZES = {"batch_size": 32, "sequence_length": 128}
# 16 sequences of 8 billion weights' keys and values, and the weights, are more than the edge target's 32 GB.
LARGE_LIMITS = LIMITS | {"max_sequences": 8}
# Two layers are run too.
TWO_LAYERS_LIMITS = {"max_tokens": 64, "max_sequences": 2, "max_context": 2048}
TWO_LAYERS_STEPS = ("1@1024", "32@32", "1@700,16@48")
LARGE_STEPS = {"decode_1024": "1@1024", "prefill_512": "512@512"}


@functools.cache
def _graph(model: pathlib.Path) -> Model:
    return Model(model)


def _bound(model: pathlib.Path, lengths: str, target: str) -> Bound:
    try:
        work = _graph(model).work(parse_lengths(lengths), "bf16")
        return bound(work, load_hardware(target, cores=1), "bf16")
    except BoundError as error:
        raise commands.CommandFailed(str(error)) from None


@functools.cache
def _program(model: pathlib.Path, folder: pathlib.Path, target: str, limits: tuple[tuple[str, int], ...]) -> serrano.Program:
    file = folder / f"roof-{model.parent.name}-{target}.srn"
    options = [f"--{name.replace('_', '-')}={value}" for name, value in limits]
    commands.compile_model(model, file, f"--target={target}", "--precision=bf16", *options)
    return serrano.load(file)


def _sequences(lengths: str) -> list[tuple[int, int]]:
    return [(s.new, s.context) for s in parse_lengths(lengths).sequences]


def _run(program: serrano.Program, sequences: list[tuple[int, int]]) -> dict:
    """What a step costs when it is computed: of tokens 1, over a cache of zeros."""
    cache = program.entries["step"].cache
    tables = np.zeros((len(sequences), -(-cache.context // cache.block)), np.int32)
    used = 0
    for table, (_, context) in zip(tables, sequences):
        blocks = -(-context // cache.block)
        table[:blocks] = np.arange(used, used + blocks)
        used += blocks
    starts = np.cumsum([0] + [new for new, _ in sequences]).astype(np.int32)
    inputs = {
        "token_ids": np.ones(starts[-1], np.int32),
        "positions": np.concatenate([np.arange(c - n, c) for n, c in sequences]).astype(np.int32),
        "query_starts": starts,
        "kv_lengths": np.array([c for _, c in sequences], np.int32),
        "block_tables": tables,
        "logit_rows": starts[1:] - 1,
    }
    return program.run("step", inputs, stats=True).statistics


def _bytes(statistics: Mapping[str, float]) -> float:
    return statistics["hbm_read_bytes"] + statistics["hbm_write_bytes"] + statistics["instruction_fetch_bytes"]


def smollm2_step(step: str, target: str, folder: pathlib.Path) -> list[float]:
    """Bound over time, and bytes moved over bytes that must move."""
    model = smollm2.model_file()
    program = _program(model, folder, target, tuple(LIMITS.items()))
    statistics = program.predict("step", _sequences(STEPS[step]))
    if step in CHECKED_STEPS and _run(program, _sequences(STEPS[step])) != statistics:
        raise commands.CommandFailed(f"{STEPS[step]} on {target} costs something else than is predicted")
    limit = _bound(model, STEPS[step], target)
    return [limit.seconds / statistics["seconds"], _bytes(statistics) / limit.bytes]


def minilm_batch(target: str, folder: pathlib.Path) -> list[float]:
    model = minilm.model_file()
    tokens = int(np.prod(list(MINILM_SIZES.values())))
    statistics = _program(model, folder, target, (("max_tokens", tokens),)).predict("main", MINILM_SIZES)
    lengths = ",".join(f"{name}={size}" for name, size in MINILM_SIZES.items())
    return [_bound(model, lengths, target).seconds / statistics["seconds"]]


@functools.cache
def _shaped(folder: pathlib.Path, name: str, layers: int) -> pathlib.Path:
    shape = dataclasses.replace(shaped_llama.SHAPES[name], layers=layers)
    return shaped_llama.write_model(shape, folder / f"{name}-{layers}")


def large_step(step: str, target: str, folder: pathlib.Path) -> list[float]:
    """A step of a model of 8 billion weights, all of them zero, and how long it takes to say so."""
    model = _shaped(folder, "llama-3.1-8b", shaped_llama.SHAPES["llama-3.1-8b"].layers)
    program = _program(model, folder, target, tuple(LARGE_LIMITS.items()))
    begin = time.process_time()
    seconds = program.predict("step", _sequences(LARGE_STEPS[step]))["seconds"]
    took = time.process_time() - begin
    return [_bound(model, LARGE_STEPS[step], target).seconds / seconds, took]


def two_layers(target: str, folder: pathlib.Path) -> list[float]:
    """Whether two layers of that model, when they are run, cost what is predicted, in every statistic."""
    program = _program(_shaped(folder, "llama-3.1-8b", 2), folder, target, tuple(TWO_LAYERS_LIMITS.items()))
    steps = [_sequences(lengths) for lengths in TWO_LAYERS_STEPS]
    return [float(all(_run(program, step) == program.predict("step", step) for step in steps))]


def llama_block_overlap(target: str, folder: pathlib.Path) -> list[float]:
    """The hidden share of a Llama block of 64 tokens, as `overlap` says it: the smaller of f32 and bf16."""
    model, trace = folder / "roof-llama-block.onnx", folder / "roof-llama-block.json"
    sizes = llama_block.Sizes()
    onnx.save(llama_block.make_model(sizes), model)
    shares = []
    for precision in ("f32", "bf16"):
        program = folder / "roof-llama-block.srn"
        options = (f"--target={target}", f"--precision={precision}", f"--max-tokens={sizes.tokens}")
        commands.compile_model(model, program, *options)
        serrano.load(program).predict("main", {}, trace=trace)
        shares.append(overlap.hidden_share(trace))
    return [min(shares)]


def smollm2_compilation(folder: pathlib.Path) -> list[float]:
    """CPU time to assembly, which holds no weights: the larger of the targets."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in LIMITS.items()]
    return [
        max(
            commands.compile_model(
                smollm2.model_file(), folder / "roof.s", "--emit=asm", f"--target={target}", *options
            ).cpu_seconds
            for target in TARGETS.values()
        )
    ]


def depth(folder: pathlib.Path) -> list[float]:
    """CPU time of 80 layers of 70 billion weights over that of 4, and the heap, to assembly."""
    layers = shaped_llama.SHAPES["llama-3.1-70b"].layers
    models = {count: _shaped(folder, "llama-3.1-70b", count) for count in (layers, 4)}
    costs = {count: [] for count in models}
    # The least of some that take turns: a compilation takes less than a second.
    for _ in range(7):
        for count, model in models.items():
            costs[count].append(commands.compile_model(model, folder / "roof-70b.s", "--emit=asm"))
    whole, few = (min(c.cpu_seconds for c in costs[count]) for count in (layers, 4))
    return [whole / few, max(c.heap_bytes for c in costs[layers]) / 1e6]


def _step_measurements() -> list[Measurement]:
    bars = {
        "decode_128": (0.95, 0.90),
        "decode_1024": (0.95, 0.90),
        "decode_8192": (0.95, 0.90),
        "decode_16_sequences": (0.93, 0.88),
        "prefill_512": (0.92, 0.76),
        "mixed": (0.90, 0.74),
    }

    def measurement(step: str, name: str, bar: float) -> Measurement:
        function: Callable[[pathlib.Path], list[float]] = functools.partial(smollm2_step, step, TARGETS[name])
        prefix = f"roof.smollm2.{name}.{step}"
        return Measurement(
            [
                Promise(prefix, "", ">=", bar),
                Promise(f"{prefix}.bytes", "x", "<=", 1.10 if step.startswith("prefill") else 1.03),
            ],
            function,
        )

    return [measurement(step, name, bar) for step, pair in bars.items() for name, bar in zip(TARGETS, pair)]


MEASUREMENTS = [
    *_step_measurements(),
    *(
        Measurement([Promise(f"roof.minilm.{name}", "", ">=", bar)], functools.partial(minilm_batch, TARGETS[name]))
        for name, bar in (("edge", 0.88), ("serrano1", 0.74))
    ),
    *(
        Measurement(
            [
                Promise(f"roof.llama_8b.{name}.{step}", "", ">=", bar),
                Promise(f"roof.llama_8b.{name}.{step}.predict", "s", "<=", 1),
            ],
            functools.partial(large_step, step, TARGETS[name]),
        )
        for step, bars in (("decode_1024", (0.97, 0.95)), ("prefill_512", (0.94, 0.88)))
        for name, bar in zip(TARGETS, bars)
    ),
    *(
        Measurement([Promise(f"roof.llama_8b.{name}.two_layers", "", ">=", 1)], functools.partial(two_layers, TARGETS[name]))
        for name in TARGETS
    ),
    *(
        Measurement(
            [Promise(f"roof.llama_block.{name}.hidden", "", ">=", 0.95)],
            functools.partial(llama_block_overlap, TARGETS[name]),
        )
        for name in TARGETS
    ),
    Measurement([Promise("roof.smollm2.compile_cpu", "s", "<=", 5)], smollm2_compilation),
    Measurement(
        [
            Promise("roof.llama_70b.depth_ratio", "x", "<=", 1.5),
            Promise("roof.llama_70b.compile_heap", "MB", "<=", 1000),
        ],
        depth,
    ),
]
