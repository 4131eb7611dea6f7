"""`python -m serrano`: text from a compiled decoder on the terminal, and what a program computes beside the model."""

from __future__ import annotations

import argparse
import os
import sys
import time

from . import LLM, Error, diff, load


def _generate(arguments: argparse.Namespace) -> int:
    llm = LLM(load(arguments.program), arguments.tokenizer)
    temperature = 0.0 if arguments.greedy else arguments.temperature
    pieces = llm.generate(
        arguments.prompt, arguments.max_new_tokens, temperature=temperature, seed=arguments.seed, stats=True
    )
    print(arguments.prompt, end="", flush=True)
    start, tokens, seconds, moved = time.monotonic(), 0, 0.0, 0
    try:
        for piece in pieces:
            print(piece, end="", flush=True)
            statistics = llm.last_statistics
            tokens += 1
            seconds += statistics["seconds"]
            moved += statistics["hbm_read_bytes"] + statistics["hbm_write_bytes"]
    finally:
        print(flush=True)
    elapsed = time.monotonic() - start
    if tokens:
        print(
            f"{tokens} tokens; simulated at {tokens / elapsed:.1f} tokens/s; on the chip {seconds / tokens * 1e6:.1f} us "
            f"and {moved / tokens / 1e6:.1f} MB of memory traffic a token",
            file=sys.stderr,
        )
    return 0


def _run(arguments: argparse.Namespace) -> int:
    parser = argparse.ArgumentParser(prog="python -m serrano")
    commands = parser.add_subparsers(required=True)
    generate = commands.add_parser("generate", help="continue a prompt")
    generate.add_argument("program", metavar="M.srn", help="a decoder that serrano-compile wrote")
    generate.add_argument("--tokenizer", required=True, metavar="DIR", help="folder with tokenizer.json")
    generate.add_argument("--prompt", required=True, metavar="TEXT")
    generate.add_argument("--max-new-tokens", type=int, default=64, metavar="N")
    generate.add_argument("--greedy", action="store_true", help="take the likeliest token each time")
    generate.add_argument("--temperature", type=float, default=0.7, metavar="T", help="without --greedy")
    generate.add_argument("--seed", type=int, default=0, metavar="N", help="without --greedy")
    generate.set_defaults(run=_generate, errors=1)
    diff.add_arguments(
        commands.add_parser(
            "diff",
            help="compare a program with its model or another program, tensor by tensor",
            description="Runs both with the same inputs and compares each tensor of the model that can be seen in both. "
            "Exit code 0 if all agree, 1 if one departs, 2 if they cannot be compared.",
        )
    )
    parser.parse_args(namespace=arguments)
    # What the terminal cannot show must not end the run.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    try:
        return arguments.run(arguments)
    except Error as error:
        print(f"serrano: error: {error}", file=sys.stderr)
        return arguments.errors
    except KeyboardInterrupt:
        return 130


def main() -> int:
    arguments = argparse.Namespace(errors=1)  # Until it is known what is to be done.
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except OSError as error:  # All files but the standard output are read and written elsewhere.
        # Python flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # Else nobody reads any more.
            reason = (error.strerror or str(error)).lower()
            print(f"serrano: error: standard output: cannot write: {reason}", file=sys.stderr)
        return arguments.errors


if __name__ == "__main__":
    sys.exit(main())
