"""One page: complete, self-contained, and safe against what models write."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from html.parser import HTMLParser

import pytest
from pydantic import ValidationError

from nightschool.report.curves import latency, loss
from nightschool.report.figures import LatencyTimes, LossPoint, Phase, Report
from nightschool.report.lessons import Turn
from nightschool.report.page import render
from nightschool.report.proof import Estimate, Gain, Marks, TeacherMarks
from nightschool.report.sample_rows import Sample, SampleVote
from nightschool.report.verdict import conclude
from tests.nightschool.example_report import example, night, stopped

HOSTILE = '</p><script>alert(1)</script>]]><img src=x onerror="alert(2)">{{ 7*7 }}\u202ereversed\u0000'


class Elements(HTMLParser):
    """Every start tag with its attributes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.found if name == tag]


@pytest.fixture(scope="module")
def page() -> str:
    return render(example())


def hostile_sample() -> Sample:
    return Sample(
        id=HOSTILE, topic=HOSTILE, question=HOSTILE + "x" * 100_000, choices={"A": HOSTILE},
        votes=(SampleVote(teacher="ada", answer=HOSTILE, reasoning=HOSTILE),), verdict=HOSTILE, source=HOSTILE,
    )  # fmt: skip


def test_the_page_needs_nothing_from_outside(page: str) -> None:
    elements = Elements(page)
    assert not [tag for tag, _ in elements.found if tag in ("script", "iframe", "object", "img", "form", "base")]
    targets = [value for _, attrs in elements.found for key, value in attrs.items() if key in ("href", "src") and value]
    assert targets
    assert all(target.startswith(("#", "data:image/svg+xml,")) for target in targets)
    assert "url(" not in re.sub(r"url\(#", "", page)


def test_the_policy_allows_exactly_the_style_that_the_page_carries(page: str) -> None:
    policy = next(a for a in Elements(page).all("meta") if a.get("http-equiv") == "Content-Security-Policy")["content"]
    assert policy is not None
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert len(style) == 1
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert not [attrs for _, attrs in Elements(page).found if "style" in attrs]


def test_every_plot_speaks_and_has_a_table(page: str) -> None:
    plots = [attrs for attrs in Elements(page).all("svg") if attrs.get("role") == "img"]
    assert len(plots) == 9
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for attrs in plots:
        for label in (attrs["aria-labelledby"] or "").split():
            assert label in ids
    assert page.count("The same as a table") == len(plots) - 1  # the strip's table is "Where the time went"
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_plots_take_their_colours_and_letters_from_the_page(page: str) -> None:
    for svg in re.findall(r'<svg [^>]*viewBox="0 0 (?:400|330) .*?</svg>', page, re.DOTALL):
        assert not re.search(r'(fill|stroke)="#[0-9a-f]{6}"', svg)
        assert "var(--" in svg
        assert "<text" in svg
        assert "font-family" not in svg


@pytest.mark.parametrize(
    "text",
    [
        "Student 47.1% [44.3, 50.0] → 67.8% [64.9, 70.5] after sft", "sft-gain", "The student is ready to be served",
        "no right answer \N{MINUS SIGN}171", "Who wrote the questions", "Votes alone", "Training loss, dpo",
        "p99 0.327 s",
        "while serving", "27 chunks, 9 cached", "Row of 3. First is Ann", "5d1c0f9ab2e47710",
    ],
)  # fmt: skip
def test_the_page_shows(page: str, text: str) -> None:
    assert text in html.unescape(page).replace("\N{NO-BREAK SPACE}", " ")


def test_what_models_write_stays_text() -> None:
    page = render(example().model_copy(update={"samples": (hostile_sample(),)}))
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7*7 }}" in page
    assert "⟨U+202E⟩" in page
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", page)
    assert "(cut here: 100,0" in page
    assert len(page) < 200_000


def test_the_report_comes_back_from_its_json_as_it_went() -> None:
    report = example().model_copy(update={"samples": (hostile_sample(),)})
    again = Report.model_validate_json(report.model_dump_json())
    assert again == report
    assert render(again) == render(report)


def test_a_loss_that_diverged_is_a_gap_and_an_accuracy_is_never_infinite() -> None:
    point = LossPoint.model_validate({"step": 3, "loss": float("nan"), "logged_elsewhere": 1})
    assert point.loss is None
    with pytest.raises(ValidationError):
        Phase(name="sft", seconds=float("inf"), chunks=1)
    page = render(example().model_copy(update={"losses": {"sft": (point,)}}))
    assert "Training loss" not in page


def test_a_night_that_stopped_half_way_has_a_report() -> None:
    page = render(stopped())
    assert "The night stopped in answers" in page
    assert "did not reach validation" in page
    assert "nightschool rerun quickstart --phase answers --chunk 17" in page
    assert "connection refused" in page
    assert "not measured" in page


