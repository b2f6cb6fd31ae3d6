"""From where a night stands to a message for people: figures and names, no row's text and no error's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nightschool.recipe.notify import Event, Notify
from nightschool.report.figures import Report
from nightschool.report.text import duration
from nightschool.report.verdict import headline

_MOST_CHARS = 1500


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: a subject of one line, and a few lines; `events` is all that it tells of."""

    events: frozenset[Event]
    subject: str
    body: str


def begun(name: str, teachers: int, student: str, where: str) -> Message:
    """A night starts; `where` is what its commands are given beside its name."""
    who = f"{teachers} {'teacher' if teachers == 1 else 'teachers'}{f', student {student}' if student else ''}"
    body = f"{who}.\nWhere it stands: nightschool status {name}{where}"
    return Message(frozenset({"start"}), f"Night {name} has started", body)


def over(report: Report, page: str, run: str = "") -> Message:
    """A night is over, however it ended: its verdict, where its report is, and the first thing to do.

    Args:
        page: where the report lies.
        run: the address of its run in Prefect's UI, where there is one.
    """
    events: set[Event] = {"morning"}
    events |= {"failure"} if report.night.stopped_in and not report.halted else set()
    events |= {"gate"} if report.halted or any(not gate.passed for gate in report.gates) else set()
    took = sum(phase.seconds for phase in report.phases)
    lines = [report.night.verdict, f"Report: {page}", *([f"Run: {run}"] if run else [])]
    lines += [f"First thing to do: {first}"] if (first := _first(report.what_next)) else []
    lines += [f"It took {duration(took)}."] if took else []
    return Message(frozenset(events), f"Night {report.night.name}: {headline(report)}", "\n".join(lines)[:_MOST_CHARS])


def broke_down(name: str, where: str, *, refused: bool) -> Message:
    """A night ended without a report; `refused`: because its recipe or its data must be changed."""
    what = "was refused: its recipe or its data must be changed" if refused else "broke down"
    look = f"its log, then nightschool status {name}{where}; run again, it goes on where it stopped"
    body = f"It has no report.\nFirst thing to do: look at {look}."
    return Message(frozenset({"failure", "morning"}), f"Night {name} {what}", body)


def recipients(notify: Iterable[Notify], message: Message) -> list[str]:
    """Who wants to hear of it: each once, in the recipe's order."""
    wanting = [each for one in notify if message.events.intersection(one.on) for each in one.everyone]
    return list(dict.fromkeys(wanting))


def _first(what_next: tuple[str, ...]) -> str:
    """The first thing to do; a sentence that ends in a colon with its command."""
    if not what_next:
        return ""
    first, *rest = what_next
    return f"{first} {rest[0].removeprefix('$ ')}" if first.endswith(":") and rest else first.removeprefix("$ ")
