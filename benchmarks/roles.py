"""Roles of one student: with <Q> and <A> swapped, do its replies change role?

`python -m benchmarks.roles [--student FOLDER] [--rows 600] [--asked 100] [--epochs 2] [--only text-shared,...]`

The tiny school's student (made on the spot if none is given: minutes) learns both lessons at once, answers weighing 2:1
as plan 001 has it, under four regimes: marks as plain text or as tokens of their own, and prompts of their own for each
lesson or one body for both (a question with its choices, to be answered or to write another like it). Then held-out
prompts are put under the right mark and under the other one. `kept`: replies in the role of the right mark; `changed`:
replies in the other role when the marks are swapped. Where each lesson has a body of its own, a student may go by that
and not by the mark; where the body is the same, nothing but the mark can tell.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from nightschool import school
from nightschool.answers import AnswerReply
from nightschool.parsing import Rejected, parse_json
from nightschool.questions import WrittenReply
from nightschool.recipe.roles import Roles, marked
from nightschool.school.puzzle import Puzzle
from nightschool.tinymodels.corpus import Turn, answer_turn, lettered, writing_turn
from nightschool.tinymodels.spec import ANSWERS, QUESTIONS, SchoolSection, runs

WANTED = 0.95
ROLES = Roles()
_WEIGHT = {"answers": 2.0, "questions": 1.0}
_KINDS = {"text": "plain text", "tokens": "trained tokens"}
_BODIES = {"own": "its own", "shared": "the same"}


def main() -> int:
    """Train and measure each regime; 1 if one with a shared body changes role in fewer rows than wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--student", type=Path)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--asked", type=int, default=100)
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--only", default=",".join(f"{kind}-{body}" for body in _BODIES for kind in _KINDS))
    given = parser.parse_args()
    short = False
    with tempfile.TemporaryDirectory(prefix="roles-") as name:
        folder = Path(name)
        student = given.student or _school(folder)
        print(f"{'marks':<16}{'bodies':<10}{'kept':>8}{'changed':>9}{'neither':>9}{'loss':>8}")
        for regime in given.only.split(","):
            kind, body = regime.split("-")
            loss = _train(student, folder / regime, given.rows, given.epochs, tokens=kind == "tokens", body=body)
            kept, changed, neither = _measure(student, folder / regime, given.asked, body)
            print(f"{_KINDS[kind]:<16}{_BODIES[body]:<10}{kept:>8.1%}{changed:>9.1%}{neither:>9.1%}{loss:>8.3f}")
            short |= body == "shared" and changed < WANTED
    return int(short)


