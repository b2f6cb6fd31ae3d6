"""Keys and values of the rows in a batch: one slot per row, left-aligned, kept between steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.cache_utils import Cache, CacheLayerMixin


@dataclass
class Write:
    """What the next forward pass does with its keys and values.

    A prompt pass (`source` set) fills slots first..first+len(source), each from the prompt that `source` names; a
    step (`source` None) adds one position to each of the slots 0..len(lengths).
    """

    first: int = 0
    source: torch.Tensor | None = None
    lengths: torch.Tensor | None = None
    longest: int = 0


class SlotLayer(CacheLayerMixin):
    """One layer's keys and values, [slots, heads, positions, size]; grows by doubling."""

    def __init__(self, slots: int, write: Write) -> None:
        super().__init__()
        self._slots = slots
        self._write = write
        self._rows = torch.arange(slots)

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Take the sizes of heads from the first keys and values."""
        self.keys = key_states.new_zeros(self._slots, key_states.shape[1], 0, key_states.shape[3])
        self.values = value_states.new_zeros(self._slots, value_states.shape[1], 0, value_states.shape[3])
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store the new positions; return all that this pass may attend to."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        write = self._write
        self._reserve(write.longest)
        assert self.keys is not None
        assert self.values is not None
        if write.source is not None:
            slots = slice(write.first, write.first + len(write.source))
            self.keys[slots, :, : key_states.shape[2]] = key_states[write.source]
            self.values[slots, :, : key_states.shape[2]] = value_states[write.source]
            return key_states, value_states
        count = len(key_states)
        self.keys[self._rows[:count], :, write.lengths] = key_states[:, :, 0]
        self.values[self._rows[:count], :, write.lengths] = value_states[:, :, 0]
        return self.keys[:count, :, : write.longest], self.values[:count, :, : write.longest]

    def _reserve(self, positions: int) -> None:
        assert self.keys is not None
        assert self.values is not None
        held = self.keys.shape[2]
        if positions <= held:
            return
        room = max(positions, 2 * held, 64) - held
        self.keys = torch.nn.functional.pad(self.keys, (0, 0, 0, room))
        self.values = torch.nn.functional.pad(self.values, (0, 0, 0, room))

    def move(self, source: NDArray[np.int64], target: NDArray[np.int64], positions: int) -> None:
        """Copy whole slots."""
        assert self.keys is not None
        assert self.values is not None
        self.keys[target, :, :positions] = self.keys[source, :, :positions]
        self.values[target, :, :positions] = self.values[source, :, :positions]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """A prompt pass sees itself only; a step brings its own mask."""
        return query_length, 0

    def get_seq_length(self) -> int:
        """Zero: positions are given by the caller, row by row."""
        return 0

    def get_max_length(self) -> int:
        """No limit of its own."""
        return -1


class SlotCache(Cache):
    """All layers of one model; `write` is set before each forward pass."""

    def __init__(self, layers: int, slots: int) -> None:
        self.write = Write()
        self._slot_layers = [SlotLayer(slots, self.write) for _ in range(layers)]
        super().__init__(layers=list(self._slot_layers))

    def prompts(self, first: int, source: torch.Tensor, longest: int) -> None:
        """The next pass fills the slots from `first` on, each from the prompt that `source` names."""
        self.write.first, self.write.source, self.write.longest = first, source, longest

    def step(self, lengths: torch.Tensor, longest: int) -> None:
        """The next pass adds one position to each slot, behind the `lengths` that it has."""
        self.write.source, self.write.lengths, self.write.longest = None, lengths, longest

    def move(self, source: NDArray[np.int64], target: NDArray[np.int64], positions: int) -> None:
        """Copy whole slots in every layer."""
        for layer in self._slot_layers:
            layer.move(source, target, positions)
