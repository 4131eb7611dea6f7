"""What a target's JSON file says of the rates that bound a step."""

import json
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from errors import BoundError

BUNDLED = pathlib.Path(__file__).resolve().parents[1] / "targets"


@dataclass(frozen=True)
class Hardware:
    """Rates of the cores in use.

    bytes_per_second: the smaller of the memory's sustained bandwidth and what the cores' DMA ports take.
    macs_per_second: by number format ("bf16", "f32", "f8", "i8", "mxfp4"); 0 for one that the array lacks.
    """

    name: str
    cores: int
    bytes_per_second: float
    memory_bytes_per_second: float
    port_bytes_per_second: float
    macs_per_second: Mapping[str, float]


def _overlay(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `changes` in their places, key by key: what a variant is."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = _overlay(base[key], value) if both else value
    return result


def _read(path: pathlib.Path) -> dict[str, Any]:
    try:
        numbers = json.loads(path.read_bytes())
    except OSError as error:
        raise BoundError(f"{path}: cannot open: {error.strerror}") from None
    except ValueError as error:
        raise BoundError(f"{path}: not JSON: {error}") from None
    if not isinstance(numbers, dict):
        raise BoundError(f"{path}: expected an object with the target's numbers")
    base = numbers.get("variant_of")
    return numbers if base is None else _overlay(_read(BUNDLED / f"{base}.json"), numbers)


def load_hardware(name_or_file: str, cores: int) -> Hardware:
    """The rates of `cores` cores of a bundled target ("serrano-1") or of a file. Raises BoundError."""
    is_file = "/" in name_or_file or name_or_file.endswith(".json")
    path = pathlib.Path(name_or_file) if is_file else BUNDLED / f"{name_or_file}.json"
    if not is_file and not path.is_file():
        names = ", ".join(sorted(p.stem for p in BUNDLED.glob("*.json")))
        raise BoundError(f"no bundled target '{name_or_file}'; expected one of {names}, or a JSON file")
    numbers = _read(path)

    def number(group: str, key: str, *more: str) -> float:
        value: Any = numbers
        for part in (group, key, *more):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
            raise BoundError(f"{path}: {'.'.join((group, key, *more))}: expected a number that is not negative")
        return value

    most = int(number("chip", "cores"))
    if not 1 <= cores <= most:
        raise BoundError(f"--cores is {cores}; the target has 1 to {most}")
    cycles = number("chip", "clock_ghz") * 1e9
    memory = number("memory", "hbm_pin_gb_per_s") * 1e9 * number("memory", "hbm_sustained_fraction")
    ports = cores * number("dma", "dma_port_bytes_per_cycle") * cycles
    elements = cores * number("matrix", "rows") * number("matrix", "columns") * cycles
    rates = numbers["matrix"].get("macs_per_element_per_cycle")
    return Hardware(
        name=str(numbers.get("name", path.stem)),
        cores=cores,
        bytes_per_second=min(memory, ports),
        memory_bytes_per_second=memory,
        port_bytes_per_second=ports,
        macs_per_second={
            f: elements * number("matrix", "macs_per_element_per_cycle", f) for f in (rates if isinstance(rates, dict) else ())
        },
    )
