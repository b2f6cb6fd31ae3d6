"""The command that shows the registry of models, and what of it fits a machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flows.cli.options import Json
from flows.cli.output import out, write_json
from nightschool.errors import RecipeError

if TYPE_CHECKING:  # pydantic and rich take their time, and --help has no use for them
    from rich.console import RenderableType

    from nightschool.fits import Room, Way
    from nightschool.registry import Entry

Purpose = Literal["serving", "training"]


def models(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One of them in full, with its flags.")] = None,
    purpose: Annotated[
        Purpose | None, typer.Option("--for", help="Only this: how it fits for serving, or for training.")
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="Another machine in place of this one: 2x80 for two GPUs of 80 GB.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the models that are known by name: size, context, licence, and which of them fit this machine.

    What a model takes is an estimate, shown part by part: weights, keys and values of 8 requests of 4,096 tokens; for
    training, an adapter of rank 16 and micro-batches of 4,096 tokens.
    """
    from nightschool.registry import registry

    room, known = _room(on), registry()
    entries = [known.named(name)] if name else list(known.models)
    if json:
        write_json({"machine": asdict(room), "models": [_plain(entry, room, purpose) for entry in entries]})
    elif name:
        if (right := known.correction(name)) and right[0] == entries[0].hub:
            out.print(f"{name} is {right[0]} on the hub.\n")
        out.print(_full(entries[0], room, purpose))
    else:
        out.print(_table(entries, room, purpose))


def _room(on: str | None) -> Room:
    """This machine's devices, all as small as the smallest; or those of `on`."""
    from blocks import machine
    from nightschool.fits import Room

    if on is not None:
        found = re.fullmatch(r"([1-9]\d{0,2})x([1-9]\d{0,3})", on)
        if not found:
            raise RecipeError("no machine", field="--on", value=on, allowed="GPUs x GB of each, such as 2x80")
        return Room(int(found[1]), float(found[2]), gpu=True, cuda=True)
    if gpus := machine.gpus():
        smallest = min(gpu.total for gpu in gpus) / 1e9
        return Room(len(gpus), smallest, gpu=True, cuda=all(gpu.vendor == "nvidia" for gpu in gpus))
    return Room(1, machine.memory().total / 1e9, gpu=False)


def _ways(entry: Entry, room: Room, purpose: Purpose) -> list[Way]:
    from nightschool.fits import serving, training

    return (serving if purpose == "serving" else training)(entry, room)


def _purposes(purpose: Purpose | None) -> list[Purpose]:
    return [purpose] if purpose else ["serving", "training"]


def _plain(entry: Entry, room: Room, purpose: Purpose | None) -> dict[str, Any]:
    """For a program: the entry, and each way with what it takes."""
    told = {each: [{**asdict(way), "need_gb": way.need} for way in _ways(entry, room, each)]
            for each in _purposes(purpose)}  # fmt: skip
    return {**entry.model_dump(mode="json"), **told}


def _table(entries: Sequence[Entry], room: Room, purpose: Purpose | None) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from nightschool.fits import best

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("model", "params", "context", "licence", *_purposes(purpose)):
        right = title in ("params", "context")
        table.add_column(title, justify="right" if right else "left", no_wrap=title == "model", overflow="fold")
    for entry in entries:
        cells = [_verdict(best(_ways(entry, room, each)), room, alone=purpose is not None)
                 for each in _purposes(purpose)]  # fmt: skip
        table.add_row(entry.hub, _params(entry), f"{entry.context:,}", _licence(entry), *cells)
    legend = "licence*: what it writes teaches other models under conditions only; licence!: not at all"
    more = "nightschool models NAME shows one in full; --on 2x80 asks for another machine."
    return Group(Text(f"On {room.told}", style="bold"), Text(), table, Text(), Text(legend, style="dim"),
                 Text(more, style="dim"))  # fmt: skip


def _params(entry: Entry) -> str:
    if entry.params is None:
        return "-"
    return f"{entry.params:g}B" + (f" ({entry.active:g}B)" if entry.active else "")


