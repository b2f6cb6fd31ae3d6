"""From what the stages of the skew experiment answered to its tables."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.skew_task import TEST
from nightschool.report.text import percent, points
from nightschool.statistics import clustered_share, paired_gain

_WHAT = {
    "baseline": "A: the answer alone",
    "leaked": "B: answer in the prompt",
    "handed": "B: way in the prompt",
    "cot": "B: way to be written",
}
_BALANCE = {"none": "28:72", "upsample": "upsampled", "weights": "weighted"}
# Each safeguard switched off alone, and all of them.
_OFF = {
    "all on": "cot-upsample",
    "weights instead of upsampling": "cot-weights",
    "no balance": "cot-none",
    "no leak detector": "leaked-upsample",
    "no check of the prompts": "handed-upsample",
    "none of them (plan 002)": "leaked-none",
}
ALL_ON = "cot-upsample"
ALWAYS_NO = TEST["no"] / sum(TEST.values())
WANTED = (0.07, 0.10)  # what plan 002 wanted of chain of thought


class Found(NamedTuple):
    """One stage on the test: right or not by question and seed, asked as it is served and as it was taught; what it
    says; what training said to its rows with the detector on."""

    name: str
    right_Q_S: NDArray[np.float64]
    as_taught: float
    says: Mapping[str, float]
    recall: Mapping[str, float]
    refusal: str

    @property
    def by_seed(self) -> list[float]:
        """Accuracy under each seed."""
        return [float(one) for one in self.right_Q_S.mean(axis=0)]

    @property
    def what(self) -> str:
        """What was taught, and how its rows were balanced."""
        lesson, method = self.name.split("-")
        return f"{_WHAT[lesson]}, {_BALANCE[method]}"


def gathered(folder: Path, stages: Sequence[str], seeds: Sequence[int]) -> dict[str, Found]:
    """Every stage that all seeds have, in order."""
    return {name: _found(name, [folder / f"seed-{seed}" / name / "found.json" for seed in seeds]) for name in stages}


def _found(name: str, files: Sequence[Path]) -> Found:
    each = [json.loads(file.read_bytes()) for file in files]
    truths = np.array(each[0]["truths"])
    said_Q_S = np.array([[value or "nothing" for value in one["asked"]] for one in each]).T
    taught_Q_S = np.array([[value or "nothing" for value in one["as_taught"]] for one in each]).T
    right_Q_S = (said_Q_S == truths[:, None]).astype(float)
    return Found(
        name=name,
        right_Q_S=right_Q_S,
        as_taught=float((taught_Q_S == truths[:, None]).mean()),
        says={one: float((said_Q_S == one).mean()) for one in ("yes", "no", "nothing")},
        recall={one: float(right_Q_S[truths == one].mean()) for one in ("yes", "no")},
        refusal=each[0]["refusal"],
    )


def figures(found: Mapping[str, Found]) -> dict[str, Any]:
    """All of it for a program: shares from 0 to 1, intervals of 95% over questions."""
    return {
        name: {
            "accuracy": clustered_share(one.right_Q_S),
            "by_seed": one.by_seed,
            "as_taught": one.as_taught,
            "says": one.says,
            "recall": one.recall,
            "refusal": one.refusal,
            "over_baseline": _gain(found[_baseline(name)], one),
            "under_all_on": _gain(found[ALL_ON], one),
        }
        for name, one in found.items()
    }


def _baseline(name: str) -> str:
    return f"baseline-{name.split('-')[1]}"


def _gain(before: Found, after: Found) -> tuple[float, float, float]:
    return paired_gain(before.right_Q_S, after.right_Q_S)


def told(found: Mapping[str, Found]) -> Iterator[str]:
    """Two tables and what they come to, for a terminal."""
    first = next(iter(found.values()))
    yield f"{len(first.right_Q_S)} questions, {len(first.by_seed)} seeds; always no is right on {ALWAYS_NO:.1%}"
    yield ""
    head = ("median", "over seeds      ", "95% interval    ", "says yes", "as taught", f"{'over its A':>22}")
    yield f"{'':<39}{'  '.join(head)}"
    for one in found.values():
        _, low, high = clustered_share(one.right_Q_S)
        over = "" if one.name.startswith("baseline") else _interval(_gain(found[_baseline(one.name)], one))
        cells = (
            f"{percent(statistics.median(one.by_seed)):>7}",
            f"{percent(min(one.by_seed))} to {percent(max(one.by_seed)):<7}",
            f"{percent(low)} to {percent(high):<7}",
            f"{percent(one.says['yes']):>7}",
            f"{percent(one.as_taught):>10}",
            f"{over:>22}",
        )
        yield f"{one.what:<38}{'  '.join(cells)}".rstrip()
    yield ""
    yield f"{'safeguards':<38}{'median':>7}{'worth':>26}"
    for what, name in _OFF.items():
        worth = "" if name == ALL_ON else _interval(_gain(found[name], found[ALL_ON]))
        yield f"{what:<38}{percent(statistics.median(found[name].by_seed)):>7}{worth:>26}"
    yield ""
    gain = _gain(found["baseline-none"], found[ALL_ON])
    yield f"chain of thought, all on, over plan 002's phase A: {_interval(gain)} points; wanted {_range(WANTED)}"
    for name in ("leaked-none", "handed-upsample"):
        yield f"with the check on, {name} ends with: {found[name].refusal}"


def _interval(gain: tuple[float, float, float]) -> str:
    value, low, high = gain
    return f"{points(value)} ({points(low)} to {points(high)})"


def _range(wanted: tuple[float, float]) -> str:
    return " to ".join(points(one) for one in wanted)
