"""Rulings for the rules that choose among them."""

from __future__ import annotations

from typing import Any, cast

from nightschool.records import Letter, Question, Ruling


def ruling(
    number: int, answer: str, *, topic: str = "seating", text: str = "", level: str | None = None, **fields: Any
) -> Ruling:
    """An accepted row with an answer; a letter comes with four choices."""
    lettered = answer in ("A", "B", "C", "D")
    letter = cast("Letter", answer) if lettered else None
    question = Question(
        id=f"q{number}", topic=topic, question=text or f"{number}?",
        choices=("one", "two", "three", "four") if lettered else (), truth=letter, key=letter,
        source="generator", check="ok", answer=None if lettered else answer, level=level,
    )  # fmt: skip
    return Ruling(
        **{
            "id": question.id, "question": question, "verdict": "accept", "answer": answer, "reasoning": "so",
            "by": "solver", "reason": None, "votes": {"ann": answer}, "vote": answer, "agreement": 1.0, **fields,
        }
    )  # fmt: skip
