"""What the plans claim of their time, beside the arithmetic."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from nightschool.claims import Claim, Claims, Held, Work, claims_of, hold
from nightschool.errors import RecipeError
from nightschool.forecast import Forecast, forecast
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.recipe.overlay import profiles

PLANS = ("aaipl", "committee", "strategyqa", "aimo", "critique")
NIGHTS = [(plan, name) for plan in PLANS for name in (None, *profiles(find_recipe(plan)))]

AHEAD = [Forecast("answers", 4, 100, 36_000), Forecast("sft", 1, trained=900.0)]


def held(*claims: Claim, given: str = "", measured: dict[str, tuple[float, str]] | None = None) -> list[Held]:
    return hold(Claims(plan="9", claims=claims), given.split(","), AHEAD, measured or {})


def test_a_rate_and_an_amount_are_a_time() -> None:
    work = Work(count=(100, 200), each=(50, 50), unit="tokens", per_s=(10, 20))
    (one,) = held(Claim(about="answers", line=1, hours=(1, 2), phases=("answers",), work=work))
    assert one.own_s == (250, 1000)
    assert one.agrees is False
    assert one.times == pytest.approx(3 * 3600 / 1250)
    assert one.at_its_rate_s == (1800, 3600)
    assert one.implied_per_s is None


def test_a_claim_without_a_rate_comes_to_one_and_no_time_is_made_up() -> None:
    (one,) = held(Claim(about="sft", line=1, hours=(2, 4), phases=("sft",), work=Work(count=(7200, 7200), unit="rows")))
    assert one.implied_per_s == (0.5, 1)
    assert (one.own_s, one.agrees, one.at_its_rate_s, one.measured_s, one.units) == (None, None, None, None, 900)


def test_a_rate_without_an_amount_comes_to_one() -> None:
    (one,) = held(Claim(about="notebook", line=1, hours=(6, 6), work=Work(unit="problems", s_each=(3, 3))))
    assert one.implied_units == pytest.approx((7200, 7200))
    assert one.own_s is None


def test_a_sum_is_of_the_parts_that_a_profile_has() -> None:
    parts = [Claim(about="a", line=1, hours=(1, 2)), Claim(about="b", line=2, hours=(1, 1), unless=("fast",))]
    whole = Claim(about="all", line=3, hours=(2, 3), sum_of=("a", "b"))
    assert held(*parts, whole)[-1].own_s == (2 * 3600, 3 * 3600)
    assert held(*parts, whole)[-1].agrees is True
    assert held(*parts, whole, given="tiny,fast")[-1].own_s == (3600, 2 * 3600)
    assert [one.about for one in held(*parts, Claim(about="c", line=4, profiles=("fast",)))] == ["a", "b"]


def test_what_was_measured_counts_only_for_all_phases_of_a_claim() -> None:
    both = Claim(about="both", line=1, phases=("answers", "sft"))
    assert held(both, measured={"answers": (60.0, "on night tue")})[0].measured_s is None
    found = held(both, measured={"answers": (60.0, "on night tue"), "sft": (30.0, "on night tue")})[0]
    assert (found.measured_s, found.basis) == (90.0, "on night tue")


def test_a_slip_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "claims" / "mine.yaml"
    file.parent.mkdir()
    for text, told in {
        "[{about: x, line: 1, sum_of: [y]}]": "no such claim: y",
        "[{about: x, line: 1, hours: [3, 2]}]": "the least comes first",
        "[{about: x, line: 1, work: {unit: rows}}]": "neither how much nor how fast",
    }.items():
        file.write_text(f"plan: '9'\nclaims: {text}\n", encoding="utf-8")
        with pytest.raises(RecipeError, match=f"mine.yaml:2: .*{told}"):
            claims_of(tmp_path / "mine.yaml")
    assert claims_of(tmp_path / "other.yaml") is None


@pytest.mark.parametrize(("plan", "profile"), NIGHTS)
def test_every_claim_of_a_plan_is_of_phases_that_its_nights_run(plan: str, profile: str | None) -> None:
    found, ahead = claims_of(find_recipe(plan)), list(forecast(load_recipe(find_recipe(plan), profile=profile)))
    assert found is not None
    rows = hold(found, (profile,) if profile else (), ahead, {})
    assert rows
    by = {claim.about: claim for claim in found.claims}
    known = {one.phase for one in ahead}
    elsewhere = {"predict"} if plan == "aimo" else set()  # a notebook's problems are given when it runs
    gone = {"dpo", "pairs"} if profile == "fast" else set()
    for row in rows:
        assert {*by[row.about].phases} <= known | elsewhere | gone, row.about


@pytest.mark.parametrize("plan", PLANS)
def test_plan_prints_what_the_plan_claims(plan: str, tmp_path: Path) -> None:
    command = ["plan", plan, "--profile", "tiny", "--set", f"store={tmp_path / 'runs'}"]
    shown = CliRunner().invoke(app, command)
    assert shown.exit_code == 0, shown.output
    assert "beside the arithmetic" in shown.stdout
    told = orjson.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)["claims"]
    assert [one["about"] for one in told] == [row.about for row in _held(plan)]
    assert all(one["measured_s"] is None for one in told)


def _held(plan: str) -> list[Held]:
    found = claims_of(find_recipe(plan))
    assert found is not None
    return hold(found, ("tiny",), [], {})


def test_plan_000_claims_less_than_the_sum_of_its_own_timeline() -> None:
    rows = {one.about: one for one in _held("aaipl")}
    whole = rows["all of it"]
    assert whole.own_s == pytest.approx((11.85 * 3600, 16.43 * 3600), rel=1e-2)
    assert whole.agrees is False
    assert rows["questions"].own_s == pytest.approx((2000 * 500 / 600, 2000 * 500 / 400))
    assert rows["questions"].agrees is False


def test_the_docs_example_is_a_file_of_claims(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "plans.md").read_text(encoding="utf-8")
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "mine.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    found = claims_of(tmp_path / "mine.yaml")
    assert found is not None
    answers, training, whole = hold(found, (), AHEAD, {})
    assert answers.own_s == (1600, 1600)
    assert training.implied_per_s == pytest.approx((0.5, 0.5))
    assert whole.own_s == (4 * 3600, 5 * 3600)
