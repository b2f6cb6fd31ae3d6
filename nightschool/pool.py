"""From written questions to the ones that are asked: checked, distinct, lettered without favour, topped up."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nightschool import school
from nightschool.records import LETTERS, Dropped, Question, Written
from nightschool.seeds import rng_of, seed_of

RULES_VERSION = 2

# A quarter of the quota: enough rejected questions to see whether votes alone would have noticed.
_REJECTED_SHARE = 4


@dataclass(frozen=True, slots=True)
class Pooled:
    """Questions to ask, and the ones that are not with their reasons; `checks[teacher][status]` counts the solver's."""

    questions: list[Question]
    dropped: list[Dropped]
    checks: dict[str, dict[str, int]]


@dataclass
class _Drawer:
    """What is being collected for one topic: good questions, and rejected ones."""

    good: list[Question] = field(default_factory=list)
    rejected: list[Question] = field(default_factory=list)


def choose(
    written: Iterable[Written],
    *,
    topics: Sequence[str],
    per_topic: int,
    top_up: bool,
    levels: Sequence[int],
    seed: int,
    solver: bool = True,
) -> Pooled:
    """Rule on every written question, then fill each topic's quota from the generator where `top_up` says so.

    A question that the solver rejects (wrong key, unsolvable) but that reads well is asked too, up to a quarter of
    the quota: it shows what votes alone would have let through. It can't be accepted later: the solver outranks votes.
    Without the `solver` a question that it cannot read is asked like any other, as long as it has four choices.

    Source: plan 000, 2.2; house rule "could not judge is not no".
    """
    drawers = {topic: _Drawer() for topic in topics}
    dropped: list[Dropped] = []
    checks: dict[str, Counter[str]] = defaultdict(Counter)
    seen: set[str] = set()
    for row in written:
        status = _place(row, drawers[row.topic], per_topic, seen, seed, dropped, solver)
        checks[row.teacher][status] += 1
    if top_up:
        for topic, drawer in drawers.items():
            _fill(topic, drawer, per_topic, seen, levels, seed)
    questions = [question for drawer in drawers.values() for question in (*drawer.good, *drawer.rejected)]
    # By each question's own draw: one more or less moves its neighbours by a place, and no reply is lost for it.
    questions.sort(key=lambda question: seed_of("pool order", seed, question.id))
    return Pooled(questions, dropped, {teacher: dict(counts) for teacher, counts in checks.items()})


def _place(
    row: Written, drawer: _Drawer, per_topic: int, seen: set[str], seed: int, dropped: list[Dropped], solver: bool
) -> str:
    """Puts the row in its drawer or drops it; the solver's status either way."""
    check = school.check(row.topic, row.question, row.right, row.distractors)
    mark = school.normalise(row.question)
    good = check.status == "ok" or (not solver and _has_four_choices(row))
    shelf, room = (drawer.good, per_topic) if good else (drawer.rejected, per_topic // _REJECTED_SHARE)
    reason = None
    if check.status == "malformed" and not good:
        reason = "malformed"
    elif mark in seen:
        reason = "duplicate"
    elif school.held_out(row.question):
        reason = "held_out"
    elif len(shelf) >= room:
        reason = "over_quota" if good else check.status
    if reason:
        detail = check.detail or row.question[:200]
        dropped.append(Dropped(id=row.id, topic=row.topic, reason=reason, detail=detail, text=row.question[:2000]))
    else:
        seen.add(mark)
        shelf.append(letter(row, check.status, check.right, seed))
    return check.status


def _has_four_choices(row: Written) -> bool:
    choices = {" ".join(choice.casefold().split()) for choice in (row.right, *row.distractors)}
    return len(choices) == 4 and "" not in choices


def _fill(topic: str, drawer: _Drawer, per_topic: int, seen: set[str], levels: Sequence[int], seed: int) -> None:
    missing = per_topic - len(drawer.good)
    if missing <= 0:
        return
    for number, puzzle in enumerate(school.generate(topic, missing, seed=seed, levels=levels, avoid=seen)):
        row = Written(
            id=f"generator-{topic}-{number:05d}",
            topic=topic,
            teacher="generator",
            plan=puzzle.plan,
            question=puzzle.question,
            right=puzzle.right,
            distractors=puzzle.distractors,
        )
        drawer.good.append(letter(row, "ok", puzzle.right, seed))


def letter(row: Written, status: str, right: str | None, seed: int) -> Question:
    """Letters the choices: four questions that a writer numbered in a row have their answers in four places.

    Nothing but the row's own id decides: a question that comes late changes none that was asked.

    Source: plan 000 leaves the letter to the model; its real output has A 1,361 times and D 379 times.
    """
    writer, _, number = row.id.rpartition("-")
    four, turn = divmod(int(number), 4)
    place = rng_of("places", seed, writer, four).sample(range(4), 4)[turn]
    rng = rng_of("letters", seed, row.id)
    wrong = list(row.distractors)
    rng.shuffle(wrong)
    choices = [*wrong[:place], row.right, *wrong[place:]]
    truth = next((i for i, choice in enumerate(choices) if right is not None and school.same(choice, right)), None)
    return Question(
        id=question_id(row.topic, row.question),
        topic=row.topic,
        question=row.question,
        choices=tuple(choices),
        truth=None if truth is None else LETTERS[truth],  # pyright: ignore[reportArgumentType]
        key=LETTERS[place],  # pyright: ignore[reportArgumentType]
        source=row.teacher,
        check=status,  # pyright: ignore[reportArgumentType]
    )


def question_id(topic: str, question: str) -> str:
    """An id from the content, the same in every night: no index that a filter could shift (plan 000's error 16)."""
    return hashlib.sha256(f"{topic}\n{school.normalise(question)}".encode()).hexdigest()[:12]
