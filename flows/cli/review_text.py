"""What the review's terminal view says of a row and of where the sitting stands, as styled text."""

from __future__ import annotations

from rich.text import Text

from nightschool.records import LETTERS
from nightschool.report.text import clean, plain, visible
from nightschool.review import Case
from tasks.sitting import Sitting

_MOST_KEYS = 9
_COLUMN = 40


def standing(sitting: Sitting) -> Text:
    """How far the sitting has come, and how long the rest may take."""
    done = sitting.total - sitting.left
    eta = f", about {_about(sitting.eta_s)} to go" if sitting.eta_s and sitting.left else ""
    return Text(f"{done} of {sitting.total} decided{eta}")


def asked(case: Case) -> Text:
    """Topic, why the row was left open, and the question."""
    ruling = case.ruling
    why = f"left open: {plain(ruling.reason)}" if ruling.reason else ""
    about = [Text(visible(plain(ruling.question.topic)), "bold magenta"), Text(why, "dim")]
    return Text("  ").join(part for part in about if part).append(f"\n{clean(ruling.question.question)}", "bold")


def options(case: Case) -> Text:
    """Every answer with its key and who gave it, a line each."""
    lines = []
    width = min(_COLUMN, max((len(named(case, answer)) for answer in case.options), default=0))
    for place, answer in enumerate(case.options):
        who = [visible(voice.teacher) for voice in case.voices if voice.answer == answer]
        key = (f" {_key(case, place)} ", "bold reverse" if answer == case.leading else "bold cyan")
        lines.append(
            Text.assemble(key, f" {named(case, answer):<{width}}", (f"   {', '.join(who)}" if who else "", "green"))
        )
    return Text("\n").join(lines)


def named(case: Case, answer: str) -> str:
    """An answer with its choice's text, on one line."""
    choices = dict(zip(LETTERS, case.ruling.question.choices, strict=False))
    shown = f"{answer}) {choices[answer]}" if answer in choices else answer
    return " ".join(visible(shown).split())


def _key(case: Case, place: int) -> str:
    option = case.options[place]
    return option[0] if option in LETTERS or case.kind == "yes_no" else str(place + 1) if place < _MOST_KEYS else " "


def chosen(case: Case, character: str) -> str | None:
    """The answer that a key stands for."""
    keys = {_key(case, place).lower(): option for place, option in reversed(list(enumerate(case.options)))}
    return keys.get(character.lower()) if character.strip() else None


def keys(case: Case | None, sitting: Sitting) -> Text:
    """What can be pressed now."""
    if case is None:
        go_on = [] if sitting.spot_check else [("g", "let the night go on without them")]
        again = [("s", "see the skipped again"), *go_on] if sitting.left else []
        return _hints([*again, ("u", "undo"), ("q", "quit")])
    spot = sitting.spot_check
    accept = "good" if spot else f"accept {visible(case.leading)[:20]}" if case.leading else ""
    leading = [("Enter", accept)] if case.leading else []
    used = [_key(case, place) for place in range(min(_MOST_KEYS, len(case.options)))]
    choose = [(f"{used[0]}-{used[-1]}" if len(used) > 2 else "/".join(used), "choose")] if used else []
    # Where E is a choice, e chooses it.
    rest = [
        ("w" if chosen(case, "e") else "e", "edit"),
        ("r", "bad" if spot else "reject"),
        ("s", "skip"),
        ("u", "undo"),
        ("Tab", "scroll"),
        ("q", "quit"),
    ]
    return _hints([*leading, *choose, *rest])


def _hints(keys: list[tuple[str, str]]) -> Text:
    # A hint is not broken in two.
    space = "\N{NO-BREAK SPACE}"
    hints = (Text.assemble((key, "bold cyan"), space, what.replace(" ", space)) for key, what in keys)
    return Text("  ").join(hints)


def end(sitting: Sitting) -> Text:
    """What is said when no row is left to show."""
    name, count = f"{sitting.night.name}{sitting.night.flags}", len(sitting.decisions)
    head = f"{sitting.left} still open." if sitting.left else "All rows are decided."
    text = Text.assemble((head, "bold"), f"\n\n{count} decided in this sitting.\n\n")
    if sitting.spot_check:
        return text.append("The report has the share of bad rows once you quit.")
    if not sitting.night.running:
        return text.append("The night takes them in when it is run again:\n\n").append(
            f"  nightschool rerun {name}\n", "bold cyan"
        )
    return text if sitting.left else text.append("The night, if it waits, goes on by itself.")


def _about(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 59.5 else f"{seconds / 60:.0f} min"
