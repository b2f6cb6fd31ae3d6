"""What a night gave up stays given up, under the same name, until somebody changes the recipe's mind."""

from datetime import UTC, datetime

from blocks.store import Store
from tasks.given_up import Choice, GivenUp, given_up, resumed, standing, tonight, write
from tasks.ledger import Ledger

FEWER = "fallbacks=[{name: fewer, sets: {answers.samples: 2}}, {name: short, sets: {pool.per_topic: 2}}]"
WINDOW = "window={start: '22:00', end: '06:00', zone: Europe/Berlin}"
CHOICE = Choice(
    name="fewer", told="two samples", sets={"answers.samples": 2}, before="answers", when="now", why="Slow."
)


def test_a_later_run_makes_the_same_choice_and_the_other_fallbacks_stay(make):
    night = make("answers.samples=4", FEWER)
    night.begin()
    write(night.store, night.dir, GivenUp(choices=[CHOICE]))
    again = make("answers.samples=4", FEWER)
    assert again.recipe.answers.samples == 2
    assert [one.name for one in again.recipe.fallbacks] == ["short"]
    assert again.keys["answers/alba"] == make("answers.samples=2").keys["answers/alba"]
    assert standing(again.recipe, [CHOICE]) == [CHOICE]
    assert make("answers.samples=4", FEWER, name="another").recipe.answers.samples == 4


def test_whoever_changes_the_fallback_takes_the_choice_back(make):
    night = make("answers.samples=4", FEWER)
    write(night.store, night.dir, GivenUp(choices=[CHOICE]))
    other = make("answers.samples=4", FEWER.replace("answers.samples: 2", "answers.samples: 3"))
    assert other.recipe.answers.samples == 4
    assert standing(other.recipe, [CHOICE]) == []
    assert make("answers.samples=4").recipe.answers.samples == 4


def test_a_choice_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "given-up.json").write_text("{")
    assert given_up(tmp_path).line == ""
    assert GivenUp(choices=[CHOICE]).line == "Given up to end in the window: fewer (two samples). Slow."


def test_an_evening_goes_on_with_the_last_night_until_it_is_whole(make):
    evening = datetime(2026, 11, 21, 3, tzinfo=UTC)  # four in the morning of Saturday, in a window of Friday's
    night = make(WINDOW)

    def named(now=evening) -> str:
        return tonight(night.recipe, night.store, "run-{evening}", now)

    assert named() == "run-2026-11-20"
    begun = make(WINDOW, name="run-2026-11-20")
    begun.begin()
    assert named(datetime(2026, 11, 23, 22, tzinfo=UTC)) == "run-2026-11-20", "it was killed before it wrote a word"
    ledger = Ledger(begun.dir)
    ledger.finish(stopped_by="the window closed", goes_on="window")
    assert named(datetime(2026, 11, 23, 22, tzinfo=UTC)) == "run-2026-11-20"
    ledger.finish()
    assert named(datetime(2026, 11, 23, 22, tzinfo=UTC)) == "run-2026-11-23"
    ledger.finish(stopped_by="look at file and line")
    assert named(datetime(2026, 11, 23, 22, tzinfo=UTC)) == "run-2026-11-23", "a person must mend it first"


def test_a_name_without_an_evening_is_what_it_is(make, tmp_path):
    assert resumed(make().recipe, Store(tmp_path), "plain")[1] == "plain"
