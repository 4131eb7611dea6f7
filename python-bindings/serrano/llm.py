"""Text from a compiled decoder: sequences in its paged cache, sampling, streaming."""

from __future__ import annotations

import json
import math
import os
import pathlib
import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._serrano import Error
from .program import Program, _path, _shown, _whole

_ENTRY = "step"


def _token_ids(ids: Any) -> list[int]:
    """The ids as integers: from a list, a range or an array of them."""
    try:
        array = np.asarray(ids)
    except ValueError:  # Lists of different lengths.
        array = np.zeros((0, 0))
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise Error(f"token ids have to be a sequence of integers, not {array.dtype} of {array.ndim} dimensions")
    return array.tolist()


class Tokenizer:
    """A tokenizer.json of Hugging Face's tokenizers, with the end-of-sequence token that stands beside it."""

    def __init__(self, folder: str | os.PathLike[str]):
        import tokenizers

        path = pathlib.Path(os.fsdecode(_path(folder))) / "tokenizer.json"
        if not path.is_file():
            raise Error(f"{_shown(folder)}: no tokenizer.json; name the folder that holds it")
        try:
            self._tokenizer = tokenizers.Tokenizer.from_buffer(path.read_bytes())
        except OSError as error:
            raise Error(f"{_shown(path)}: cannot read: {_reason(error)}") from None
        except Exception as error:  # The library has no type of its own for a damaged file.
            raise Error(f"{_shown(path)}: not a tokenizer: {_reason(error)}") from None
        config = path.with_name("tokenizer_config.json")
        token = self._end_token(config) if config.is_file() else None
        self.end: int | None = self._tokenizer.token_to_id(token) if token else None

    @staticmethod
    def _end_token(path: pathlib.Path) -> str | None:
        try:
            config = json.loads(path.read_bytes())
        except OSError as error:
            raise Error(f"{_shown(path)}: cannot read: {_reason(error)}") from None
        except (ValueError, RecursionError) as error:
            raise Error(f"{_shown(path)}: not JSON: {_reason(error)}") from None
        token = config.get("eos_token") if isinstance(config, dict) else config
        token = token.get("content") if isinstance(token, dict) else token
        if token is not None and not isinstance(token, str):
            raise Error(f"{_shown(path)}: no string as the content of 'eos_token'")
        return token

    def encode(self, text: str) -> list[int]:
        """The text's token ids."""
        try:
            text.encode()
        except (AttributeError, UnicodeError):
            raise Error(f"the text {text!a} is not valid Unicode; give it as UTF-8") from None
        return self._tokenizer.encode(text).ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids; bytes that are no whole character yet become U+FFFD."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=True)


def _reason(error: Exception) -> str:
    """What a library has to say, in one line as ours."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    text = text.encode(errors="backslashreplace").decode()
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


class CachedSequence:
    """A sequence in the chip's cache, which `LLM.open` makes. Its blocks are free again when it is closed or gone."""

    def __init__(self, program: Program):
        self._program = program
        self._length = 0
        self._blocks: list[int] = []
        # The list outlives the sequence, and holds what it has then.
        weakref.finalize(self, _free, program._free_blocks, self._blocks)

    @property
    def length(self) -> int:
        """Number of tokens in the cache."""
        return self._length

    @property
    def blocks(self) -> tuple[int, ...]:
        """The blocks that hold them."""
        return tuple(self._blocks)


def _free(free: list[int], blocks: list[int]) -> None:
    while blocks:
        free.append(blocks.pop())


