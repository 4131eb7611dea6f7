"""Compiled programs: making, loading and running them."""

from __future__ import annotations

import json
import operator
import os
import pathlib
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _serrano
from ._serrano import Error

_CHECKS = ("races", "init")
_SCHEDULES = ("program", "adversarial")


@dataclass(frozen=True)
class Operand:
    """An array that goes into an entry or comes out of it.

    The shape has a text for each dimension, with names where the size is given at run time:
    `("batch_size", "sequence_length", "384")`.
    """

    dtype: np.dtype[Any]
    shape: tuple[str, ...]
    below: str | None = None  # of indices: each is at least 0 and less than this size


@dataclass(frozen=True)
class Cache:
    """The cache of a decoder's step: `blocks` blocks of `block` tokens each; a sequence has at most `context` tokens."""

    block: int
    blocks: int
    context: int


@dataclass(frozen=True)
class Entry:
    """One way into a program: its operands by name, the most that each named dimension can be, and a decoder's cache."""

    inputs: Mapping[str, Operand]
    outputs: Mapping[str, Operand]
    limits: Mapping[str, int]
    cache: Cache | None = None


class Outputs(dict[str, npt.NDArray[Any]]):
    """The arrays that a run gave, by name.

    `statistics` is what the run cost, None unless it was asked for. Its keys are those of the file that
    `serrano-sim --stats` writes: "cycles", "seconds", "hbm_read_bytes", "hbm_write_bytes", "multiply_accumulates",
    and lists of "engines" and "operators". `tensors` has the tensors of the model that were asked for, by name, in the
    order in which the program computed them.
    """

    statistics: dict[str, Any] | None = None
    tensors: dict[str, npt.NDArray[Any]] | None = None


@dataclass(frozen=True)
class Tensor:
    """Where a tensor of the model comes from: the operator that computes it, and its layer, from 1, or 0 outside of layers.

    Of equal layers, which are compiled once, the operator is named as in the first one.
    """

    operator: str
    layer: int
    stored: str  # how the chip keeps its elements: "f32", "bf16", ...


def _path(path: Any) -> bytes:
    """The path as the file system has it; not every name of a file is UTF-8."""
    try:
        return os.fsencode(path)
    except (TypeError, UnicodeError):
        raise Error(f"{path!r} is no path; give a string or a pathlib.Path") from None


def _shown(path: Any) -> str:
    """The path for a message."""
    return _path(path).decode(errors="backslashreplace")


def _whole(name: str, value: Any) -> int:
    """The value, if it is an integer of 64 bits."""
    try:
        number = operator.index(value)
    except TypeError:
        raise Error(f"{name} is {value!r}; expected a whole number") from None
    if not -(2**63) <= number < 2**63:
        raise Error(f"{name} is {number}; expected a number of 64 bits")
    return number


def _size(name: str, value: Any) -> int:
    number = _whole(name, value)
    if not 1 <= number < 2**31:
        raise Error(f"{name} is {number}; expected 1 to {2**31 - 1}")
    return number


def _sequence_lengths(pair: Any) -> tuple[int, int]:
    """How many new tokens a sequence has, and how many after the step."""
    try:
        new, context = pair
    except (TypeError, ValueError):
        raise Error(f"{pair!r} are no lengths of a sequence; give its new tokens and its context") from None
    new, context = _size("the number of new tokens", new), _size("the context", context)
    if new > context:
        raise Error(f"{new} new tokens in a context of {context}; the context counts the new tokens too")
    return new, context


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Error(f"{name} is {value!r}; expected a string")
    return value.encode(errors="backslashreplace").decode()


def _operands(operands: list[_serrano.Operand]) -> dict[str, Operand]:
    return {o.name: Operand(np.dtype(o.element_type), tuple(o.shape), o.below) for o in operands}


def _array(name: str, value: npt.ArrayLike) -> npt.NDArray[Any]:
    """The value as an array that the extension can read."""
    array = np.asarray(value, order="C")
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise Error(f"input '{name}' has elements of type {array.dtype}, which no entry takes; convert the array")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


