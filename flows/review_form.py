"""A row that waits for a person as a form of Prefect's page, and what the form says as a decision."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from nightschool.records import LETTERS
from nightschool.report.text import clean, plain, visible
from nightschool.review import Case
from tasks.sitting import Sitting

OTHER, REJECT, SKIP, GO_ON = (
    "another answer, given below",
    "reject the row",
    "skip it for now",
    "go on without the rest",
)
_MOST_CHARS = 80


def fields(case: Case, who: str) -> dict[str, tuple[Any, Any]]:
    """The form's fields, as pydantic makes a model of them."""
    labels = [_label(case, answer) for answer in case.options]
    leading = _label(case, case.leading) if case.leading else None
    choice: Any = Literal[tuple([*dict.fromkeys(labels), OTHER, REJECT, SKIP, GO_ON])]
    default = leading if leading is not None else ...
    own = "Leave empty to teach a teacher's own words; write it where no teacher argues for the answer."
    return {
        "decision": (choice, Field(default, title="Decision")),
        "answer": (str, Field("", title="Another answer")),
        "reasoning": (str, Field("", title="Reasoning", description=own)),
        "note": (str, Field("", title="Note")),
        "who": (str, Field(who, title="Your name", min_length=1, max_length=80)),
    }


def described(case: Case, *, place: str, wrong: str = "") -> str:
    """The row in Markdown; what models wrote is text in it, never markup, link or picture."""
    ruling = case.ruling
    parts = [f"**Not taken.** {escaped(wrong)}"] if wrong else []
    parts += [f"{place}, {escaped(plain(ruling.question.topic))}: {escaped(plain(ruling.reason or ''))}"]
    parts += [f"### {escaped(' '.join(visible(ruling.question.question).split()))}"]
    choices = zip(LETTERS, ruling.question.choices, strict=False)
    parts += (
        ["\n".join(f"- **{letter}** {escaped(text)}" for letter, text in choices)] if ruling.question.choices else []
    )
    for voice in case.voices:
        lines = escaped(clean(voice.reasoning) or "(nothing that could be read)").splitlines()
        quoted = "\n".join(f"> {line}  " for line in lines)
        parts.append(f"**{escaped(voice.teacher)}: {escaped(voice.answer or 'no answer')}**\n\n{quoted}")
    return "\n\n".join(parts)


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", visible(text))


def _label(case: Case, answer: str) -> str:
    choices = dict(zip(LETTERS, case.ruling.question.choices, strict=False))
    shown = " ".join(visible(f"{answer}) {choices[answer]}" if answer in choices else answer).split())
    who = ", ".join(visible(voice.teacher) for voice in case.voices if voice.answer == answer)
    return f"{shown[:_MOST_CHARS]} ({who})" if who else shown[:_MOST_CHARS]


def obey(sitting: Sitting, said: Mapping[str, Any]) -> str | None:
    """Does to the row what the form says; why it could not, in words, if so. `GO_ON` is for whoever waits."""
    case = sitting.case
    assert case is not None
    sitting.who = str(said["who"]).strip() or sitting.who
    decision = said["decision"]
    if decision == SKIP:
        sitting.skip()
        return None
    by_label = {_label(case, answer): answer for answer in reversed(case.options)}
    answer = None if decision == REJECT else by_label.get(decision, said["answer"])
    try:
        sitting.decide(answer, reasoning=said["reasoning"], note=said["note"])
    except ValueError as err:
        return str(err)
    return None
