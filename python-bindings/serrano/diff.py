"""Compares what a program computes, tensor by tensor, with the ONNX model or with another program.

    python -m serrano diff A.srn model.onnx
    python -m serrano diff A.srn B.srn --tokens 1,2,3

Exit code 0 if all tensors agree, 1 if one departs, 2 if they cannot be compared.
"""

from __future__ import annotations

import argparse
import os
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ._serrano import Error
from .llm import LLM
from .program import Operand, Program, _shown, load

Arrays = dict[str, npt.NDArray[Any]]
_STEP, _LOGITS = "step", "logits"
# What a run of random inputs takes by itself: long enough for several blocks of keys on the smaller targets.
_TOKENS = 16
# Signal to noise that is lost by computing in the program's precision, with room for a deep model.
_SQNR = {"f32": 60.0, "bf16": 20.0}


@dataclass(frozen=True)
class Inputs:
    """What both sides are run with: arrays by name, or the tokens of one sequence, of which `past` are in the cache."""

    arrays: Arrays
    tokens: Sequence[int] = ()
    past: int = 0


class Side(Protocol):
    """One of the two that are compared."""

    def names(self) -> list[str]:
        """The tensors that it can give, in the order in which it computes them."""
        ...

    def run(self, inputs: Inputs, wanted: Sequence[str]) -> Arrays: ...


class ProgramSide:
    """A compiled program on the simulated chip."""

    def __init__(self, path: str):
        self.program: Program = load(path)
        self.is_step = _STEP in self.program.entries
        self.entry = _STEP if self.is_step else next(iter(self.program.entries))
        self._outputs = list(self.program.entries[self.entry].outputs)

    def is_exact(self) -> bool:
        """Whether all of its tensors are kept in f32."""
        return all(tensor.stored == "f32" for tensor in self.program.tensors.values())

    def names(self) -> list[str]:
        known = [*self.program.tensors]
        return known + [name for name in self._outputs if name not in known]

    def run(self, inputs: Inputs, wanted: Sequence[str]) -> Arrays:
        known = self.program.tensors
        names = [name for name in wanted if name in known] or False
        if not self.is_step:
            outputs = self.program.run(self.entry, inputs.arrays, tensors=names)
            return {**(outputs.tensors or {}), **outputs}
        llm = LLM(self.program)
        sequence = llm.open()
        before, new = list(inputs.tokens[: inputs.past]), list(inputs.tokens[inputs.past :])
        for start in range(0, len(before), llm.max_tokens):
            llm.step([(sequence, before[start : start + llm.max_tokens])])
        logits = llm.step([(sequence, new)], range(len(new)), tensors=names)
        llm.close(sequence)
        return {**(llm.last_tensors or {}), _LOGITS: logits}


class OnnxSide:
    """The model in ONNX Runtime, with its intermediate tensors as outputs and without its optimisations."""

    def __init__(self, path: str):
        try:
            import onnx
            import onnxruntime
        except ImportError as error:
            raise Error(f"{error.name} is needed to run an ONNX model; install the packages onnx and onnxruntime") from None
        self._onnx, self._runtime = onnx, onnxruntime
        self._path = pathlib.Path(path)
        try:
            self._model = onnx.load(path, load_external_data=False)
        except OSError as error:
            raise Error(f"{_shown(path)}: cannot read: {error.strerror}") from None
        except Exception:  # protobuf's own.
            raise Error(f"{_shown(path)}: not an ONNX model") from None

    def names(self) -> list[str]:
        return [name for node in self._model.graph.node for name in node.output if name]

    def run(self, inputs: Inputs, wanted: Sequence[str]) -> Arrays:
        model = self._onnx.ModelProto()
        model.CopyFrom(self._model)
        outputs = {output.name for output in model.graph.output}
        added = [name for name in wanted if name not in outputs]
        model.graph.output.extend(self._onnx.ValueInfoProto(name=name) for name in added)
        options = self._runtime.SessionOptions()
        options.graph_optimization_level = self._runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 3
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", os.fspath(self._path.resolve().parent)
        )
        try:
            session = self._runtime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
            feed = self._feed(session, inputs)
            return dict(zip(wanted, session.run(list(wanted), feed)))
        except Exception as error:
            if isinstance(error, Error):
                raise
            raise Error(f"{_shown(self._path)}: ONNX Runtime: {str(error).splitlines()[0]}") from None

    def _feed(self, session: Any, inputs: Inputs) -> Arrays:
        if not inputs.tokens:
            return inputs.arrays
        caches = [a for a in session.get_inputs() if "float" in a.type]
        if inputs.past and caches:
            empty = _decoder_feed(session, inputs.tokens[: inputs.past], {})
            present = {a.name: _present(a.name, session) for a in caches}
            values = dict(zip(present.values(), session.run([*present.values()], empty)))
            return _decoder_feed(session, inputs.tokens, {name: values[p] for name, p in present.items()})
        return _decoder_feed(session, inputs.tokens, {})


