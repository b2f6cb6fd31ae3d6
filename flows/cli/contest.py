"""The command that holds a file against a contest's rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import out, write_json
from nightschool.errors import GateFailed

if TYPE_CHECKING:
    from nightschool.contest_file import Judgement

_MOST_ROWS = 20


def validate_format(
    file: Annotated[Path, typer.Argument(help="Questions, answers or a submission: .json, .jsonl or .csv.")],
    contest: Annotated[str, typer.Option(help="Its name in configs/contests/, or a file of rules.")],
    kind: Annotated[str | None, typer.Option(help="Which of its files this is; told by its keys if left out.")] = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="The contest model's folder or name: without it tokens are not counted.")
    ] = None,
    sample: Annotated[
        Path | None, typer.Option(help="The contest's sample file: the same columns and ids are wanted.")
    ] = None,
    at_least: Annotated[
        float, typer.Option(min=0, max=1, help="Share of valid rows that is enough; plan 000 wants 0.8.")
    ] = 1.0,
    json: Json = False,
) -> None:
    """Hold a file against a contest's rules, and name each row and rule that it breaks."""
    from blocks.tokens import counter
    from nightschool.contest_file import find_contest, judge_file, load_contest

    rules = load_contest(find_contest(contest))
    found = judge_file(file, rules, kind=kind, count=counter(tokenizer) if tokenizer else None, sample=sample)
    _tell(file, rules.name, found, json=json)
    if found.valid < at_least * len(found.rows) or not found.taken:
        enough = f"; {at_least:.0%} must be valid" if at_least < 1 else ""
        under = not found.valid or found.valid < found.least_valid * len(found.rows)
        taken = f"; under {found.least_valid:.0%}, and the contest takes none" if under else ""
        whole = "; the file is not as the sample is" if found.whole else ""
        rows = f"{len(found.rows) - found.valid:,} of {len(found.rows):,} rows break a rule"
        raise GateFailed(f"{rows}{enough}{taken}{whole}")


def _tell(file: Path, contest: str, found: Judgement, *, json: bool) -> None:
    from nightschool.statistics import wilson

    count, share = len(found.rows), found.valid / len(found.rows)
    low, high = wilson(found.valid, count)
    if json:
        told = {"kind": found.kind, "rows": count, "valid": found.valid, "share": share, "low": low, "high": high}
        broken = [row for row in found.rows if row.breaches]
        write_json({**told, "taken": found.taken, "unchecked": found.unchecked, "whole": found.whole, "broken": broken})
        return
    interval = f"{share:.1%}, 95% interval {low:.1%} to {high:.1%}"
    out.print(f"{file}: {count:,} {found.kind}, {found.valid:,} valid ({interval}) for {contest}", soft_wrap=True)
    for each in found.whole:
        out.print(f"  {each.rule.replace('_', ' ')}: {_plain(each.detail)}", soft_wrap=True)
    broken = [(row.place, each) for row in found.rows for each in row.breaches]
    for rule, times in Counter(each.rule for _, each in broken).most_common():
        out.print(f"  {times:>6,}  {rule.replace('_', ' ')}")
    for place, each in broken[:_MOST_ROWS]:
        out.print(f"  row {place}: {each.rule.replace('_', ' ')}: {_plain(each.detail)}", soft_wrap=True)
    if len(broken) > _MOST_ROWS:
        out.print(f"  and {len(broken) - _MOST_ROWS:,} more: --json has all")
    for rule in found.unchecked:
        out.print(f"  not checked: {rule.replace('_', ' ')} (give --tokenizer)")


def _plain(text: str) -> str:
    """A contestant's text is not to steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
