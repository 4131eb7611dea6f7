"""Checks the table of `serrano-sim --summary` against the statistics of the same run."""

import json
import pathlib
import re
import sys

stats = json.loads(pathlib.Path(sys.argv[1]).read_text())
tokens = int(sys.argv[2])
lines = pathlib.Path(sys.argv[3]).read_text().splitlines()
header = next(i for i, line in enumerate(lines) if line.startswith("operator "))
total = next(i for i, line in enumerate(lines) if line.startswith("total: "))
more = total - 1 if lines[total - 1].startswith("and ") else total
table = lines[header:more]
assert len({len(line) for line in table}) == 1, "the columns are not aligned"

PREFIXES = {"G": 1e9, "M": 1e6, "k": 1e3, "": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}


def quantity(text: str) -> float:
    value, prefix = re.fullmatch(r"([0-9.]+) ([GMkmunp]?)(?:B|J|s)", text).groups()
    return float(value) * PREFIXES[prefix]


def near(found: float, expected: float) -> bool:
    return abs(found - expected) <= 0.006 * abs(expected) + 1e-30


operators = sorted(stats["operators"], key=lambda o: -o["critical_cycles"])
assert len(table) - 1 == min(10, len(operators))
if len(operators) > 10:
    assert lines[more] == f"and {len(operators) - 10} more operators", lines[more]
for line, expected in zip(table[1:], operators):
    name, cycles, share, *waits, hbm, energy = re.split(r"  +", line)
    assert name == expected["name"], (name, expected["name"])
    assert int(cycles) == round(expected["critical_cycles"])
    assert abs(float(share.rstrip("%")) - 100 * expected["critical_cycles"] / stats["cycles"]) <= 0.051
    assert [int(w) for w in waits] == [round(w) for w in expected["wait_cycles"].values()], line
    assert near(quantity(hbm), expected["hbm_read_bytes"] + expected["hbm_write_bytes"]), line
    assert near(quantity(energy), expected["joules"]), line

parts = lines[total].removeprefix("total: ").split(", ")
if tokens:
    seconds, rate, efficiency, joules, roof = parts
    assert abs(float(rate.split()[0]) - tokens / stats["seconds"]) <= 0.051
    assert abs(float(efficiency.split()[0]) - tokens / stats["joules"]["total"]) <= 0.051
else:
    seconds, joules, roof = parts
assert near(quantity(seconds), stats["seconds"])
assert near(quantity(joules), stats["joules"]["total"])
assert abs(float(roof.split("%")[0]) - 100 * stats["roof"]["share"]) <= 0.051
print(f"{len(table) - 1} operators, {'with' if tokens else 'without'} tokens")
