"""Hand-written programs of the two shapes that a step of a model is made of, on every target, against NumPy.

A projection whose weights stream and paged attention over a ragged batch. Each is assembled once for each target and then run
with what is given; every run is checked for races and for reads of what was never written.
"""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent
TARGETS = {"serrano-tiny": 8, "serrano-edge": 32, "serrano-1": 128}  # rows = columns of the array


def _tool(name: str) -> str:
    build = os.environ.get("SERRANO_BUILD")
    return str(pathlib.Path(build, "bin", name)) if build else name


def _bf16(x) -> np.ndarray:
    """Rounded to bf16, to nearest even, as f32."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32)


FILES = {"outputs": "out.npz", "stats": "stats.json", "trace": "trace.json"}


class Kernel:
    """A program in a folder of its own."""

    def __init__(self, name: str, target: str, folder: pathlib.Path, **constants: int):
        self.array = TARGETS[target]
        self.folder = folder
        self.program = folder / f"{name}.srn"
        defines = [f"-D{key}={value}" for key, value in constants.items()]
        source = HERE / f"{name}.s"
        subprocess.run([_tool("serrano-as"), source, "--target", target, "-o", self.program, *defines], check=True)

    def run(self, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        np.savez(self.folder / "in.npz", **inputs)
        self._simulate(*(f"--{name}={self.folder / file}" for name, file in FILES.items()), "--check=races,init")
        self.stats = json.loads((self.folder / "stats.json").read_text())
        with np.load(self.folder / "out.npz") as arrays:
            return dict(arrays)

    def _simulate(self, *options: str):
        command = [_tool("serrano-sim"), self.program, f"--inputs={self.folder / 'in.npz'}", *options]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr

    def in_another_order(self, seed: int) -> bytes:
        """The file of outputs that the inputs of the last run give in another legal order of the engines."""
        other = self.folder / "other.npz"
        self._simulate(f"--outputs={other}", "--schedule=adversarial", f"--seed={seed}")
        return other.read_bytes()

    def files(self) -> list[bytes]:
        return [(self.folder / name).read_bytes() for name in FILES.values()]


# Projection


class Projection(Kernel):
    def __init__(self, target, folder, k, n):
        super().__init__("projection", target, folder, K=k, N=n)
        random = np.random.default_rng(k)
        self.w = _bf16(random.standard_normal((k, n)))
        self.bias = random.standard_normal(n).astype(np.float32)
        # Tile after tile, zeroes beyond the last row and column.
        tiles = -(-k // self.array), -(-n // self.array)
        padded = np.zeros((tiles[0] * self.array, tiles[1] * self.array), np.float32)
        padded[:k, :n] = self.w
        self.packed = padded.reshape(tiles[0], self.array, tiles[1], self.array).transpose(2, 0, 1, 3)

    def __call__(self, x):
        return self.run(x=x, w=np.ascontiguousarray(self.packed), bias=self.bias)["y"]


@pytest.fixture(scope="module", params=[(target, shape) for target in TARGETS for shape in range(3)], ids=str)
def projection(request, tmp_path_factory):
    target, shape = request.param
    a = TARGETS[target]
    k, n = [(5 * a // 2 + 3, 7 * a // 2 + 1), (a - 1, a), (2 * a, 1)][shape]
    return Projection(target, tmp_path_factory.mktemp("projection"), k, n)


@pytest.mark.parametrize("tokens", [1, 2, 33, 64])
def test_projection(projection, tokens):
    x = _bf16(np.random.default_rng(tokens).standard_normal((tokens, len(projection.w))))
    y = projection(x)
    exact = x.astype(np.float64) @ projection.w + projection.bias
    # One rounding a product: the error of a chain of K sums.
    bound = np.finfo(np.float32).eps * (abs(x).astype(np.float64) @ abs(projection.w) + abs(projection.bias)) * 8
    assert np.all(abs(y - exact) <= bound)
    assert projection.stats["multiply_accumulates"] == tokens * projection.w.size


def test_projection_rows_alone(projection):
    """A row comes out the same, to the bit, whatever other rows there are."""
    x = np.random.default_rng(7).standard_normal((9, len(projection.w))).astype(np.float32)
    alone = [projection(x[i : i + 1]) for i in range(len(x))]
    np.testing.assert_array_equal(projection(x), np.concatenate(alone))


# Attention

HEADS_KV, GROUP, BLOCKS, MAX_BLOCKS, MAX_TOKENS, MAX_SEQUENCES = 2, 2, 48, 16, 64, 8


class Sequence:
    def __init__(self, random, old: int, new: int, size: int, block: int, free: list[int]):
        self.old, self.new = old, new
        self.q = _bf16(random.standard_normal((old + new, HEADS_KV * GROUP, size)) * 2)
        self.k, self.v = (_bf16(random.standard_normal((old + new, HEADS_KV, size))) for _ in range(2))
        self.table = [free.pop() for _ in range(-(-(old + new) // block))]

    def place(self, token: int, block: int) -> tuple[int, int]:
        return self.table[token // block], token % block

    def expected(self) -> tuple[np.ndarray, np.ndarray]:
        """Outputs of the new tokens in f64, and how far bf16 probabilities (8 bits) may be from them."""
        heads = np.arange(HEADS_KV * GROUP) // GROUP
        k, v = self.k[:, heads].astype(np.float64), self.v[:, heads].astype(np.float64)
        scores = np.einsum("qhd,khd->hqk", self.q[self.old :], k) * 0.125
        position = np.arange(self.old + self.new)
        scores = np.where(position <= position[self.old :, None], scores, -np.inf)
        p = np.exp(scores - scores.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        return np.einsum("hqk,khd->qhd", p, v), np.einsum("hqk,khd->qhd", p, abs(v)) * 2.0**-8


class Attention(Kernel):
    def __init__(self, target, folder, **constants):
        super().__init__("attention", target, folder, **constants)
        self.size = constants.get("D", min(self.array, 64))
        self.block = constants.get("block", self.array // 2)

    def batch(self, seed: int, lengths: list[tuple[int, int]]) -> list[Sequence]:
        random = np.random.default_rng(seed)
        free = list(random.permutation(BLOCKS))
        return [Sequence(random, old, new, self.size, self.block, free) for old, new in lengths]

    def cache(self, batch: list[Sequence], lengths: list[int]) -> np.ndarray:
        """The cache with the first tokens of each sequence, and NaN wherever nothing is."""
        cache = np.full((BLOCKS, self.block, 2, HEADS_KV, self.size), np.nan, np.float32)
        for sequence, length in zip(batch, lengths):
            for token in range(length):
                cache[sequence.place(token, self.block)] = sequence.k[token], sequence.v[token]
        return cache

    def step(self, cache: np.ndarray, chunks: list[tuple[Sequence, int, int]]):
        """Tokens [begin, end) of each sequence; returns the outputs of each chunk and the cache."""

        def rows(name):
            return np.concatenate([getattr(s, name)[begin:end] for s, begin, end in chunks])

        places = [s.place(t, self.block) for s, begin, end in chunks for t in range(begin, end)]
        tables = np.full((len(chunks), MAX_BLOCKS), -1, np.int32)
        for row, (sequence, _, _) in zip(tables, chunks):
            row[: len(sequence.table)] = sequence.table
        starts = np.cumsum([0] + [end - begin for _, begin, end in chunks]).astype(np.int32)
        outputs = self.run(
            q=rows("q"),
            k=rows("k"),
            v=rows("v"),
            cache=cache,
            starts=starts,
            lengths=np.array([end for _, _, end in chunks], np.int32),
            places=np.array([b * self.block + t for b, t in places], np.int32),
            tables=tables,
        )
        return np.split(outputs["out"], starts[1:-1]), outputs["cache_out"]


@pytest.fixture(scope="module", params=[*TARGETS, "serrano-edge D=24 block=20"])
def attention(request, tmp_path_factory):
    target, *constants = request.param.split()
    constants = {key: int(value) for key, value in (c.split("=") for c in constants)}
    return Attention(target, tmp_path_factory.mktemp("attention"), **constants)


def _random_lengths(seed: int, block: int) -> list[tuple[int, int]]:
    """(old, new) of each sequence: decode, prefill, and chunks."""
    random = np.random.default_rng(seed)
    lengths, tokens, blocks = [], MAX_TOKENS, BLOCKS
    while tokens and len(lengths) < MAX_SEQUENCES:
        old = int(random.choice([0, random.integers(0, 6 * block)]))
        new = int(random.choice([1, random.integers(1, 40)]))
        new = min(new, tokens, MAX_BLOCKS * block - old)
        blocks -= -(-(old + new) // block)
        if blocks < 0:
            break
        tokens -= new
        lengths.append((old, new))
    return lengths


CASES = [[(0, 1)], [(5, 1)], [(0, 1)] * MAX_SEQUENCES, [(0, MAX_TOKENS)], 1, 2, 3]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_attention(attention, case):
    lengths = _random_lengths(case, attention.block) if isinstance(case, int) else case
    lengths = [(old, min(new, MAX_BLOCKS * attention.block - old)) for old, new in lengths]
    batch = attention.batch(len(lengths), lengths)
    outputs, cache = attention.step(
        attention.cache(batch, [s.old for s in batch]), [(s, s.old, s.old + s.new) for s in batch]
    )
    for sequence, output in zip(batch, outputs):
        exact, bound = sequence.expected()
        assert np.all(abs(output - exact) <= bound)
    np.testing.assert_array_equal(cache, attention.cache(batch, [s.old + s.new for s in batch]))


@pytest.mark.parametrize("seed", [1, 2])
def test_attention_chunks(attention, seed):
    """However prompts are cut into chunks and put into batches, outputs and cache are the same to the bit."""
    random = np.random.default_rng(seed)
    lengths = [(0, int(n)) for n in random.integers(2, MAX_TOKENS // 3, 3)]
    batch = attention.batch(seed, lengths)
    whole, cache = attention.step(attention.cache(batch, [0] * 3), [(s, 0, s.new) for s in batch])

    # Each step takes a random number of tokens of a random choice of sequences.
    again, done = attention.cache(batch, [0] * 3), [0] * 3
    outputs = [[], [], []]
    while any(d < s.new for d, s in zip(done, batch)):
        left = [i for i in range(3) if done[i] < batch[i].new]
        chosen = random.choice(left, random.integers(1, len(left) + 1), replace=False)
        ends = {i: done[i] + int(random.choice([1, random.integers(1, batch[i].new - done[i] + 1)])) for i in chosen}
        results, again = attention.step(again, [(batch[i], done[i], end) for i, end in ends.items()])
        for (i, end), result in zip(ends.items(), results):
            outputs[i].append(result)
            done[i] = end
    for one, parts in zip(whole, outputs):
        np.testing.assert_array_equal(one, np.concatenate(parts))
    np.testing.assert_array_equal(again, cache)


def test_same_run_same_bytes(attention):
    batch = attention.batch(3, [(0, 7), (attention.block, 1)])
    files = []
    for _ in range(2):
        cache = attention.cache(batch, [s.old for s in batch])
        attention.step(cache, [(s, s.old, s.old + s.new) for s in batch])
        files.append(attention.files())
    assert files[0] == files[1]


SEEDS = range(8)


def test_projection_in_any_order(projection):
    projection(np.random.default_rng(9).standard_normal((9, len(projection.w))).astype(np.float32))
    outputs = projection.files()[0]
    assert all(projection.in_another_order(seed) == outputs for seed in SEEDS)


def test_attention_in_any_order(attention):
    lengths = _random_lengths(2, attention.block)
    batch = attention.batch(2, lengths)
    attention.step(attention.cache(batch, [s.old for s in batch]), [(s, s.old, s.old + s.new) for s in batch])
    outputs = attention.files()[0]
    assert all(attention.in_another_order(seed) == outputs for seed in SEEDS)


def _overlap(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> float:
    return sum(max(0.0, min(end, e) - max(begin, s)) for begin, end in a for s, e in b)


@pytest.mark.parametrize("target", ["serrano-tiny", "serrano-edge"])
def test_engines_work_together(target, tmp_path):
    """PV of an item runs while the vector engine is at the softmax of the next.

    On serrano-1 the fill and drain of the array are longer than both.
    """
    attention = Attention(target, tmp_path)
    batch = attention.batch(4, [(0, 30), (0, 30)])
    attention.step(attention.cache(batch, [0, 0]), [(s, 0, s.new) for s in batch])
    events = json.loads((attention.folder / "trace.json").read_text())["traceEvents"]
    tracks = {e["args"]["name"]: e["tid"] for e in events if e["name"] == "thread_name"}
    slices = {
        name: [(e["ts"], e["ts"] + e["dur"]) for e in events if e["ph"] == "X" and e["tid"] == tid]
        for name, tid in tracks.items()
    }
    matrix = sum(end - begin for begin, end in slices["matrix"])
    assert _overlap(slices["matrix"], slices["vector"]) > matrix / 10
