"""Kills a whole night, training included, ten times with kill -9 at random moments, and counts what that cost.

Each trial: an empty store, `nightschool run` on the smoke recipe, SIGKILL to its whole process group at a random
moment (by turns: after a random time, and once the teachers have been asked a random share of all that they will be),
`nightschool run` again until it ends by itself. The teachers are scripted servers outside the night, which count what
they are asked. Compared with a night that nobody killed:

- the same keys, and in every chunk the same number of rows;
- no row twice in a chunk;
- teachers asked at most once per row, plus what was in flight at the kill;
- no process of the night left behind.

    python -m benchmarks.night_kills [--trials 10] [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from blocks.fleet import Fleet
from blocks.packed import unpack
from blocks.servers import ServerSpec
from nightschool.wire import Endpoint

TEACHERS = ("alba", "bruno", "clara")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recipe", default="smoke")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="night-kills-") as folder:
        whole, asked, seconds = undisturbed(Path(folder) / "whole", options.recipe)
        print(f"undisturbed: {seconds:.0f} s, {len(whole)} chunks, {asked} requests to teachers")
        print(f"{'killed at':>10} {'in phase':>12} {'asked':>7} {'in flight':>9} {'twice':>6}  verdict")
        bad = 0
        for number in range(options.trials):
            after = After(rng.uniform(1, seconds)) if number % 2 else After(0, rng.randint(1, asked - 1))
            faults = trial(Path(folder) / f"trial-{number}", options.recipe, after, whole, asked)
            bad += bool(faults)
    print(f"{options.trials - bad} of {options.trials} trials clean")
    return 1 if bad else 0


def undisturbed(folder: Path, recipe: str) -> tuple[dict[str, int], int, float]:
    """Chunks with their rows, requests that the teachers saw, and seconds of a night that nobody kills."""
    with teachers(folder) as endpoints:
        began = time.monotonic()
        finish(start(folder, recipe, endpoints))
        return chunks(folder), sum(stats(endpoint)["total"] for endpoint in endpoints), time.monotonic() - began


@dataclass(frozen=True)
class After:
    """When to kill: after so many seconds, or once the teachers have been asked so often."""

    seconds: float
    requests: int = 0

    def wait(self, endpoints: list[Endpoint]) -> None:
        time.sleep(self.seconds)
        while sum(stats(endpoint)["total"] for endpoint in endpoints) < self.requests:
            time.sleep(0.02)

    def __str__(self) -> str:
        return f"{self.requests} asked" if self.requests else f"{self.seconds:.1f} s"


def trial(folder: Path, recipe: str, after: After, whole: dict[str, int], asked: int) -> list[str]:
    """One kill and one resumption; what was wrong, nothing if all was well."""
    with teachers(folder) as endpoints:
        process = start(folder, recipe, endpoints)
        after.wait(endpoints)
        in_flight = sum(stats(endpoint)["in_flight"] for endpoint in endpoints)
        phase = reached(folder)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _, left = psutil.wait_procs(family, timeout=15)
        finish(start(folder, recipe, endpoints))
        counts = [stats(endpoint) for endpoint in endpoints]
    seen, twice = (sum(count[name] for count in counts) for name in ("total", "duplicates"))
    found = chunks(folder)
    # Requests still leave between the count and the kill: what can be in flight at once is the bound.
    most = sum(count["most_in_flight"] for count in counts)
    faults = [f"{len(left)} processes left behind"] if left else []
    faults += [] if found == whole else [f"chunks differ: {sorted(set(found.items()) ^ set(whole.items()))[:4]}"]
    faults += [f"{count} rows twice" for count in [duplicates(folder)] if count]
    faults += [f"{twice} asked twice, at most {most} were in flight"] if twice > most else []
    faults += [f"{seen - twice} rows asked, {asked} wanted"] if seen - twice != asked else []
    verdict = "; ".join(faults) or "clean"
    print(f"{after!s:>10} {phase:>12} {seen:>7} {in_flight:>9} {twice:>6}  {verdict}", flush=True)
    return faults


@contextmanager
def teachers(folder: Path) -> Iterator[list[Endpoint]]:
    """Scripted servers that outlive the night: they keep count across its kills. Slow enough to be hit in mid-chunk."""
    script = json.dumps({"models": {name: {"latency_s": {"mean": 0.5, "jitter": 0.3}} for name in TEACHERS}})
    specs = [ServerSpec(name=name, engine="scripted", model=name, script=script) for name in TEACHERS]
    with Fleet(specs, log_dir=folder / "teachers", on_progress=lambda note: None) as fleet:
        served = fleet.start()
        yield [served[name] for name in TEACHERS]


def start(folder: Path, recipe: str, endpoints: list[Endpoint]) -> subprocess.Popen[bytes]:
    """The night as a user starts it, in a process group of its own, its teachers at the given endpoints."""
    sets = [f"store={folder / 'runs'}", "serve.concurrency=4"]
    for number, endpoint in enumerate(endpoints):
        where = f"teachers.{number}"
        sets += [f"{where}.script=null", f"{where}.engine=endpoint", f"{where}.key_env={endpoint.key_env}"]
        sets += [f"{where}.urls={json.dumps(endpoint.urls)}"]
    flags = [flag for one in sets for flag in ("--set", one)]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "night.log").open("ab") as log:
        command = [sys.executable, "-m", "flows.cli", "run", recipe, *flags]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def finish(process: subprocess.Popen[bytes]) -> None:
    code = process.wait()
    if code not in (0, 1):
        raise SystemExit(f"the night ended with {code}; see night.log")


def stats(endpoint: Endpoint) -> dict[str, int]:
    """The server's own counts."""
    url = endpoint.urls[0].removesuffix("/v1") + "/stats"
    key = os.environ.get(endpoint.key_env or "", "")
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def chunks(folder: Path) -> dict[str, int]:
    """Rows kept and dropped of every whole chunk, by its place in the store."""
    found: dict[str, int] = {}
    for path in sorted((folder / "runs").glob("*/*/chunk-*.manifest.json")):
        manifest = json.loads(path.read_bytes())
        found[str(path.relative_to(folder))] = manifest["rows"] + sum(manifest["dropped"].values())
    return found


def duplicates(folder: Path) -> int:
    """Rows whose id stands more than once in their chunk."""
    count = 0
    for path in (folder / "runs").glob("*/*/chunk-*.rows.jsonl.zst"):
        ids = [json.loads(line)["id"] for line in unpack(path)]
        count += len(ids) - len(set(ids))
    return count


def reached(folder: Path) -> str:
    """The phase that the night was in, by the newest folder of the store."""
    made = [path for path in (folder / "runs").glob("*/*/*") if "nights" not in path.parts]
    return max(made, key=lambda path: path.stat().st_mtime).parts[-3] if made else "start"


if __name__ == "__main__":
    sys.exit(main())