def _school(folder: Path) -> Path:
    """The school's student alone, with the third of its training that both formats take."""
    one = next(run for run in runs(SchoolSection(scale=0.35)) if "student" in run.models)
    one = one.model_copy(update={"stages": tuple(stage for stage in one.stages if stage.name != "alba")})
    at = folder / "run.json"
    at.write_text(one.model_dump_json())
    command = [sys.executable, "-m", "nightschool.tinymodels", str(at), str(folder / "school")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "school" / "student"


def _puzzles(count: int, *, held_out: bool) -> list[Puzzle]:
    each = -(-count // len(school.TOPICS))
    return [puzzle for topic in school.TOPICS for puzzle in school.generate(topic, each, seed=11, held_out=held_out)][
        :count
    ]


def _turns(count: int, body: str, *, held_out: bool) -> Iterator[tuple[str, Turn]]:
    """Lesson and turn, by turns; under a shared body both lessons read a question with its choices."""
    rng, puzzles = random.Random(5), _puzzles(count, held_out=held_out)
    for puzzle in puzzles:
        yield "answers", answer_turn(puzzle, ANSWERS, rng)
        writing = writing_turn(puzzle, QUESTIONS)
        if body == "shared":
            other = rng.choice([one for one in puzzles if one.topic == puzzle.topic])
            user = ANSWERS.messages(topic=other.topic, question=other.question, choices=lettered(other, rng)[0])
            writing = Turn(user[-1].content, writing.reply, writing.topic, writing.kind)
        yield "questions", writing


def _prompt(lesson: str, body: str) -> list[dict[str, str]]:
    plain = ANSWERS.model_copy(update={"user": "$question", "system": None})
    return [one.model_dump() for one in marked(plain, getattr(ROLES, lesson)).messages(question=body)]


def _train(student: Path, folder: Path, rows: int, epochs: float, *, tokens: bool, body: str) -> float:
    folder.mkdir()
    lines = [
        {
            "id": f"{index}-{lesson}",
            "weight": _WEIGHT[lesson],
            "prompt": _prompt(lesson, turn.user),
            "completion": [{"role": "assistant", "content": turn.reply}],
        }
        for index, (lesson, turn) in enumerate(_turns(rows, body, held_out=False))
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    job: dict[str, Any] = {
        "stage": "sft", "name": "roles", "model": str(student), "rows": str(folder / "rows.jsonl"),
        "output": str(folder / "out"), "learning_rate": 2e-3, "epochs": epochs, "batch_size": 16, "threads": 2,
        "max_length": 512, "lora": {"r": 32, "alpha": 64}, "tokens": ROLES.marks if tokens else [],
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    command = [sys.executable, "-m", "nightschool.training", str(folder / "job.json")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])["loss"]


def _measure(student: Path, folder: Path, asked: int, body: str) -> tuple[float, float, float]:
    """Shares of held-out prompts: role kept under the right mark, changed under the other; replies of no role."""
    out = folder / "out"
    tokenizer: Any = AutoTokenizer.from_pretrained(out)
    whole = (out / "config.json").is_file()
    model: Any = AutoModelForCausalLM.from_pretrained(out if whole else student)
    model = (model if whole else PeftModel.from_pretrained(model, out)).eval()
    turns = list(_turns(asked, body, held_out=True))
    other = {"answers": "questions", "questions": "answers"}
    right = _replies(model, tokenizer, [_prompt(lesson, turn.user) for lesson, turn in turns])
    swapped = _replies(model, tokenizer, [_prompt(other[lesson], turn.user) for lesson, turn in turns])
    kept = sum(_role(text) == lesson for (lesson, _), text in zip(turns, right, strict=True))
    changed = sum(_role(text) == other[lesson] for (lesson, _), text in zip(turns, swapped, strict=True))
    neither = sum(_role(text) == "neither" for text in (*right, *swapped))
    return kept / len(turns), changed / len(turns), neither / (2 * len(turns))


def _role(text: str) -> str:
    """What a reply is, by its form: the JSON of an answer, of a question, or neither."""
    for role, kind in (("answers", AnswerReply), ("questions", WrittenReply)):
        if not isinstance(parse_json(text, kind, finish="stop", repair=False), Rejected):
            return role
    return "neither"


@torch.no_grad()
def _replies(model: Any, tokenizer: Any, prompts: Sequence[list[dict[str, str]]]) -> list[str]:
    """Greedy replies, prompts of like length together."""
    ids = [tokenizer.apply_chat_template(p, add_generation_prompt=True, return_dict=False) for p in prompts]
    order, found = sorted(range(len(ids)), key=lambda index: len(ids[index])), [""] * len(ids)
    for start in range(0, len(order), 64):
        part = order[start : start + 64]
        batch = tokenizer.pad({"input_ids": [ids[i] for i in part]}, padding_side="left", return_tensors="pt")
        made = model.generate(**batch, max_new_tokens=120, do_sample=False, pad_token_id=tokenizer.pad_token_id)
        texts = tokenizer.batch_decode(made[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
        found = [texts[part.index(i)] if i in part else text for i, text in enumerate(found)]
    return found


if __name__ == "__main__":
    sys.exit(main())
