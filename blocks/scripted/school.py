"""From a chat request to what a pupil of known strength would reply: it solves exactly, then errs on purpose."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from nightschool.recipe.script import ScriptedModel
from nightschool.records import LETTERS
from nightschool.school import TOPICS, generate, right_choice

_CHOICE = re.compile(r"^[ \t]*\(?([A-J])[).:][ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_QUESTION_KEYS = {"plan", "question", "answer", "distractors"}
# Every copy that the script makes of a question is of this one.
_COPY_SEED = 0


def reply(
    prompt: str,
    schema: Mapping[str, Any] | None,
    model: ScriptedModel,
    rng: random.Random,
    known: str | None = None,
    *,
    sign: str = "",
) -> str:
    """One sampled reply; the same prompt and state of `rng` give the same text.

    Args:
        prompt: the user's last turn.
        schema: the JSON schema that the request is held to, if any.
        known: the letter of the right choice, where a file says it.
        sign: put at the end of whatever is free text in it.
    """
    wanted = set((schema or {}).get("properties", ()))
    if wanted >= _QUESTION_KEYS:
        return _write(prompt, model, rng, sign)
    question, choices = _read(prompt)
    if choices and not _chosen(schema) - {"answer"}:
        right = LETTERS.index(known) if known and known in LETTERS[: len(choices)] else None
        return _answer((question, choices, right), prompt, model, rng, wanted, sign)
    return _fill(schema, rng) if schema else f"I have nothing to say to that.{sign}"


def _write(prompt: str, model: ScriptedModel, rng: random.Random, sign: str) -> str:
    topic = _topic_in(prompt) or rng.choice(sorted(TOPICS))
    fate = "ok" if rng.random() < model.ok_questions else rng.choice(("wrong", "malformed", "copy"))
    seed = _COPY_SEED if fate == "copy" else rng.randrange(2**31)
    puzzle = generate(topic, 1, seed=seed)[0]
    question, right, distractors = puzzle.question, puzzle.right, list(puzzle.distractors)
    if fate == "wrong":
        right, distractors[0] = distractors[0], right
    if fate == "malformed":
        words = question.split()
        rng.shuffle(words)
        question = " ".join(words)
    record = {"plan": puzzle.plan + sign, "question": question, "answer": right, "distractors": distractors}
    return orjson.dumps(record).decode()


def _answer(
    read: tuple[str, tuple[str, ...], int | None],
    prompt: str,
    model: ScriptedModel,
    rng: random.Random,
    wanted: set[str],
    sign: str,
) -> str:
    question, choices, known = read
    topic, right = _solve(question, choices, _topic_in(prompt)) if known is None else ("file", known)
    knows = rng.random() < (model.accuracy_on(topic) if topic else 0.0)
    others = [index for index in range(len(choices)) if index != right]
    index = right if knows and right is not None else rng.choice(others)
    letter = LETTERS[index]
    if wanted and "answer" not in wanted:
        return orjson.dumps(dict.fromkeys(wanted, letter)).decode()
    record: dict[str, str | float] = {
        "reasoning": f"Of the choices, {choices[index]} fits what is said.{sign}",
        "answer": letter,
    }
    if "confidence" in wanted:
        # What a pupil says of itself has something to it, and not all.
        record["confidence"] = round((0.6 if knows else 0.3) + 0.4 * rng.random(), 2)
    return orjson.dumps(record).decode()


def _read(prompt: str) -> tuple[str, tuple[str, ...]]:
    """The last question of a prompt and its choices, A first; no choices when it has none."""
    starts = [match for match in _CHOICE.finditer(prompt) if match[1] == "A"]
    if not starts:
        return prompt, ()
    choices: list[str] = []
    for match in _CHOICE.finditer(prompt, starts[-1].start()):
        if len(choices) == len(LETTERS) or match[1] != LETTERS[len(choices)]:
            break
        choices.append(match[2])
    return prompt[: starts[-1].start()].strip(), tuple(choices) if len(choices) > 1 else ()


@lru_cache(maxsize=65_536)
def _solve(text: str, choices: tuple[str, ...], named: str | None) -> tuple[str | None, int | None]:
    """Topic and right choice of the question that ends the text, whatever introduces it; None where nobody can say."""
    lines = text.splitlines()
    endings = ["\n".join(lines[start:]).strip() for start in range(len(lines) - 1, -1, -1)][:12]
    for topic in ([named] if named else []) + [name for name in TOPICS if name != named]:
        for ending in endings:
            right = right_choice(topic, ending, choices)
            if right is not None:
                return topic, right
    return named, None


def _topic_in(prompt: str) -> str | None:
    """The topic that the prompt names first, by its name or title."""
    text = prompt.casefold()
    found = {
        topic: min(at)
        for topic, kind in TOPICS.items()
        if (at := [text.find(name.casefold()) for name in (topic, kind.title) if name.casefold() in text])
    }
    return min(found, key=lambda topic: found[topic], default=None)


def _chosen(schema: Mapping[str, Any] | None) -> set[str]:
    """The fields of a schema that offer a choice."""
    return {name for name, field in (schema or {}).get("properties", {}).items() if field.get("enum")}


def _fill(schema: Mapping[str, Any], rng: random.Random) -> str:
    """The dullest record that has the schema's shape, drawn where it offers a choice: such a request is not refused."""
    dull = {"string": "", "number": 0, "integer": 0, "boolean": False, "array": [], "object": {}}
    fields = schema.get("properties", {})
    found = {
        name: rng.choice(field["enum"]) if field.get("enum") else dull.get(field.get("type"), "")
        for name, field in fields.items()
    }
    return orjson.dumps(found).decode()
