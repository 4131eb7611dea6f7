"""Generates text: a real checkpoint (SmolLM2-135M-Instruct) from ONNX to tokens on the simulated chip."""

import argparse
import pathlib
import sys
import time

import serrano
from checkpoints import MODELS, checkpoint

PROMPT = "The capital of France is"


def compile_model(target: str, folder: pathlib.Path) -> serrano.Program:
    folder.mkdir(parents=True, exist_ok=True)
    model = checkpoint("smollm2/optimum") / "model.onnx"
    start = time.perf_counter()
    program = serrano.compile(model, output=folder / "smollm2.srn", target=target)
    print(f"compiled for {target}, bf16, in {time.perf_counter() - start:.1f} s\n")
    return program


def demonstrate(prompt: str, count: int, target: str, folder: pathlib.Path):
    program = compile_model(target, folder)
    model = serrano.LLM(program, MODELS / "smollm2" / "tokenizer")
    print(prompt, end="", flush=True)
    costs = []
    start = time.perf_counter()
    for piece in model.generate(prompt, count, stats=True):
        print(piece, end="", flush=True)
        costs.append(model.last_statistics)
    elapsed = time.perf_counter() - start

    trace = folder / "trace.json"
    model.step([(model.open(), model.tokenizer.encode(prompt))], trace=trace)
    first, later = costs[0], costs[1:] or costs
    token = sum(cost["seconds"] for cost in later) / len(later)
    read, written = (sum(cost[f"hbm_{kind}_bytes"] for cost in later) / len(later) / 1e6 for kind in ("read", "write"))
    print(f"\n\nthis machine    {len(costs)} tokens in {elapsed:.2f} s: {len(costs) / elapsed:.1f} tokens/s")
    print(f"on the chip     {first['seconds'] * 1e6:.0f} us for the prompt's step, then {token * 1e6:.0f} us a token")
    print(f"bytes moved     {read:.1f} MB read from HBM and {written:.2f} MB written a token")
    print(f"timeline        {trace}   (of the prompt's step; open it at ui.perfetto.dev)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__)
    parser.add_argument("prompt", metavar="PROMPT", nargs="?", default=PROMPT)
    parser.add_argument("--max-new-tokens", type=int, default=32, metavar="N")
    parser.add_argument("--target", default="serrano-1", help="name of a bundled target, or a JSON file")
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="where program and timeline are written")
    arguments = parser.parse_args()
    try:
        demonstrate(arguments.prompt, arguments.max_new_tokens, arguments.target, arguments.folder)
    except serrano.Error as error:
        print(f"tools/demo: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
