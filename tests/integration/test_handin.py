"""The contest's folder in a directory of its own, with nothing of nightschool to import: it asks and answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blocks.tokens import counter
from nightschool import answers
from nightschool.answers import AnswerReply
from nightschool.contest_file import find_contest, judge_file, load_contest
from nightschool.prompts import Prompt
from nightschool.questions import WrittenReply
from nightschool.records import Question
from nightschool.rendering import rendered
from tasks.handin import hand_in
from tasks.night import Night
from tasks.steps import STEPS
from tests.half_night import maker
from tests.integration.tiny_training import text_only
from tests.tasks.test_handin import AGENTS

pytestmark = pytest.mark.integration
text_only = pytest.fixture(autouse=True, scope="module")(text_only)

ROOM = ("student.max_tokens=40", "questions.max_tokens=120")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two adapters of a base of random weights, handed in."""
    from tests.integration import random_qwen2

    at = tmp_path_factory.mktemp("handin")
    base = random_qwen2.make(at / "base", hidden=64, layers=2)
    night: Night = maker(at)(AGENTS, f"student.model={base}", *ROOM)
    night.begin()
    for seed, chunk in enumerate(STEPS["sft"].chunks(night)):
        out = random_qwen2.make_adapter(base, night.store.path(chunk, "out"), seed)
        for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
            shutil.copyfile(base / name, out / name)
        figures = {"training": {"rows": 1}}
        night.store.commit(chunk, rows=(), dropped=(), figures=figures, files=sorted(out.iterdir()))
    found = Path(hand_in(night).folder)
    shutil.unpack_archive(f"{found}.zip", at / "empty")
    for path in (at / "runs", base):
        path.rename(path.with_name(f"gone-{path.name}"))
    [alone] = (at / "empty").iterdir()
    return alone


def agent(folder: Path, name: str, *options: str) -> str:
    """What an agent says in a process that knows nothing but the folder and what is installed."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", f"agents.{name}", *options]
    done = subprocess.run(command, cwd=folder, env={**kept, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
                          capture_output=True, text=True, timeout=200)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())


def test_the_folder_asks_and_answers_by_itself(folder: Path) -> None:
    for name in ("qgen.yaml", "agen.yaml"):
        text = (folder / name).read_text()
        (folder / name).write_text(
            text.replace("seconds: 13.0", "seconds: 600").replace("seconds: 9.0", "seconds: 600")
        )
    contest = load_contest(find_contest("aaipl"))
    count = counter(str(folder / "hf_models" / "base"))
    told = agent(folder, "question_agent", "--num_questions", "8", "--batch_size", "4", "--verbose")
    assert told.count("question ") == 8
    outputs = folder / "outputs"
    judged = judge_file(outputs / "questions.json", contest, count=count)
    assert (judged.kind, len(judged.rows)) == ("questions", 8)
    kept = written(outputs / "filtered_questions.json")
    assert len(kept) == judged.valid
    assert f"{judged.valid} of 8 questions are valid" in told
    asked = [
        *kept,
        {"topic": "Syllogisms", "question": "Which?", "choices": ["a", "(B) b", "c. x", "d"], "answer": "B"},
    ]
    (folder / "theirs.json").write_text(json.dumps(asked))
    told = agent(folder, "answer_agent", "--input_file", "theirs.json", "--batch_size", "5", "--verbose")
    assert told.count(" s  ") == len(asked)
    judged = judge_file(outputs / "answers.json", contest, count=count)
    assert (judged.kind, judged.valid) == ("answers", len(asked))
    assert written(outputs / "filtered_answers.json") == written(outputs / "answers.json")


@pytest.fixture
def agents(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(folder))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "agents"]:
        del sys.modules[name]


def test_its_prompt_is_the_nights_token_by_token(agents: None) -> None:
    from agents.answer_model import AAgent  # pyright: ignore[reportMissingImports]

    solver = AAgent()
    asked = Question(id="q", topic="series", question="Which?", choices=("red", "blue", "green", "grey"), truth="A",
                     key=None, source="test", check="ok")  # fmt: skip
    theirs = {"topic": "series", "question": "Which?", "choices": ["A) red", "b. blue", "(C) green", "grey"]}
    ours = answers.messages(asked, Prompt(system=None, user="$question\n$choices"))
    [text] = solver.model.render([solver.messages(theirs)])
    found = solver.model.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert [found] == rendered(solver.model.tokenizer, [ours], opened=True)


def test_replies_have_the_shape_that_the_night_held_its_models_to(agents: None) -> None:
    from agents import answer_model, question_model  # pyright: ignore[reportMissingImports]

    for agent_of, shape, record in (
        (question_model.QAgent, question_model._SHAPE, WrittenReply),
        (answer_model.AAgent, answer_model._SHAPE, AnswerReply),
    ):
        model = agent_of().model
        model.settings["seconds"] = 600
        replies = model.ask([[{"role": "user", "content": text}] for text in ("a", "a longer one")], shape)
        assert all(record.model_validate(reply.record) for reply in replies)
        model.settings["seconds"] = 0  # every string is closed at once
        assert all(
            record.model_validate(reply.record) for reply in model.ask([[{"role": "user", "content": "a"}]], shape)
        )
