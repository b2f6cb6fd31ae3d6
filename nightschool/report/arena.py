"""The arena's part of the report: players, matches, questions; as figures, tables and lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightschool.report.estimates import counted, gained, guessed
from nightschool.report.proof import Estimate, Figure, Gain
from nightschool.report.text import plain, probability

Table = tuple[list[str], list[list[str]]]


class Match(Figure):
    """All questions of two players as one match: points of each; and the chances of a match of the usual size."""

    one: str
    other: str
    points: tuple[int, int]
    win: Estimate | None
    loss: Estimate | None


class Standing(Figure):
    """A player: its questions, its answers and its matches.

    valid: of its questions that could be judged. stumps: of the answers to its questions, those that are its point.
    right: of its answers to its opponents' valid questions. wins: the chance to win a match against an opponent drawn
    by chance; title: to win a knockout of all. over_guessing: its answers over always their commonest letter;
    baselines: what that and chance reach. Where nothing was judged there is no figure.
    """

    name: str
    writes: str
    answers: str
    questions: int
    valid: Estimate | None
    stumps: Estimate | None
    right: Estimate | None
    wins: Estimate | None
    title: Estimate | None
    over_guessing: Gain | None = None
    baselines: dict[str, Estimate] = {}


class Writer(Figure):
    """What became of one model's questions: how many, and why they were invalid or counted for nobody."""

    name: str
    questions: int
    invalid: dict[str, int]
    void: dict[str, int]


class Arena(Figure):
    """Everyone against everyone, the best player first; `questions` of each side make a match."""

    questions: int
    players: tuple[Standing, ...]
    matches: tuple[Match, ...]
    writers: tuple[Writer, ...]

    def player(self, name: str | None) -> Standing | None:
        """A player by its name."""
        return next((one for one in self.players if one.name == name), None)


def standings_table(found: Arena) -> Table:
    """A column for each player, the best first; below what is right, what guessing reaches."""
    lines = {
        "writes, answers": [_team(one) for one in found.players],
        "wins a match": [_told(one.wins) for one in found.players],
        "wins the knockout": [_told(one.title) for one in found.players],
        "stumps": [_told(one.stumps) for one in found.players],
        "valid questions": [_told(one.valid) for one in found.players],
        "right answers": [_told(one.right) for one in found.players],
        "always one letter": [_always(one) for one in found.players],
        "chance": [counted(one.baselines.get("chance")) for one in found.players],
        "right over one letter, in points": [gained(one.over_guessing) for one in found.players],
        "p": [probability(one.over_guessing.p) if one.over_guessing else "" for one in found.players],
    }
    return ["", *(one.name for one in found.players)], [[name, *cells] for name, cells in lines.items()]


def drawn_table(found: Arena) -> Table:
    """What the plot of players draws."""
    return ["player", "wins a match", "stumps"], [
        [one.name, _told(one.wins), _told(one.stumps)] for one in found.players
    ]


def matches_table(found: Arena) -> Table:
    """A line for each pair: points as played, and the chances of each side in a match of the usual size."""
    rows = [
        [f"{one.one} against {one.other}", f"{one.points[0]:,} to {one.points[1]:,}", _told(one.win), _told(one.loss)]
        for one in found.matches
    ]
    return ["match", "points, all questions", "the first wins", "the second wins"], rows


def writers_table(found: Arena) -> Table:
    """What became of each writer's questions."""
    rows = [[one.name, f"{one.questions:,}", _reasons(one.invalid), _reasons(one.void)] for one in found.writers]
    return ["writer", "questions", "invalid", "for nobody"], rows


def words(found: Arena) -> str:
    """How matches are scored, in a few sentences."""
    return (
        f"A match is {found.questions} questions of each side, drawn from those that were written. A question is a "
        "point for its author where it is valid and the other side fails it, and for the other side where that is "
        "right or the question is invalid; more than half of the points win. Whoever only guesses among four choices "
        "is stumped by three of four valid questions. Intervals are over questions."
    )


def lines(found: Arena) -> list[str]:
    """Every player in a few lines for a terminal."""
    return [
        line
        for one in found.players
        for line in (
            f"{one.name}: wins {_told(one.wins)}; stumps {_told(one.stumps)},",
            f"  valid {_told(one.valid)}, right {_told(one.right)}",
            *([f"  guessing: {_guesses(one)}"] if one.baselines else []),
        )
    ]


def view(found: Arena | None) -> dict[str, Any]:
    """Tables, by the names that the template uses."""
    if found is None:
        return {"arena_words": ""}
    return {
        "arena_words": words(found),
        "arena_table": standings_table(found),
        "arena_matches": matches_table(found),
        "arena_writers": writers_table(found),
    }


def _team(one: Standing) -> str:
    return one.writes if one.writes == one.answers else f"{one.writes}, {one.answers}"


def _told(found: Estimate | None) -> str:
    return counted(found, "not measured")


def _always(one: Standing) -> str:
    return next((f"{name}: {counted(found)}" for name, found in guessed(one.baselines) if name != "chance"), "")


def _guesses(one: Standing) -> str:
    return ", ".join(f"{name} {counted(found)}" for name, found in guessed(one.baselines))


def _reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{plain(reason)} {count:,}" for reason, count in counts.items()) or "none"
