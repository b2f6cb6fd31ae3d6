"""Rows that wait for a person, as the committee leaves them."""

from __future__ import annotations

from nightschool.records import Question, Ruling
from nightschool.review import Case, Decision, Voice


def question(name: str = "q1", topic: str = "series", choices: bool = True) -> Question:
    return Question(
        id=name, topic=topic, question=f"What comes after {name}?", choices=("1", "2", "3", "4") if choices else (),
        truth=None, key=None, source="alba", check="unchecked",
    )  # fmt: skip


def ruling(asked: Question | None = None, votes: dict[str, str | None] | None = None) -> Ruling:
    asked = asked or question()
    votes = votes or {"alba": "A", "bruno": "B"}
    return Ruling(
        id=asked.id, question=asked, verdict="review", answer=None, reasoning="", by="votes", reason="tie",
        votes=votes, vote=None, agreement=0.5, entropy=1.0,
    )  # fmt: skip


def case(**votes: str | None) -> Case:
    row = ruling(votes=votes)
    voices = tuple(Voice(name, vote, f"{name} thinks {vote}" if vote else "") for name, vote in row.votes.items())
    return Case(row, voices, "letter")


def free(kind: str, **texts: tuple[str | None, str]) -> Case:
    """A question without choices: each teacher's value and solution."""
    row = ruling(question(choices=False), {name: value for name, (value, _) in texts.items()})
    voices = tuple(Voice(name, value, text) for name, (value, text) in texts.items())
    return Case(row, voices, kind)  # pyright: ignore[reportArgumentType]


def decision(row: Ruling, action: str = "choose", **fields: object) -> Decision:
    from nightschool.review import content_of

    given = {"answer": "B", "reasoning": "because", "who": "ada", "when": "2026-01-02T03:04:05Z"}
    if action in ("reject", "withdraw"):
        given |= {"answer": None, "reasoning": ""}
    return Decision.model_validate({"content": content_of(row.question), "action": action, **given, **fields})
