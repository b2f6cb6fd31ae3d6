"""Makes the school's models and prints what they can do: `python -m benchmarks.tinymodels [--seed S] [--out DIR]`.

Accuracy per topic at the serving temperature, the committee against each teacher, shares of good questions written,
and CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from transformers import AutoTokenizer, Qwen2ForCausalLM
from transformers.utils.logging import disable_progress_bar

from nightschool import school
from nightschool.school.hints import hint
from nightschool.tinymodels.corpus import Turn, answer_turn
from nightschool.tinymodels.probe import is_right, replies_to
from nightschool.tinymodels.spec import ANSWERS, MODELS, QUESTIONS, SchoolSection, runs
from nightschool.tinymodels.train import Encoder

TEMPERATURE = 0.7
PROBE = 977


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--out", type=Path, help="keep the models here; an existing set is measured, not made again")
    parser.add_argument("--per-topic", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = options.out or Path(scratch)
        if not all((out / model).is_dir() for model in MODELS):
            make(SchoolSection(seed=options.seed, scale=options.scale), out)
        measure(out, options.per_topic)


def make(section: SchoolSection, out: Path) -> None:
    """All runs side by side, one thread each."""
    out.mkdir(parents=True, exist_ok=True)
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    processes = []
    for run in runs(section):
        file = out / f"{run.name}.json"
        file.write_text(run.model_dump_json(indent=1))
        command = [sys.executable, "-m", "nightschool.tinymodels", str(file), str(out)]
        processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
    if any([process.wait() for process in processes]):
        sys.exit("making the models failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"made in {time.monotonic() - began:.0f} s, {cpu:.0f} CPU-seconds in {len(processes)} processes")


def measure(out: Path, per_topic: int) -> None:
    torch.set_num_threads(1)
    disable_progress_bar()
    turns = held_out_turns(per_topic)
    letters: dict[str, list[str | None]] = {}
    for name in MODELS:
        tokenizer = AutoTokenizer.from_pretrained(out / name)
        model = Qwen2ForCausalLM.from_pretrained(out / name, dtype=torch.float32)
        encoder = Encoder(tokenizer)
        torch.manual_seed(PROBE)
        users = [turn.user for turn in turns]
        replies = replies_to(users, model, tokenizer, encoder, temperature=TEMPERATURE)
        letters[name] = [letter_of(reply) for reply in replies]
        print_row(name, turns, [is_right(turn, reply) for turn, reply in zip(turns, replies, strict=True)])
        greedy = replies_to(users, model, tokenizer, encoder)
        print_row(f"{name}, greedy", turns, [is_right(turn, reply) for turn, reply in zip(turns, greedy, strict=True)])
        if name != "student":
            for topic in school.TOPICS:
                rng = random.Random(PROBE)
                asked = [QUESTIONS.messages(topic=topic, hint=hint(topic, rng))[-1].content for _ in range(40)]
                written = replies_to(asked, model, tokenizer, encoder, temperature=TEMPERATURE, max_tokens=140)
                print(f"  {name} writes {topic}: {dict(Counter(status(topic, text) for text in written))}")
    teachers = [name for name in MODELS if name != "student"]
    votes = [majority([letters[name][i] for name in teachers]) for i in range(len(turns))]
    truths = [json.loads(turn.reply)["answer"] for turn in turns]
    print_row("committee", turns, [vote == truth for vote, truth in zip(votes, truths, strict=True)])


def held_out_turns(per_topic: int) -> list[Turn]:
    rng = random.Random(PROBE)
    puzzles = [
        puzzle for topic in school.TOPICS for puzzle in school.generate(topic, per_topic, seed=PROBE, held_out=True)
    ]
    return [answer_turn(puzzle, ANSWERS, rng) for puzzle in puzzles]


def letter_of(reply: str) -> str | None:
    try:
        return json.loads(reply)["answer"]
    except (json.JSONDecodeError, KeyError, TypeError):
        return None


def majority(letters: Sequence[str | None]) -> str | None:
    letter, count = Counter(letter for letter in letters if letter).most_common(1)[0] if any(letters) else (None, 0)
    return letter if count >= 2 else None


def status(topic: str, text: str) -> str:
    try:
        written = json.loads(text)
        return school.check(topic, written["question"], written["answer"], written["distractors"]).status
    except (json.JSONDecodeError, KeyError, TypeError):
        return "not_json"


def print_row(name: str, turns: Sequence[Turn], right: Sequence[bool]) -> None:
    shares = []
    for topic in school.TOPICS:
        marks = [mark for turn, mark in zip(turns, right, strict=True) if turn.topic == topic]
        shares.append(f"{topic} {sum(marks) / len(marks):.2f}")
    print(f"{name:18} {sum(right) / len(right):.3f}   {'  '.join(shares)}")


if __name__ == "__main__":
    main()
