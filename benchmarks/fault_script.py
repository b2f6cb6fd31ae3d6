"""A night whose model servers do everything wrong, each fault at 5% of the requests; then its rows are counted.

On the wire, where another attempt may do better: 429 with Retry-After, 500, 503, a connection reset in the middle of a
reply, half a body, half a JSON, a hang, a slow drip, the wrong content type, no choices, ten megabytes. The model's own
weakness: rubbish, a reply that was cut off, a record of the wrong shape. And each server goes away for a second after
half as many requests as there are rows, and dies after as many. Beside it, in the same run, a night without.

    python -m benchmarks.fault_script [--rows 600] [--share 0.05]

What must hold: the night ends by itself; every row is either kept or dropped with a reason, and once; what is kept is
in its order. A row that was asked again, because its first reply was no answer, may say something else than without
faults. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from flows.drill.compare import wrong
from flows.drill.drill import small
from flows.drill.place import Place
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.recipe.models import Serve
from nightschool.recipe.script import ReplyFault, WireFault
from nightschool.records import Dropped
from tasks.ledger import last_run
from tasks.steps import STEPS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=600, help="questions, about, for each of three teachers")
    parser.add_argument("--share", type=float, default=0.05, help="of the requests, for each fault")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fault-script-", ignore_cleanup_errors=True) as name:
        calm = _place(Path(name) / "calm", options.rows, 0.0)
        hard = _place(Path(name) / "hard", options.rows, options.share)
        seconds = [_run(place) for place in (calm, hard)]
        return _tell(calm, hard, seconds)


def _place(folder: Path, rows: int, share: float) -> Place:
    place = small(load_recipe(find_recipe("smoke")), folder, rows=rows, delay_s=0.02, concurrency=32)
    faults = {name: share for kind in (WireFault, ReplyFault) for name in get_args(kind)} if share else {}
    update = {"faults": faults, "retry_after_s": 0.2, "slow_s": 0.5}
    update |= {"away_after": rows // 2, "away_s": 1.0, "die_after": rows} if share else {}
    teachers = tuple(
        teacher.model_copy(update={"script": teacher.script.model_copy(update=update)}) if teacher.script else teacher
        for teacher in place.recipe.teachers
    )
    # A hang is noticed by its time; 14 faults at 5% leave three requests of ten in order, so twelve attempts are few.
    serve = Serve(engine="scripted", concurrency=32, attempts=12, request_timeout_s=2.0, restarts=20)
    # Rows are compared one phase at a time: the pool is the generator's alone.
    answers = place.recipe.answers.model_copy(update={"chunks_in_flight": 16})
    recipe = place.recipe.model_copy(
        update={"teachers": teachers, "serve": serve, "questions": None, "answers": answers}
    )
    return replace(place, recipe=recipe)


def _run(place: Place) -> float:
    began = time.monotonic()
    place.finish(place.start(), 0, 1)
    return time.monotonic() - began


def _tell(calm: Place, hard: Place, seconds: list[float]) -> int:
    kept, wanted = hard.rows(), calm.rows()
    dropped = _dropped(hard)
    counts: Counter[str] = Counter()
    for tally in hard.tallies():
        counts.update(tally.faults)
    print("faults:", ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    print(f"servers died {len(last_run(hard.night().dir).restarts)} times")
    print("dropped:", ", ".join(f"{count} {reason}" for reason, count in sorted(Counter(dropped.values()).items())))
    bad = 0
    for name in sorted(wanted):
        if name.startswith("answers/"):
            ids, all_ids = _ids(kept[name]), _ids(wanted[name])
            in_order = ids == [one for one in all_ids if (name, one) not in dropped]
            other = wrong({name: wanted[name]}, {name: kept[name]})
            bad += not in_order
            verdict = "each once and in order" if in_order else "LOST, DOUBLED OR OUT OF ORDER"
            print(f"{name}: {len(all_ids)} wanted, {len(ids)} kept, {other} of them say something else; {verdict}")
    print(f"{seconds[0]:.0f} s without a fault, {seconds[1]:.0f} s with {sum(counts.values())} of them")
    return 1 if bad else 0


def _ids(rows: Sequence[str]) -> list[str]:
    return [json.loads(row)["id"] for row in rows]


def _dropped(place: Place) -> dict[tuple[str, str], str]:
    """Reason of every answer that was dropped, by place and row; a row that was dropped twice is there once."""
    night = place.night()
    chunks = STEPS["answers"].chunks(night)
    return {
        (f"answers/{chunk.part}", row.id): row.reason
        for chunk, _ in night.made(chunks)
        for row in night.store.dropped(chunk, Dropped)
    }


if __name__ == "__main__":
    sys.exit(main())
