"""Seating arrangements: who sits where, given clues about one row, or about two rows that face each other.

Convention: seats are counted from the left, as seen from the front; `right of` means anywhere to the right in the same
row, `directly right of` the next seat; `between` means anywhere between. Everyone named has a seat of their own.
"""

import random
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice, pairwise, permutations

from nightschool.school.puzzle import PEOPLE, Malformed, Puzzle, Unsolvable, pick_three
from nightschool.school.reading import statements, tidy
from nightschool.school.seating_clues import ORDINALS, WHO, Clue, Hall, holds, listed, read_clue, read_hall

# A clue with its people as numbers, so that like questions share their cached arrangement.
_Numbered = tuple[Clue, tuple[int, ...]]
_ASKED_FOR = -1
_ASKED = ("second from left", "third from left", "second from right", "third from right", "first from right")
_FEWEST = 3
# Seats are numbered in the plan: to find a number's name again is far easier to learn than to count places back.
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
_VIEW = "Left and right are as seen from the front row."


class Seating:
    """Level 1: a row of four in a chain; 2: a row of five or six, mixed clues; 3: two rows of three or four."""

    name = "seating"
    title = "Seating arrangements"

    def generate(self, rng: random.Random, level: int) -> Puzzle:
        hall = (Hall(1, 4), Hall(1, rng.randint(5, 6)), Hall(2, rng.randint(3, 4)))[level - 1]
        people = rng.sample(PEOPLE, hall.seats)
        question = _chain(rng, people) if level == 1 else _mixed(rng, hall, people)
        right = self.solve(question)
        numbered = [f"{number} {name}" for number, name in zip(_NUMBERS, people, strict=False)]
        rows = " / ".join(" ".join(numbered[i : i + hall.width]) for i in range(0, hall.seats, hall.width))
        distractors = pick_three(rng, [name for name in people if name != right])
        return Puzzle(self.name, question, right, distractors, f"{rows} so {numbered[people.index(right)]}", level)

    def solve(self, question: str) -> str:
        people, text = listed(tidy(question))
        hall, lines = read_hall(statements(text), len(people))
        clues = [read_clue(line, hall) for line in lines]
        asked = [clue for clue in clues if WHO in clue.who]
        if len(asked) != 1:
            raise Malformed("needs one question")
        keys = dict.fromkeys([*map(str.casefold, people), *(who for clue in clues for who in clue.who if who != WHO)])
        numbers = {key: number for number, key in enumerate(keys)}
        given = tuple(_numbered(clue, numbers) for clue in clues if clue is not asked[0])
        answer = list(keys)[_only(arrange(hall, len(keys), given, _numbered(asked[0], numbers)), len(keys))]
        written = re.search(rf"\b{re.escape(answer)}\b", question, re.IGNORECASE)
        return written[0] if written else answer


@lru_cache(maxsize=4096)
def arrange(hall: Hall, people: int, given: tuple[_Numbered, ...], asked: _Numbered) -> tuple[int, ...]:
    """Everyone who can be the one asked for, over all arrangements; the number `people` stands for "nobody named".

    A seat may stay free if fewer people are named than there are seats, so one unnamed person is tried as well.
    """
    if people > hall.seats:
        return ()
    candidates = range(people + (people < hall.seats))
    return tuple(islice((candidate for candidate in candidates if _fits(hall, people, given, asked, candidate)), 2))


def _fits(hall: Hall, people: int, given: Sequence[_Numbered], asked: _Numbered, candidate: int) -> bool:
    clue, who = asked
    if candidate in who:
        return False
    claim = clue, tuple(candidate if person == _ASKED_FOR else person for person in who)
    return _possible(hall, max(people, candidate + 1), (*given, claim))


def _possible(hall: Hall, people: int, clues: Sequence[_Numbered]) -> bool:
    """Whether some arrangement satisfies all clues; who may sit anywhere takes what is left, and is left out."""
    anywhere = frozenset(range(hall.seats))
    free: dict[int, frozenset[int]] = {}
    for clue, who in clues:
        for slot, person in enumerate(who):
            free[person] = free.get(person, anywhere) & _room(clue, hall, slot, (-1,) * len(who))
    links = [(clue, who) for clue, who in clues if len(who) > 1]
    return all(free.values()) and len(free) <= people and _seat(hall, free, links, {})


def _seat(hall: Hall, free: Mapping[int, frozenset[int]], links: Sequence[_Numbered], seats: dict[int, int]) -> bool:
    """Seat whoever has the fewest places left, depth first; each clue narrows the places of those still standing."""
    if not free:
        return True
    person = min(free, key=lambda p: (len(free[p]), -sum(p in who for _, who in links)))
    mine = [(clue, who) for clue, who in links if person in who]
    for seat in free[person]:
        seats[person] = seat
        left = {p: places.difference((seat,)) for p, places in free.items() if p != person}
        for clue, who in mine:
            taken = tuple(seats.get(p, -1) for p in who)
            for slot, p in enumerate(who):
                if p in left:
                    left[p] &= _room(clue, hall, slot, taken)
        if all(left.values()) and _seat(hall, left, links, seats):
            return True
        del seats[person]
    return False