def _licence(entry: Entry) -> str:
    return entry.licence + {"yes": "", "conditions": "*", "no": "!"}[entry.teaches]


def _verdict(way: Way, room: Room, *, alone: bool) -> RenderableType:
    from rich.text import Text

    if not way.devices:
        short = f"no: {way.how} takes {way.need:,.0f} GB" if way.parts else f"no: {way.why_not}"
        return Text(f"no: {way.told}" if alone and way.parts else short, style="dim")
    where = f" on {way.devices} of {room.devices}" if room.devices > 1 and way.parts else ""
    taken = f", {way.told if alone else f'{way.need:,.0f} GB'}" if way.parts else ""
    return Text.assemble((f"{way.how}{where}", "green"), taken)


def _full(entry: Entry, room: Room, purpose: Purpose | None) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    gated = "; gated: accept its terms on the hub, set HF_TOKEN" if entry.gated else ""
    teaches = {"yes": "yes", "conditions": f"on conditions: {entry.terms}", "no": f"no: {entry.terms}"}[entry.teaches]
    doubt = {"from memory": f"{', '.join(entry.unverified)}: read in no card or source"} if entry.unverified else {}
    told = {"parameters": _params(entry), "context": f"{entry.context:,} tokens", "licence": entry.licence + gated,
            "may teach": teaches, "plans": ", ".join(f"{plan}: {name}" for plan, name in entry.plans.items()),
            "note": entry.note, **doubt}  # fmt: skip
    for name, text in told.items():
        if text:
            facts.add_row(name, Text(text))
    lines: list[RenderableType] = [Text(entry.hub, style="bold underline"), facts]
    for each in _purposes(purpose):
        lines += [Text(), Text(f"{each} on {room.told}", style="bold"), *_each_way(_ways(entry, room, each), room)]
    return Group(*lines, *([] if purpose == "training" else _how_to_serve(entry, room)))


def _each_way(ways: Sequence[Way], room: Room) -> list[RenderableType]:
    from rich.text import Text

    found: list[RenderableType] = []
    for way in ways:
        where = f" on {way.devices} of {room.devices}" if room.devices > 1 and way.parts else ""
        word = (f"fits{where}", "green") if way.devices else ("no", "bold red")
        found.append(Text.assemble(f"  {way.how:<9}", word, f": {way.told}"))
    return found


def _how_to_serve(entry: Entry, room: Room) -> list[RenderableType]:
    from rich.text import Text

    from nightschool.fits import best

    devices = best(_ways(entry, room, "serving")).devices or 1
    said = sorted(entry.serve.said().items(), key=lambda each: (each[0] == "extra_args", each[0]))
    settings: dict[str, Any] = {**({"tensor_parallel": devices} if devices > 1 else {}), **dict(said)}
    short = re.sub(r"[^a-z0-9.]+", "-", entry.hub.rpartition("/")[2].lower())[:30]
    if entry.hosted:
        section = {"name": short, "model": entry.hub, "engine": "endpoint", "urls": ["https://..."], "key_env": "..."}
        return [Text(), Text("in a recipe", style="bold"), Text(f"  - {_flow(section)}")]
    flags = [flag for name, value in settings.items() for flag in _flag(name, value)]
    return [Text(), Text("in a recipe", style="bold"),
            Text(f"  - {_flow({'name': short, 'model': entry.hub, **settings})}"),
            Text(), Text("by hand", style="bold"), Text(f"  vllm serve {' '.join([entry.hub, *flags])}")]  # fmt: skip


def _flag(name: str, value: object) -> list[str]:
    if isinstance(value, tuple):
        return [str(one) for one in value]
    flag = "--tensor-parallel-size" if name == "tensor_parallel" else f"--{name.replace('_', '-')}"
    return [flag, str(value)]


def _flow(section: dict[str, Any]) -> str:
    parts = [f"{name}: {'[' + ', '.join(value) + ']' if isinstance(value, tuple | list) else value}"
             for name, value in section.items()]  # fmt: skip
    return "{" + ", ".join(parts) + "}"
