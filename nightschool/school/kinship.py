"""The family behind a blood-relations question: what follows about two people, over every family that fits the facts.

Convention: different names are different people; everyone has one father and one mother, who are married to each other
and to nobody else; so brothers and sisters share both parents, and uncles, aunts and cousins are by blood.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from nightschool.school.puzzle import Malformed, Unsolvable

Sex = Literal["m", "f"]
# A fact: relation, first person, second person ("first is relation of second"); a sex has the same person twice.
Fact = tuple[str, int, int]

# Words of a relation: for a man, a woman, anyone.
WORDS = {
    "parent": ("father", "mother", "parent"),
    "child": ("son", "daughter", "child"),
    "sibling": ("brother", "sister", "sibling"),
    "grandparent": ("grandfather", "grandmother", "grandparent"),
    "grandchild": ("grandson", "granddaughter", "grandchild"),
    "pibling": ("uncle", "aunt", ""),
    "nibling": ("nephew", "niece", ""),
    "cousin": ("cousin", "cousin", "cousin"),
    "spouse": ("husband", "wife", "spouse"),
    "parent-in-law": ("father-in-law", "mother-in-law", "parent-in-law"),
    "child-in-law": ("son-in-law", "daughter-in-law", "child-in-law"),
    "sibling-in-law": ("brother-in-law", "sister-in-law", "sibling-in-law"),
    "great-grandparent": ("great-grandfather", "great-grandmother", "great-grandparent"),
    "great-grandchild": ("great-grandson", "great-granddaughter", "great-grandchild"),
}
_SEXES: tuple[Sex | None, ...] = ("m", "f", None)
# Word -> relation, sex; `male` and `female` state a sex alone.
KINDS: dict[str, tuple[str, Sex | None]] = {
    "male": ("", "m"),
    "female": ("", "f"),
    **{
        word: (relation, sex)
        for relation, words in WORDS.items()
        for word, sex in zip(words, _SEXES, strict=True)
        if word
    },
}
_GRAND = ("ff", "fm", "mf", "mm")
_GREAT = tuple(path + step for path in _GRAND for step in "fm")
# X is relation of Y if one of these pairs of paths (from X, from Y; f father, m mother, s spouse) leads to one person.
# Two paths that meet in a parent come from two different children.
_PATHS: dict[str, tuple[tuple[str, str], ...]] = {
    "parent": (("", "f"), ("", "m")),
    "child": (("f", ""), ("m", "")),
    "sibling": (("f", "f"),),
    "grandparent": tuple(("", path) for path in _GRAND),
    "grandchild": tuple((path, "") for path in _GRAND),
    "pibling": (("f", "ff"), ("f", "mf")),
    "nibling": (("ff", "f"), ("mf", "f")),
    "cousin": (("ff", "ff"), ("ff", "mf"), ("mf", "ff"), ("mf", "mf")),
    "spouse": (("s", ""),),
    "parent-in-law": (("", "sf"), ("", "sm")),
    "child-in-law": (("sf", ""), ("sm", "")),
    "sibling-in-law": (("f", "sf"), ("sf", "f")),
    "great-grandparent": tuple(("", path) for path in _GREAT),
    "great-grandchild": tuple((path, "") for path in _GREAT),
}
# A grandparent leaves four ways open (father's or mother's side, ...): this bounds how many families are tried.
_MAX_TRIALS = 400


class _Clash(Exception):
    """The facts can't all be true."""


