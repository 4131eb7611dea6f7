#!/usr/bin/env python3
"""Checks what the command lines of all tools have in common.

    command_line.py BIN TOOLS

BIN has the programs, TOOLS a folder for each of them.
"""

import pathlib
import re
import subprocess
import sys

# Prefixes of options that LLVM's code generators and optimizers register in every program.
FOREIGN = re.compile(r"^ +--(aarch64|amdgpu|arm|hexagon|lto|mips|openmp|riscv|x86|vp)-\S+", re.MULTILINE)


def run(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


def complaints(program):
    """What is wrong with the command line of `program`, one text each."""
    name = program.name
    described = run(program, "--help")
    if described.returncode != 0 or described.stderr:
        yield f"--help gives exit code {described.returncode} and says {described.stderr!r}"
    # MLIR's TableGen driver takes no overview.
    overview = "" if name == "serrano-tblgen" else r"OVERVIEW: \S.*?\n"
    if not re.match(rf"{overview}USAGE: {name} \[options\]", described.stdout, re.DOTALL):
        yield f"--help has no overview and usage: {described.stdout[:200]!r}"
    for option in ("--help", "--version"):
        if not re.search(rf"^ +{option} ", described.stdout, re.MULTILINE):
            yield f"--help does not have {option}"
    if foreign := FOREIGN.search(described.stdout):
        yield f"--help has an option of LLVM: {foreign.group()}"

    version = run(program, "--version")
    if version.returncode != 0 or not re.fullmatch(r"Serrano version \d+\.\d+\.\d+ \(LLVM \S+\)\n", version.stdout):
        yield f"--version gives exit code {version.returncode} and {version.stdout!r}"

    for option in ("--help", "--version"):
        with open("/dev/full", "w") as full:
            unwritten = subprocess.run([program, option], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        expected = f"{name}: error: standard output: cannot write: no space left on device\n"
        if unwritten.returncode != 1 or unwritten.stderr != expected:
            yield f"{option} to a full disk gives exit code {unwritten.returncode} and {unwritten.stderr!r}"

    refused = run(program, "--no-such-option-at-all")
    said = refused.stderr.splitlines()
    if refused.returncode != 1 or refused.stdout:
        yield f"an unknown option gives exit code {refused.returncode} and prints {refused.stdout!r}"
    # Tools that are MLIR's drivers give LLVM's hint in a line of its own.
    if said[1:] and not said[1].startswith(f"{name}: Did you mean "):
        yield f"an unknown option gives {refused.stderr!r}"
    if not said or not said[0].startswith(f"{name}: Unknown command line argument") or len(said) > 2:
        yield f"an unknown option gives {refused.stderr!r} instead of one line"


def main(binaries, tools):
    failed = False
    for folder in sorted(pathlib.Path(tools).glob("serrano-*")):
        found = list(complaints(pathlib.Path(binaries) / folder.name))
        print(f"{folder.name}: {'; '.join(found) or 'as expected'}")
        failed |= bool(found)
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
