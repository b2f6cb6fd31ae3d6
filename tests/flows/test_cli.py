"""The command line: what each command shows, and that every failure is one screen with its own exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.cli import main
from flows.cli.ending import Ending
from nightschool.errors import DataError, GateFailed, RecipeError, WorldError
from nightschool.records import Dropped
from tasks import questions
from tests.half_night import maker

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
SMOKE = str(CONFIGS / "smoke.yaml")
PHASES = (
    "school -> questions -> pool -> answers -> committee -> balance -> sft -> pairs -> dpo -> validate -> timing "
    "-> package"
)


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Cli = Callable[..., Done]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["nightschool", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        return Done(int(caught.value.code or 0), said.out, said.err)

    return run


def apart(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """A shell's command line, with `nightschool` for ours."""
    line = command.replace("nightschool", f"{sys.executable} -X importtime -m flows.cli")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        line, shell=True, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=True
    )


def test_help_names_every_command_and_the_exit_codes(cli: Cli) -> None:
    done = cli("--help")
    assert done.returncode == 0
    for command in ("run", "plan", "check", "status", "failures", "rerun", "report", "rows", "schema", "doctor"):
        assert f" {command} " in done.stdout
    assert "0 done, 1 a gate failed, 2 bad input, 3 the world failed" in done.stdout


def test_rows_are_printed_as_lines_of_json(cli: Cli, tmp_path: Path) -> None:
    night = maker(tmp_path)()
    night.begin()
    for chunk, names in zip(questions.chunks(night), ("ab", "cd"), strict=False):
        lost = [("not_json", Dropped(id=f"lost-{name}", reason="not_json")) for name in names]
        night.store.commit(chunk, rows=[Dropped(id=name, reason="") for name in names], dropped=lost, figures={})

    def ids(*flags: str) -> list[str]:
        done = cli("rows", night.name, "--phase", "questions", *flags)
        return [json.loads(line)["id"] for line in done.stdout.splitlines()]

    assert ids() == ["a", "b", "c", "d"]
    assert ids("--chunk", "1") == ["c", "d"]
    assert ids("--dropped", "--chunk", "0") == ["lost-a", "lost-b"]
    assert "no such phase" in cli("rows", night.name, "--phase", "quiz").stderr


def test_plan_shows_the_order_and_writes_nothing(cli: Cli, tmp_path: Path) -> None:
    done = cli("plan", SMOKE)
    assert done.returncode == 0, done.stderr
    assert PHASES in done.stdout
    assert "memory: about" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_plan_for_a_program(cli: Cli) -> None:
    found = json.loads(cli("plan", SMOKE, "--set", "pool.per_topic=100", "--json").stdout)
    phases = {phase["verdict"]["phase"]: phase for phase in found["phases"]}
    assert " -> ".join(phases) == PHASES
    assert phases["answers"]["requests"] >= 3 * 4 * 100
    assert phases["answers"]["verdict"]["word"] == "make"
    assert found["memory"]["outcome"] in ("ok", "warn", "fail")


def test_plan_loads_no_orchestrator(tmp_path: Path) -> None:
    done = apart(tmp_path, f"nightschool plan {SMOKE}")
    assert PHASES in done.stdout
    loaded = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "tasks.plan" in loaded
    assert not loaded & {"prefect", "torch", "pandas", "matplotlib", "scipy", "numpy"}


def test_schema_is_the_committed_one(cli: Cli) -> None:
    assert json.loads(cli("schema").stdout) == json.loads((CONFIGS / "recipe.schema.json").read_text())


