"""The lengths of a step: `--lengths` of tools/roofline, with the meaning that serrano-sim gives it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from errors import BoundError

SYNTAX = """\
for a decoder with a cache, its sequences, comma-separated, each [COUNTx]NEW@CONTEXT: NEW new tokens after which the
sequence has CONTEXT tokens, the new ones among them (1@128 decodes the 128th token, 512@512 is a prompt from empty,
8x1@1024,256@256 a mixed step); for other graphs the sizes of the named dimensions (batch=32,seq=128)"""

_SEQUENCE = re.compile(r"(?:(\d+)x)?(\d+)@(\d+)", re.ASCII)
_DIMENSION = re.compile(r"([^\s=@]+)=(\d+)", re.ASCII)
_MOST = 2**31 - 1


@dataclass(frozen=True)
class SequenceLengths:
    """`new` tokens of a sequence that has `context` tokens after the step."""

    new: int
    context: int

    @property
    def past(self) -> int:
        return self.context - self.new


@dataclass(frozen=True)
class Lengths:
    """Either the sequences of a step or the sizes of dimensions by name."""

    sequences: Sequence[SequenceLengths] = ()
    dimensions: Mapping[str, int] | None = None


def _number(text: str, item: str) -> int:
    value = int(text)
    if not 1 <= value <= _MOST:
        raise BoundError(f"--lengths: '{item}': {text} is no length; expected 1 to {_MOST}")
    return value


def parse_lengths(text: str) -> Lengths:
    """The lengths that `text` says. Raises BoundError, which names the part that is wrong."""
    sequences, dimensions = [], {}
    for item in text.split(","):
        item = item.strip()
        if match := _SEQUENCE.fullmatch(item):
            count = _number(match[1] or "1", item)
            sequence = SequenceLengths(_number(match[2], item), _number(match[3], item))
            if sequence.new > sequence.context:
                raise BoundError(
                    f"--lengths: '{item}': {sequence.new} new tokens in a context of {sequence.context}; the context counts "
                    "the new tokens too"
                )
            sequences += [sequence] * count
        elif match := _DIMENSION.fullmatch(item):
            if match[1] in dimensions:
                raise BoundError(f"--lengths: '{match[1]}' is given twice")
            dimensions[match[1]] = _number(match[2], item)
        else:
            raise BoundError(
                f"--lengths: '{item}' is neither NEW@CONTEXT, for example 1@128, nor NAME=SIZE, for example batch=32"
            )
    if sequences and dimensions:
        raise BoundError("--lengths: sequences (NEW@CONTEXT) and dimensions (NAME=SIZE) exclude each other")
    return Lengths(sequences, dimensions or None)