class Program:
    """A program with a simulated chip to run it on; `compile` and `load` make it.

    The chip's memory keeps its contents from run to run. Runs of several threads take turns.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self._program = _serrano.Program(_path(path))
        self._entries = {
            e.name: Entry(
                _operands(e.inputs),
                _operands(e.outputs),
                {d.name: d.max for d in e.dimensions},
                Cache(e.cache.block, e.cache.blocks, e.cache.context) if e.cache else None,
            )
            for e in self._program.entries
        }
        caches = [e.cache for e in self._entries.values() if e.cache]
        # Blocks of the cache that no sequence has. The cache is the program's, so that every LLM takes from here.
        self._free_blocks = list(range(caches[0].blocks))[::-1] if caches else []

    @property
    def target(self) -> dict[str, Any]:
        """The description of the target that the program was compiled for, as in the target's JSON file."""
        return json.loads(self._program.target)

    @property
    def entries(self) -> dict[str, Entry]:
        """The entries by name; for an encoder there is one, "main"."""
        return dict(self._entries)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The tensors of the model that can be read during a run, by name.

        What is fused into what follows, or has gone in the model's simplification, is none of them.
        """
        return {name: Tensor(op, layer, stored) for name, op, layer, stored in self._program.tensors}

    def _wanted(self, tensors: bool | Collection[str]) -> set[str]:
        known = self.tensors
        if tensors is True:
            return set(known)
        for name in tensors:
            if name not in known:
                raise Error(f"{name!r} is no tensor that can be read; Program.tensors has their names")
        return set(tensors)

    def run(
        self,
        entry: str,
        inputs: Mapping[str, npt.ArrayLike],
        *,
        check: Collection[str] = (),
        stats: bool = False,
        trace: str | os.PathLike[str] | None = None,
        schedule: str = "program",
        seed: int | None = None,
        threads: int | None = None,
        tensors: bool | Collection[str] = False,
    ) -> Outputs:
        """Runs an entry and returns its outputs.

        inputs: an array for each of `entries[entry].inputs`, of its dtype. Named dimensions take any size up to
            their limit, the same wherever the name stands.
        check: "races" stops the run at accesses to a common byte that nothing orders, "init" at reads of on-chip bytes
            that were never written.
        stats: times the run and gives `statistics` to the outputs.
        trace: file for a timeline that Perfetto opens.
        schedule: the order in which instructions take effect, "program" or "adversarial": another legal order, drawn from
            `seed`, which gives other outputs if the program lacks a wait. Not with `check`, `stats` and `trace`, which
            follow program order.
        seed: 0 to 2**64 - 1, 0 if left out; the same seed gives the same order.
        threads: threads of the host that compute, 1 to 64; the results are the same for any number. If left out, as
            many as the environment's SERRANO_THREADS says or, without it, one for each core up to 16. With `tensors`
            one computes.
        tensors: names of `self.tensors` that are read when they are complete, or True for all of them. Not with the
            adversarial schedule.

        Raises Error for an unknown entry, a missing, unknown or misspelled input, a wrong dtype or shape, a dimension
        over its limit, an index outside its table, lengths, positions or blocks of a step that do not fit together, and
        for what a check finds. Nothing else of the process is held up: the run releases the GIL.
        """
        for name in check:
            if name not in _CHECKS:
                raise Error(f"unknown check '{name}'; the checks are {', '.join(_CHECKS)}")
        if schedule not in _SCHEDULES:
            raise Error(f"unknown schedule '{schedule}'; the schedules are {', '.join(_SCHEDULES)}")
        if seed is not None and schedule != "adversarial":
            raise Error('seed is of the adversarial schedule; add schedule="adversarial"')
        if seed is not None and not 0 <= seed < 2**64:
            raise Error(f"seed is {seed}, expected 0 to {2**64 - 1}")
        if threads is not None and not 1 <= _whole("threads", threads) <= 64:
            raise Error(f"threads is {threads}, expected 1 to 64")
        options = _serrano.RunOptions()
        options.check_races = "races" in check
        options.check_init = "init" in check
        options.timing = stats or trace is not None
        options.trace_file = _path(trace) if trace is not None else b""
        options.adversarial_seed = (seed or 0) if schedule == "adversarial" else None
        options.threads = threads or 0
        arrays, statistics, read = self._program.run(
            _text("the entry's name", entry),
            {_text("an input's name", n): _array(n, v) for n, v in inputs.items()},
            options,
            self._wanted(tensors) if tensors else None,
        )
        outputs = Outputs(arrays)
        if tensors:
            outputs.tensors = dict(read)
        if stats:
            outputs.statistics = json.loads(statistics)
        return outputs

    def predict(
        self,
        entry: str,
        lengths: Mapping[str, int] | Sequence[tuple[int, int]],
        *,
        trace: str | os.PathLike[str] | None = None,
    ) -> dict[str, Any]:
        """What a run of these lengths costs on the chip, to the cycle, without computing: the statistics that `run` gives.

        entry: its name.
        lengths: of a decoder's step, for each sequence how many new tokens it has and how many tokens after the step,
            the new ones among them: `[(1, 128)]` decodes the 128th token, `[(512, 512)]` is a prompt from empty. The last
            token of each sequence gives logits. Of any other entry, the size of each named dimension.
        trace: file for a timeline that Perfetto opens.

        Takes a fraction of the time of a run; no weights are read, and the chip's memory keeps its contents.

        Raises Error for an unknown entry, a missing or unknown dimension, lengths that the program was not compiled for,
        and a program whose time depends on more than lengths.
        """
        if isinstance(lengths, Mapping):
            sequences = []
            sizes = {_text("a dimension's name", n): _size(f"the size of '{n}'", v) for n, v in lengths.items()}
        else:
            sequences, sizes = [_sequence_lengths(pair) for pair in lengths], {}
        options = _serrano.RunOptions()
        options.trace_file = _path(trace) if trace is not None else b""
        return json.loads(self._program.predict(_text("the entry's name", entry), sequences, sizes, options))

    def latency(self, entry: str = "step") -> dict[str, Any]:
        """Time to the first token and for each output token, as functions of lengths.

        `first_token` is of a prompt of one sequence from empty, by its tokens, up to the logits of its last one and to
        `step_tokens` tokens. A longer prompt takes steps of `step_tokens`, which `prompt_step` is of by the tokens of the
        context after them, and one of the tokens that are left; their times add up. `output_token` has functions of a step
        of one new token of each sequence, by the tokens of all their contexts (the new one among them), for 1, 4, ...
        `sequences` at once. Each function is

            {"sequences": 1, "length": "context", "knots": [[1, 440123], ...], "largest_error": 0.004}

        with pairs of a length in tokens and cycles, exact; between its knots `numpy.interp` reads it (`prompt_step` at multiples
        of `step_tokens` only). `largest_error` says how far off that may be, relatively: twice what was seen at the lengths that
        were looked at before they became knots. They are a sample, so another length may be off by somewhat more; it is 0 where
        all lengths are knots. `cycles_per_second` is the chip's clock, `longest` the most tokens of a sequence. Times depend on
        nothing but lengths. Takes as long as some hundred predictions.

        Raises Error for an unknown entry and one that is no decoder's step.
        """
        return json.loads(self._program.latency(_text("the entry's name", entry)))


def load(path: str | os.PathLike[str]) -> Program:
    """Loads a program file that `compile` or serrano-compile wrote.

    Raises Error if there is none, or it is damaged or newer than this package.
    """
    return Program(path)


def compile(
    path: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] | None = None,
    target: str | os.PathLike[str] = "serrano-1",
    precision: str = "bf16",
    max_tokens: int = 128,
    max_sequences: int = 8,
    max_context: int = 2048,
    search: str = "cycles",
    choices: str = "",
    report: str | os.PathLike[str] | None = None,
    remarks: str | os.PathLike[str] | None = None,
) -> Program:
    """Compiles an ONNX model and loads the program.

    output: program file to write; without it the program lasts as long as the object that is returned.
    target: name of a bundled target ("serrano-1", "serrano-edge", "serrano-tiny") or path of a JSON file.
    precision: "f32" or "bf16", the format of weights and activations. Inputs and outputs keep the model's types.
    max_tokens: most tokens of one run (of all rows of a batch together).
    max_sequences, max_context: most sequences of a decoder's step, and most tokens of a sequence.
    search: "cycles" to choose tiles by predicted time, "none" to choose them by rules.
    choices: what of it is chosen already, as `#tile.choices` has it: "lanes = 1, rows = 64".
    report: JSON file for a report of the compilation and, of a decoder, of its latency (see `Program.latency`).
    remarks: YAML file for remarks: what bounds each operator, what was tried and why it is no better.

    Progress is shown on standard error if that is a terminal.

    Raises Error, which names file, node and value, if the model or an option is at fault; then no file is written.
    """
    with tempfile.TemporaryDirectory(prefix="serrano-") as folder:
        file = _path(output if output is not None else pathlib.Path(folder, "program.srn"))
        options = _serrano.CompileOptions()
        options.model_path = _path(path)
        options.output_path = file
        options.target = _path(target)
        options.precision = _text("precision", precision)
        options.max_tokens = _whole("max_tokens", max_tokens)
        options.max_sequences = _whole("max_sequences", max_sequences)
        options.max_context = _whole("max_context", max_context)
        options.search = _text("search", search)
        options.choices = _text("choices", choices)
        options.report_path = _path(report) if report is not None else b""
        options.remarks_path = _path(remarks) if remarks is not None else b""
        options.quiet = True
        _serrano.compile(options)
        # The program stays mapped when its file has gone.
        return Program(file)
