"""How near a night's estimate comes to what it then takes, by the clock: at its start, and before every phase.

Two nights on one store, of scripted teachers that take their time and a student that is really trained. The first
measures; the second asks for twice the samples, of teachers that are half as slow again, which it can't know before
its first phase is over. For each moment: what the night said that it needed, what it did need, how far off that was.
With --epochs the student is served by the embedded server, whose start is another than that of its teachers, and
trained for so many epochs, three times as long in the second night: the start of a training is paid once all the same.

    python -m benchmarks.deadline [--latency 0.5] [--rows 24] [--slower 1.5] [--epochs 2]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from nightschool.recipe.load import dump_recipe, find_recipe, load_recipe
from nightschool.recipe.small import dry

TEACHERS = ("alba", "bruno", "clara")
WINDOW = "window={start: '00:00', end: '23:59', spare_minutes: 0, zone: UTC}"
WITHIN = 0.2  # what the estimate is to be held to, once the first phase is over


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.5, help="seconds a teacher takes over a reply")
    parser.add_argument("--rows", type=int, default=24, help="questions a topic")
    parser.add_argument("--slower", type=float, default=1.5, help="by how much the second night's teachers are slower")
    parser.add_argument("--epochs", type=float, default=0, help="of each training in the first night; 0: one step")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="deadline-") as place:
        file = Path(place) / "recipe.yaml"
        smoke, store = load_recipe(find_recipe("smoke")), str(Path(place) / "runs")
        small = smoke.model_copy(update={"store": store}) if options.epochs else dry(smoke, store=store)
        file.write_text(dump_recipe(small))
        run(file, "measures", options, options.latency, samples=1, longer=1)
        return told(run(file, "is-held-to-it", options, options.latency * options.slower, samples=2, longer=3))


def run(file: Path, name: str, options: argparse.Namespace, latency: float, *, samples: int, longer: int) -> Path:
    """A night of teachers that take so long over a reply, four at a time."""
    sets = [WINDOW, f"seed={len(name)}", "serve.concurrency=4", f"pool.per_topic={options.rows}"]
    sets += [f"answers.samples={samples}"]
    sets += [f"{stage}.epochs={options.epochs * longer}" for stage in ("sft", "dpo") if options.epochs]
    sets += [
        f"teachers.{place}.script.models.{teacher}.latency_s.mean={latency}" for place, teacher in enumerate(TEACHERS)
    ]
    command = [sys.executable, "-m", "flows.cli", "run", str(file), "--name", name]
    done = subprocess.run(
        [*command, *(word for one in sets for word in ("--set", one))], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout + done.stderr)
    return file.parent / "runs" / "nights" / name


def told(folder: Path) -> int:
    """The table; 1 where an estimate after the first phase was too far off."""
    ended = datetime.fromisoformat(json.loads((folder / "run.json").read_text())["finished"])
    looks = [json.loads(line) for line in (folder / "window.jsonl").read_text().splitlines()]
    print(f"{'before':>12} {'said':>8} {'took':>8} {'off':>7}  known by")
    worst, over = 0.0, [look["before"] for look in looks].index("pool")
    for place, look in enumerate(looks):
        took = (ended - datetime.fromisoformat(look["when"])).total_seconds()
        off = look["needs_s"] / took - 1 if took > 0 else 0.0
        worst = max(worst, abs(off)) if place == over else worst
        print(f"{look['before']:>12} {look['needs_s']:>7.0f}s {took:>7.0f}s {off:>+7.0%}  {look['basis'][:70]}")
    print(f"after the first phase: {worst:.0%} off, of {WITHIN:.0%}")
    return int(worst > WITHIN)


if __name__ == "__main__":
    raise SystemExit(main())
