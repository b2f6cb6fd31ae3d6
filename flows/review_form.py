"""A row that waits for a person as a form of Prefect's page, and what the form says as a decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from nightschool.records import LETTERS
from nightschool.report.markdown import escaped
from nightschool.report.text import clean, plain, visible
from nightschool.review import Case
from tasks.sitting import Sitting

REJECT, SKIP, GO_ON = "reject", "skip", "go on"
GOOD, BAD = "good", "bad"
_MOST_CHARS, _MOST_OPTIONS = 40, 8


def fields(case: Case, who: str, *, spot_check: bool = False) -> dict[str, tuple[Any, Any]]:
    """The form's fields, as pydantic makes a model of them; `who` filled them in before, if anybody did.

    In a spot check the word is a verdict on the row as it is taught: to send the form as it is says that it is good.
    The decision is a line of text: in Chromium a click does not open a list of words in this dialogue, whose hold on
    the focus closes it again (seen with Prefect 3.7.7).
    """
    answers = ", ".join(visible(answer)[:_MOST_CHARS] for answer in case.options[:_MOST_OPTIONS])
    what = f"The right answer ({answers}), or a word: {REJECT} = teach nothing of it; {SKIP} = ask me later; {GO_ON} = "
    own = "Leave it empty to teach a teacher's own words; write it where no teacher argues for the answer."
    default = visible(case.leading) if case.leading else ...
    decision = Field(default, title="Decision", description=f"{what}leave the rest undecided")
    if spot_check:
        words = f"{GOOD} = it may be taught as it is; {BAD} = it may not; or the right answer ({answers}), where it is"
        rest = f"another; {SKIP} = ask me later; {GO_ON} = leave the rest"
        decision = Field(GOOD, title="Verdict", description=f"{words} {rest}")
    return {
        "decision": (str, decision),
        "reasoning": (str, Field("", title="Reasoning", description=own)),
        "who": (str, Field(who or ..., title="Your name", min_length=1, max_length=80)),
    }


def described(case: Case, *, place: str, wrong: str = "") -> str:
    """The row in Markdown; what models wrote is text in it, never markup, link or picture."""
    ruling = case.ruling
    parts = [f"**Not taken.** {escaped(wrong)}"] if wrong else []
    why = f"left open: {ruling.reason}" if ruling.reason else ""
    about = ", ".join(escaped(plain(word)) for word in (place, ruling.question.topic, why) if word)
    parts += [about, f"### {escaped(' '.join(visible(ruling.question.question).split()))}"]
    parts += ["\n".join(f"- {escaped(_told(case, answer))}" for answer in case.options)]
    # Where the dialogue cuts them off nothing else says that there are more.
    parts += [f"Below in their own words (scroll): {', '.join(escaped(voice.teacher) for voice in case.voices)}"]
    # The dialogue shows little at a time: who says nothing comes last.
    for voice in sorted(case.voices, key=lambda voice: voice.answer is None):
        lines = escaped(clean(voice.reasoning) or "(nothing that could be read)").splitlines()
        quoted = "\n".join(f"> {line}  " for line in lines)
        parts.append(f"**{escaped(voice.teacher)}: {escaped(voice.answer or 'no answer')}**\n\n{quoted}")
    return "\n\n".join(parts)


def _told(case: Case, answer: str) -> str:
    """An answer with its choice's text and who gave it."""
    choices = dict(zip(LETTERS, case.ruling.question.choices, strict=False))
    shown = " ".join(visible(f"{answer}) {choices[answer]}" if answer in choices else answer).split())
    who = ", ".join(visible(voice.teacher) for voice in case.voices if voice.answer == answer)
    return f"{shown} ({who})" if who else shown


def obey(sitting: Sitting, said: Mapping[str, Any]) -> str | None:
    """Does to the row what the form says; why it could not, in words, if so. Whoever waits sees to `GO_ON`."""
    case = sitting.case
    assert case is not None
    sitting.who = str(said["who"]).strip() or "somebody"
    word = worded(said)
    if word == SKIP:
        sitting.skip()
        return None
    try:
        sitting.decide(_answer(sitting, case, word, said["decision"]), reasoning=said["reasoning"])
    except ValueError as err:
        field, _, why = str(err).partition(": ")
        return f"{'Decision' if field == 'answer' else field.capitalize()}: {why}"
    return None


def _answer(sitting: Sitting, case: Case, word: str, said: str) -> str | None:
    """The answer that is meant; None where the row is rejected."""
    if sitting.spot_check and word == GOOD:
        return case.ruling.answer
    if case.leading is not None and said == visible(case.leading):
        return case.leading
    return None if word == REJECT or (sitting.spot_check and word == BAD) else said


def worded(said: Mapping[str, Any]) -> str:
    """The decision as one of the form's words would be written."""
    return " ".join(str(said["decision"]).casefold().split())
