"""`nightschool show NIGHT ROW`: a row's whole life, as a terminal shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from flows.cli.options import Json, NightName, Store
from flows.cli.output import out, write_json
from nightschool.report.text import visible

if TYPE_CHECKING:
    from tasks.life import Life, Station

_STYLES = {"kept": "green", "seen": "green", "dropped": "red", "not yet": "dim", "passed by": "dim"}
_HIDDEN = {"id", "question", "fields", "prompt", "casts", "said", "solutions", "votes", "completion", "chosen",
           "rejected", "solution", "extra_info", "teacher", "topic", "choices"}  # fmt: skip
_MOST_CHARS = 240


def show(
    night: NightName,
    row: Annotated[str, typer.Argument(help="Its id, the beginning of it, or a piece of its question.")],
    store: Store = "runs",
    json: Json = False,
) -> None:
    """Print a row's whole life: prompt, replies, votes, checks, people, filters, side, weight, and who learned it."""
    from tasks.life import life
    from tasks.night import Night

    found = life(Night.open(store, night), row)
    if json:
        write_json(found)
    else:
        out.print(view(found), width=min(80, out.width))


def view(found: Life) -> RenderableType:
    """All stations, one under the other."""
    parts: list[RenderableType] = [Text(f"{found.id} of night {visible(found.night)}", style="bold")]
    parts.append(Padding(Text(visible(found.question)), (0, 0, 1, 2)))
    before: dict[str, Any] = {}
    shown: set[tuple[str, str]] = set()
    for station in found.stations:
        parts.append(_head(station))
        for row in (*station.kept, *station.dropped):
            named = [("row", str(row["id"]))] if row.get("id") != found.id else []
            lines = [*named, *(one for one in _lists(row) if one not in shown), *_changed(row, before)]
            shown.update(lines)
            parts += [Padding(Text.assemble((f"{visible(name)}  ", "dim"), text), (0, 0, 0, 4)) for name, text in lines]
            before |= {name: value for name, value in row.items() if name not in _HIDDEN}
    return Group(*parts)


def _head(station: Station) -> Text:
    reasons = ", ".join(dict.fromkeys(str(row.get("reason") or "") for row in station.dropped))
    state = f"{station.state}: {reasons}" if reasons and not station.kept else station.state
    line = Text.assemble((f"{station.phase:<11}", "bold"), (visible(state), _STYLES[station.state]))
    return line.append(f"  {visible(station.note)}") if station.note else line


def _lists(row: dict[str, Any]) -> list[tuple[str, str]]:
    """What a row has several of: prompts, replies, votes."""
    who = str(row.get("teacher") or "")
    found = [(str(turn["role"]), _short(turn["content"])) for turn in row.get("prompt") or ()]
    for number, each in enumerate(row.get("casts") or ()):
        found.append((f"{who} {number}", _short(f"{each['letter'] or each['reason']}: {each['reasoning']}")))
    for number, each in enumerate(row.get("said") or ()):
        found.append((f"{who} {number}", _short(each["text"], end=True)))
    for name, said in (row.get("solutions") or {}).items():
        each = zip(said["values"], said["reasons"], said["marks"], strict=True)
        marks = ", ".join(f"{value or reason or '-'} {mark or ''}".strip() for value, reason, mark in each)
        found.append((name, _short(marks)))
    votes = row.get("votes") or {}
    found += [("votes", ", ".join(f"{visible(name)} {vote or '-'}" for name, vote in votes.items()))] if votes else []
    for name in ("completion", "chosen", "rejected"):
        found += [(name, _short(turn["content"])) for turn in row.get(name) or ()]
    return found


def _changed(row: dict[str, Any], before: dict[str, Any]) -> list[tuple[str, str]]:
    """Plain fields that are not as the phase before left them."""
    return [
        (name.replace("_", " "), _short(_plain(value)))
        for name, value in row.items()
        if name not in _HIDDEN and _plain(value) and before.get(name) != value
    ]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items() if _plain(one))
    if isinstance(value, float):
        return f"{value:.3g}"
    return "" if value in (None, []) else str(value)


def _short(text: str, *, end: bool = False) -> str:
    """A text on one line, its beginning or its end, without what a terminal would act on."""
    line = " ".join(visible(text).split())
    if len(line) <= _MOST_CHARS:
        return line
    return f"... {line[-_MOST_CHARS:]}" if end else f"{line[:_MOST_CHARS]} ..."