def test_a_night_without_a_single_figure_has_a_report() -> None:
    page = render(conclude(Report(night=night(finished=None)), []))
    assert "Nothing was measured" in page
    assert "This recipe has no gates" in page


@pytest.mark.parametrize(
    "left_out", [("question_sources", "memory", "latency", "phases"), ("solver", "committee", "samples", "losses")]
)
def test_each_part_may_be_missing(left_out: tuple[str, ...]) -> None:
    report = example()
    empty = {name: type(report).model_fields[name].get_default() for name in left_out}
    assert "The student learned" in render(report.model_copy(update=empty))


def test_a_night_without_dpo_and_with_one_stage() -> None:
    bare, found = Report(night=night()), example().stages
    two, one = (render(conclude(bare.model_copy(update={"stages": found[:n]}), [])) for n in (2, 1))
    assert "→ 67.8% [64.9,\N{NO-BREAK SPACE}70.5] after sft" in two
    assert "Student 47.1% [44.3,\N{NO-BREAK SPACE}50.0] (base)" in one


def test_a_student_that_did_not_learn_gets_no_tick() -> None:
    base = example().stages[0]
    same = base.model_copy(update={"name": "sft", "gain": Gain(over="base", value=0.0, low=-0.1, high=0.1)})
    page = render(conclude(Report(night=night(), stages=(base, same)), []))
    assert '<span class="mark quiet"' in page
    assert "The student did not measurably learn" in page


@pytest.mark.parametrize(
    ("limit", "words"), [(0.5, "limit 0.5 s"), (13.0, "far right of this"), (None, "no gate sets")]
)
def test_the_latency_limit_is_drawn_written_or_missing(limit: float | None, words: str) -> None:
    plot = latency(LatencyTimes(seconds=(0.2, 0.3, 0.31), limit_s=limit))
    assert plot is not None
    assert words in plot.svg + plot.caption


def estimate(value: float) -> Estimate:
    return Estimate(value=value, low=value - 0.05, high=value + 0.05, n=300)


def test_two_baselines_share_a_line_of_text_and_one_point_is_a_curve() -> None:
    report = example().model_copy(
        update={
            "baselines": {"guessing": estimate(0.25), "always_A": estimate(0.26)},
            "losses": {"sft": (LossPoint(step=1, loss=0.5),)},
            "latency": LatencyTimes(seconds=(0.0,)),
        }
    )
    page = render(report)
    assert "guessing 25%, always A 26%" in page
    assert "From 0.500 at step 1 to 0.500 at step 1." in page


def test_epochs_and_turns_of_the_schedule_are_in_the_curve() -> None:
    log = [LossPoint(step=step, loss=0.7 - 0.01 * step, epoch=step / 10) for step in range(1, 41)]
    plain, turned = (loss("aligned", log, 1, turns) for turns in ((), (Turn(epoch=3, told="robust drop"),)))
    assert plain is not None
    assert turned is not None
    assert "4 epochs" in plain.caption
    assert "robust drop" not in plain.svg
    assert turned.svg.count("robust drop") == 2  # drawn, and spoken
    assert "From epoch 4: robust drop." in turned.svg


def test_the_page_shows_what_each_stage_says_beside_the_truth() -> None:
    said = {"the truth": {"no": 56, "yes": 44}, "cot": {"no": 98, "no answer": 2}}
    page = render(example().model_copy(update={"said": said}))
    assert "What each stage says" in page
    assert "no 56.0%, yes 44.0%" in page
    assert "no 98.0%, no answer 2.0%" in page
    assert "What each stage says" not in render(example())


def test_a_large_night_stays_a_small_page() -> None:
    steps = tuple(LossPoint(step=step, loss=1 / (step + 1)) for step in range(40_000))
    times = LatencyTimes(seconds=tuple(0.1 + 0.0001 * i for i in range(40_000)), limit_s=9)
    page = render(example().model_copy(update={"losses": {"sft": steps, "dpo": steps}, "latency": times}))
    assert len(page) < 500_000


def test_devices_and_servers_that_died_are_shown(page: str) -> None:
    assert "0: NVIDIA H200, while serving" in page
    assert "120.0 GiB" in page
    assert "Model servers died in service 1 time:" in page
    assert "alba-0 (vllm) ended with exit code 137" in page


def test_a_night_of_data_shows_what_each_teacher_got_right() -> None:
    share = Estimate(value=0.75, low=0.7, high=0.8, n=800)
    counts = {"right": 600, "wrong": 150, "no_answer": 50, "could_not_judge": 3}
    teacher = TeacherMarks(name="ann", right=share, questions=100, marks=counts, results={"all_right": 60, "mixed": 40})
    marks = Marks(teachers=(teacher,), classes={"all_right": 60, "mixed": 40})
    page = render(Report(night=night(learns=False), marks=marks))
    for shown in ("75.0%", "70.0% to 80.0%", "800", "could not be judged", "a teacher both right and wrong"):
        assert shown in page
    assert 'id="marks"' not in render(Report(night=night(learns=False)))
