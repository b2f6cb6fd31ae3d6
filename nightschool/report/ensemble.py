"""From what came of an ensemble to the lines that a person reads, on a terminal and in Prefect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

_BY = {
    "votes": "by votes",
    "check": "by putting them into the problem",
    "guess": "as a best guess: the votes do not suffice",
    "stand_in": "nothing to go by: the stand-in",
}
_WHY = {
    "late": "no reply in time",
    "no_time": "not asked: it takes longer than there was time",
    "no_answer": "does not answer",
}
_MOST_TOLD = 12


class Rated(Protocol):
    """How often one voter, or the ensemble, is right."""

    @property
    def who(self) -> str: ...
    @property
    def right(self) -> int: ...
    @property
    def answers(self) -> int: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


class Told(Protocol):
    """What there is to tell, see `tasks.predicted.Summary`."""

    @property
    def night(self) -> str: ...
    @property
    def problems(self) -> int: ...
    @property
    def by(self) -> Mapping[str, int]: ...
    @property
    def unheard(self) -> Mapping[str, Mapping[str, int]]: ...
    @property
    def right(self) -> Sequence[Rated]: ...
    @property
    def checked(self) -> int: ...
    @property
    def requests(self) -> int: ...
    @property
    def tokens_out(self) -> int: ...
    @property
    def submission(self) -> str | None: ...
    @property
    def judged(self) -> Mapping[str, Any] | None: ...


def lines(told: Told) -> list[str]:
    """One screen: answers by where they come from, who is right, who was not heard, and what is handed in."""
    return [*_answers(told), *_rights(told), *_unheard(told), *_handed_in(told)]


def _answers(told: Told) -> Iterator[str]:
    yield f"{told.problems:,} problems, {told.requests:,} requests, {told.tokens_out:,} tokens of replies"
    for by, what in _BY.items():
        if count := told.by.get(by):
            yield f"  {count:>6,}  {what}"
    if told.checked:
        yield f"  on {told.checked:,} of them answers could be put into the problem"


def _rights(told: Told) -> Iterator[str]:
    if not told.right:
        return
    width = max(len(one.who) for one in told.right)
    yield f"Right, where the file knows the answer ({told.right[0].answers:,}), with 95% intervals:"
    for one in told.right[:_MOST_TOLD]:
        share = one.right / one.answers
        yield f"  {one.who:<{width}}  {share:>6.1%}  ({one.low:.1%} to {one.high:.1%})"
    if len(told.right) > _MOST_TOLD:
        yield f"  and {len(told.right) - _MOST_TOLD} voters that are right less often"


def _unheard(told: Told) -> Iterator[str]:
    if not told.unheard:
        return
    yield "Not heard:"
    for voter, reasons in list(told.unheard.items())[:_MOST_TOLD]:
        why = "; ".join(
            f"{_WHY.get(reason, reason)} ({count:,} of {told.problems:,})" for reason, count in reasons.items()
        )
        yield f"  {voter}: {why}"
    if len(told.unheard) > _MOST_TOLD:
        yield f"  and {len(told.unheard) - _MOST_TOLD} more voters"
    yield "  The same command with --again asks only these."


def _handed_in(told: Told) -> Iterator[str]:
    judged = told.judged
    if judged is not None:
        yield f"{judged['valid']:,} of {judged['rows']:,} rows keep to the contest's rules"
        for rule, times in judged["broken"].items():
            yield f"  {times:>6,}  {rule.replace('_', ' ')}"
        yield from (f"  {one}" for one in judged["whole"])
    if told.submission:
        yield f"Submission: {told.submission}"
