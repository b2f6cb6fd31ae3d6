"""What a streamed reply's bytes and moments say, in which order requests are timed, and what a contest makes of it."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.contest_file import find_contest, load_contest
from nightschool.gates import judge
from nightschool.recipe.gate import Gate
from nightschool.recipe.timing import Terms, TimedKind
from nightschool.records import Dropped
from nightschool.report.figures import Report
from nightschool.report.page import render
from nightschool.report.terminal import summary_lines
from nightschool.report.timed import measure_times
from nightschool.report.times import Times, longer
from nightschool.report.times_view import rows as table_rows
from nightschool.report.verdict import what_next
from nightschool.timing import Broken, Timed, hear, passes
from tests.nightschool.example_report import night

AAIPL = load_contest(find_contest("aaipl")).timing


def event(text: str | None = None, **more: Any) -> bytes:
    choices = [] if text is None else [{"index": 0, "delta": {"content": text}}]
    return b"data: %b\n\n" % orjson.dumps({"choices": choices, **more})


EVENTS = [event(""), event("one"), event(" two"), event(" three"),
          event(usage={"prompt_tokens": 7, "completion_tokens": 3}) + b"data: [DONE]\n\n"]  # fmt: skip


def arrivals(pieces: list[bytes], moments: list[float]) -> list[tuple[float, int]]:
    sizes = [len(b"".join(pieces[: place + 1])) for place in range(len(pieces))]
    return list(zip(moments, sizes, strict=True))


def test_times_are_as_vllms_benchmark_defines_them() -> None:
    arrived = arrivals(EVENTS, [10.5, 10.6, 10.8, 11.2, 19.0])
    found = hear(b"".join(EVENTS), arrived, 10.0)
    assert found.ttft_s == pytest.approx(0.5), "the role's empty event is the first token, as theirs has it"
    assert found.itl_s == pytest.approx((0.1, 0.2, 0.4))
    assert found.e2el_s == pytest.approx(1.2), "usage carries no token, however late"
    assert (found.tokens_in, found.tokens_out) == (7, 3)


@given(cuts=st.lists(st.integers(1, len(b"".join(EVENTS)) - 1), unique=True).map(sorted))
def test_an_event_came_when_its_last_byte_did(cuts: list[int]) -> None:
    body = b"".join(EVENTS)
    arrived = [(float(place), size) for place, size in enumerate([*cuts, len(body)])]
    found = hear(body, arrived, 0.0)
    assert found.ttft_s is not None
    assert found.ttft_s == next(at for at, size in arrived if size >= len(EVENTS[0]) - 1)
    assert found.ttft_s + sum(found.itl_s) == found.e2el_s <= len(cuts)


def test_a_slow_reader_changes_no_time() -> None:
    body, arrived = b"".join(EVENTS), arrivals(EVENTS, [1.1, 1.2, 1.3, 1.4, 1.5])

    def slow(data: bytes) -> Any:
        time.sleep(0.02)
        return orjson.loads(data)

    assert hear(body, arrived, 1.0, parse=slow) == hear(body, arrived, 1.0)


def test_a_reply_in_one_piece_has_its_whole_time_alone() -> None:
    body = orjson.dumps({"choices": [{"message": {"content": "x"}}], "usage": {"completion_tokens": 4}})
    assert hear(body, [(2.0, 3), (2.5, len(body))], 1.0) == (None, (), 1.5, 0, 4)


@pytest.mark.parametrize("body", [
    b"", b"<html>", b"data: {", b"{}", b'{"choices": []}', b'data: {"error": {"message": "full"}}\n\n',
    b"data: [DONE]\n\n", b"data: []\n\n", b"\xff",
])  # fmt: skip
def test_what_is_no_reply_is_told_and_not_timed(body: bytes) -> None:
    with pytest.raises(Broken):
        hear(body, [(1.0, len(body))], 0.0)


TERMS = st.builds(
    Terms, rows=st.integers(1, 150), batch_size=st.integers(1, 9), each_s=st.just(1.0), mean_s=st.just(1.0)
)


@given(count=st.integers(0, 400), timed=st.integers(1, 60), terms=st.none() | TERMS)
def test_every_request_is_cold_before_it_is_warm(count: int, timed: int, terms: Terms | None) -> None:
    seen: set[int] = set()
    for one in passes(count, timed=timed, terms=terms):
        mine = [place for batch in one.batches for place in batch]
        assert mine == list(range(one.first, one.first + one.rows))
        assert max(len(batch) for batch in one.batches) <= one.batch_size
        assert seen.isdisjoint(mine) if not one.warm else terms is None or seen.issuperset(mine)
        seen |= set(mine)
    assert seen == set(range(len(seen)))
    assert len(seen) <= count
    assert not count or seen


@cache
def timed(of: TimedKind, seconds: float, *, slowest: float = 0.0, lost: int = 0, total_s: float = 100.0) -> Times:
    """A contest's run in which each request takes so long, but for the first and the ones that are lost."""
    terms = AAIPL[of]
    order = passes(400, timed=40, terms=terms)
    rows = [
        Timed(id=f"{one.name}/q{place}", of=of, way=one.way, warm=one.warm, batch=place // one.batch_size, ttft_s=0.1,
              itl_s=(0.05, 0.05), e2el_s=slowest if slowest and place == 0 and not one.warm else seconds, tokens_in=9,
              tokens_out=3)
        for one in order
        for place in range(one.rows)
        if one.way != "batched" or one.warm or place >= lost
    ]  # fmt: skip
    gone = [Dropped(id=f"batched-cold/q{place}", reason="no_reply", failed=True) for place in range(lost)]
    totals = {one.name: total_s for one in order}
    return measure_times(of, "dpo", order, rows, gone, totals_s=totals, contest="aaipl", terms=terms)


