"""A spot check in the browser: a card for each drawn row, and two buttons that put a verdict on file at once."""

from __future__ import annotations

import threading
from urllib.parse import urlencode

from blocks import pages
from flows.press import TOKEN, Press, Refused
from nightschool.errors import NightError
from nightschool.report.spot_check_page import Refusal, render
from tasks.night import Night
from tasks.sitting import Sitting
from tasks.spot_check import refresh, sheet

# Two tabs may press at once, and a report is written beside itself under a name of this process.
_ONE_AT_A_TIME = threading.Lock()


def page(name: str, who: str = "", refused: Refusal | None = None) -> bytes | None:
    """The page of the night that is on the shelf under this name; None if there is none.

    Args:
        who: whoever looked at a row before this one.
    """
    night = _opened(name)
    if night is None:
        return None
    cases, found = sheet(night)
    report = (night.dir / "report.html").is_file()
    return render(night.name, cases, found, who=who.strip()[:80], token=TOKEN, report=report, refused=refused).encode()


def judge(name: str, said: Press) -> Refusal | None:
    """Puts a verdict on file, and the share of bad rows into the report; why it cannot be taught so, if it can't.

    Raises:
        Refused: there is no such night or row.
        NightError: the store cannot be read, or not be written.
    """
    night = _opened(name)
    if night is None:
        raise Refused(404, "There is no such night.")
    with _ONE_AT_A_TIME:
        cases, _ = sheet(night)
        case = next((one for one in cases if one.content == said.row), None)
        if case is None:
            raise Refused(400, "The night draws no such row.")
        sitting = Sitting(night, said.who, [case], spot_check=True)
        answer = {"good": case.ruling.answer, "bad": None, "instead": said.answer}[said.verdict]
        try:
            sitting.decide(answer, reasoning=said.reasoning if said.verdict == "instead" else "", note=said.note)
        except ValueError as err:
            field, _, why = str(err).partition(": ")
            return Refusal(said.row, f"{field.capitalize()}: {why}.", said.model_dump())
        # A night that has none yet tells of it in its first one.
        if (night.dir / "report.json").is_file():
            refresh(night)
    return None


def place(said: Press) -> str:
    """Where the browser goes on: the same row, whose verdict it shows, for the same person."""
    return f"spot-check?{urlencode({'who': said.who})}#row-{said.row}"


def judged(name: str) -> bool:
    """Whether the rows of this night can be judged at all."""
    night = _opened(name)
    return night is not None and night.recipe.rules


def _opened(name: str) -> Night | None:
    store, folder = pages.store_of(name), pages.folder_of(name)
    if store is None or folder is None:
        return None
    try:
        return Night.open(store, folder.name)
    except NightError:
        return None
