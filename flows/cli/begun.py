"""Commands about a night that has begun: where it stands, what it found, and the way back."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.options import AcceptStale, Json, NightName, Store, Until
from flows.cli.output import out, write_json, write_lines


def status(
    night: Annotated[str | None, typer.Argument(metavar="[NIGHT]", help="All nights if left out.")] = None,
    phase: Annotated[str | None, typer.Option(help="Every chunk of this phase, on a line of its own.")] = None,
    keep: Annotated[bool, typer.Option("--follow", help="Keep it on the screen until the night ends.")] = False,
    store: Store = "runs",
    json: Json = False,
) -> None:
    """Show where a night stands, also while it runs: a grid of chunks, rates, what failed and what mends it."""
    if night is None:
        from flows.cli.tables import nights_table
        from tasks.verdicts import verdicts

        found = verdicts(store)
        write_json(found) if json else out.print(nights_table(store, found))
        return
    from flows.cli import grid
    from tasks.night import Night
    from tasks.status import status as status_of

    seen = Night.open(store, night)
    if keep and not json:
        grid.follow(lambda: status_of(seen, phase))
    elif json:
        write_json(status_of(seen, phase))
    else:
        out.print(grid.view(status_of(seen, phase)))


def rerun(
    night: NightName,
    phase: Annotated[str | None, typer.Option(help="Only look at this phase.")] = None,
    chunk: Annotated[int | None, typer.Option(min=0, help="Only this chunk, as `status` counts them.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make what is whole anew as well; it is paid again.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Ask again for the rows that have no reply.")] = False,
    reason: Annotated[str | None, typer.Option(help="Ask again for rows dropped for this; see `failures`.")] = None,
    last: Until = None,
    accept_stale: AcceptStale = None,
    store: Store = "runs",
    json: Json = False,
) -> None:
    """Go on with a night by its own recipe: what is missing is made, and then what depends on it.

    A chunk that was cut off or failed goes on from the replies on file; a whole one is left, unless --fresh is given.
    With --failed, only the rows without a reply are asked again; good replies are never paid twice.
    """
    from flows.cli.by_itself import by_itself

    with by_itself() as ready:
        from flows.cli import running
        from tasks.night import Night
        from tasks.redo import Back

        back = Back(
            phase,
            chunk,
            fresh=fresh,
            failed=failed or reason is not None,
            reason=reason,
            accept_stale=tuple(accept_stale or ()),
        )
        report, page = running.rerun_night(store, night, back, last, ready=ready)
    running.show_report(report, page, json=json)
    running.refuse_ended(Night.open(store, night), report)


def failures(
    night: NightName,
    phase: Annotated[str | None, typer.Option(help="Only of this phase.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only rows with this reason.")] = None,
    store: Store = "runs",
    json: Json = False,
) -> None:
    """List every row that did not make it: why, after how many attempts, and the last that was heard."""
    from flows.cli.tables import failures_table
    from tasks.failures import losses
    from tasks.night import Night

    begun = Night.open(store, night)
    found = list(losses(begun, phase, reason))
    if json:
        write_json(found)
    else:
        out.print(failures_table(night, found, begun.flags))


def report(
    night: NightName,
    store: Store = "runs",
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    methods: Annotated[
        bool, typer.Option("--methods", help="Print what was done as a paragraph to copy: data, stages, tests.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a night's figures again, and where its page is."""
    from flows.cli import running

    found, page = running.read_report(store, night)
    if methods:
        out.print(found.methods, soft_wrap=True)
        return
    if json:
        write_json(found)
        return
    running.show_report(found, page, json=False)
    if show:
        typer.launch(str(page.resolve()))


def rows(
    night: NightName,
    phase: Annotated[str, typer.Option(help="Whose rows.")],
    chunk: Annotated[int | None, typer.Option(min=0, help="Only this chunk, as `status` counts them.")] = None,
    dropped: Annotated[bool, typer.Option("--dropped", help="Those that were dropped, each with its reason.")] = False,
    reason: Annotated[str | None, typer.Option(help="Those that were dropped for this.")] = None,
    disagreements: Annotated[
        bool, typer.Option("--disagreements", help="Rulings of the committee whose votes are against the truth.")
    ] = False,
    replies: Annotated[
        bool, typer.Option("--replies", help="What models replied, with prompt key, seed, tokens, seconds, attempts.")
    ] = False,
    store: Store = "runs",
) -> None:
    """Print rows of a night as JSON lines, for eyes or for jq."""
    from tasks import rows as found
    from tasks.night import Night

    opened = Night.open(store, night)
    if disagreements:
        write_lines(found.disagreements(opened, phase, chunk))
    elif replies:
        write_lines(found.replies(opened, phase, chunk))
    else:
        write_lines(found.lines(opened, phase, chunk, dropped=dropped, reason=reason))
