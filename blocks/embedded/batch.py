"""The rows of one model that are being generated: they join and leave between two steps."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from llguidance import LLMatcher
from numpy.typing import NDArray
from transformers import PreTrainedModel

from blocks.embedded.cache import SlotCache
from blocks.embedded.grammar import Grammars
from blocks.embedded.job import Completion, Job
from blocks.embedded.sampling import choose, uniforms

_PROMPT_TOKENS = 8192


@dataclass(eq=False)
class Row:
    """One sample on its way: `prompt` includes the tokens that its grammar forces at the start."""

    job: Job
    index: int
    prompt: tuple[int, ...]
    matcher: LLMatcher | None = None


class Batch:
    """Continuous batching of one model, up to `slots` rows; rows 0..len(self.rows) are live, without gaps.

    Per-row state lies in arrays with one entry per slot, so that a step costs no Python per row beyond the grammar.
    """

    def __init__(self, network: PreTrainedModel, grammars: Grammars, stop_ids: list[int], slots: int, context: int):
        self.waiting: deque[Row] = deque()
        self.rows: list[Row] = []
        self._network = network
        self._grammars = grammars
        self._slots = slots
        self._stop_ids = np.array(stop_ids, dtype=np.int64)
        self._cache = SlotCache(network.config.num_hidden_layers, slots)
        self._lengths = np.zeros(slots, dtype=np.int64)  # positions held in the cache
        self._counts = np.zeros(slots, dtype=np.int64)  # tokens written so far
        self._known = np.zeros(slots, dtype=np.int64)  # tokens that the grammar has fixed so far
        self._limits = np.zeros(slots, dtype=np.int64)
        self._temperature = np.zeros(slots, dtype=np.float32)
        self._top_p = np.ones(slots, dtype=np.float32)
        self._tokens = np.zeros((slots, context), dtype=np.int64)
        self._uniforms = np.zeros((slots, context), dtype=np.float64)
        self._state: list[NDArray[np.generic]] = [
            *(self._lengths, self._counts, self._known, self._limits),
            *(self._temperature, self._top_p, self._tokens, self._uniforms),
        ]
        self._bias = torch.full((slots, 1, 1, context), torch.finfo(network.dtype).min, dtype=network.dtype)

    def add(self, job: Job) -> None:
        """Queue the rows of a job."""
        prefix = job.grammar.prefix if job.grammar else ()
        for index in range(job.samples):
            self.waiting.append(Row(job, index, job.prompt + prefix[: job.max_tokens - 1]))

    @property
    def busy(self) -> bool:
        """Whether a step would do anything."""
        return bool(self.rows or self.waiting)

    def step(self) -> int:
        """Drop cancelled rows, let waiting ones join, write one token per row; returns how many were written."""
        if any(row.job.cancelled for row in self.rows):
            self._leave(np.array([row.job.cancelled for row in self.rows]))
        written = 0
        free = self._slots - len(self.rows)
        if self.waiting and (free >= self._slots // 8 or not self.rows):
            written += self._join()
        if self.rows:
            written += self._decode()
        return written

    def _join(self) -> int:
        first = len(self.rows)
        new = self._take()
        if not new:
            return 0
        prompts = list(dict.fromkeys(row.prompt for row in new))
        place = {prompt: position for position, prompt in enumerate(prompts)}
        source = torch.tensor([place[row.prompt] for row in new])
        longest = max(map(len, prompts))
        ids = torch.zeros(len(prompts), longest, dtype=torch.int64)
        for position, prompt in enumerate(prompts):
            ids[position, : len(prompt)] = torch.tensor(prompt)
        self._cache.prompts(first, source, longest)
        ends, end_of = torch.unique(torch.tensor([len(prompt) - 1 for prompt in prompts]), return_inverse=True)
        logits = self._forward(ids, torch.arange(longest).expand(len(prompts), -1), None, ends)
        logits = logits[torch.arange(len(prompts)), end_of][source]
        self.rows += new
        for slot, row in enumerate(new, start=first):
            self._seat(slot, row)
        return self._advance(slice(first, len(self.rows)), logits)

    def _take(self) -> list[Row]:
        new: list[Row] = []
        longest = 0
        while self.waiting and len(self.rows) + len(new) < self._slots:
            row = self.waiting[0]
            longest = max(longest, len(row.prompt))
            if new and longest * (len(new) + 1) > _PROMPT_TOKENS:
                break
            self.waiting.popleft()
            if not row.job.cancelled:
                new.append(row)
        return new

    def _seat(self, slot: int, row: Row) -> None:
        job, length = row.job, len(row.prompt)
        given = length - len(job.prompt)
        self._lengths[slot] = length
        self._tokens[slot, :given] = row.prompt[len(job.prompt) :]
        self._counts[slot] = given
        self._known[slot] = 0
        self._limits[slot] = job.max_tokens
        self._temperature[slot], self._top_p[slot] = job.temperature, job.top_p
        self._uniforms[slot, : job.max_tokens] = uniforms(job.seed, row.index, job.max_tokens)
        self._bias[slot, ..., :length] = 0
        self._bias[slot, ..., length:] = torch.finfo(self._bias.dtype).min
        if job.grammar:
            row.matcher = job.grammar.start.deep_copy()

    def _decode(self) -> int:
        live = len(self.rows)
        lengths = torch.from_numpy(self._lengths[:live])
        longest = int(self._lengths[:live].max()) + 1
        slots = np.arange(live)
        last = torch.from_numpy(self._tokens[slots, self._counts[:live] - 1])
        self._bias[torch.from_numpy(slots), 0, 0, lengths] = 0
        self._cache.step(lengths, longest)
        logits = self._forward(last[:, None], lengths[:, None], self._bias[:live, ..., :longest], 1)
        self._lengths[:live] += 1
        return self._advance(slice(0, live), logits[:, 0])

    def _forward(
        self, ids: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor | None, keep: torch.Tensor | int
    ) -> torch.Tensor:
        return self._network(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=keep,
        ).logits

    def _advance(self, span: slice, logits: torch.Tensor) -> int:
        slots = np.arange(span.start, span.stop)
        counts = self._counts[span]
        free = counts >= self._known[span]
        ruled = [slot for slot in slots[free].tolist() if self.rows[slot].matcher is not None]
        if ruled:
            matchers = [(self._matcher(slot), slot - span.start) for slot in ruled]
            allowed = torch.from_numpy(self._grammars.allowed(matchers, len(slots)))
            logits = logits.masked_fill(~allowed, -torch.inf)
        uniform = torch.from_numpy(self._uniforms[slots, counts])
        temperature, top_p = torch.from_numpy(self._temperature[span]), torch.from_numpy(self._top_p[span])
        drawn = choose(logits.float(), temperature, top_p, uniform).numpy()
        tokens = np.where(free, drawn, self._tokens[slots, counts])
        self._tokens[slots, counts] = tokens
        self._counts[span] += 1
        stopped = np.zeros(len(self.rows), dtype=np.bool_)
        stopped[span] = np.isin(tokens, self._stop_ids)
        complete = np.zeros_like(stopped)
        for slot in ruled:
            if not stopped[slot]:
                complete[slot] = self._follow(slot)
        for slot in range(span.start, span.stop):
            stops = self.rows[slot].job.stops
            if stops and stops(self._tokens[slot, : self._counts[slot]].tolist()):
                complete[slot] = True
        self._finish(stopped, complete)
        return len(slots)

    def _matcher(self, slot: int) -> LLMatcher:
        matcher = self.rows[slot].matcher
        assert matcher is not None
        return matcher

    def _follow(self, slot: int) -> bool:
        """Tell the grammar of the token just written, write what it now forces; whether the JSON is complete."""
        matcher, count, limit = self._matcher(slot), int(self._counts[slot]), int(self._limits[slot])
        matcher.consume_token(int(self._tokens[slot, count - 1]))
        if not matcher.is_stopped():
            forced = matcher.compute_ff_tokens()
            if not forced:
                return False
            matcher.consume_tokens(forced)
            end = min(count + len(forced), limit)
            self._tokens[slot, count:end] = forced[: end - count]
            self._known[slot] = end
            if not matcher.is_stopped():
                return False
            self._counts[slot] = end
            if count + len(forced) > limit:
                return False
        if matcher.is_error():
            self.rows[slot].job.fail(f"the grammar failed: {matcher.get_error()}")
        return True

    def _finish(self, stopped: NDArray[np.bool_], complete: NDArray[np.bool_]) -> None:
        live = len(self.rows)
        ended = stopped | complete | (self._counts[:live] >= self._limits[:live])
        if not ended.any():
            return
        for slot in np.flatnonzero(ended).tolist():
            row, count = self.rows[slot], int(self._counts[slot])
            tokens = self._tokens[slot, : count - int(stopped[slot])].tolist()
            finish = "stop" if stopped[slot] or complete[slot] else "length"
            row.job.add(row.index, Completion(tokens, finish, count))
        self._leave(ended)

    def _leave(self, gone: NDArray[np.bool_]) -> None:
        """Take rows out and close the gaps with rows from the end."""
        left = int((~gone).sum())
        holes = np.flatnonzero(gone[:left])
        tails = left + np.flatnonzero(~gone[left:])
        if len(holes):
            self._cache.move(tails, holes, int(self._lengths[tails].max()))
            for state in self._state:
                state[holes] = state[tails]
            self._bias[torch.from_numpy(holes)] = self._bias[torch.from_numpy(tails)]
            for hole, tail in zip(holes.tolist(), tails.tolist(), strict=True):
                self.rows[hole] = self.rows[tail]
        del self.rows[left:]
