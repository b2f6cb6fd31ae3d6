"""From a stage and its recipe to the files that the contest's agents read: settings, hints, and a README in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from nightschool import school
from nightschool.contest import Contest
from nightschool.prompts import Prompt
from nightschool.recipe.timing import Terms
from nightschool.records import LETTERS
from nightschool.report.proof import GateResult
from nightschool.report.text import plain, visible
from nightschool.school.hints import hint_of
from nightschool.seeds import rng_of, seed_of
from nightschool.wire import Sampling

# A contest asks for 100 questions in turns of topics: none is drawn twice before there were 800 of four topics.
_HINTS = 200
# As plan 000 calls them.
_TOPICS = {
    "syllogisms": "Syllogisms",
    "seating": "Seating Arrangements",
    "blood_relations": "Blood Relations",
    "series": "Alphanumeric Series",
}


@dataclass(frozen=True, slots=True)
class Agent:
    """One of the two agents. `base`: a hub id or a folder of the submission; `adapter`: a folder, or none."""

    stage: str
    base: str
    adapter: str | None
    dtype: str
    prompt: Prompt
    sampling: Sampling
    terms: Terms
    seed: int


def settings(agent: Agent, topics: Sequence[str] = ()) -> str:
    """qgen.yaml or agen.yaml: whom to ask, with which words, under which sampling, in how much time.

    Args:
        topics: of the agent that asks, by our names; each stands with the contest's own.

    Source: plan 000, phases 6 and 7.
    """
    found: dict[str, Any] = {
        "stage": agent.stage,
        "base": agent.base,
        "adapter": agent.adapter,
        "dtype": agent.dtype,
        "system": agent.prompt.system,
        "user": agent.prompt.user,
        "temperature": agent.sampling.temperature,
        "top_p": agent.sampling.top_p,
        "max_tokens": agent.sampling.max_tokens,
        "seconds": agent.terms.each_s,
        "batch_size": agent.terms.batch_size,
        "seed": agent.seed,
    }
    if topics:
        found["topics"] = {topic: _TOPICS.get(topic, topic) for topic in topics}
    left_in = {name: value for name, value in found.items() if value is not None}
    head = "# As the night served it; `seconds` are those of a batch, after which open strings are closed.\n"
    return head + yaml.dump(left_in, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def hints(topics: Sequence[str], seed: int) -> dict[str, list[dict[str, str]]]:
    """By topic, what each question is to be about, and an example for prompts that show one: none that was taught."""
    found: dict[str, list[dict[str, str]]] = {}
    for topic in topics:
        puzzles = school.generate(topic, _HINTS, seed=seed_of("handin", seed), held_out=True)
        rng = rng_of("handin", seed, topic)
        found[topic] = []
        for puzzle, shown in zip(puzzles, [*puzzles[1:], puzzles[0]], strict=True):
            choices = [shown.right, *shown.distractors]
            rng.shuffle(choices)
            lettered = [f"{letter}) {text}" for letter, text in zip(LETTERS, choices, strict=False)]
            found[topic].append({"hint": hint_of(puzzle), "example": "\n".join([shown.question, *lettered])})
    return found


def readme(
    night: str, agents: Mapping[str, Agent], contest: Contest, gates: Sequence[GateResult], verdict: str = ""
) -> str:
    """How the folder is run, what is in it, and what the night measured: its `verdict`, and each gate."""
    rows = "\n".join(f"| {what} | {visible(one.stage)} | `{visible(one.base)}` | "
                     f"{f'`{one.adapter}`' if one.adapter else 'none: a model of its own'} |"
                     for what, one in agents.items())  # fmt: skip
    return _README.format(
        night=visible(night), contest=contest.name, agents=rows, gates=_gates(gates),
        verdict=f"{visible(verdict)}.\n\n" if verdict else "",
        ask=agents["questions"].terms, answer=agents["answers"].terms,
        questions=contest.files["questions"], answers=contest.files["answers"],
    )  # fmt: skip


def _gates(gates: Sequence[GateResult]) -> str:
    if not gates:
        return "The night had no gates, or has no report yet."
    rows = [
        f"| {plain(gate.name)} | {plain(gate.detail)} | {'held' if gate.passed else '**did not hold**'} |"
        for gate in gates
    ]
    return "\n".join(["| gate | | |", "|---|---|---|", *rows])


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as a person writes them."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)

_README = """# Submission of night {night} for {contest}

```console
$ pip install -r requirements.txt
$ python -m agents.question_agent --num_questions {ask.rows} --batch_size {ask.batch_size} --verbose
$ python -m agents.answer_agent --input_file outputs/filtered_questions.json --batch_size {answer.batch_size} --verbose
```

The first writes `outputs/questions.json` and, of them, `outputs/filtered_questions.json`, which keep to the contest's
rules (`contest.yaml`); the second `outputs/answers.json`, one for each question in its order, and
`outputs/filtered_answers.json`. `--verbose` prints the seconds of each. Run both from this folder.

| agent | stage of the night | base | adapter |
|---|---|---|---|
{agents}

`qgen.yaml` and `agen.yaml` have the words, the sampling and the time of each: those under which the student was
trained and measured. `hints.json` says what each question is to be about, so that a hundred requests are not one.

- A reply is held to its JSON's shape token by token (`agents/shape.py`), so it can always be read; strings hold no
  quotes and no backslashes. Where tokens or the seconds of a batch run out, open strings are closed: a late answer
  still names a letter, and a question whose plan was cut short is as good as its plan.
- Questions: fewer than {questions.least_valid:.0%} valid, and the contest takes none.
- Nothing but the base model is fetched, and only where it is named by its id on the hub; nothing else is asked.

## What the night measured

{verdict}{gates}
"""
