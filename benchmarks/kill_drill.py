"""Kills nights of 5,000 rows at random moments, in every way; what that cost is counted by the model server's tally.

Each trial: an empty store, `nightschool run` as a process, the harm once a random 10 to 90% of the rows have been asked
for, `nightschool run` again until it ends by itself. Compared with a night that nobody disturbed:

- every row is there, once, in its place, with the same contents;
- the server was asked at most 5,000 times plus what was in flight at the harm: 64 requests;
- it came to its end: a night that does nothing for three minutes counts as hung.

    python -m benchmarks.kill_drill [--rows 5000] [--kills 20] [--others 1] [--only WORD] [--seed 0]

kill -9 hits the night's process group; what it started must end by itself. A torn journal, the model server, a full
disk (no file may grow any more), a flipped bit in a finished chunk, SIGTERM, Prefect's server and a wall clock that
jumps by hours follow, `--others` times each.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.drill_night import HEAD, drill_night, tell
from benchmarks.jumping_clock import JumpingClock, jumping
from flows.drill.drill import play_scene, reference
from flows.drill.scenes import KILLED, SCENES, Scene


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--others", type=int, default=1, help="trials of each other harm")
    parser.add_argument("--only", default="", help="only harms with this in their name")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="kill-drill-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        known = reference(drill_night(folder, options.rows))
        print(f"undisturbed: {known.asked} requests, {known.slots} in flight at most")
        print(HEAD)
        bad = 0
        trials = list(_trials(options.kills, options.others, folder / "clock", options.only))
        for number, (scene, clock) in enumerate(trials):
            at = rng.uniform(0.1, 0.9)
            start = replace(known, place=replace(known.place, variables=clock.variables)) if clock else known
            bad += not tell(play_scene(start, scene, folder / f"trial-{number:03}", at=at), at)
    print(f"{len(trials) - bad} of {len(trials)} trials clean")
    return 1 if bad else 0


def _trials(kills: int, others: int, folder: Path, only: str) -> list[tuple[Scene, JumpingClock | None]]:
    """Scenes with the clock that their nights run by, None for the machine's."""
    clock = JumpingClock(folder)
    jumps = jumping(clock)
    harms = [scene for scene in SCENES if scene.harm and not scene.change and scene is not KILLED]
    found = [KILLED] * kills + [scene for scene in (*harms, jumps) for _ in range(others)]
    return [(scene, clock if scene is jumps else None) for scene in found if only in scene.name]


if __name__ == "__main__":
    sys.exit(main())
