"""What the server asks of the generation thread, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from blocks.embedded.grammar import Grammar


@dataclass(frozen=True)
class Completion:
    """One sample: its tokens without the stop token, and "stop" or "length"."""

    tokens: list[int]
    finish: str
    counted: int


@dataclass(eq=False)
class Job:
    """One request: `samples` rows that share a prompt.

    `done` is called once, on the generation thread, with all completions in order, or with the reason why there are
    none; before that `wrote`, if there is one, with the tokens so far, each time that there is one more.
    """

    model: str
    prompt: tuple[int, ...]
    samples: int
    temperature: float
    top_p: float
    max_tokens: int
    seed: int
    grammar: Grammar | None
    stops: Callable[[list[int]], bool] | None
    done: Callable[[list[Completion] | str], None]
    wrote: Callable[[list[int]], None] | None = None
    completions: dict[int, Completion] = field(default_factory=dict)
    cancelled: bool = False

    def add(self, index: int, completion: Completion) -> None:
        """Take in the completion of one sample; the last one ends the job."""
        self.completions[index] = completion
        if len(self.completions) == self.samples and not self.cancelled:
            self.done([self.completions[i] for i in range(self.samples)])

    def fail(self, reason: str) -> None:
        """End the job without completions; its other rows are dropped."""
        if not self.cancelled:
            self.cancelled = True
            self.done(reason)