class Family:
    """People as numbers: 0 .. `named` - 1 have names, the rest are the parents and spouses that facts imply."""

    def __init__(self, named: int) -> None:
        self.named = named
        self.same_as = list(range(named))
        self.sex: dict[int, Sex] = {}
        # Per person: step (f, m, s) -> person. Father and mother come together.
        self.steps: list[dict[str, int]] = [{} for _ in range(named)]
        self.different: list[tuple[int, int]] = []

    def copy(self) -> "Family":
        other = Family(0)
        other.named, other.same_as, other.sex = self.named, self.same_as[:], dict(self.sex)
        other.steps, other.different = [dict(steps) for steps in self.steps], self.different[:]
        return other

    def who(self, person: int) -> int:
        while self.same_as[person] != person:
            person = self.same_as[person]
        return person

    def known(self, person: int, path: str) -> int | None:
        """Follow a path; nobody if it leads to someone that the facts don't imply."""
        person = self.who(person)
        for step in path:
            if step not in self.steps[person]:
                return None
            person = self.who(self.steps[person][step])
        return person

    def follow(self, person: int, path: str) -> int:
        """Follow a path; whoever is missing on it is added."""
        person = self.who(person)
        for step in path:
            if step not in self.steps[person]:
                self._add(person, step)
            person = self.who(self.steps[person][step])
        return person

    def _add(self, person: int, step: str) -> None:
        one, other = len(self.same_as), len(self.same_as) + 1
        self.same_as += [one] if step == "s" else [one, other]
        if step == "s":
            self.steps.append({"s": person})
            self.steps[person]["s"] = one
            if sex := self.sex.get(person):
                self.set_sex(person, sex)
        else:
            self.steps += [{"s": other}, {"s": one}]
            self.steps[person] |= {"f": one, "m": other}
            self.set_sex(one, "m")

    def set_sex(self, person: int, sex: Sex) -> None:
        person = self.who(person)
        if self.sex.setdefault(person, sex) != sex:
            raise _Clash
        spouse = self.known(person, "s")
        other: Sex = "f" if sex == "m" else "m"
        if spouse is not None and self.sex.get(spouse) != other:
            self.set_sex(spouse, other)

    def unite(self, one: int, other: int) -> None:
        """Two descriptions of one person: so their parents and spouses are the same too."""
        pairs = [(one, other)]
        while pairs:
            keep, drop = sorted(map(self.who, pairs.pop()))
            if keep == drop:
                continue
            if drop < self.named:
                raise _Clash
            self.same_as[drop] = keep
            for step, person in self.steps[drop].items():
                pairs.append((self.steps[keep].setdefault(step, person), person))
            for sex in (self.sex.get(drop), self.sex.get(keep)):
                if sex:
                    self.set_sex(keep, sex)

    def check(self) -> None:
        """Raise `_Clash` if two who differ are one person, somebody descends from themselves, or married a sibling."""
        if any(self.who(one) == self.who(other) for one, other in self.different):
            raise _Clash
        people = {self.who(person) for person in range(len(self.same_as))}
        if any((father := self.known(p, "f")) is not None and father == self.known(p, "sf") for p in people):
            raise _Clash
        while people:
            # The oldest have nobody left above them; in a circle nobody is oldest.
            oldest = {p for p in people if self.known(p, "f") not in people and self.known(p, "m") not in people}
            if not oldest:
                raise _Clash
            people -= oldest

    def certainly_different(self, one: int, other: int) -> bool:
        """Whether no family that fits the facts makes one person of the two."""
        if self.who(one) == self.who(other):
            return False
        trial = self.copy()
        try:
            trial.unite(one, other)
            trial.check()
        except _Clash:
            return True
        return False


@lru_cache(maxsize=4096)
def related(facts: tuple[Fact, ...], people: int, one: int, other: int) -> str:
    """What `one` is to `other`, over every family that fits the facts.

    Raises:
        Unsolvable: the facts contradict each other, or don't settle it.
        Malformed: they leave too many families open to go through.
    """
    families = [Family(people)]
    trials = 0
    # Facts with few ways first: what they settle leaves fewer of the others' ways open.
    for fact in sorted(facts, key=lambda fact: len(_ways(fact))):
        trials += len(families) * len(_ways(fact))
        if trials > _MAX_TRIALS:
            raise Malformed("leaves too many families open")
        families = [wider for family in families for wider in _with(family, fact)]
    if not families:
        raise Unsolvable("the facts contradict each other")
    answers = {answer for family in families for answer in _answers(family, one, other)}
    if len(answers) != 1 or "" in answers:
        raise Unsolvable(f"could be {' or '.join(sorted(answer or 'something else' for answer in answers))}")
    return answers.pop()


def _ways(fact: Fact) -> tuple[tuple[str, str], ...]:
    return _PATHS.get(KINDS[fact[0]][0], (("", ""),))


def _with(family: Family, fact: Fact) -> Iterator[Family]:
    """The family with one more fact, once for each way in which it can be true."""
    word, one, other = fact
    _, sex = KINDS[word]
    for here, there in _ways(fact):
        wider = family.copy()
        try:
            if sex:
                wider.set_sex(one, sex)
            wider.unite(wider.follow(one, here), wider.follow(other, there))
            if here and there:
                wider.different.append((wider.follow(one, here[:-1]), wider.follow(other, there[:-1])))
            wider.check()
        except _Clash:
            continue
        yield wider


def _answers(family: Family, one: int, other: int) -> set[str]:
    """The words for what `one` is to `other` in one family; an empty word if it isn't certain or has no name."""
    found: set[str] = set()
    sex = family.sex.get(one)
    for relation, paths in _PATHS.items():
        for here, there in paths:
            meeting = family.known(one, here)
            if meeting is None or meeting != family.known(other, there):
                continue
            man, woman, _ = WORDS[relation]
            word = man if sex == "m" or man == woman else woman if sex == "f" else ""
            if here and there:
                below, beside = family.known(one, here[:-1]), family.known(other, there[:-1])
                if below is None or beside is None or below == beside:
                    continue
                if not family.certainly_different(below, beside):
                    word = ""
            found.add(word)
    return found or {""}
