"""Figures, the bars that they are held against, and how they are measured."""

import operator
import pathlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import serrano
from commands import CommandFailed

_RELATIONS = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Promise:
    """What is promised of a figure."""

    name: str
    unit: str
    relation: str
    bar: float

    def is_held(self, value: float) -> bool:
        return _RELATIONS[self.relation](value, self.bar)


@dataclass(frozen=True)
class Measurement:
    """A function that measures, in a folder for its files, one value for each promise."""

    promises: Sequence[Promise]
    function: Callable[[pathlib.Path], Sequence[float]]


@dataclass(frozen=True)
class Figure:
    name: str
    value: float | None
    unit: str
    bar: str
    held: bool
    command: str


def measure(measurement: Measurement, folder: pathlib.Path) -> list[Figure]:
    try:
        values = [float(value) for value in measurement.function(folder)]
    except (CommandFailed, serrano.Error) as error:
        print(f"tools/bench: {error}", file=sys.stderr)
        values = [None] * len(measurement.promises)
    return [
        Figure(
            name=promise.name,
            value=value,
            unit=promise.unit,
            bar=f"{promise.relation} {promise.bar:g}",
            held=value is not None and promise.is_held(value),
            command=f"tools/bench --only '^{promise.name}$'",
        )
        for promise, value in zip(measurement.promises, values, strict=True)
    ]