class LLM:
    """A decoder on the simulated chip.

    A step takes any number of new tokens of several sequences up to the program's limits; longer inputs go in as
    several steps, with the same results to the bit. `last_statistics` is what the last step cost on the chip if
    `stats` was asked for, `last_tensors` has the model's tensors that were.
    """

    def __init__(self, program: Program, tokenizer: Tokenizer | str | os.PathLike[str] | None = None):
        if not isinstance(program, Program):
            raise Error(f"{program!r} is no program; load it with serrano.load")
        if _ENTRY not in program.entries:
            raise Error(f"the program has no entry '{_ENTRY}'; compile a decoder with a key/value cache")
        self._program = program
        self.tokenizer = Tokenizer(tokenizer) if isinstance(tokenizer, (str, bytes, os.PathLike)) else tokenizer
        entry = program.entries[_ENTRY]
        if entry.cache is None:
            raise Error(f"the entry '{_ENTRY}' has no cache; compile a decoder with a key/value cache")
        self._cache = entry.cache
        self._blocks_each = -(-entry.cache.context // entry.cache.block)
        self._max_tokens = entry.limits["tokens"]
        self._max_sequences = entry.limits["sequences"]
        self.last_statistics: dict[str, Any] | None = None
        self.last_tensors: dict[str, npt.NDArray[Any]] | None = None

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
        return CachedSequence(self._program)

    def close(self, sequence: CachedSequence) -> None:
        """Gives a sequence's blocks back."""
        self._check_own(sequence)
        _free(self._program._free_blocks, sequence._blocks)
        sequence._length = 0

    def _check_own(self, sequence: CachedSequence) -> None:
        if not isinstance(sequence, CachedSequence) or sequence._program is not self._program:
            raise Error("the sequence is not in the cache of this program; make one with open()")

    def step(
        self,
        batch: Sequence[tuple[CachedSequence, Sequence[int]]],
        rows: Sequence[int] | None = None,
        *,
        stats: bool = False,
        check: Sequence[str] = (),
        trace: str | os.PathLike[str] | None = None,
        threads: int | None = None,
        tensors: bool | Collection[str] = False,
    ) -> npt.NDArray[np.float32]:
        """Appends tokens to sequences and returns logits, `[rows, vocabulary]`.

        batch: each sequence with its new token ids, at least one.
        rows: which of all the batch's tokens, counted through, give logits; the last of each sequence if None.
        stats, check, trace, threads, tensors: as for `Program.run`.

        Raises Error for a token id outside the vocabulary, a sequence longer than the program was compiled for, too
        many tokens or sequences in one step, and a sequence that occurs twice or is of another program.
        """
        batch = [(sequence, _token_ids(ids)) for sequence, ids in batch]
        for sequence, _ in batch:
            self._check_own(sequence)
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
                is_all = self._program.entries[_ENTRY].inputs["positions"].below == str(self.max_context)
                remedy = "the model has positions for no more" if is_all else "compile it with a larger --max-context"
                raise Error(f"a sequence of {length} tokens, but the program was compiled for {self.max_context}; {remedy}")
            positions.extend(range(sequence.length, length))
            starts.append(starts[-1] + len(ids))
            lengths.append(length)
        rows = [s - 1 for s in starts[1:]] if rows is None else _token_ids(rows)
        for row in rows:
            if not 0 <= row < len(tokens):
                raise Error(f"row {row} of the logits is none of the step's {len(tokens)} tokens")
        for (sequence, _), length in zip(batch, lengths):
            while len(sequence._blocks) * self._cache.block < length:
                try:
                    sequence._blocks.append(self._program._free_blocks.pop())
                except IndexError:
                    raise Error("the cache has no free block; close sequences that are done") from None
        tables = np.zeros((len(batch), self._blocks_each), np.int32)
        for table, (sequence, _) in zip(tables, batch):
            table[: len(sequence._blocks)] = sequence._blocks
        outputs = self._program.run(
            _ENTRY,
            {
                "token_ids": np.array(tokens, np.int32),
                "positions": np.array(positions, np.int32),
                "query_starts": np.array(starts, np.int32),
                "kv_lengths": np.array(lengths, np.int32),
                "block_tables": tables,
                "logit_rows": np.array(rows, np.int32),
            },
            stats=stats,
            check=check,
            trace=trace,
            threads=threads,
            tensors=tensors,
        )
        for (sequence, _), length in zip(batch, lengths):
            sequence._length = length
        self.last_statistics = outputs.statistics
        self.last_tensors = outputs.tensors
        return outputs["logits"]

    def logits(self, token_ids: Sequence[int], *, check: Sequence[str] = ()) -> npt.NDArray[np.float32]:
        """The logits of every position of a text, `[tokens, vocabulary]`, f32."""
        token_ids = _token_ids(token_ids)
        sequence = self.open()
        try:
            parts = []
            for start in range(0, len(token_ids), self._max_tokens):
                part = token_ids[start : start + self._max_tokens]
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
        pending = _token_ids(prompt)
        if not pending:
            raise Error("the prompt has no token")
        if _whole("max_new_tokens", max_new_tokens) < 0:
            raise Error(f"max_new_tokens is {max_new_tokens}; expected 0 or more")
        return self._continue(pending, max_new_tokens, choose, stop, stats)

    def _continue(
        self,
        pending: list[int],
        max_new_tokens: int,
        choose: Callable[[npt.NDArray[np.float32]], int] | None,
        stop: int | None,
        stats: bool,
    ) -> Iterator[int]:
        sequence = self.open()
        try:
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
        """Pieces of text, one for each new token, empty where a character is not whole yet.

        A temperature of 0 takes the likeliest token each time.
        """
        if self.tokenizer is None:
            raise Error("no tokenizer; give one to LLM")
        try:
            valid = math.isfinite(temperature) and temperature >= 0
        except TypeError:
            valid = False
        if not valid:
            raise Error(f"temperature is {temperature!r}; expected a finite number of 0 or more")
        if _whole("seed", seed) < 0:
            raise Error(f"seed is {seed}; expected 0 or more")
        random = np.random.default_rng(seed)

        def sample(logits: npt.NDArray[np.float32]) -> int:
            wide = logits.astype(np.float64)
            with np.errstate(over="ignore"):  # Less likely than any other than the first.
                weights = np.exp((wide - wide.max()) / temperature)
            return int(random.choice(len(weights), p=weights / weights.sum()))

        ids = self.generate_ids(
            self.tokenizer.encode(prompt),
            max_new_tokens,
            choose=sample if temperature > 0 else None,
            stop=self.tokenizer.end,
            stats=stats,
        )
        return self._pieces(self.tokenizer, ids, max_new_tokens)

    @staticmethod
    def _pieces(tokenizer: Tokenizer, tokens: Iterator[int], most: int) -> Iterator[str]:
        ids: list[int] = []
        shown = ""
        try:
            for token in tokens:
                ids.append(token)
                text = tokenizer.decode(ids)
                # A character may take several tokens; at the end it stays as it is.
                if text.endswith("\ufffd") and len(ids) < most and token != tokenizer.end:
                    yield ""
                    continue
                piece, shown = text[len(shown) :], text
                yield piece
        except Error:
            rest = tokenizer.decode(ids)[len(shown) :]
            if rest:
                yield rest
            raise