def test_doctor_for_a_bug_report(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hunter2")
    shown = cli("doctor").stdout
    assert "prefect" in shown
    assert "cores" in shown
    assert "hunter2" not in shown
    assert set(json.loads(cli("doctor", "--json").stdout)) == {"machine", "packages", "environment"}


def test_check_tells_what_fails_and_how_to_mend_it(cli: Cli, tmp_path: Path) -> None:
    done = cli("check", SMOKE, "--set", f"student.model={tmp_path}", "--set", "store=/proc/store")
    assert done.returncode == 3
    assert "FAIL model of student:" in done.stdout
    assert "lacks config.json, a tokenizer (tokenizer.json), weights (*.safetensors)" in done.stdout
    assert done.stdout.count("mend: ") >= 2
    assert "checks failed" in done.stderr


def test_check_for_a_program(cli: Cli) -> None:
    done = cli("check", SMOKE, "--json")
    assert done.returncode == 0, done.stdout
    assert {"name", "outcome", "detail", "mend"} == set(json.loads(done.stdout)[0])


BAD_INPUT = {
    "unknown key": (
        ("run", SMOKE, "--set", "answers.sampels=4"),
        "answers.sampels: unknown key, did you mean samples?",
    ),
    "wrong type": (("run", SMOKE, "--set", "answers.samples=four"), "answers.samples: has the wrong type"),
    "missing file": (("run", "nowhere.yaml"), "nowhere.yaml: there is no such file"),
    "missing recipe": (("run", "smoek"), "there is no such recipe, did you mean smoke?"),
    "negative count": (("run", SMOKE, "--set", "pool.per_topic=-1"), "pool.per_topic: is out of range (got -1)"),
    "unknown topic": (("run", SMOKE, "--set", "topics=[serie]"), "topics.0: unknown value, did you mean series?"),
    "quorum": (("run", SMOKE, "--set", "committee.quorum=4"), "committee.quorum: 4 is more than the 3 teachers"),
    "profile": (("plan", SMOKE, "--profile", "tini"), "there is no such profile, did you mean tiny?"),
    "set": (("plan", SMOKE, "--set", "answers.samples"), "an override is FIELD=VALUE"),
    "no such night": (("status", "friday"), "no such night in this store"),
    "no such night to report": (("report", "friday"), "no such night in this store"),
    "no such night to run again": (("rerun", "friday", "--phase", "dpo"), "no such night in this store"),
    "a chunk of no phase": (("rerun", "friday", "--chunk", "3"), "--phase: which phase is meant?"),
    "single rows of a chunk": (
        ("rerun", "friday", "--failed", "--phase", "dpo", "--chunk", "3"),
        "--failed: single rows are asked for",
    ),
    "no such command": (("rnu",), "No such command"),
    "no such option": (("run", SMOKE, "--nmae", "x"), "No such option"),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_one_screen_and_exit_code_2(cli: Cli, name: str) -> None:
    arguments, said = BAD_INPUT[name]
    done = cli(*arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) < 24
    assert done.stdout == ""


def test_malformed_yaml_is_named_by_line_and_column(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: x\nteachers: [a\nstudent: b\n")
    done = cli("run", "bad.yaml")
    assert (done.returncode, done.stderr.strip()) == (2, "bad.yaml:3:8: not YAML: expected ',' or ']', but got ':'")


def test_a_store_that_cannot_be_written_is_the_worlds_fault(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder belongs")
    done = cli("run", SMOKE, "--set", "store=taken")
    assert done.returncode == 3
    assert "taken/nights/smoke: the store cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_prefect_server_that_is_not_there_is_the_worlds_fault(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "flows.cli", "run", SMOKE]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": "http://127.0.0.1:9/api"}
    done = subprocess.run(arguments, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 3
    assert "Prefect's server does not answer at http://127.0.0.1:9/api" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_nights_yet(cli: Cli) -> None:
    assert "nightschool run quickstart" in cli("status").stdout
    assert json.loads(cli("status", "--json").stdout) == {}


def test_a_reader_that_leaves_early_gets_no_traceback(tmp_path: Path) -> None:
    done = apart(tmp_path, "nightschool schema | head -c 10")
    assert "flows.cli" in done.stderr
    assert not [line for line in done.stderr.splitlines() if not line.startswith("import time:")]


@pytest.mark.parametrize(
    ("error", "code"),
    [(GateFailed("no"), 1), (RecipeError("no"), 2), (DataError("no"), 2), (WorldError("no"), 3)],
)
def test_each_kind_has_its_exit_code(error: Exception, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, Ending():
        raise error
    assert caught.value.code == code
    assert capsys.readouterr().err == "no\n"


def test_a_long_error_stays_on_one_screen(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), Ending():
        raise WorldError("\n".join(map(str, range(100))))
    assert capsys.readouterr().err.splitlines()[-1] == "... 70 more lines"


def test_the_unexpected_is_a_bug_with_its_story_in_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as caught, Ending():
        raise ZeroDivisionError("surprise")
    assert caught.value.code == 3
    said = capsys.readouterr().err
    assert "ZeroDivisionError: surprise\nThis is a bug in nightschool. The whole story is in " in said
    assert "Traceback" not in said
    [log] = tmp_path.glob("nightschool-bug-*.log")
    assert str(log) in said
    assert "Traceback" in log.read_text()


def test_an_interrupt_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, Ending():
        raise KeyboardInterrupt
    assert caught.value.code == 130
    assert "goes on where it stopped" in capsys.readouterr().err
