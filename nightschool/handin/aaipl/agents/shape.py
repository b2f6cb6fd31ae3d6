"""From the shape of a reply to the tokens that may come next: fixed texts with free strings between them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import torch

# Tokens that each string still to come is left, when a reply runs out of room.
ROOM = 6
SLACK = 4

Literals = Sequence[Sequence[str]]


class State(NamedTuple):
    """Where a reply stands: in one of the `pending` texts, or (none) in the free string behind literal `place`.

    `begun`: that string has a character. Behind the last literal the reply is `over`.
    """

    place: int
    pending: tuple[str, ...]
    begun: bool = False
    over: bool = False


class Shape:
    """A reply as JSON of one form, such as {"reasoning":"...","answer":"A"}: as the night held its models to a schema.

    Strings hold neither quotes nor backslashes, so nothing in them is escaped.

    Args:
        literals: the texts around the free strings, in order, each with its alternatives; the last one ends the reply.
    """

    def __init__(self, tokenizer: Any, literals: Literals) -> None:
        self._literals = [tuple(each) for each in literals]
        self._texts = _texts(tokenizer)
        self._by_first: dict[str, list[int]] = defaultdict(list)
        self._plain: list[int] = []
        self._quoted: list[int] = []
        for token, text in self._texts.items():
            self._by_first[text[0]].append(token)
            if '"' in text:
                self._quoted.append(token)
            elif all(map(_is_free, text)):
                self._plain.append(token)
        self._known: dict[tuple[State, bool], list[int]] = {}
        self._costs = [self._cost(each[0]) for each in self._literals]

    @property
    def start(self) -> State:
        """Before the first token."""
        return State(0, self._literals[0])

    def after(self, state: State, token: int) -> State:
        """The state behind a token that was allowed."""
        found = self._walk(state, self._texts.get(token, ""))
        return state if found is None else found

    def allowed(self, state: State, left: int, *, late: bool) -> list[int]:
        """Tokens that may come next; none when the reply is over.

        Args:
            left: tokens that there still is room for.
            late: time is over, so strings are closed.
        """
        closing = late or left <= sum(self._costs[state.place + 1 :]) + ROOM * self._to_come(state) + SLACK
        if (state, closing) not in self._known:
            self._known[state, closing] = self._allowed(state, closing=closing)
        return self._known[state, closing]

    def _to_come(self, state: State) -> int:
        return max(0, len(self._literals) - 2 - state.place)

    def _allowed(self, state: State, *, closing: bool) -> list[int]:
        if state.over:
            return []
        if state.pending:
            fixed = _shared(state.pending)
            return [self._longest(fixed)] if fixed else self._leading({text[0] for text in state.pending}, state)
        if closing and state.begun:
            return self._leading({'"'}, state)
        return self._plain + [token for token in self._quoted if self._walk(state, self._texts[token])]

    def _leading(self, first: Collection[str], state: State) -> list[int]:
        """Tokens that begin with one of these characters and go on as they may."""
        return [token for each in first for token in self._by_first[each] if self._walk(state, self._texts[token])]

    def _longest(self, text: str) -> int:
        fitting = [token for token in self._by_first[text[0]] if text.startswith(self._texts[token])]
        return max(fitting, key=lambda token: len(self._texts[token]))

    def _cost(self, text: str) -> int:
        """How many tokens a fixed text takes."""
        count = 0
        while text:
            text = text[len(self._texts[self._longest(text)]) :]
            count += 1
        return count

    def _walk(self, state: State, text: str) -> State | None:
        """The state behind these characters; None if they may not come."""
        for char in text:
            if state.over:
                return None
            if not state.pending and char != '"':
                if not _is_free(char):
                    return None
                state = state._replace(begun=True)
                continue
            if not state.pending:
                if not state.begun:
                    return None
                state = State(state.place + 1, self._literals[state.place + 1])
            pending = tuple(each[1:] for each in state.pending if each.startswith(char))
            if not pending:
                return None
            done = "" in pending
            state = State(state.place, () if done else pending, over=done and state.place + 1 == len(self._literals))
        return state


class Held:
    """What `generate` calls before each token: scores of tokens that would break the shape become minus infinity.

    Args:
        most: new tokens.
        deadline: moment of time.monotonic() at which open strings are closed.
        ends: tokens that end a reply.
    """

    def __init__(
        self, shape: Shape, *, rows: int, most: int, deadline: float, ends: Sequence[int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._shape, self._most, self._deadline, self._ends, self._clock = shape, most, deadline, list(ends), clock
        self._states = [shape.start] * rows
        self._steps = 0

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if self._steps:
            last = input_ids[:, -1].tolist()
            self._states = [self._shape.after(*each) for each in zip(self._states, last, strict=True)]
        late, left = self._clock() >= self._deadline, self._most - self._steps
        masked = torch.full_like(scores, float("-inf"))
        for row, state in enumerate(self._states):
            tokens = self._shape.allowed(state, left, late=late) or self._ends
            masked[row, tokens] = scores[row, tokens]
        self._steps += 1
        return masked


def _shared(texts: Sequence[str]) -> str:
    """What all of these begin with."""
    first, *others = texts
    for at, char in enumerate(first):
        if any(other[at : at + 1] != char for other in others):
            return first[:at]
    return first


def _is_free(char: str) -> bool:
    return char not in '"\\' and char >= " "


def _texts(tokenizer: Any) -> dict[int, str]:
    """What each token adds to a text; special ones are left out."""
    special = {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}
    tokens = [token for token in range(len(tokenizer)) if token not in special]
    texts = tokenizer.batch_decode([[token] for token in tokens], clean_up_tokenization_spaces=False)
    pieces = tokenizer.convert_ids_to_tokens(tokens)
    # A vocabulary of sentencepiece loses the blank in front when a token is read alone.
    whole = (f" {text.lstrip()}" if piece.startswith("\u2581") else text
             for text, piece in zip(texts, pieces, strict=True))  # fmt: skip
    return {token: text for token, text in zip(tokens, whole, strict=True) if text}
