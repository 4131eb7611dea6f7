"""Measures what Serrano promises, prints a table and writes the figures as JSON.

Each figure is compared with its bar; the exit code is 1 if one is not held. A figure that cannot be had, because a model does not
compile yet for instance, is printed as "not available" and does not hold its bar.
"""

import argparse
import json
import pathlib
import re
import sys
import tempfile
from dataclasses import asdict

import minilm
import roof
import simulator
import smollm2
from figures import Figure, Measurement, measure

MEASUREMENTS: list[Measurement] = [*minilm.MEASUREMENTS, *smollm2.MEASUREMENTS, *simulator.MEASUREMENTS, *roof.MEASUREMENTS]


def show(figure: Figure) -> str:
    value = "not available" if figure.value is None else f"{figure.value:.9g} {figure.unit}"
    held = "held" if figure.held else "NOT HELD"
    return f"{figure.name:<36} {value:>24}   {figure.bar:<14} {held}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    parser.add_argument("--only", metavar="PATTERN", default="", help="only figures whose name the expression matches")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write an array of the figures")
    arguments = parser.parse_args()
    figures = []
    with tempfile.TemporaryDirectory(prefix="serrano-bench-") as folder:
        for measurement in MEASUREMENTS:
            wanted = [p.name for p in measurement.promises if re.search(arguments.only, p.name)]
            if not wanted:
                continue
            for figure in measure(measurement, pathlib.Path(folder)):
                if figure.name in wanted:
                    figures.append(figure)
                    print(show(figure), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(f) for f in figures], indent=1) + "\n")
    if not figures:
        print(f"tools/bench: error: no figure's name matches '{arguments.only}'", file=sys.stderr)
    return 0 if figures and all(f.held for f in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
