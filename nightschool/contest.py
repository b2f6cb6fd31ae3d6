"""From a contest's rules and a record to the rules that it breaks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, model_validator

from nightschool.recipe.section import Clash, Name, Positive, Section, Share
from nightschool.recipe.timing import Terms, TimedKind

# Tokens of a text, in the contest's own tokenizer.
Count = Callable[[str], int]
Record = Mapping[str, Any]

_WHOLE = re.compile(r"-?[0-9]{1,30}")


class Lettered(Section):
    """A list of choices, each behind its letter: "A) ..."."""

    field: str
    count: Positive
    letters: str


class Letter(Section):
    """A field that holds one letter."""

    field: str
    letters: str


class Integer(Section):
    """A field that holds a whole number within bounds, both of which are allowed."""

    field: str
    at_least: int
    at_most: int


class Tokens(Section):
    """Tokens of several fields together: fewer than `below`, `free` of them not counted."""

    fields: tuple[str, ...] = Field(min_length=1)
    free: int = Field(default=0, ge=0)
    below: Positive


class FileRules(Section):
    """What each record of a file must be; `least_valid` is the share of records without which none is taken."""

    keys: tuple[str, ...] = Field(min_length=1)
    only: bool = Field(default=False, description="no other keys")
    called: dict[str, str] = Field(default={}, description="other names of keys")
    distinct: str | None = Field(default=None, description="a field that no two records share")
    lettered: Lettered | None = None
    letter: Letter | None = None
    integer: Integer | None = None
    tokens: tuple[Tokens, ...] = ()
    least_valid: Share = 0.0


class Contest(Section):
    """The rules of a contest, by kind of file, and how long what it asks for may take.

    Source: plan 000, 5.1 and 5.2; plan 003, "Submission Format".
    """

    name: Name
    description: str = ""
    files: dict[Name, FileRules] = Field(min_length=1)
    timing: dict[TimedKind, Terms] = {}

    @model_validator(mode="after")
    def _rules_are_of_keys(self) -> Contest:
        for kind, rules in self.files.items():
            named = [rules.distinct, *(one.field for one in (rules.lettered, rules.letter, rules.integer) if one)]
            for field in named:
                if field is not None and field not in rules.keys:
                    raise Clash(f"a rule is of {field}, which is no key", "files", kind, allowed=", ".join(rules.keys))
        return self

    def kind_of(self, record: Record) -> str:
        """The kind whose keys the record has most of, and of equals lacks the fewest of; the first of equals."""

        def fit(kind: str) -> tuple[int, int]:
            keys = {*self.files[kind].keys}
            had = len(keys & set(_named(record, self.files[kind])))
            return had, had - len(keys)

        return max(self.files, key=fit)


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a record breaks: `rule` is a counter's name, `detail` for a person."""

    rule: str
    detail: str


def breaches(record: Record, rules: FileRules, *, count: Count | None) -> list[Breach]:
    """Every rule that one record breaks.

    Args:
        count: None leaves the rules of tokens out: without the contest's tokenizer nobody can tell.
    """
    named = _named(record, rules)
    missing = [key for key in rules.keys if key not in named]
    found = [Breach("missing_key", ", ".join(missing))] if missing else []
    if rules.only and (more := sorted(set(named) - set(rules.keys))):
        found.append(Breach("unknown_key", ", ".join(more)))
    found += _texts(named, rules)
    if rules.lettered and rules.lettered.field in named:
        found += _lettered(named[rules.lettered.field], rules.lettered)
    if rules.letter and rules.letter.field in named:
        found += _letter(named[rules.letter.field], rules.letter)
    if rules.integer and rules.integer.field in named:
        found += _integer(named[rules.integer.field], rules.integer)
    if count:
        found += [breach for rule in rules.tokens for breach in _tokens(named, rule, count)]
    return found


def repeated(records: Sequence[Record], rules: FileRules) -> dict[int, Breach]:
    """By place, the records whose `distinct` field an earlier one has."""
    if rules.distinct is None:
        return {}
    seen: Counter[str] = Counter()
    found: dict[int, Breach] = {}
    for place, record in enumerate(records):
        value = repr(record.get(rules.distinct))
        if rules.distinct in record and seen[value]:
            found[place] = Breach("repeated", f"{rules.distinct} {value:.80}")
        seen[value] += 1
    return found


def _named(record: Record, rules: FileRules) -> dict[str, Any]:
    """The record by the contest's own names; a name of its own outranks another name for it."""
    other = {rules.called[key]: value for key, value in record.items() if key in rules.called}
    return {**other, **{key: value for key, value in record.items() if key not in rules.called}}


def _texts(named: Record, rules: FileRules) -> Iterator[Breach]:
    listed = {rules.lettered.field} if rules.lettered else set()
    counted = {rules.integer.field} if rules.integer else set()
    for key in rules.keys:
        if key in named and key not in listed | counted and not (isinstance(named[key], str) and named[key].strip()):
            yield Breach("not_text", f"{key} is {named[key]!r:.80}")


def _lettered(value: object, rule: Lettered) -> Iterator[Breach]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        yield Breach("not_choices", f"{rule.field} is {value!r:.80}")
        return
    texts = [str(one).strip() for one in value]
    if len(texts) != rule.count:
        yield Breach("choices", f"{len(texts)} instead of {rule.count}")
        return
    wrong = [text for text, letter in zip(texts, rule.letters, strict=False) if not text.startswith(letter)]
    if wrong:
        yield Breach("choice_letters", f"{wrong[0]!r:.80} does not begin with its letter")
    bare = [text[1:].lstrip(" ).:-").casefold() for text in texts]
    if len(set(bare)) < len(bare):
        yield Breach("same_choices", f"{Counter(bare).most_common(1)[0][0]!r:.80} twice")
    if not all(bare):
        yield Breach("empty_choice", f"{rule.field} {bare.index('') + 1}")


def _letter(value: object, rule: Letter) -> Iterator[Breach]:
    if not (isinstance(value, str) and len(value) == 1 and value in rule.letters + rule.letters.lower()):
        yield Breach("no_letter", f"{rule.field} is {value!r:.80}, not one of {', '.join(rule.letters)}")


def _integer(value: object, rule: Integer) -> Iterator[Breach]:
    text = str(value).strip() if isinstance(value, str) or (isinstance(value, int) and value is not True) else ""
    if isinstance(value, bool) or not _WHOLE.fullmatch(text):
        yield Breach("no_integer", f"{rule.field} is {value!r:.80}")
    elif not rule.at_least <= int(text) <= rule.at_most:
        yield Breach("out_of_range", f"{rule.field} is {text}, not {rule.at_least} to {rule.at_most}")


def _tokens(named: Record, rule: Tokens, count: Count) -> Iterator[Breach]:
    values = [named[field] for field in rule.fields if field in named]
    texts = [str(one) for value in values for one in (value if isinstance(value, list) else [value])]
    total = sum(count(text) for text in texts) - rule.free
    if total >= rule.below:
        yield Breach("too_many_tokens", f"{total} in {', '.join(rule.fields)}; fewer than {rule.below} are allowed")