def _present(past: str, session: Any) -> str:
    """The output that a cache's input is fed with in the next step."""
    names = [output.name for output in session.get_outputs()]
    for name in (past.replace("past_key_values", "present"), past.replace("past", "present")):
        if name in names:
            return name
    raise Error(f"no output of the model gives '{past}' for the next step; leave out --past")


def _decoder_feed(session: Any, tokens: Sequence[int], cache: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """The inputs of a decoder as exporters write it, for what follows the cache."""
    past = next(iter(cache.values())).shape[2] if cache else 0
    feed: Arrays = {}
    for argument in session.get_inputs():
        integer = np.int32 if "int32" in argument.type else np.int64
        if "float" in argument.type:
            empty = [1, argument.shape[1], 0, argument.shape[3]]
            feed[argument.name] = cache.get(argument.name, np.zeros(empty, np.float32))
        elif "position" in argument.name:
            feed[argument.name] = np.arange(past, len(tokens), dtype=integer)[None]
        elif "mask" in argument.name:
            feed[argument.name] = np.ones((1, len(tokens)), integer)
        elif "ids" in argument.name:
            feed[argument.name] = np.asarray(tokens[past:], integer)[None]
        else:
            raise Error(f"the model's input '{argument.name}' is none that a decoder has")
    return feed


@dataclass(frozen=True)
class Row:
    """How one tensor of two sides compares. `sqnr` is in dB: the second side is the signal."""

    name: str
    operator: str
    layer: int
    max_abs: float
    cosine: float
    sqnr: float
    departs: bool


def compare(found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> tuple[float, float, float]:
    """Largest difference, cosine and signal to noise in dB. Infinities and NaNs have to be in the same places."""
    a, b = (np.asarray(x, np.float64).ravel() for x in (found, expected))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if not (np.isfinite(a) | same).all() or not (np.isfinite(b) | same).all():
        return float("inf"), float("nan"), float("-inf")
    a, b = (np.where(np.isfinite(x), x, 0.0) for x in (a, b))
    noise, signal = float(np.sum((a - b) ** 2)), float(np.sum(b**2))
    largest = float(np.max(np.abs(a - b), initial=0.0))
    if noise == 0:
        return largest, 1.0, float("inf")
    norms = float(np.sqrt(np.sum(a**2) * signal))
    cosine = float(np.dot(a, b)) / norms if norms else 0.0
    return largest, cosine, float(10 * np.log10(signal / noise)) if signal else float("-inf")


def compare_sides(
    program: ProgramSide, other: Side, inputs: Inputs, tolerances: Mapping[str, float | None]
) -> list[Row]:
    """A row for each tensor that both sides have, in the order in which the program computes them."""
    there = set(other.names())
    wanted = [name for name in program.names() if name in there]
    if not wanted:
        raise Error("the two have no tensor in common; compile the program from the model that it is compared with")
    found, expected = program.run(inputs, wanted), other.run(inputs, wanted)
    rows = []
    for name, array in found.items():
        if name not in expected:
            continue
        source = program.program.tensors.get(name)
        numbers = (float("inf"), float("nan"), float("-inf"))
        # A step has the tokens of all sequences one after the other, a model a batch of them.
        if array.size == expected[name].size:
            numbers = compare(array, expected[name])
        limits = [numbers[0] <= tolerances["max_abs"] if tolerances["max_abs"] is not None else True]
        limits.append(numbers[1] >= tolerances["cosine"] if tolerances["cosine"] is not None else True)
        limits.append(numbers[2] >= tolerances["sqnr"] if tolerances["sqnr"] is not None else True)
        rows.append(
            Row(name, source.operator if source else name, source.layer if source else 0, *numbers, not all(limits))
        )
    return rows


def _random_array(name: str, operand: Operand, sizes: Mapping[str, int], random: np.random.Generator) -> npt.NDArray[Any]:
    def size(text: str) -> int:
        # Sums of products of numbers and names.
        return sum(int(np.prod([sizes[f.strip()] if f.strip() in sizes else int(f) for f in t.split("*")])) for t in text.split("+"))

    shape = tuple(size(text) for text in operand.shape)
    if operand.dtype.kind == "f":
        return random.standard_normal(shape).astype(operand.dtype)
    if "mask" in name:
        return np.ones(shape, operand.dtype)
    return random.integers(0, size(operand.below) if operand.below else 2, shape).astype(operand.dtype)


def make_inputs(program: ProgramSide, options: argparse.Namespace) -> Inputs:
    """The inputs that the options name, or random ones, the same for the same seed."""
    entry = program.program.entries[program.entry]
    random = np.random.default_rng(options.seed)
    if program.is_step:
        if options.inputs is not None:
            raise Error("a decoder takes token ids; give them with --tokens")
        vocabulary = LLM(program.program).vocabulary
        count = min(_TOKENS, entry.limits["tokens"]) if options.count is None else options.count
        tokens = options.tokens or random.integers(0, vocabulary, count + options.past).tolist()
        if options.past >= len(tokens):
            raise Error(f"--past is {options.past}, but there are {len(tokens)} tokens, of which one at least is new")
        return Inputs({}, tokens, options.past)
    if options.tokens or options.past:
        raise Error("--tokens and --past are for decoders; give arrays with --inputs")
    if options.inputs is not None:
        try:
            with np.load(options.inputs) as archive:
                return Inputs(dict(archive))
        except (OSError, ValueError) as error:
            raise Error(f"{_shown(options.inputs)}: cannot read: {error}") from None
    # One sequence: what an input has before its positions is a batch, whatever the exporter calls it.
    shapes = [operand.shape for operand in entry.inputs.values()]
    batches = {shape[0] for shape in shapes if len(shape) > 1 and not shape[1].isdigit()}
    length = _TOKENS if options.count is None else options.count
    sizes = {name: 1 if name in batches else min(length, most) for name, most in entry.limits.items()}
    return Inputs({name: _random_array(name, operand, sizes, random) for name, operand in entry.inputs.items()})


def print_rows(rows: Sequence[Row]) -> None:
    width = max(len(row.name) for row in rows)
    print(f"{'tensor':{width}}  {'layer':>5}  {'max abs':>10}  {'cosine':>10}  {'SQNR, dB':>8}")
    for row in rows:
        layer = str(row.layer) if row.layer else ""
        mark = "  departs" if row.departs else ""
        print(f"{row.name:{width}}  {layer:>5}  {row.max_abs:10.3g}  {row.cosine:10.7f}  {row.sqnr:8.1f}{mark}")


def run(options: argparse.Namespace) -> int:
    """The command's work; its exit code."""
    program = ProgramSide(options.program)
    try:
        with open(options.other, "rb") as file:
            is_program = file.read(4) == b"\x7fELF"
    except OSError as error:
        raise Error(f"{_shown(options.other)}: cannot read: {error.strerror}") from None
    other: Side = ProgramSide(options.other) if is_program else OnnxSide(options.other)
    if isinstance(other, ProgramSide) and other.is_step != program.is_step:
        raise Error("one of the programs is a decoder's step, the other is not")
    tolerances = {"max_abs": options.max_abs, "cosine": options.cosine, "sqnr": options.sqnr}
    if all(limit is None for limit in tolerances.values()):
        sides = [side for side in (program, other) if isinstance(side, ProgramSide)]
        tolerances["sqnr"] = min(_SQNR["f32" if side.is_exact() else "bf16"] for side in sides)
    rows = compare_sides(program, other, make_inputs(program, options), tolerances)
    departing = [row for row in rows if row.departs]
    shown = departing if options.only_departing else rows
    if shown:
        print_rows(shown)
    limits = ", ".join(f"{name.replace('_', ' ')} {limit:g}" for name, limit in tolerances.items() if limit is not None)
    if not departing:
        print(f"all {len(rows)} tensors agree within {limits}")
        return 0
    first = departing[0]
    where = f" in layer {first.layer}" if first.layer else ""
    print(
        f"{len(departing)} of {len(rows)} tensors depart by more than {limits}; the first operator that departs is "
        f"'{first.operator}'{where}, which computes '{first.name}'"
    )
    return 1


def _token_list(text: str) -> list[int]:
    try:
        return [int(token) for token in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of token ids as 1,2,3") from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("program", metavar="A.srn", help="a program that serrano-compile wrote")
    parser.add_argument("other", metavar="B", help="the ONNX model that it was compiled from, or another program of it")
    parser.add_argument("--inputs", metavar="FILE.npz", help="arrays by input name (default: random ones)")
    parser.add_argument("--tokens", type=_token_list, metavar="1,2,3", help="token ids of a decoder (default: random ones)")
    parser.add_argument("--count", type=int, metavar="N", help=f"how many random tokens (default: {_TOKENS})")
    parser.add_argument("--past", type=int, default=0, metavar="N", help="the first N tokens are in the cache before")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="what random inputs are drawn from")
    parser.add_argument("--sqnr", type=float, metavar="DB", help="least signal to noise; 20 dB, or 60 in f32, if no limit is given")
    parser.add_argument("--cosine", type=float, metavar="C", help="least cosine")
    parser.add_argument("--max-abs", type=float, metavar="D", help="largest difference")
    parser.add_argument("--only-departing", action="store_true", help="show only the tensors that depart")
    parser.set_defaults(run=run, errors=2)
