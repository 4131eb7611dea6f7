"""Runs modules of the llm dialect with the reference evaluator, and asks the compiler what it chose."""

import re
import subprocess

import numpy as np


def compile_llm(model, output, outline=False):
    """The raised module of an ONNX model, its equal layers one function if asked for."""
    subprocess.run(["serrano-compile", model, "--emit=llm", "-o", output], check=True)
    if not outline:
        return output
    outlined = output.with_suffix(".outlined.mlir")
    subprocess.run(["serrano-opt", output, "--llm-outline-layers", "-o", outlined], check=True)
    return outlined


def rows_of_slots(model, **options):
    """How many rows of features the compiled model has on the core at once."""
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    text = subprocess.run(["serrano-compile", model, "--emit=tile", "-o", "-", *flags], check=True, capture_output=True).stdout
    return int(re.search(rb"#tile\.choices<rows = (\d+)", text)[1])


def evaluate(module, runs, folder, block_size=4):
    """The outputs of successive runs; the cache lasts from one to the next."""
    arguments = []
    for index, inputs in enumerate(runs):
        np.savez(folder / f"in{index}.npz", **inputs)
        arguments += ["--inputs", folder / f"in{index}.npz", "--outputs", folder / f"out{index}.npz"]
    subprocess.run(["serrano-reference", module, f"--block-size={block_size}", *arguments], check=True)
    return [dict(np.load(folder / f"out{index}.npz")) for index in range(len(runs))]


def step_inputs(chunks, past, block_tables, logit_rows=None):
    """Operands of a step: a chunk of token ids and the number of past tokens for each sequence."""
    tokens = np.concatenate(chunks)
    lengths = [len(chunk) for chunk in chunks]
    positions = np.concatenate([np.arange(p, p + n) for p, n in zip(past, lengths)])
    operands = {
        "token_ids": tokens,
        "positions": positions,
        "query_starts": np.cumsum([0] + lengths),
        "kv_lengths": np.add(past, lengths),
        "block_tables": block_tables,
        "logit_rows": np.arange(len(tokens)) if logit_rows is None else logit_rows,
    }
    return {name: np.asarray(value, np.int32) for name, value in operands.items()}


def run_onnx(session, tokens):
    """Logits of all tokens of one sequence without a past, by ONNX Runtime."""
    feed = {}
    for argument in session.get_inputs():
        if argument.name.startswith("past"):
            _, heads, _, size = argument.shape
            feed[argument.name] = np.zeros((1, heads, 0, size), np.float32)
        elif argument.name == "position_ids":
            feed[argument.name] = np.arange(len(tokens))[None]
        else:
            feed[argument.name] = np.asarray(tokens if argument.name == "input_ids" else np.ones(len(tokens)), np.int64)[None]
    return session.run(["logits"], feed)[0][0]
