"""Clues of a seating question: from a statement to what it says of the seats."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nightschool.school.puzzle import Malformed
from nightschool.school.reading import NAME, unreadable

WHO = "who"
MAX_SEATS = 8

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_PLACES = {
    **{word: n for n, word in enumerate(ORDINALS)},
    **{short: n for n, short in enumerate(("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th"))},
    "last": -1,
}
_NUMBERS = {word: n for n, word in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight"), 1)}
_NOT_NAMES = re.compile(
    r"nobody|none|someone|somebody|everyone|everybody|anyone|he|she|they|it|one|two|three|person|each|either|neither|there"
    r"|this|the|an|no|not|is|in|at|on|of|to|from|left|right|between|and|or|middle|centre|center|front|back|row|seat|end"
    rf"|places|{'|'.join(_PLACES)}"
)


@dataclass(frozen=True, slots=True)
class Hall:
    """One row of `width` seats, or two such rows that face each other; seat = row * width + place from the left."""

    rows: int
    width: int

    @property
    def seats(self) -> int:
        return self.rows * self.width


@dataclass(frozen=True, slots=True)
class Clue:
    """A condition on the seats of the people in `who`, who are `WHO` in the question.

    Kinds: `at` one of `seats`; `left` of the second; `gap` seats left of the second; `next` to it; `apart` from it
    (not next); `between` the second and the third; `faces` the second.
    """

    kind: str
    who: tuple[str, ...]
    seats: frozenset[int] = frozenset()
    gap: int = 0


def holds(clue: Clue, seats: Sequence[int], width: int) -> bool:
    """Whether a clue is true of people in `seats` (one per person in `clue.who`); only `faces` spans the two rows."""
    first = seats[0]
    if clue.kind == "at":
        return first in clue.seats
    second = seats[1]
    if clue.kind == "faces":
        return first % width == second % width and first != second
    same_row = all(seat // width == first // width for seat in seats)
    if clue.kind == "apart":
        return not (same_row and abs(first - second) == 1)
    if not same_row:
        return False
    if clue.kind == "left":
        return first < second
    if clue.kind == "gap":
        return second - first == clue.gap
    if clue.kind == "next":
        return abs(first - second) == 1
    return second < first < seats[2] or seats[2] < first < second


_SITS = r"(?: is| sits| stands| is sitting| is seated)"
_PLACE = (
    rf"(?:in |at |on )?(?:the )?(?:(?P<place>{'|'.join(_PLACES)})(?: seat| position)?"
    r"(?: from (?:the )?(?P<side>left|right)(?: end)?)?|(?P<most>left|right)most|(?P<end>left|right) end"
    r"|(?:far|extreme) (?P<far>left|right)(?: end)?|(?P<middle>middle|centre|center))(?: seat| position)?"
    r"(?: (?:in|of) the (?P<row>front|back) row)?"
)
_COUNT = rf"(\d|{'|'.join(_NUMBERS)})"
_PEOPLE = r"(?: people| persons| friends| children| students| seats| chairs)"
_SIT = r"(?:sit|are sitting|are seated|stand)"
_LIST = re.compile(
    rf"\b(?:[^\W\d_]{{1,20}}(?:, and |, | and )){{1,{MAX_SEATS - 1}}}[^\W\d_]{{1,20}}(?= {_SIT} in )", re.IGNORECASE
)
_HALL = re.compile(
    rf"(?:(?:they|(?:there are )?{_COUNT}{_PEOPLE}) (?:{_SIT} )?in )?"
    rf"(?:(?:a |one )?(?:row|line)(?: of {_COUNT}{_PEOPLE}?)?(?: facing north)?"
    rf"|two rows of {_COUNT}(?: seats)? (?:(?:that |which )?face|facing) each other)",
    re.IGNORECASE,
)
_VIEW = re.compile(r"left and right (?:are )?as seen from (?:the front(?: row)?|above)", re.IGNORECASE)
_SIDE_OF = r"(?:to |on |at )?(?:the )?(?P<immediate>immediate )?(?P<side>left|right) of"


def _patterns() -> Mapping[str, re.Pattern[str]]:
    a, b, c = (NAME.replace("(", f"(?P<{letter}>", 1) for letter in "abc")
    texts = {
        "at place": rf"{_PLACE}{_SITS} {a}",
        "place": rf"{a}{_SITS} (?P<no>not )?{_PLACE}",
        "end": rf"{a}{_SITS} (?P<no>not )?at (?:an|one|either|the) end",
        "row": rf"{a}{_SITS} in the (?P<row>front|back) row",
        "side": rf"{a}{_SITS} (?:somewhere )?(?P<direct>directly |immediately |just )?{_SIDE_OF} {b}",
        "far": rf"{a}{_SITS} (?P<count>two|three|four|[234]) (?:places|seats) {_SIDE_OF} {b}",
        "next": rf"{a}{_SITS} (?P<no>not )?(?:directly |right )?(?:next to|beside|adjacent to) {b}",
        "between": rf"{a}{_SITS} (?:somewhere )?between {b} and {c}",
        "faces": rf"{a}(?: faces| is facing|{_SITS} (?:directly )?(?:opposite(?: to)?|across from)) {b}",
    }
    return {form: re.compile(text, re.IGNORECASE) for form, text in texts.items()}


_FORMS = _patterns()


def listed(text: str) -> tuple[list[str], str]:
    """Take a list of people (`Leo, Dan and Ivy sit in`) out of the text; `They` stands where it was."""
    found = _LIST.search(text)
    if not found:
        return [], text
    return re.split(
        r", and |, | and ", found[0], flags=re.IGNORECASE
    ), f"{text[: found.start()]}They{text[found.end() :]}"


def read_hall(lines: Sequence[str], people: int) -> tuple[Hall, list[str]]:
    """Find the one statement that describes the seats (`people` = how many were listed); give back the others too.

    Raises:
        Malformed: no such statement or several, or more than `MAX_SEATS` seats.
    """
    halls: list[Hall] = []
    others: list[str] = []
    for line in lines:
        if match := _HALL.fullmatch(line):
            crowd, row, double = (_number(count) if count else 0 for count in match.groups())
            halls.append(Hall(2, double) if double else Hall(1, row or crowd or people))
        elif not _VIEW.fullmatch(line):
            others.append(line)
    if len(halls) != 1 or not 2 <= halls[0].seats <= MAX_SEATS:
        raise Malformed(f"needs one row, or two, of at most {MAX_SEATS} seats in all")
    return halls[0], others


def read_clue(line: str, hall: Hall) -> Clue:
    """Read one clue, or the question itself, in which `who` stands for the person asked for.

    Raises:
        Malformed: it is neither.
    """
    for form, pattern in _FORMS.items():
        if match := pattern.fullmatch(line):
            said = match.groupdict()
            who = tuple(said[letter].casefold() for letter in "abc" if said.get(letter))
            if len(set(who)) == len(who) and not any(map(_NOT_NAMES.fullmatch, who)):
                return _clue(form, who, said, hall)
    raise unreadable(line)


def _clue(form: str, who: tuple[str, ...], said: Mapping[str, str | None], hall: Hall) -> Clue:
    if form in ("at place", "place", "end", "row"):
        seats = _seats(form, said, hall)
        return Clue("at", who, frozenset(range(hall.seats)) - seats if said.get("no") else seats)
    if form in ("side", "far"):
        ordered = who if (said["side"] or "").lower() == "left" else who[::-1]
        if count := said.get("count"):
            return Clue("gap", ordered, gap=_number(count))
        return Clue("gap", ordered, gap=1) if said["direct"] or said["immediate"] else Clue("left", ordered)
    return Clue("apart" if said.get("no") else form, who)


def _seats(form: str, said: Mapping[str, str | None], hall: Hall) -> frozenset[int]:
    """The seats that a place names: in both rows where it doesn't say which."""
    row = (said.get("row") or "").lower()
    if row and hall.rows == 1:
        raise Malformed(f"there is no {row} row")
    starts = [start * hall.width for start in range(hall.rows) if row in ("", ("front", "back")[start])]
    if form == "row":
        places = list(range(hall.width))
    elif form == "end":
        places = [0, hall.width - 1]
    else:
        places = [_place(said, hall.width)]
    return frozenset(start + place for start in starts for place in places)


def _place(said: Mapping[str, str | None], width: int) -> int:
    """The place in a row, from the left, from 0."""
    if said["middle"]:
        if width % 2 == 0:
            raise Malformed("an even row has no middle")
        return width // 2
    if said["place"]:
        place, side = _PLACES[said["place"].lower()], said["side"] or "left"
        if place == -1:
            place = width - 1
    else:
        place, side = 0, said["most"] or said["end"] or said["far"] or ""
    if place >= width:
        raise Malformed(f"no such place in a row of {width}")
    return place if side.lower() == "left" else width - 1 - place


def _number(count: str) -> int:
    return _NUMBERS.get(count.lower()) or int(count)