@lru_cache(maxsize=65_536)
def _room(clue: Clue, hall: Hall, slot: int, seats: tuple[int, ...]) -> frozenset[int]:
    """Where the person in `slot` of a clue may sit, given the seats of the others (-1: not seated yet)."""
    open_slots = [i for i, seat in enumerate(seats) if seat == -1]
    taken = [seat for seat in seats if seat != -1]
    possible = set[int]()
    for choice in permutations((seat for seat in range(hall.seats) if seat not in taken), len(open_slots)):
        filled = list(seats)
        for i, seat in zip(open_slots, choice, strict=True):
            filled[i] = seat
        if holds(clue, filled, hall.width):
            possible.add(filled[slot])
    return frozenset(possible)


def _only(found: Sequence[int], people: int) -> int:
    """The one person that fits.

    Raises:
        Unsolvable: nobody, several, or someone unnamed.
    """
    if len(found) != 1:
        raise Unsolvable("several people fit" if found else "no arrangement fits")
    if found[0] == people:
        raise Unsolvable("nobody named sits there")
    return found[0]


def _numbered(clue: Clue, numbers: Mapping[str, int]) -> _Numbered:
    bare = Clue(clue.kind, (), clue.seats, clue.gap)
    return bare, tuple(_ASKED_FOR if who == WHO else numbers[who] for who in clue.who)


def _chain(rng: random.Random, row: Sequence[str]) -> str:
    clues = [
        f"{right} is right of {left}." if rng.random() < 0.5 else f"{left} is left of {right}."
        for left, right in pairwise(row)
    ]
    rng.shuffle(clues)
    return f"Row of 4. First is {row[0]}. {' '.join(clues)} Who is {rng.choice(_ASKED)}?"


def _mixed(rng: random.Random, hall: Hall, people: Sequence[str]) -> str:
    """Draw true clues until the question has one answer, then leave out those that it doesn't need."""
    numbers = {name.casefold(): seat for seat, name in enumerate(people)}
    asked, answer = _ask(rng, hall, people)
    rivals = [seat for seat in range(hall.seats) if seat != answer]

    def settled(clues: Sequence[str]) -> bool:
        given = [_numbered(read_clue(clue, hall), numbers) for clue in clues]
        claim = _numbered(read_clue(asked, hall), numbers)
        return not any(_fits(hall, hall.seats, given, claim, rival) for rival in rivals)

    clues: list[str] = []
    while not settled(clues):
        clues += {_clue(rng, hall, people)}.difference(clues)
    for clue in clues[:]:
        fewer = [other for other in clues if other != clue]
        if len(fewer) >= _FEWEST and settled(fewer):
            clues = fewer
    rng.shuffle(clues)
    *rest, last = sorted(people)
    where = f"a row of {hall.width}." if hall.rows == 1 else f"two rows of {hall.width} that face each other. {_VIEW}"
    return f"{', '.join(rest)} and {last} sit in {where} {' '.join(f'{clue}.' for clue in clues)} {asked}?"


def _clue(rng: random.Random, hall: Hall, people: Sequence[str]) -> str:
    """One true clue; places are given rarely, for they settle much."""
    first, second = sorted(rng.sample(range(hall.seats), 2))
    a, b = people[first], people[second]
    (row, place), (other_row, other) = divmod(first, hall.width), divmod(second, hall.width)
    if row != other_row:
        if place == other:
            return rng.choice([f"{a} faces {b}", f"{b} sits opposite {a}"])
        return rng.choice([f"{a} is in the front row", f"{b} is in the back row", f"{a} is not next to {b}"])
    if rng.random() < 0.15:
        ends = place in (0, hall.width - 1)
        return f"{a} is at an end" if ends else f"{a} is not at an end"
    if other - place == 1:
        return rng.choice([f"{a} is directly left of {b}", f"{b} is directly right of {a}", f"{a} is next to {b}"])
    between = people[rng.randrange(first + 1, second)]
    return rng.choice(
        [f"{a} is left of {b}", f"{b} is right of {a}", f"{between} is between {a} and {b}", f"{a} is not next to {b}"]
        + [f"{a} is two places left of {b}"] * (other - place == 2)
    )


def _ask(rng: random.Random, hall: Hall, people: Sequence[str]) -> tuple[str, int]:
    """Draw what to ask, and the seat whose person is the answer."""
    seat = rng.randrange(hall.seats)
    row, place = divmod(seat, hall.width)
    side, count = ("left", place) if rng.random() < 0.5 else ("right", hall.width - 1 - place)
    if hall.rows == 1:
        return f"Who is {ORDINALS[count]} from {side}", seat
    if rng.random() < 0.5:
        return f"Who faces {people[seat]}", (seat + hall.width) % hall.seats
    return f"Who is {ORDINALS[count]} from {side} in the {('front', 'back')[row]} row", seat
