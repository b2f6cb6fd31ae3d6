"""Continuous batching of one model: rows join and leave between two steps."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from blocks.embedded.cache import SlotCache
from blocks.embedded.grammar import Grammars
from blocks.embedded.job import Completion, Job
from blocks.embedded.sampling import choose
from blocks.embedded.seats import Row, Seats

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Tokens in one pass over prompts. 20 microseconds each up to here, 33 from 1500 on, where the allocator maps and
# unmaps fresh pages for every intermediate result (0.9M parameters).
_PROMPT_TOKENS = 960


class Batch:
    """Up to `slots` rows of one model; a step costs no Python per row beyond the grammar's."""

    def __init__(
        self, network: PreTrainedModel, grammars: Grammars, stop_ids: list[int], slots: int, context: int
    ) -> None:
        self.waiting: deque[Row] = deque()
        self.seats = Seats(slots, context, network.dtype)
        self._network = network
        self._grammars = grammars
        self._slots = slots
        self._stop_ids = np.array(stop_ids, dtype=np.int64)
        self._cache = SlotCache(network.config.num_hidden_layers, slots)

    def add(self, job: Job) -> None:
        """Queue the rows of a job."""
        prefix = job.grammar.prefix if job.grammar else ()
        for index in range(job.samples):
            self.waiting.append(Row(job, index, job.prompt + prefix[: job.max_tokens - 1]))

    @property
    def busy(self) -> bool:
        """Whether a step would do anything."""
        return bool(self.seats.rows or self.waiting)

    def step(self) -> int:
        """Drop cancelled rows, let waiting ones join, write one token per row; returns how many were written."""
        rows = self.seats.rows
        if any(row.job.cancelled for row in rows):
            self.seats.leave(np.array([row.job.cancelled for row in rows]), self._cache)
        written = 0
        # A pass over the prompts of a few rows costs nearly as much as one over eight of them: let seats gather.
        if not rows or self._slots - len(rows) >= self._slots // 8:
            while self.waiting and len(rows) < self._slots:
                written += self._join()
        if rows:
            written += self._decode()
        return written

    def _join(self) -> int:
        """Let as many waiting rows join as there are seats: a pass per group of like length, equal prompts once."""
        rows_of: dict[tuple[int, ...], list[Row]] = {}
        free = self._slots - len(self.seats.rows)
        while self.waiting and free:
            row = self.waiting.popleft()
            if not row.job.cancelled:
                rows_of.setdefault(row.prompt, []).append(row)
                free -= 1
        written = 0
        group: dict[tuple[int, ...], list[Row]] = {}
        for prompt in sorted(rows_of, key=len):
            if group and len(prompt) * (len(group) + 1) > _PROMPT_TOKENS:
                written += self._start(group)
                group = {}
            group[prompt] = rows_of[prompt]
        return written + (self._start(group) if group else 0)

    def _start(self, rows_of: dict[tuple[int, ...], list[Row]]) -> int:
        first, count = len(self.seats.rows), len(rows_of)
        source = torch.arange(count).repeat_interleave(torch.tensor([len(rows) for rows in rows_of.values()]))
        longest = max(map(len, rows_of))
        ids = torch.zeros(count, longest, dtype=torch.int64)
        for position, prompt in enumerate(rows_of):
            ids[position, : len(prompt)] = torch.tensor(prompt)
        self._cache.prompts(first, source, longest)
        # The logits of a pass are wanted at the last token of each prompt: at a few positions, of all prompts.
        ends, end_of = torch.unique(torch.tensor([len(prompt) - 1 for prompt in rows_of]), return_inverse=True)
        logits = self._forward(ids, torch.arange(longest).expand(count, -1), None, ends)
        for rows in rows_of.values():
            for row in rows:
                self.seats.sit(row)
        return self._advance(first, logits[torch.arange(count), end_of][source])

    def _decode(self) -> int:
        seats, live = self.seats, len(self.seats.rows)
        slots = np.arange(live)
        lengths = torch.from_numpy(seats.lengths[:live])
        longest = int(seats.lengths[:live].max()) + 1
        last = torch.from_numpy(seats.tokens[slots, seats.counts[:live] - 1])
        seats.bias[torch.from_numpy(slots), 0, 0, lengths] = 0
        self._cache.step(lengths, longest)
        logits = self._forward(last[:, None], lengths[:, None], seats.bias[:live, ..., :longest], 1)
        seats.lengths[:live] += 1
        return self._advance(0, logits[:, 0])

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

    def _advance(self, first: int, logits: torch.Tensor) -> int:
        """Write the next token of each row from `first` on, from its logits [rows, vocabulary]."""
        seats = self.seats
        slots = np.arange(first, len(seats.rows))
        counts = seats.counts[first : len(seats.rows)].copy()
        free = counts >= seats.known[slots]
        seats.tokens[slots, counts] = np.where(free, self._draw(slots, logits, 0), seats.tokens[slots, counts])
        seats.counts[slots] += 1
        ruled = [slot for slot in slots[free].tolist() if seats.rows[slot].matcher is not None]
        # Which tokens belong to the nucleus depends on the mask, so with top_p the mask comes first.
        refused = [slot for slot in ruled if seats.top_p[slot] < 1 or not self._consumed(slot)]
        if refused:
            self._redraw(np.array(refused), logits[[slot - first for slot in refused]])
        stopped = np.zeros(len(seats.rows), dtype=np.bool_)
        stopped[first:] = np.isin(seats.tokens[slots, counts], self._stop_ids)
        complete = np.zeros_like(stopped)
        for slot in ruled:
            complete[slot] = not stopped[slot] and self._follow(slot)
        for slot in slots.tolist():
            stops = seats.rows[slot].job.stops
            if stops and stops(seats.written(slot)):
                complete[slot] = True
        self._finish(first, stopped, complete)
        return len(slots)

    def _draw(self, slots: NDArray[np.int64], logits: torch.Tensor, turn: int) -> NDArray[np.int64]:
        seats = self.seats
        uniform = torch.from_numpy(seats.uniforms[slots, turn, seats.counts[slots]])
        temperature, top_p = torch.from_numpy(seats.temperature[slots]), torch.from_numpy(seats.top_p[slots])
        return choose(logits.float(), temperature, top_p, uniform).numpy()

    def _redraw(self, slots: NDArray[np.int64], logits: torch.Tensor) -> None:
        """Draw again, among what the grammar allows, for rows whose first draw it refused.

        To keep an allowed first draw and to draw again otherwise gives each allowed token its share p / sum(allowed
        p), the same as a mask on every step would; but a trained model is seldom refused, and a mask is the dearest
        part of a grammar.
        """
        seats = self.seats
        seats.counts[slots] -= 1
        matchers = [(seats.matcher(slot), i) for i, slot in enumerate(slots.tolist())]
        allowed = torch.from_numpy(self._grammars.allowed(matchers, len(slots)))
        seats.tokens[slots, seats.counts[slots]] = self._draw(slots, logits.masked_fill(~allowed, -torch.inf), 1)
        seats.counts[slots] += 1
        for slot in slots.tolist():
            self._consumed(slot)

    def _consumed(self, slot: int) -> bool:
        token = int(self.seats.tokens[slot, self.seats.counts[slot] - 1])
        return self.seats.matcher(slot).try_consume_tokens([token]) == 1

    def _follow(self, slot: int) -> bool:
        """Write the tokens that the grammar now forces; whether the JSON is complete."""
        seats, matcher = self.seats, self.seats.matcher(slot)
        count, limit = int(seats.counts[slot]), int(seats.limits[slot])
        if not matcher.is_stopped():
            forced = matcher.compute_ff_tokens()
            if not forced:
                return False
            matcher.consume_tokens(forced)
            end = min(count + len(forced), limit)
            seats.tokens[slot, count:end] = forced[: end - count]
            seats.known[slot] = end
            if not matcher.is_stopped():
                return False
            seats.counts[slot] = end
            if count + len(forced) > limit:
                return False
        if matcher.is_error():
            seats.rows[slot].job.fail(f"the grammar failed: {matcher.get_error()}")
        return True

    def _finish(self, first: int, stopped: NDArray[np.bool_], complete: NDArray[np.bool_]) -> None:
        seats, live = self.seats, len(self.seats.rows)
        ended = stopped | complete | (seats.counts[:live] >= seats.limits[:live])
        for slot in range(first, live):
            if (wrote := seats.rows[slot].job.wrote) and not ended[slot]:
                wrote(seats.written(slot))
        if not ended.any():
            return
        for slot in np.flatnonzero(ended).tolist():
            row, tokens = seats.rows[slot], seats.written(slot)
            finish = "stop" if stopped[slot] or complete[slot] else "length"
            row.job.add(row.index, Completion(tokens[:-1] if stopped[slot] else tokens, finish, len(tokens)))
        seats.leave(ended, self._cache)