@pytest.mark.parametrize(("of", "figures", "broken"), [
    ("answers", {"seconds": 5.0}, ()),
    ("answers", {"seconds": 8.99}, ()),
    ("answers", {"seconds": 9.0}, ("mean", "p99")),
    ("questions", {"seconds": 9.0}, ()),
    ("answers", {"seconds": 5.0, "slowest": 9.5}, ()),
    ("answers", {"seconds": 5.0, "slowest": 500.0}, ("mean", "p99")),
    ("answers", {"seconds": 5.0, "total_s": 900.0}, ("total",)),
    ("questions", {"seconds": 5.0, "total_s": 900.0}, ()),
    ("answers", {"seconds": 5.0, "lost": 1}, ("a reply to each",)),
])  # fmt: skip
def test_the_verdict_is_by_mean_p99_and_total(of: TimedKind, figures: dict[str, Any], broken: tuple[str, ...]) -> None:
    held = timed(of, **figures).held
    assert held
    assert held.broken == broken


def test_every_request_over_its_limit_is_listed_with_their_share() -> None:
    found = timed("answers", 5.0, slowest=9.5, lost=2)
    assert [(one.id, one.way, one.seconds) for one in found.over] == [
        ("q0", "batches of 5, cold", None), ("q1", "batches of 5, cold", None), ("q0", "one by one, cold", 9.5)
    ]  # fmt: skip
    assert found.held
    assert (found.held.late.value, found.held.late.n) == (0.02, 100)
    assert found.held.late.low < 0.02 < found.held.late.high
    assert [(one.by, one.met) for one in found.held.targets] == [("plan 000", True), ("plan 001", True)]


def test_too_few_requests_are_reckoned_to_as_many_as_the_contest_makes() -> None:
    terms = AAIPL["answers"]
    order = passes(50, timed=40, terms=terms)
    rows = [Timed(id=f"{one.name}/q{n}", of="answers", way=one.way, warm=one.warm, batch=0, ttft_s=0.1, itl_s=(),
                  e2el_s=1.0, tokens_in=1, tokens_out=1) for one in order for n in range(one.rows)]  # fmt: skip
    held = measure_times("answers", "dpo", order, rows, (), totals_s={"batched-cold": 300.0}, terms=terms).held
    assert held
    assert (held.n, held.total_s, held.broken) == (25, 1200.0, ("total",))


GATES = [
    ({"metric": "answers_mean_s", "at_most": 8.0}, True),
    ({"metric": "answers_mean_s", "at_most": 5.0, "by": "interval"}, False),
    ({"metric": "answers_p99_s", "at_most": 9.0}, True),
    ({"metric": "answers_total_s", "at_most": 99.0}, False),
    ({"metric": "answers_late", "at_most": 0.0}, False),
    ({"metric": "answers_late", "at_most": 0.02}, True),
    ({"metric": "answers_late", "at_most": 0.02, "by": "interval"}, False),
    ({"metric": "questions_mean_s", "at_most": 99.0}, False),
]


@pytest.mark.parametrize(("gate", "passed"), GATES)
def test_a_contests_times_are_figures_for_gates(gate: dict[str, Any], passed: bool) -> None:
    report = Report(night=night(), times=(timed("answers", 5.0, slowest=9.5),))
    assert judge(Gate(name="g", stage="dpo", **gate), report).passed == passed


def test_terminal_page_and_table_say_the_same() -> None:
    found = timed("answers", 5.0, slowest=9.5, lost=1), timed("questions", 12.0, slowest=500.0)
    report = Report(night=night(), times=found)
    said, page, table = "\n".join(summary_lines(report)), render(report), table_rows(found)
    for words in ("too slow for aaipl: a reply to each", "too slow for aaipl: mean, p99"):
        assert words in said
        assert words.capitalize() in page
        assert any(words == row["verdict"] for row in table)
    for one in found:
        assert one.held
        assert f"{one.held.late.value:.1%}" in said
        assert f"{one.held.late.value:.1%}" in page
        assert all(late.id in page for late in one.over)
        assert longer(one) == (1.0, 1.0, 1.0, 40)
    assert any("too slow for aaipl" in line for line in what_next(report))
    assert {row["how"] for row in table} == {way.name for one in found for way in one.ways}
