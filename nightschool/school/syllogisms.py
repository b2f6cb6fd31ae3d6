"""Syllogisms: what follows for two groups, given statements about groups.

Convention: every group that is named has a member (the traditional reading), so `all` implies `some` and `no`
implies `some not`. The answer is the strongest statement that follows; `unclear` when none does.
"""

import random
import re
from functools import cache, lru_cache
from itertools import product

from nightschool.school.puzzle import Malformed, Puzzle, Unsolvable, pick_three
from nightschool.school.reading import statements, tidy, unreadable

NOUNS = (
    "cats",
    "mice",
    "lions",
    "dogs",
    "birds",
    "fish",
    "bears",
    "wolves",
    "trees",
    "roses",
    "stones",
    "cars",
    "kings",
    "boats",
    "bees",
    "toys",
)
LABELS = ("all", "no", "some", "some not", "unclear")
MAX_GROUPS = 6

# A premise: label, subject's number, predicate's number. Groups are numbered as they appear.
Premise = tuple[str, int, int]

_GROUP = r"((?:(?:an?|the) )?[a-z-]{1,20}(?: [a-z-]{1,20}){0,2})"
_ARE = r"(?: is| are)"
_PREMISES = [
    (re.compile(pattern.replace("G", _GROUP).replace("ARE", _ARE), re.IGNORECASE), label)
    for pattern, label in (
        (r"(?:it is )?not (?:all|every)(?: of)? GARE G", "some not"),
        (r"(?:at least )?(?:some|one)(?: of)? GARE not G", "some not"),
        (r"(?:at least )?(?:some|one)(?: of)? GARE G", "some"),
        (r"(?:all|every|each|any)(?: of)? GARE G", "all"),
        (r"(?:no|none of) GARE G", "no"),
        (r"only GARE G", "only"),
    )
]
_CLAIMS = {"all": "All {} are {}.", "no": "No {} are {}.", "some": "Some {} are {}.", "some not": "Some {} are not {}."}
_OTHER_CLAIMS = {
    "all": "Only {1} are {0}.",
    "no": "None of the {} are {}.",
    "some": "At least some {} are {}.",
    "some not": "Not all {} are {}.",
}
_QUESTION = re.compile(
    r"(?:what|which)(?: conclusion)? (?:follows|can (?:we|be) conclude[d]?|must be true|is true) "
    rf"(?:for|about|of|between) {_GROUP} and {_GROUP}"
    rf"|what is the relation(?:ship)? (?:of|between) {_GROUP} (?:and|to) {_GROUP}|how are {_GROUP} related to {_GROUP}",
    re.IGNORECASE,
)
_HAVE_MEMBERS = re.compile(r"(?:every|each) group(?: named)? has (?:at least one member|members)", re.IGNORECASE)
_AND_PREMISE = re.compile(r" and (?=(?:all|every|each|no|none|some|only|not (?:all|every)|at least) )", re.IGNORECASE)
_RESERVED = re.compile(r"\b(?:all|every|each|any|no|none|some|only|not|is|are|and|or|of|at|least|what|which|if|than)\b")
_SINGULAR = {"mice": "mouse", "wolves": "wolf", "people": "person", "men": "man", "women": "woman", "children": "child"}


class Syllogisms:
    """Level 1: two premises in a chain; 2 and 3: three and four, either way round, in more words."""

    name = "syllogisms"
    title = "Syllogisms"

    def generate(self, rng: random.Random, level: int) -> Puzzle:
        groups = rng.sample(NOUNS, level + 2)
        wanted = rng.choices(LABELS, weights=(1, 1, 1, 1, 2))[0]
        links = rng.choice(_chains(level + 1, level > 1)[wanted])
        claims = [(label, *((i + 1, i) if turned else (i, i + 1))) for i, (label, turned) in enumerate(links)]
        sentences = [_say(rng, level, label, groups[s], groups[p]) for label, s, p in claims]
        rng.shuffle(sentences)
        opening = "Given" if level == 1 else "Every group has members."
        question = f"{opening} {' '.join(sentences)} What follows for {groups[0]} and {groups[-1]}?"
        right = self.solve(question)
        if level == 1:
            plan = f"{groups[0]} {links[0][0]} {groups[1]} {links[1][0]} {groups[2]} so {right}"
        else:
            plan = ", ".join(f"{groups[s]} {label} {groups[p]}" for label, s, p in claims) + f" so {right}"
        distractors = pick_three(rng, [label for label in LABELS if label != right])
        return Puzzle(self.name, question, right, distractors, plan, level)

    def solve(self, question: str) -> str:
        numbers: dict[str, int] = {}
        premises: list[Premise] = []
        asked: list[tuple[str, str]] = []
        for statement in statements(_AND_PREMISE.sub(". ", tidy(question))):
            if match := _QUESTION.fullmatch(statement):
                subject, predicate = (_group(name) for name in match.groups() if name)
                asked.append((subject, predicate))
            elif not _HAVE_MEMBERS.fullmatch(statement):
                premises.append(_read(statement, numbers))
        if len(asked) != 1 or not premises:
            raise Malformed("needs premises and one question")
        subject, predicate = asked[0]
        if subject == predicate or subject not in numbers or predicate not in numbers:
            raise Malformed("asks about a group that no premise names, or twice about one")
        if len(numbers) > MAX_GROUPS:
            raise Malformed(f"more than {MAX_GROUPS} groups")
        return conclude(tuple(premises), numbers[subject], numbers[predicate])


