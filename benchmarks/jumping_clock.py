"""A night of 5,000 rows whose wall clock jumps: hours ahead, more than a day back, and right again, while it asks.

    python -m benchmarks.jumping_clock [--rows 5000] [--times 3] [--seed 0]

Nothing may be paid for twice, lost, doubled or out of order, and the night has to come to its end; exit code 1 if not.

The clock jumps for the night and all that it starts, and for nobody else on the machine. A few lines of C are compiled
and put before libc (LD_PRELOAD): CLOCK_REALTIME is what the kernel says plus an offset that is read from a file which
all processes have mapped, so that writing it makes every clock jump at once. The monotonic clock is left alone, as a
real jump leaves it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.drill_night import HEAD, drill_night, tell
from flows.drill.drill import play_scene, reference
from flows.drill.place import Place
from flows.drill.scenes import Process, Scene

_HOURS = (5, -30, 0)
# So many requests between two jumps.
_REQUESTS = 200

_SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *jump;

__attribute__((constructor)) static void find(void) {
    const char *name = getenv("JUMPING_CLOCK");
    int fd = name ? open(name, O_RDONLY) : -1;
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) jump = map;
    if (fd >= 0) close(fd);
}

int clock_gettime(clockid_t id, struct timespec *at) {
    int failed = syscall(SYS_clock_gettime, id, at);
    if (!failed && jump && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) at->tv_sec += *jump;
    return failed;
}

int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return failed;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


class JumpingClock:
    """A clock for processes that are started with `variables`."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise SystemExit("a clock that jumps needs a C compiler")
        folder.mkdir(parents=True, exist_ok=True)
        source, library = folder / "clock.c", folder / "clock.so"
        source.write_text(_SOURCE)
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
        self._offset = folder / "clock.offset"
        self.jump(0)
        self.variables = {"LD_PRELOAD": str(library), "JUMPING_CLOCK": str(self._offset)}

    def jump(self, seconds: int) -> None:
        """From now on the clock is so far ahead, or behind if negative."""
        data = seconds.to_bytes(8, "little", signed=True)
        if self._offset.exists():
            with self._offset.open("r+b") as file:
                file.write(data)
        else:
            self._offset.write_bytes(data)


def jumping(clock: JumpingClock) -> Scene:
    """The clock jumps while the night runs; then it goes on to its end by itself."""

    def jump(place: Place, process: Process | None) -> int:
        assert process is not None
        for hours in _HOURS:
            clock.jump(hours * 3600)
            place.until_asked(process, place.asked() + _REQUESTS)
        place.finish(process, 0)
        return 0

    return Scene("the clock jumps", harm=jump, free=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="jumping-clock-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        clock = JumpingClock(folder / "clock")
        known = reference(drill_night(folder, given.rows))
        start = replace(known, place=replace(known.place, variables=clock.variables))
        print(f"undisturbed: {known.asked} requests\n{HEAD}")
        # The last jump has to come before the last request.
        at = [rng.uniform(0.1, 0.8) for _ in range(given.times)]
        clean = sum(
            tell(play_scene(start, jumping(clock), folder / f"trial-{number}", at=one), one)
            for number, one in enumerate(at)
        )
    print(f"{clean} of {given.times} nights clean")
    return 0 if clean == given.times else 1


if __name__ == "__main__":
    sys.exit(main())
