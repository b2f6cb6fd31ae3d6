"""The command that gives a night's package away."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.options import Json, NightName, Store
from flows.cli.output import out, write_json


def push(
    night: NightName,
    to: Annotated[str, typer.Option(metavar="hub:OWNER/NAME", help="A model's repository; made if it is not there.")],
    stage: Annotated[str | None, typer.Option(help="Which stage, where several are packed.")] = None,
    form: Annotated[str | None, typer.Option(help="adapter, merged or quantised, where there are several.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Into a repository that others can't see.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent.")] = False,
    store: Store = "runs",
    json: Json = False,
) -> None:
    """Push a packed stage with its card to the hub; the token is HF_TOKEN, or Prefect's Secret nightschool-hub-token.

    What a teacher's licence keeps from others is pushed with --private only.
    """
    from nightschool.report.text import size
    from tasks.night import Night
    from tasks.pushing import prepare

    found = prepare(Night.open(store, night), to, stage, form)
    url = None if dry_run else found.send(private=private)
    if json:
        sizes = {name: path.stat().st_size for name, path in found.files.items()}
        write_json({"repo": found.repo, "stage": found.stage, "form": found.form, "files": sizes, "pushed": url})
        return
    for name, path in found.files.items():
        out.print(f"  {size(path.stat().st_size):>10}  {name}", soft_wrap=True)
    for line in found.forbidden:
        out.print(f"  {line.replace('**', '')}", soft_wrap=True)
    ended = f", would go to {found.repo}; nothing was sent." if url is None else f": {url}"
    out.print(f"{found.form} of stage {found.stage}, {size(found.bytes)}{ended}", soft_wrap=True)
