"""The state of the rows of a batch: one entry per slot in every array, live rows first and without gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from llguidance import LLMatcher
from numpy.typing import NDArray

from blocks.embedded.cache import SlotCache
from blocks.embedded.job import Job
from blocks.embedded.sampling import uniforms


@dataclass(eq=False)
class Row:
    """One sample on its way: `prompt` includes the tokens that its grammar forces at the start."""

    job: Job
    index: int
    prompt: tuple[int, ...]
    matcher: LLMatcher | None = None


class Seats:
    """Arrays over `slots`, of which the first len(rows) are live.

    lengths: positions held in the cache. counts: tokens written so far. known: tokens that the grammar has fixed so
    far. tokens, uniforms, bias: by position; bias is the additive attention mask, 0 where a row may look.
    """

    def __init__(self, slots: int, context: int, dtype: torch.dtype) -> None:
        self.rows: list[Row] = []
        self.lengths = np.zeros(slots, dtype=np.int64)
        self.counts = np.zeros(slots, dtype=np.int64)
        self.known = np.zeros(slots, dtype=np.int64)
        self.limits = np.zeros(slots, dtype=np.int64)
        self.temperature = np.zeros(slots, dtype=np.float32)
        self.top_p = np.ones(slots, dtype=np.float32)
        self.tokens = np.zeros((slots, context), dtype=np.int64)
        self.uniforms = np.zeros((slots, 2, context), dtype=np.float64)
        self._closed = torch.finfo(dtype).min
        self.bias = torch.full((slots, 1, 1, context), self._closed, dtype=dtype)
        self._arrays: tuple[NDArray[np.generic], ...] = (
            *(self.lengths, self.counts, self.known, self.limits),
            *(self.temperature, self.top_p, self.tokens, self.uniforms),
        )

    def sit(self, row: Row) -> None:
        """Take the next slot for a row whose prompt is in the cache."""
        slot, job, length = len(self.rows), row.job, len(row.prompt)
        prefix = job.grammar.prefix[: job.max_tokens] if job.grammar else ()
        self.lengths[slot] = length
        self.tokens[slot, : len(prefix)] = prefix
        self.counts[slot], self.known[slot], self.limits[slot] = length - len(job.prompt), len(prefix), job.max_tokens
        self.temperature[slot], self.top_p[slot] = job.temperature, job.top_p
        self.uniforms[slot, :, : job.max_tokens] = uniforms(job.seed, row.index, job.max_tokens)
        self.bias[slot, ..., :length] = 0
        self.bias[slot, ..., length:] = self._closed
        if job.grammar:
            row.matcher = job.grammar.start.deep_copy()
        self.rows.append(row)

    def leave(self, gone: NDArray[np.bool_], cache: SlotCache) -> None:
        """Take rows out and close the gaps with rows from the end; `gone` has a flag per live row."""
        left = int((~gone).sum())
        holes = np.flatnonzero(gone[:left])
        tails = left + np.flatnonzero(~gone[left:])
        if len(holes):
            cache.move(tails, holes, int(self.lengths[tails].max()))
            for array in self._arrays:
                array[holes] = array[tails]
            self.bias[torch.from_numpy(holes)] = self.bias[torch.from_numpy(tails)]
            for hole, tail in zip(holes.tolist(), tails.tolist(), strict=True):
                self.rows[hole] = self.rows[tail]
        del self.rows[left:]

    def matcher(self, slot: int) -> LLMatcher:
        """The grammar of a live row that has one."""
        matcher = self.rows[slot].matcher
        assert matcher is not None
        return matcher

    def written(self, slot: int) -> list[int]:
        """The tokens of a live row."""
        return self.tokens[slot, : self.counts[slot]].tolist()
