#!/usr/bin/env python3
"""Checks that the examples of Markdown pages are quoted from the files they name.

    check_examples.py SOURCE PAGE...

An example is a fenced block whose first line names its file, relative to SOURCE:
"// test: FILE" or "// from: FILE". The block's other lines must follow each other in
the file; lines of the file that are only checks or comments may stand between them.
"""

import pathlib
import re
import sys

FENCE = re.compile(r"```\w+\n// (?:test|from): (\S+)\n(.*?)```", re.DOTALL)


def significant(text):
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("//")]


def quotes(example, file):
    """Whether the lines of `example` follow each other in `file`."""
    wanted, there = significant(example), significant(file)
    return any(
        there[i : i + len(wanted)] == wanted for i in range(len(there) - len(wanted) + 1)
    )


def main(source, *pages):
    for page in map(pathlib.Path, pages):
        examples = FENCE.findall(page.read_text())
        for name, example in examples:
            if not quotes(example, (pathlib.Path(source) / name).read_text()):
                sys.exit(f"{page}: an example differs from {name}:\n{example}")
        print(f"{page.name}: {len(examples)} examples")


if __name__ == "__main__":
    main(*sys.argv[1:])
