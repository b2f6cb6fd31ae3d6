"""Judges of questions: both orders, replies as untrusted text, and preference told from place and length."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.regression.linear_model import WLS

from nightschool.errors import RecipeError
from nightschool.gates import judge
from nightschool.lengths import at_equal_length
from nightschool.prompts import Prompt
from nightschool.quality import Pair, Preferred, Written, ask, pairs, read
from nightschool.recipe.gate import Gate
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.report.page import render
from nightschool.report.preferences import compared
from nightschool.report.proof import Estimate
from nightschool.report.quality import Compared, lines, quality_table
from nightschool.report.terminal import summary_lines
from nightschool.wire import Choice, Reply, Sampling
from tests.nightschool.example_report import example

PROMPT = Prompt(system=None, user="$topic: $first / $second")
SAMPLING = Sampling(temperature=0, max_tokens=9)


def written(who: str, count: int, topic: str = "series") -> list[Written]:
    return [Written(f"{who}-{topic}-{n}", topic, f"{who} asks {n}") for n in range(count)]


def test_questions_meet_on_their_topic_in_both_orders() -> None:
    ours, theirs = (
        [*written("ann", 3), *written("ann", 2, "seating")],
        [*written("ben", 2), *written("ben", 4, "seating")],
    )
    found = pairs("ann over ben", ours, theirs, most=9, seed=1)
    assert len({pair.id for pair in found}) == len(found) == 8
    assert {(pair.ours[-1], pair.theirs[-1]) for pair in found} == {("0", "0"), ("1", "1")}
    assert [pair.swapped for pair in found] == [False, True] * 4
    fewer = pairs("ann over ben", ours, theirs, most=2, seed=1)
    assert len(fewer) == 4
    assert {*fewer} < {*found}


def test_the_second_order_shows_the_same_two_the_other_way_round() -> None:
    one, other = pairs("ann over ben", written("ann", 1), written("ben", 1), most=1, seed=1)
    shown = [ask(pair, prompt=PROMPT, sampling=SAMPLING, seed=1).messages[0].content for pair in (one, other)]
    assert shown == ["series: ann asks 0 / ben asks 0", "series: ben asks 0 / ann asks 0"]


@pytest.mark.parametrize(
    ("text", "swapped", "better"),
    [
        ('{"reasoning": "x", "better": "first"}', False, "ours"),
        ('{"reasoning": "x", "better": "first"}', True, "theirs"),
        ('Sure!\n```json\n{"reasoning": "x", "better": "second"}\n```', True, "ours"),
        ('{"reasoning": "x", "better": "tie"}', True, "tie"),
        ('{"reasoning": "x", "better": "both"}', False, None),
        ("The first one is better.", False, None),
        ('{"reasoning": "' + "x" * 30_000 + '", "better": "first"}', False, None),
    ],
)
def test_a_reply_is_read_as_untrusted_text(text: str, swapped: bool, better: str | None) -> None:
    pair = Pair(f"ann over ben: a b@{int(swapped)}", "series", "long question", "short", swapped)
    reply = Reply(id=pair.id, model="m", seed=0, choices=(Choice(text=text, finish="stop"),), tokens_in=0,
                  tokens_out=0, latency_s=0, attempts=1)  # fmt: skip
    found = read(reply, pair)
    assert (found.better, found.reason is None) == (better, better is not None)
    assert (found.comparison, found.pair) == ("ann over ben", "ann over ben: a b")
    assert (found.ours_chars, found.theirs_chars) == (13, 5)


Judge = Callable[[str, str, bool], str | None]


def judged(verdict: Judge, count: int = 60, *, ours_more: int = 0) -> Compared:
    """What is made of a judge that is given both lengths and whether ours stands second; ours have so many more."""
    rng, rows = random.Random(4), list[Preferred]()
    for n in range(count):
        ours, theirs = rng.randint(50, 150) + ours_more, rng.randint(50, 150)
        for swapped in (False, True):
            better = verdict("x" * ours, "x" * theirs, swapped)
            rows.append(
                Preferred.model_validate({
                    "id": f"p{n}@{int(swapped)}", "comparison": "a over b", "pair": f"p{n}", "topic": "series",
                    "swapped": swapped, "better": better, "reason": None if better else "not_json",
                    "ours_chars": ours, "theirs_chars": theirs, "text": "",
                })
            )  # fmt: skip
    return compared(rows, ours="a", theirs="b", judge="j")


def known(found: Estimate | None) -> Estimate:
    assert found
    return found


def test_a_judge_that_takes_the_first_one_prefers_nobody() -> None:
    found = judged(lambda ours, theirs, swapped: "theirs" if swapped else "ours")
    assert (known(found.rate).value, found.wins, found.losses, found.ties) == (0.5, 0, 0, 60)
    assert known(found.first).value == 1
    assert known(found.first).low > 0.9
    assert known(found.agree).value == 0
    assert found.told == "no significant difference"


def test_a_judge_that_takes_the_longer_one_prefers_nobody_at_equal_length() -> None:
    fair = judged(lambda ours, theirs, swapped: "ours" if len(ours) > len(theirs) else "theirs", 200)
    assert known(fair.even).low < 0.5 < known(fair.even).high
    assert known(fair.longer).value == 1


def test_a_judge_that_prefers_ours_says_so_in_both_orders() -> None:
    found = judged(lambda ours, theirs, swapped: "ours")
    assert (known(found.rate).value, found.wins, known(found.agree).value) == (1, 60, 1)
    assert known(found.first).value == 0.5
    assert (found.p or 1) < 1e-9
    assert known(found.even).low > 0.8
    assert found.told == "better"


def test_a_reply_that_cannot_be_read_is_no_tie() -> None:
    rng = random.Random(2)
    found = judged(lambda ours, theirs, swapped: None if rng.random() < 0.3 else "ours")
    assert known(found.rate).value == 1
    assert found.pairs + found.unread == 60
    assert found.unread > 10


def test_who_wrote_nothing_that_could_be_compared_is_told_so() -> None:
    found = compared([], ours="a", theirs="b", judge="j")
    assert (found.rate, found.told) == (None, "one of them wrote nothing that counts")
    assert lines([found]) == [
        "a over b by j: not known",
        "  at equal length not known: one of them wrote nothing that counts",
    ]


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(-500, 500)), min_size=1, max_size=40))
@settings(max_examples=30)
def test_the_rate_at_equal_length_turns_round_with_the_sides(rows: list[tuple[float, int]]) -> None:
    score, longer = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    value, low, high = at_equal_length(score, longer)
    other = at_equal_length(1 - score, -longer)
    assert 0 < low <= value <= high < 1
    assert value == pytest.approx(1 - other[0], abs=1e-6)


def test_the_rate_at_equal_length_is_statsmodels_logistic_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightschool.lengths._RIDGE", 0.0)
    rng = np.random.default_rng(6)
    longer, score = rng.normal(30, 60, 80), rng.choice([0, 0.25, 0.5, 1], 80)
    x = np.column_stack([np.ones(82), np.r_[np.tanh(longer / longer.std()), 0, 0]])
    weights = np.r_[np.ones(80), 0.5, 0.5]
    y = np.r_[score, 1, 0]
    fitted = GLM(y, x, family=Binomial(), var_weights=weights).fit(tol=1e-14)
    # Newton's last step is a weighted least squares, whose HC3 statsmodels has; for GLM it has none.
    line = x @ fitted.params
    bend = expit(line) * expit(-line)
    step = WLS(line + (y - expit(line)) / bend, x, weights=weights * bend).fit(cov_type="HC3", use_t=False)
    low, high = expit(np.asarray(step.conf_int())[0])
    assert at_equal_length(score, longer) == pytest.approx((expit(fitted.params[0]), low, high), abs=1e-9)


def test_the_rate_at_equal_length_finds_what_was_planted() -> None:
    rng = np.random.default_rng(3)
    longer = rng.normal(60, 40, 2000)
    chance = 1 / (1 + np.exp(-(0.4 + 2 * np.tanh(longer / longer.std()))))
    value, low, high = at_equal_length(rng.random(2000) < chance, longer)
    assert low < 1 / (1 + np.exp(-0.4)) < high
    assert abs(value - 1 / (1 + np.exp(-0.4))) < 0.08
    assert (rng.random(2000) < chance).mean() > 0.8, "by length alone it looks much better"


def test_page_and_terminal_show_what_judges_say() -> None:
    found = judged(lambda ours, theirs, swapped: "ours")
    whole = example().model_copy(update={"quality": (found,)})
    page = re.sub(r'<span class="sure">(.*?)</span>', r"\1", render(whole))
    assert "Question quality" in page
    for _, cell in quality_table([found])[1]:
        assert cell.replace("<", "&lt;") in page
    for line in lines([found]):
        assert f"  quality    {line}" in summary_lines(whole)


def test_who_only_writes_longer_questions_is_told_so_and_passes_no_gate() -> None:
    """Ours are longer in four of five pairs, and two judges look at nothing but length, or place."""
    longer = judged(lambda ours, theirs, swapped: "ours" if len(ours) > len(theirs) else "theirs", 200, ours_more=40)
    assert known(longer.rate).low > 0.7
    assert longer.told == "better, and at equal length no significant difference"
    first = judged(lambda ours, theirs, swapped: "theirs" if swapped else "ours", 200, ours_more=40)
    assert (known(first.rate).value, first.told) == (0.5, "no significant difference")
    gate = Gate(name="g", metric="preference", player="a", at_least=0.6)
    for biased in (longer, first):
        assert not judge(gate, example().model_copy(update={"quality": (biased,)})).passed
        assert any("at equal length" in line for line in lines([biased]))
    honest = judged(lambda ours, theirs, swapped: "ours", 200, ours_more=40)
    assert honest.told == "better"
    assert judge(gate, example().model_copy(update={"quality": (honest,)})).passed


def test_a_preference_is_a_gate_by_the_judge_that_likes_it_least() -> None:
    sides = {1: "ours", 0: "theirs"}
    half = judged(lambda ours, theirs, swapped: sides[len(ours) % 2])
    whole = example().model_copy(update={"quality": (judged(lambda ours, theirs, swapped: "ours"), half)})
    gate = Gate(name="g", metric="preference", player="a", at_least=0.7)
    assert not judge(gate, whole).passed
    assert judge(gate, whole).value == min(known(half.rate).value, known(half.even).value)
    assert judge(gate, whole.model_copy(update={"quality": whole.quality[:1]})).passed
    assert "no judge compared" in judge(gate, example()).detail
    with pytest.raises(RecipeError, match="alba, whose questions nobody judges"):
        load_recipe(
            find_recipe("two_agents"), sets=["gates=[{name: g, metric: preference, player: alba, at_least: 0.6}]"]
        )


@pytest.mark.parametrize(
    ("quality", "wrong"),
    [
        ("{compare: [{ours: asker, theirs: solver}]}", "solver writes no questions that are compared"),
        ("{compare: [{ours: asker, theirs: asker}]}", "asker is compared with itself"),
        ("{judges: [alba]}", "alba would judge its own questions"),
        ("{judges: [dora]}", "dora is no judge"),
        ("{models: []}", "nobody judges"),
        ("{prompt: prompts/answers.txt}", "placeholder unknown here"),
    ],
)
def test_what_cannot_be_judged_is_refused(quality: str, wrong: str) -> None:
    field, _, value = quality.strip("{}").partition(": ")
    with pytest.raises(RecipeError, match=wrong):
        load_recipe(find_recipe("two_agents"), sets=[f"quality.{field}={value}"])
