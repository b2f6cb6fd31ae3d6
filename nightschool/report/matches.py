"""From judged challenges and the answers to them to the figures of the arena."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from nightschool.arena import Fate, taken
from nightschool.odds import Contender, Odds, table
from nightschool.recipe.arena import Player
from nightschool.records import Challenge
from nightschool.report.arena import Arena, Match, Standing, Writer
from nightschool.report.grid import SEED, gain_over
from nightschool.report.guessing import guess
from nightschool.report.proof import Estimate, Gain
from nightschool.statistics import ragged_share, wilson

Judged = Sequence[tuple[Challenge, Fate]]
# By answerer and challenge the letter; None where the reply could not be read, nothing where none came.
Replies = Mapping[str, Mapping[str, str | None]]
Points = NDArray[np.float64]


def measure_arena(judged: Judged, replies: Replies, players: Sequence[Player], *, questions: int) -> Arena:
    """Every figure of the arena, the best player first.

    Args:
        judged: every challenge with its fate.
        questions: of each side in a match.
    """
    played = _Played.of(judged, replies, players)
    odds = table(played.points, [Contender(one.name, one.writes, one.answers) for one in players],
                 questions=questions, seed=SEED)  # fmt: skip
    matches = [
        Match(
            one=one.name,
            other=other.name,
            points=played.score(one, other),
            win=_chance(odds.pairs.get((one.name, other.name)), played.counted(one, other)),
            loss=_chance(odds.pairs.get((other.name, one.name)), played.counted(one, other)),
        )
        for one, other in combinations(players, 2)
    ]
    standings = [played.standing(one, odds.wins.get(one.name), odds.title.get(one.name)) for one in players]
    standings.sort(key=lambda one: -(one.wins.value if one.wins else -1.0))
    writers = tuple(_writer(name, found) for name, found in played.written.items())
    return Arena(questions=questions, players=tuple(standings), matches=tuple(matches), writers=writers)


@dataclass(frozen=True, slots=True)
class _Played:
    """Everyone against everyone: challenges by writer, and by writer and answerer whose point each of them is."""

    players: Sequence[Player]
    replies: Replies
    written: dict[str, Judged]
    points: dict[tuple[str, str], Points]

    @classmethod
    def of(cls, judged: Judged, replies: Replies, players: Sequence[Player]) -> _Played:
        names = dict.fromkeys(one.writes for one in players)
        written: dict[str, Judged] = {name: [pair for pair in judged if pair[0].author == name] for name in names}
        pairs = [(one.writes, other.answers) for one, other in permutations(players, 2)]
        points = {(name, who): _points(written[name], replies.get(who, {})) for name, who in dict.fromkeys(pairs)}
        return cls(players, replies, written, points)

    def counted(self, one: Player, other: Player) -> int:
        """Questions of both sides that are somebody's point."""
        return sum(int(np.isfinite(self.points[pair]).sum()) for pair in _sides(one, other))

    def score(self, one: Player, other: Player) -> tuple[int, int]:
        """Points of each, all their questions one match."""
        own, others = (self.points[pair] for pair in _sides(one, other))
        first = int(np.nansum(own)) + int((others == 0).sum())
        return first, self.counted(one, other) - first

    def standing(self, one: Player, wins: Odds | None, title: Odds | None) -> Standing:
        others = [other for other in self.players if other is not one]
        n = sum(self.counted(one, other) for other in others)
        mine = self.written[one.writes]
        said = self._said(one, others)
        put = {other.answers: self.points[one.writes, other.answers] for other in others}
        return Standing(
            name=one.name,
            writes=one.writes,
            answers=one.answers,
            questions=len(mine),
            valid=_share([fate.kind == "valid" for _, fate in mine if fate.kind != "void"]),
            stumps=_stumps(list(put.values())),
            right=_share([letter == truth for letter, truth in said]),
            over_guessing=_over_guessing(said),
            baselines=guess(Counter(truth for _, truth in said), closed=True),
            wins=_chance(wins, n),
            title=_chance(title, n),
        )

    def _said(self, one: Player, others: Sequence[Player]) -> list[tuple[str | None, str]]:
        """Its letters to its opponents' valid questions, each beside the right one."""
        letters = self.replies.get(one.answers, {})
        asked = [pair for name in dict.fromkeys(other.writes for other in others) for pair in self.written[name]]
        return [(letters[put.id], fate.truth) for put, fate in asked if fate.truth and put.id in letters]


def _sides(one: Player, other: Player) -> tuple[tuple[str, str], tuple[str, str]]:
    return (one.writes, other.answers), (other.writes, one.answers)


def _points(judged: Judged, letters: Mapping[str, str | None]) -> Points:
    return np.array([taken(fate, letters.get(one.id), answered=one.id in letters) for one, fate in judged], dtype=float)


def _stumps(put_A_Q: Sequence[Points]) -> Estimate | None:
    """The share of answers that a writer's questions were worth a point to it; those to one question are alike."""
    points_A_Q = np.array(put_A_Q)
    asked_Q, won_Q = np.isfinite(points_A_Q).sum(axis=0), np.nansum(points_A_Q, axis=0)
    asked_Q, won_Q = asked_Q[asked_Q > 0], won_Q[asked_Q > 0]
    if not asked_Q.size:
        return None
    n = int(asked_Q.sum())
    value, low, high = ragged_share(
        asked_Q.size, n, int(won_Q.sum()),
        aa=int((asked_Q**2).sum()), ra=int((won_Q * asked_Q).sum()), rr=int((won_Q**2).sum()),
    )  # fmt: skip
    return Estimate(value=value, low=low, high=high, n=n)


def _over_guessing(said: Sequence[tuple[str | None, str]]) -> Gain | None:
    """Over always the letter that is right most often; of equals the first."""
    if not said:
        return None
    truths = Counter(truth for _, truth in said)
    common = min(truths, key=lambda letter: (-truths[letter], letter))
    always = [(common, truth) for _, truth in said]
    constant, right = ([[float(one == truth)] for one, truth in pairs] for pairs in (always, said))
    return gain_over(f"always {common}", np.array(constant), np.array(right))


def _share(true: Sequence[bool]) -> Estimate | None:
    if not true:
        return None
    low, high = wilson(sum(true), len(true))
    return Estimate(value=sum(true) / len(true), low=low, high=high, n=len(true))


def _chance(odds: Odds | None, n: int) -> Estimate | None:
    return Estimate(value=odds.value, low=odds.low, high=odds.high, n=n) if odds else None


def _writer(name: str, judged: Judged) -> Writer:
    def reasons(kind: str) -> dict[str, int]:
        return dict(Counter(fate.reason for _, fate in judged if fate.kind == kind).most_common())

    return Writer(name=name, questions=len(judged), invalid=reasons("invalid"), void=reasons("void"))
