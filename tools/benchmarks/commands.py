"""Commands and what they cost."""

import os
import pathlib
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass

_SAMPLE_SECONDS = 0.002


class CommandFailed(Exception):
    """A command's last line on the standard error."""


@dataclass(frozen=True)
class Cost:
    """CPU time of all threads, and the most that the heap and the stacks held: anonymous memory, no pages of files."""

    cpu_seconds: float
    heap_bytes: int


def _anonymous_bytes(process: int) -> int:
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except ProcessLookupError:
        return 0
    match = re.search(r"^RssAnon:\s*(\d+) kB$", status, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


def run(*command: str | pathlib.Path) -> Cost:
    """Runs a command and samples its memory until it ends."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        heap = 0
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            heap = max(heap, _anonymous_bytes(process.pid))
            time.sleep(_SAMPLE_SECONDS)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        lines = errors.read().decode().strip().splitlines()
    if process.returncode:
        raise CommandFailed(lines[-1] if lines else f"{command[0]} ended with code {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, heap)


def compile_model(model: pathlib.Path, output: pathlib.Path, *options: str) -> Cost:
    return run("serrano-compile", model, "-o", output, *options)
