"""What is shown for a draft when it is taken away, and what the answers then say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.ablate import instead, without_answer
from nightschool.drafts import said, way
from nightschool.recipe.ablate import VARIANTS, Variant
from nightschool.records import Measured
from nightschool.report.ablated import Drafts
from nightschool.report.ablations import ablation_table, artifact, lines
from nightschool.report.measure import measure_ablation
from nightschool.report.proof import Estimate
from nightschool.statistics import mcnemar_exact
from tests.nightschool.bad_recipe import RECIPE, message_of, recipe_folder

YES_NO = partial(said, kind="yes_no", letters=False)
LETTERS = partial(said, kind="letter", letters=True)
DRAFTS = {
    "a": "Pears float.\nSo the answer is no.",
    "b": "Answer: No - it is dense. Questions: how dense?",
    "c": "Yes.",
    "d": "No.",
    "e": "No.",
    "f": "I do not know.",
}


def shown(variant: Variant, drafts: dict[str, str], seed: int = 0) -> dict[str, str]:
    return instead(variant, drafts, read=YES_NO, way=partial(way, letters=False), seed=seed)


@given(
    st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=9), min_size=2, max_size=30), st.integers(0, 9)
)
def test_a_shuffled_draft_is_another_questions_and_every_draft_is_shown_once(drafts: dict[str, str], seed: int) -> None:
    tagged = {name: f"{name} {text}" for name, text in drafts.items()}
    found = shown("shuffled", tagged, seed)
    assert Counter(found.values()) == Counter(tagged.values())
    assert all(found[name] != text for name, text in tagged.items())
    assert found == shown("shuffled", dict(reversed(tagged.items())), seed)


def test_nobody_is_shown_his_own_draft_where_there_is_no_other() -> None:
    assert shown("shuffled", {"a": "No."}) == {}
    assert shown("no_draft", DRAFTS) == {}


def test_the_majority_draft_is_one_for_all_and_says_the_commonest_answer() -> None:
    assert set(shown("majority", DRAFTS).values()) == {"No."}
    assert set(shown("majority", {"a": "Who knows?", "b": "Not I."}).values()) == {"Who knows?"}


@pytest.mark.parametrize(
    ("text", "left", "read"),
    [
        ("Pears float.\nSo the answer is no.", "Pears float.", YES_NO),
        ("Yes.", "", YES_NO),
        ("Is it dense? It is. Therefore, **yes**.", "Is it dense? It is.", YES_NO),
        ("No. Pears float, so the answer is no. They do.", "They do.", YES_NO),
        ("Leo is left of Dan. The answer is B.", "Leo is left of Dan.", LETTERS),
        ("I do not know.", "I do not know.", YES_NO),
    ],
)
def test_a_draft_without_its_answer_keeps_what_leads_to_it(text: str, left: str, read: Callable[[str], str]) -> None:
    assert without_answer(text, read) == left


def test_of_json_only_the_way_is_left() -> None:
    draft = '{"reasoning": "Leo is left of Dan. So it is B.", "answer": "B"}'
    assert LETTERS(draft) == "B"
    found = instead("no_answer", {"a": draft}, read=LETTERS, way=partial(way, letters=True), seed=0)
    assert found["a"].startswith("Leo is left of Dan.")
    assert LETTERS(found["a"]) is None


@given(
    st.lists(st.sampled_from(["Yes.", "It is so.", "The answer is no", "\n", "no", "Teacher: yes", "Why?"]), max_size=9)
)
def test_no_answer_can_be_read_where_it_was_taken_out(parts: list[str]) -> None:
    assert YES_NO(without_answer(" ".join(parts), YES_NO)) is None


def measured(right: list[bool]) -> list[Measured]:
    return [
        Measured(id=f"q{n}@0", question=f"q{n}", topic="t", seed=0, truth="yes", value="yes" if one else "no",
                 right=one, reason=None, latency_s=0.1, tokens_out=1, text="")
        for n, one in enumerate(right)
    ]  # fmt: skip


def test_a_variant_is_held_against_the_same_rows_by_mcnemars_test() -> None:
    as_is = measured([True] * 80 + [False] * 20)
    without = measured([True] * 55 + [False] * 25 + [True] * 5 + [False] * 15)
    found = measure_ablation("reader", "drafter", as_is, {"no_draft": without, "shuffled": as_is})
    dropped, same = found.shown
    assert dropped.change is not None
    assert dropped.change.value == pytest.approx(-0.2)
    assert dropped.change.p == pytest.approx(mcnemar_exact(25, 5), abs=1e-12)
    assert dropped.change.significant
    assert same.change is not None
    assert (same.change.value, same.change.p) == (0, 1)
    assert found.told == "What reader answers depends on its draft."
    told = "\n".join(lines([], [found]))
    assert "worse" in told
    assert "no significant difference" in told
    head, rows = ablation_table(found)
    for row, line in zip(rows, artifact([found]), strict=True):
        assert [*line.values()] == ["reader", *row]
    assert len(head) == 6
    assert [row[2] for row in rows] == ["100"] * 4, "what guessing reaches is the last one"
    assert measure_ablation("r", "d", as_is, {"shuffled": as_is}).told == "No effect of the draft on r was found."


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("ablate: {}\n", "ablate: no stage that is measured is shown a draft"),
        ("ablate: {variants: [upside_down]}\n", "ablate.variants.0"),
        (
            "gates: [{name: g, metric: draft_gain, stage: sft, at_least: 0.03}]\n",
            "gates.0.metric: gate g: sft is not asked without its draft",
        ),
    ],
)
def test_where_there_is_no_draft_none_can_be_taken_away(
    section: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe_folder(tmp_path, monkeypatch)
    assert said in " ".join(message_of(RECIPE + section).split())
    assert VARIANTS[0] == "no_draft"


def test_drafts_that_are_better_on_what_is_learned_are_warned_of() -> None:
    taught = Estimate(value=0.95, low=0.9, high=0.98, n=400)
    held_out = Estimate(value=0.55, low=0.5, high=0.6, n=400)
    memorised = Drafts(drafter="first", taught=taught, held_out=held_out)
    assert memorised.too_good
    assert lines([memorised], [])[0].startswith(
        "  WARNING    drafts of first are right on 95.0% (90.0% to 98.0%, n 400)"
    )
    assert not Drafts(drafter="first", taught=held_out, held_out=held_out).too_good
