"""Whose point a question is: by solver or votes, never by its author's own key; and the matches that come of it."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool import pool, school
from nightschool.arena import Fate, fate, taken
from nightschool.challenges import challenge, distinct, refused
from nightschool.contest_file import load_contest
from nightschool.errors import RecipeError
from nightschool.gates import judge
from nightschool.recipe.arena import Player, met, players_of
from nightschool.recipe.gate import Gate
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.records import Challenge, Dropped, Question, Written
from nightschool.report.arena import Arena, lines, matches_table, standings_table, writers_table
from nightschool.report.figures import Report
from nightschool.report.markdown import parts
from nightschool.report.matches import Judged, measure_arena
from nightschool.report.page import render
from nightschool.report.proof import Estimate
from nightschool.report.terminal import summary_lines
from tests.nightschool.example_report import example, night

CONTEST = Path(__file__).parents[2] / "configs" / "contests" / "aaipl.yaml"
PUZZLE = school.generate("series", 1, seed=3)[0]


def written(number: int = 0, **changes: object) -> Written:
    fields = {"question": PUZZLE.question, "right": PUZZLE.right, "distractors": PUZZLE.distractors} | changes
    return Written.model_validate(
        {"id": f"ann-series-{number:05d}", "topic": "series", "teacher": "ann", "plan": "x", **fields}
    )


def put(row: Written, *, votes: bool = False, contest: bool = False, example: str = "") -> Challenge:
    found = school.check(row.topic, row.question, row.right, row.distractors)
    question = pool.letter(row, found.status, found.right, 1).model_copy(update={"id": row.id})
    rules = load_contest(CONTEST).files["questions"] if contest else None
    return challenge(row, question, example=example, rules=rules, votes=votes, count=lambda text: len(text.split()))


WRONG_KEY = {"right": PUZZLE.distractors[0], "distractors": (PUZZLE.right, *PUZZLE.distractors[1:])}


@pytest.mark.parametrize(
    ("row", "more", "flaw"),
    [
        (written(), {}, None),
        (written(), {"contest": True}, None),
        (written(**WRONG_KEY), {}, "wrong_key"),
        (written(**WRONG_KEY), {"votes": True}, "wrong_key"),
        (written(question="Who ate the cake?"), {}, "malformed"),
        (written(question="Who ate the cake?"), {"votes": True}, None),
        (written(question="Who ate the cake?", distractors=("a", "a", "b")), {"votes": True}, "malformed"),
        (written(question="Who ate " + "much " * 200 + "cake?"), {"votes": True, "contest": True}, "too_many_tokens"),
        (written(), {"example": PUZZLE.question}, "copied"),
    ],
)
def test_a_question_is_invalid_by_solver_and_rules_and_not_valid_by_its_own_key(
    row: Written, more: dict[str, bool], flaw: str | None
) -> None:
    assert put(row, **more).flaw == flaw  # pyright: ignore[reportArgumentType]


def test_what_is_asked_twice_by_one_author_is_invalid_once() -> None:
    again, other = put(written(1)), put(written()).model_copy(update={"author": "ben"})
    assert [one.flaw for one in distinct([put(written()), again, other])] == [None, "repeated", None]


def test_a_reply_that_is_no_question_counts_against_its_author() -> None:
    lost = refused(Dropped(id="series-00000", topic="series", reason="not_json"), "ann")
    found = fate(lost, {}, quorum=1, min_agreement=0)
    assert found == Fate("invalid", reason="not_json")
    assert taken(found, None, answered=False) == 0


KEY = put(written(question="Who ate the cake?"), votes=True)


@pytest.mark.parametrize(
    ("votes", "kind", "reason"),
    [
        ("kkk", "valid", ""),
        ("kko", "valid", ""),
        ("ooo", "invalid", "wrong_key"),
        ("ko-", "void", "tie"),
        ("k--", "void", "too_few_votes"),
        ("---", "void", "too_few_votes"),
    ],
)
def test_votes_rule_where_the_solver_cannot_and_what_they_cannot_tell_is_void(
    votes: str, kind: str, reason: str
) -> None:
    assert KEY.question
    letters = {"k": KEY.question.key, "o": next(one for one in "ABCD" if one != KEY.question.key), "-": None}
    found = fate(KEY, {f"j{n}": letters[vote] for n, vote in enumerate(votes)}, quorum=2, min_agreement=0.6)
    assert (found.kind, found.reason) == (kind, reason)


@given(st.sampled_from(["valid", "invalid", "void"]), st.sampled_from(["A", "B", None]), st.booleans())
def test_every_question_is_one_point_for_one_side_or_nobodys(kind: str, letter: str | None, answered: bool) -> None:
    found = taken(Fate(kind, truth="A"), letter, answered=answered)  # pyright: ignore[reportArgumentType]
    if kind == "void" or (kind == "valid" and not answered):
        assert isnan(found)
    else:
        assert found == float(kind == "valid" and letter != "A")


def asked(author: str, count: int, invalid: int = 0) -> list[tuple[Challenge, Fate]]:
    """Questions whose truths are the letters in turn, the last ones of them invalid."""
    fates = [Fate("valid", truth="ABCD"[n % 4]) for n in range(count - invalid)]
    fates += [Fate("invalid", reason="wrong_key")] * invalid
    question = Question(id="q", topic="series", question="?", choices=("1", "2"), truth="A", key="A", source=author,
                        check="ok")  # fmt: skip
    return [
        (Challenge(id=f"{author}-{n}", author=author, topic="series", question=question, flaw=None), each)
        for n, each in enumerate(fates)
    ]


def replies(judged: Judged, right: int) -> dict[str, str | None]:
    """Right answers to so many of each author's questions, the first ones."""
    numbers = {one.id: int(one.id.partition("-")[2]) for one, _ in judged}
    return {name: "ABCD"[n % 4] if n < right else "ABCD"[(n + 1) % 4] for name, n in numbers.items()}