@lru_cache(maxsize=4096)
def conclude(premises: tuple[Premise, ...], subject: int, predicate: int) -> str:
    """Decide what follows, over every way in which the groups may overlap.

    A region is one combination of memberships, a bit of a mask. Universal premises empty regions; a particular one,
    or the existence of a group, needs one of its regions filled. So the premises agree if and only if each need has
    a region left, and a statement follows if and only if its denial leaves some need without one: exact, no search.

    Raises:
        Unsolvable: the premises contradict each other, or both `some` and `some not` follow.
    """
    groups = 1 + max(max(s, p) for _, s, p in premises)
    regions = range(1 << groups)
    inside = [sum(1 << region for region in regions if region >> group & 1) for group in range(groups)]
    left = (1 << (1 << groups)) - 1
    needs = list(inside)
    for label, s, p in premises:
        if label in ("all", "no"):
            left &= ~(inside[s] & (~inside[p] if label == "all" else inside[p]))
        else:
            needs.append(inside[s] & (inside[p] if label == "some" else ~inside[p]))
    if not all(need & left for need in needs):
        raise Unsolvable("the premises contradict each other")
    both, only_subject = inside[subject] & inside[predicate] & left, inside[subject] & ~inside[predicate] & left
    if not only_subject:
        return "all"
    if not both:
        return "no"
    some = any(not need & left & ~both for need in needs)
    some_not = any(not need & left & ~only_subject for need in needs)
    if some and some_not:
        raise Unsolvable("both some and some not follow")
    return "some" if some else "some not" if some_not else "unclear"


@cache
def _chains(length: int, turning: bool) -> dict[str, list[tuple[tuple[str, bool], ...]]]:
    """All chains of premises by what follows for their ends; a link is a label and whether it's turned round."""
    links = [(label, turned) for label in LABELS[:4] for turned in ((False, True) if turning else (False,))]
    found: dict[str, list[tuple[tuple[str, bool], ...]]] = {label: [] for label in LABELS}
    for chain in product(links, repeat=length):
        premises = tuple((label, i + turned, i + 1 - turned) for i, (label, turned) in enumerate(chain))
        found[conclude(premises, 0, length)].append(chain)
    return found


def _say(rng: random.Random, level: int, label: str, subject: str, predicate: str) -> str:
    claims = _OTHER_CLAIMS if level > 1 and rng.random() < 0.3 else _CLAIMS
    return claims[label].format(subject, predicate)


def _read(statement: str, numbers: dict[str, int]) -> Premise:
    """Read one premise; new groups get the next number."""
    for pattern, label in _PREMISES:
        if match := pattern.fullmatch(statement):
            subject, predicate = (_group(name) for name in match.groups())
            if subject == predicate:
                raise Malformed(f"says nothing: {statement[:60]!r}")
            s, p = (numbers.setdefault(group, len(numbers)) for group in (subject, predicate))
            return ("all", p, s) if label == "only" else (label, s, p)
    raise unreadable(statement)


def _group(name: str) -> str:
    """One spelling for a group: lower case, no article, singular."""
    words = name.casefold().split()
    if len(words) > 1 and words[0] in ("a", "an", "the"):
        del words[0]
    if _RESERVED.search(name.casefold()):
        raise Malformed(f"not a group: {name!r}")
    last = words[-1]
    if last in _SINGULAR:
        words[-1] = _SINGULAR[last]
    elif last.endswith("s") and len(last) > 3 and not last.endswith("ss"):
        words[-1] = last[:-1]
    return " ".join(words)
