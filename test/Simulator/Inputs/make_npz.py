"""The arrays of bad-input.s and trace.s, and damaged copies of a program."""

import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
tokens, bias = np.arange(6).reshape(3, 2), np.zeros(4, np.float32)


def save(name, **arrays):
    np.savez(folder / f"{name}.npz", **arrays)


save("good", tokens=tokens, bias=bias)
save("missing", tokens=tokens)
save("misspelled", tokns=tokens, bias=bias)
save("unknown", tokens=tokens, bias=bias, temperature=bias)
save("dtype", tokens=tokens.astype(np.float64), bias=bias)
save("rank", tokens=tokens[:, 0], bias=bias)
save("shape", tokens=np.zeros((3, 5), np.int64), bias=bias)
save("long", tokens=np.zeros((9, 2), np.int64), bias=bias)
save("range", tokens=tokens << 32, bias=bias)
(folder / "damaged.npz").write_bytes((folder / "good.npz").read_bytes()[:-40])

program = (folder / "p.srn").read_bytes()
(folder / "cut.srn").write_bytes(program[:-100])
# The ELF header's ABI version is the format of the file.
(folder / "newer.srn").write_bytes(program[:8] + b"\xc8" + program[9:])
