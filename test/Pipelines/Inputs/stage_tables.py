#!/usr/bin/env python3
"""Compares the table of stages in docs/Architecture.md with what serrano-opt runs."""

import re
import subprocess
import sys


def passes_of(stage):
    """The passes of a stage in order, without repetitions."""
    run = subprocess.run(
        ["serrano-opt", f"--{stage}", "--dump-pass-pipeline", "-"],
        input="module {}",
        capture_output=True,
        text=True,
    )
    pipeline = run.stderr[run.stderr.index("builtin.module(") : run.stderr.index("\n)\n")]
    names = re.findall(r"[\w.-]+(?=\s*(?:[({,)]|$))", re.sub(r"\{[^{}]*\}", "{", pipeline))
    names = [name for name in names if not name.startswith(("builtin.", "func."))]
    return list(dict.fromkeys(names))


def main(page):
    rows = re.findall(r"^\| `(serrano-\w+)` \| (.*) \|$", open(page).read(), re.MULTILINE)
    for stage, cell in rows:
        listed, run = re.findall(r"`([\w-]+)`", cell), passes_of(stage)
        if listed != run:
            sys.exit(f"{stage} is said to run {listed}\nbut runs {run}")
        print(stage)


if __name__ == "__main__":
    main(*sys.argv[1:])
