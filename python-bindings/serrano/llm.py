"""Text from a compiled decoder: sequences in its paged cache, sampling, streaming."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ._serrano import Error
from .program import Program

_ENTRY = "step"


class Tokenizer:
    """A tokenizer.json of Hugging Face's tokenizers, with the end-of-sequence token that stands beside it."""

    def __init__(self, folder: str | os.PathLike[str]):
        import json

        import tokenizers

        path = pathlib.Path(folder) / "tokenizer.json"
        if not path.is_file():
            raise Error(f"{folder}: no tokenizer.json; name the folder that holds it")
        self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        self.end: int | None = None
        config = pathlib.Path(folder) / "tokenizer_config.json"
        if config.is_file():
            token = json.loads(config.read_text()).get("eos_token")
            token = token.get("content") if isinstance(token, dict) else token
            self.end = self._tokenizer.token_to_id(token) if token else None

    def encode(self, text: str) -> list[int]:
        """The text's token ids."""
        return self._tokenizer.encode(text).ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids; bytes that are no whole character yet become U+FFFD."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=True)


@dataclass
class CachedSequence:
    """A sequence in the chip's cache: its length there and the blocks that hold it."""

    length: int = 0
    blocks: list[int] = field(default_factory=list)


class LLM:
    """A decoder on the simulated chip.

    A step takes any number of new tokens of several sequences up to the program's limits; longer inputs go in as
    several steps, with the same results to the bit. `last_statistics` is what the last step cost on the chip if
    `stats` was asked for.
    """

    def __init__(self, program: Program, tokenizer: Tokenizer | str | os.PathLike[str] | None = None):
        if _ENTRY not in program.entries:
            raise Error(f"the program has no entry '{_ENTRY}'; compile a decoder with a key/value cache")
        self._program = program
        self.tokenizer = Tokenizer(tokenizer) if isinstance(tokenizer, (str, os.PathLike)) else tokenizer
        entry = program.entries[_ENTRY]
        if entry.cache is None:
            raise Error(f"the entry '{_ENTRY}' has no cache; compile a decoder with a key/value cache")
        self._cache = entry.cache
        self._blocks_each = -(-entry.cache.context // entry.cache.block)
        self._free = list(range(entry.cache.blocks))[::-1]
        self._max_tokens = entry.limits["tokens"]
        self._max_sequences = entry.limits["sequences"]
        self.last_statistics: dict[str, Any] | None = None

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        return int(self._program.entries[_ENTRY].outputs["logits"].shape[-1])

    @property
    def max_context(self) -> int:
        """The most tokens of a sequence."""
        return self._cache.context

    @property
    def max_tokens(self) -> int:
        """The most new tokens of a step."""
        return self._max_tokens

    def open(self) -> CachedSequence:
        """A new, empty sequence."""
        return CachedSequence()

    def close(self, sequence: CachedSequence) -> None:
        """Gives a sequence's blocks back."""
        self._free.extend(sequence.blocks)
        sequence.blocks, sequence.length = [], 0

    def step(
        self,
        batch: Sequence[tuple[CachedSequence, Sequence[int]]],
        rows: Sequence[int] | None = None,
        *,
        stats: bool = False,
        check: Sequence[str] = (),
        trace: str | os.PathLike[str] | None = None,
    ) -> npt.NDArray[np.float32]:
        """Appends tokens to sequences and returns logits, `[rows, vocabulary]`.

        batch: each sequence with its new token ids, at least one.
        rows: which of all the batch's tokens, counted through, give logits; the last of each sequence if None.
        stats, check, trace: as for `Program.run`.

        Raises Error for a token id outside the vocabulary, a sequence longer than the program was compiled for, too
        many tokens or sequences in one step, and a sequence that occurs twice.
        """
        tokens = [t for _, ids in batch for t in ids]
        if len({id(s) for s, _ in batch}) != len(batch):
            raise Error("a sequence occurs twice in one step; append its tokens together")
        if len(batch) > self._max_sequences:
            raise Error(f"{len(batch)} sequences in one step, but the program was compiled for {self._max_sequences}")
        if len(tokens) > self._max_tokens:
            raise Error(f"{len(tokens)} tokens in one step, but the program was compiled for {self._max_tokens}")
        for token in tokens:
            if not 0 <= token < self.vocabulary:
                raise Error(f"token id {token} is outside the vocabulary, 0 to {self.vocabulary - 1}")
        starts, positions, lengths = [0], [], []
        for sequence, ids in batch:
            if not ids:
                raise Error("a sequence in the step has no new token")
            length = sequence.length + len(ids)
            if length > self.max_context:
                raise Error(
                    f"a sequence of {length} tokens, but the program was compiled for {self.max_context}; compile it "
                    "with a larger --max-context"
                )
            positions.extend(range(sequence.length, length))
            starts.append(starts[-1] + len(ids))
            lengths.append(length)
        for (sequence, _), length in zip(batch, lengths):
            while len(sequence.blocks) * self._cache.block < length:
                if not self._free:
                    raise Error("the cache has no free block; close sequences that are done")
                sequence.blocks.append(self._free.pop())
        tables = np.zeros((len(batch), self._blocks_each), np.int32)
        for table, (sequence, _) in zip(tables, batch):
            table[: len(sequence.blocks)] = sequence.blocks
        outputs = self._program.run(
            _ENTRY,
            {
                "token_ids": np.array(tokens, np.int32),
                "positions": np.array(positions, np.int32),
                "query_starts": np.array(starts, np.int32),
                "kv_lengths": np.array(lengths, np.int32),
                "block_tables": tables,
                "logit_rows": np.array([s - 1 for s in starts[1:]] if rows is None else rows, np.int32),
            },
            stats=stats,
            check=check,
            trace=trace,
        )
        for (sequence, _), length in zip(batch, lengths):
            sequence.length = length
        self.last_statistics = outputs.statistics
        return outputs["logits"]

    def logits(self, token_ids: Sequence[int], *, check: Sequence[str] = ()) -> npt.NDArray[np.float32]:
        """The logits of every position of a text, `[tokens, vocabulary]`, f32."""
        sequence = self.open()
        try:
            parts = []
            for start in range(0, len(token_ids), self._max_tokens):
                part = list(token_ids[start : start + self._max_tokens])
                parts.append(self.step([(sequence, part)], range(len(part)), check=check))
            return np.concatenate(parts) if parts else np.zeros((0, self.vocabulary), np.float32)
        finally:
            self.close(sequence)

    def generate_ids(
        self,
        prompt: Sequence[int],
        max_new_tokens: int,
        *,
        choose: Callable[[npt.NDArray[np.float32]], int] | None = None,
        stop: int | None = None,
        stats: bool = False,
    ) -> Iterator[int]:
        """New token ids, as they come; the likeliest each time, unless `choose` picks one from the logits."""
        if not prompt:
            raise Error("the prompt has no token")
        sequence = self.open()
        try:
            pending = list(prompt)
            for _ in range(max_new_tokens):
                while len(pending) > self._max_tokens:
                    self.step([(sequence, pending[: self._max_tokens])])
                    del pending[: self._max_tokens]
                logits = self.step([(sequence, pending)], stats=stats)[-1]
                token = choose(logits) if choose else int(logits.argmax())
                yield token
                if token == stop:
                    return
                pending = [token]
        finally:
            self.close(sequence)

    def generate(
        self, prompt: str, max_new_tokens: int = 64, *, temperature: float = 0.0, seed: int = 0, stats: bool = False
    ) -> Iterator[str]:
        """Pieces of text, as they come. A temperature of 0 takes the likeliest token each time."""
        if self.tokenizer is None:
            raise Error("no tokenizer; give one to LLM")
        random = np.random.default_rng(seed)

        def sample(logits: npt.NDArray[np.float32]) -> int:
            scaled = logits.astype(np.float64) / temperature
            weights = np.exp(scaled - scaled.max())
            return int(random.choice(len(weights), p=weights / weights.sum()))

        ids: list[int] = []
        shown = ""
        prompt_ids = self.tokenizer.encode(prompt)
        choose = sample if temperature > 0 else None
        for token in self.generate_ids(prompt_ids, max_new_tokens, choose=choose, stop=self.tokenizer.end, stats=stats):
            ids.append(token)
            text = self.tokenizer.decode(ids)
            # A character may take several tokens.
            if not text.endswith("\ufffd"):
                yield text[len(shown) :]
                shown = text
