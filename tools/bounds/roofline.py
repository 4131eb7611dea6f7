"""The least time of one step, from an ONNX graph, the lengths and a target's JSON file alone.

bound = max(bytes that must cross HBM once / sustained bandwidth, multiply-accumulates / peak rate of the precision). docs/Roofline.md
says what is counted.
"""

import argparse
import json
import pathlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounting import Model, Work
from errors import BoundError
from hardware import Hardware, load_hardware
from lengths import SYNTAX, parse_lengths
from onnx import TensorProto
from values import FLOATS, Value

_ELEMENT_BYTES = {"f32": 4, "bf16": 2}
_STORED_BITS = {"INT4": 4, "UINT4": 4, "INT2": 2, "UINT2": 2, "INT16": 16, "UINT16": 16, "INT32": 32, "INT64": 64}


@dataclass(frozen=True)
class Bound:
    """Bytes that must cross HBM by what they are, multiply-accumulates by number format, and the times that follow."""

    target: str
    cores: int
    precision: str
    weight_bytes: int
    table_bytes: int
    cache_read_bytes: int
    cache_written_bytes: int
    activation_bytes: int
    macs: dict[str, int]
    bytes_per_second: float
    memory_seconds: float
    compute_seconds: float

    @property
    def bytes(self) -> int:
        return (
            self.weight_bytes
            + self.table_bytes
            + self.cache_read_bytes
            + self.cache_written_bytes
            + self.activation_bytes
        )

    @property
    def seconds(self) -> float:
        return max(self.memory_seconds, self.compute_seconds)

    def to_json(self) -> dict[str, Any]:
        """Keys carry their unit, as those of serrano-sim --stats."""
        return {
            "target": self.target,
            "cores": self.cores,
            "precision": self.precision,
            "bytes": {
                "total": self.bytes,
                "weights": self.weight_bytes,
                "table_rows": self.table_bytes,
                "cache_read": self.cache_read_bytes,
                "cache_written": self.cache_written_bytes,
                "activations": self.activation_bytes,
            },
            "multiply_accumulates": {"total": sum(self.macs.values()), **self.macs},
            "bytes_per_second": self.bytes_per_second,
            "memory_seconds": self.memory_seconds,
            "compute_seconds": self.compute_seconds,
            "seconds": self.seconds,
            "bound_by": "memory" if self.memory_seconds >= self.compute_seconds else "compute",
        }


def bound(work: Work, hardware: Hardware, precision: str) -> Bound:
    """Raises BoundError if the target does not multiply a format that the step needs."""
    size = _ELEMENT_BYTES[precision]

    def stored(value: Value) -> int:
        elements = 1
        for extent in value.shape:
            elements *= extent
        if value.element_type in FLOATS:
            return elements * size
        return (elements * _STORED_BITS.get(TensorProto.DataType.Name(value.element_type), 8) + 7) // 8

    for number_format in work.macs:
        if not hardware.macs_per_second.get(number_format):
            raise BoundError(f"target '{hardware.name}' does not multiply {number_format}; choose another --precision")
    whole = set(work.weights)
    result_bytes = {
        "weight_bytes": sum(stored(v) for v in work.weights.values()),
        # A table that is multiplied too, an embedding that is tied to the logits, is there anyway.
        "table_bytes": sum(n * size for name, n in work.table_rows.items() if name not in whole),
        "cache_read_bytes": work.cache_read * size,
        "cache_written_bytes": work.cache_written * size,
        "activation_bytes": work.integer_bytes + work.float_elements * size,
    }
    return Bound(
        target=hardware.name,
        cores=hardware.cores,
        precision=precision,
        macs=dict(work.macs),
        bytes_per_second=hardware.bytes_per_second,
        memory_seconds=sum(result_bytes.values()) / hardware.bytes_per_second,
        compute_seconds=sum(n / hardware.macs_per_second[f] for f, n in work.macs.items()),
        **result_bytes,
    )


def table(result: Bound) -> str:
    rows = [
        ("weights", f"{result.weight_bytes / 1e6:.1f} MB"),
        ("rows of tables", f"{result.table_bytes / 1e6:.1f} MB"),
        ("cache read", f"{result.cache_read_bytes / 1e6:.1f} MB"),
        ("cache written", f"{result.cache_written_bytes / 1e6:.1f} MB"),
        ("activations in and out", f"{result.activation_bytes / 1e6:.1f} MB"),
        ("bytes that must cross HBM", f"{result.bytes / 1e6:.1f} MB"),
        ("multiply-accumulates", f"{sum(result.macs.values()) / 1e9:.1f} G"),
        ("time of the bytes", f"{result.memory_seconds * 1e6:.1f} us"),
        ("time of the multiplications", f"{result.compute_seconds * 1e6:.1f} us"),
        ("bound", f"{result.seconds * 1e6:.1f} us"),
    ]
    cores = "1 core" if result.cores == 1 else f"{result.cores} cores"
    title = f"{result.target}, {cores}, {result.precision}"
    return "\n".join([title, *(f"{name:<28}{value:>14}" for name, value in rows)])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tools/roofline", description=__doc__)
    parser.add_argument("model", metavar="MODEL.onnx", type=pathlib.Path, help="weights are not read and need not be there")
    parser.add_argument("--lengths", metavar="LIST", default="", help=SYNTAX)
    parser.add_argument("--target", metavar="NAME|FILE.json", default="serrano-1", help="default: %(default)s")
    parser.add_argument("--precision", choices=_ELEMENT_BYTES, default="bf16", help="default: %(default)s")
    parser.add_argument("--cores", metavar="N", type=int, default=1, help="cores in use (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the bound as JSON")
    options = parser.parse_args(arguments)
    try:
        hardware = load_hardware(options.target, options.cores)
        model = Model(options.model)
        try:
            lengths = parse_lengths(options.lengths)
            work = model.work(lengths, options.precision)
        except BoundError as error:
            raise BoundError(f"{options.model}: {error}") from None
        result = bound(work, hardware, options.precision)
        if options.json:
            try:
                options.json.write_text(json.dumps(result.to_json(), indent=1) + "\n")
            except OSError as error:
                raise BoundError(f"{options.json}: cannot write: {error.strerror}") from None
    except BoundError as error:
        print(f"tools/roofline: error: {error}", file=sys.stderr)
        return 1
    print(table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