def alone(*names: str) -> list[Player]:
    return [Player(name=name, writes=name, answers=name) for name in names]


JUDGED = [*asked("ann", 20), *asked("ben", 20, invalid=4), *asked("cat", 20)]
ANSWERED = {"ann": replies(JUDGED, 15), "ben": replies(JUDGED, 10), "cat": replies(JUDGED, 3)}
FOUND = measure_arena(JUDGED, ANSWERED, alone("cat", "ben", "ann"), questions=20)


def known(found: Estimate | None) -> Estimate:
    assert found
    assert found.low <= found.value <= found.high
    return found


def test_a_score_is_the_others_failures_and_own_right_answers_and_the_others_invalid_questions() -> None:
    scores = {(one.one, one.other): one.points for one in FOUND.matches}
    # Ben fails 10 of Ann's; of his she answers 15 right, and 4 are invalid.
    assert scores["ben", "ann"] == (10 + 1, 10 + 15 + 4)
    assert scores["cat", "ann"] == (3 + 5, 17 + 15)
    assert all(sum(points) == 40 for points in scores.values())


def test_standings_say_how_often_and_why_with_intervals() -> None:
    assert [one.name for one in FOUND.players] == ["ann", "ben", "cat"]
    ann, ben = FOUND.players[:2]
    assert (known(ben.valid).value, known(ben.valid).n) == (0.8, 20)
    assert known(ben.stumps).value == (1 + 13) / 40, "of the sixteen that are valid"
    assert known(ben.right).value == 0.5
    assert known(ann.wins).low > 0.6 > known(ben.wins).value
    assert sum(known(one.title).value for one in FOUND.players) == pytest.approx(1)
    assert FOUND.writers[1].invalid == {"wrong_key": 4}


def test_nobody_wins_by_questions_that_nobody_can_judge() -> None:
    void = [(one, Fate("void", reason="tie")) for one, _ in asked("ann", 9)]
    found = measure_arena([*void, *asked("ben", 9)], {"ann": replies(asked("ben", 9), 9)}, alone("ann", "ben"),
                          questions=5)  # fmt: skip
    assert [one.wins for one in found.players] == [None, None], "one side has asked nothing"
    assert "not measured" in lines(found)[0]


def report(found: Arena | None) -> Report:
    return Report(night=night(), arena=found)


@pytest.mark.parametrize(
    ("gate", "passed"),
    [
        ({"metric": "match_wins", "player": "ann", "at_least": 0.6, "by": "interval"}, True),
        ({"metric": "match_wins", "player": "ben", "at_least": 0.6}, False),
        ({"metric": "knockout_wins", "player": "ann", "at_least": 0.5, "by": "interval"}, True),
        ({"metric": "stump_share", "player": "cat", "at_least": 0.9}, False),
        ({"metric": "valid_questions", "player": "ann", "at_least": 0.8, "by": "interval"}, True),
        ({"metric": "valid_questions", "player": "ben", "at_least": 0.8, "by": "interval"}, False),
    ],
)
def test_winning_sixty_percent_is_a_gate_like_any_other(gate: dict[str, object], passed: bool) -> None:
    held = Gate.model_validate({"name": "g", **gate})
    assert judge(held, report(FOUND)).passed == passed
    assert not judge(held, report(None)).passed, "who did not play has not won"


def test_tables_have_a_line_for_each_player_pair_and_writer() -> None:
    head, rows = standings_table(FOUND)
    assert head == ["", "ann", "ben", "cat"]
    assert {len(row) for row in rows} == {4}
    assert dict((row[0], row[1]) for row in rows)["always one letter"].startswith("always "), "what guessing reaches"
    assert len(matches_table(FOUND)[1]) == 3
    assert ["ben", "20", "wrong key 4", "none"] in writers_table(FOUND)[1]


def test_page_and_terminal_show_who_wins() -> None:
    whole = example().model_copy(update={"arena": FOUND})
    page, terminal = render(whole), "\n".join(summary_lines(whole))
    for text in ("The arena", "Chance to win a match, by player", "wrong key 4", "ben against ann"):
        assert text in page
    assert "arena      ann: wins" in terminal
    assert "| ben | 20 | wrong key 4 | none |" in parts(whole)["arena"], "as Prefect shows it"
    assert Report.model_validate_json(whole.model_dump_json()) == whole


def test_who_plays_where_nobody_is_named() -> None:
    recipe = load_recipe(find_recipe("two_agents"), sets=["arena.players=[]", "quality=null"])
    players = players_of(recipe)
    assert [(one.name, one.writes) for one in players] == [("base", "base"), ("solver", "asker"),
                                                           ("solver-dpo", "asker")]  # fmt: skip
    assert met(players, "base") == ("asker",)
    assert met(players, "solver") == ("base", "asker"), "its own writer asks for another player as well"


@pytest.mark.parametrize(
    ("arena", "wrong"),
    [
        ("{players: [base, nobody]}", "nobody is no stage and no model"),
        ("{players: [base]}", "nobody to play against"),
        ("{players: [base, base]}", "named more than once: base"),
        ("{truth: committee, players: [base, alba]}", "those who do not play have 1 votes, and the committee needs 2"),
        ("{rivals: [{name: solver, model: x}]}", "solver is a model and a stage"),
        ("{contest: contests/aimo.yaml}", "aimo has no rules of questions"),
    ],
)
def test_matches_that_cannot_be_played_are_refused(arena: str, wrong: str) -> None:
    with pytest.raises(RecipeError, match=wrong):
        load_recipe(find_recipe("two_agents"), sets=[f"arena={arena}", "quality=null"])


def test_a_gate_is_about_somebody_who_plays() -> None:
    gate = "gates=[{name: g, metric: match_wins, player: asker, at_least: 0.6}]"
    with pytest.raises(RecipeError, match="asker, who does not play"):
        load_recipe(find_recipe("two_agents"), sets=[gate])
