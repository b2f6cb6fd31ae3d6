"""What README, ARCHITECTURE and docs/ point to is there: files, sections, commands, benchmarks and recipes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from flows.cli.app import app
from nightschool.recipe.load import recipes

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# Names that stand for the reader's own.
THEIRS = {"RECIPE", "NIGHT", "COMMAND", "mine"}


def sections(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them of its headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, section = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name}: {target}"
        assert not section or section in sections(file), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_benchmark_is_there(page: Path) -> None:
    known = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    known |= {group.name for group in app.registered_groups}
    text = page.read_text()
    named = set(re.findall(r"(?:\$ |`)nightschool ([a-z-]+)", text))
    assert named <= {str(name).replace("_", "-") for name in known}, page.name
    for name in re.findall(r"python -m benchmarks\.([a-z0-9_]+)", text):
        assert (ROOT / "benchmarks" / f"{name}.py").exists(), f"{page.name}: benchmarks.{name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_recipe_and_profile_that_is_run_is_there(page: Path) -> None:
    stems = {file.stem for file in recipes(ROOT / "configs")}
    for name, rest in re.findall(r"\$ nightschool (?:run|plan|check|predict) ([\w./-]+)([^\n#]*)", page.read_text()):
        assert name in stems | THEIRS or name.endswith(".yaml"), f"{page.name}: {name}"
        for profile in re.findall(r"--profile ([\w,]+)(?: |$)", rest):
            known = {file.stem for at in ("", name) for file in (ROOT / "configs/profiles" / at).glob("*.yaml")}
            assert set(profile.split(",")) <= known, f"{page.name}: {name} --profile {profile}"


def test_every_benchmark_is_on_its_page() -> None:
    page = (ROOT / "docs/benchmarks.md").read_text()
    programs = [file.stem for file in (ROOT / "benchmarks").glob("*.py") if "\ndef main(" in file.read_text()]
    named = set(re.findall(r"^\| `(?!python)([a-z0-9_]+)[ `]", page, re.MULTILINE))
    assert named == set(programs)


def test_every_page_is_on_the_front_page() -> None:
    front = ROOT / "docs/index.md"
    listed = {(front.parent / target).resolve() for target in LINK.findall(front.read_text())}
    assert listed == {*PAGES, ROOT / "CHANGELOG.md"} - {front}


def said() -> list[str]:
    """Every text of the code, in the pieces that it is written in."""
    texts = [(ROOT / "requirements/install").read_text()]
    for folder in ("nightschool", "blocks", "tasks", "flows"):
        for file in (ROOT / folder).rglob("*.py"):
            constants = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant))
            texts += [node.value for node in constants if isinstance(node.value, str)]
    return texts


def test_every_message_to_mend_is_one_that_the_code_says() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)
    quoted = [message for row in rows for message in re.findall(r"`([^`]{12,})`", row)]
    pieces = {piece.strip(" ,;:()") for message in quoted for piece in message.split("...")}
    theirs = {"CPU Generator does not use offset"}
    texts = said()
    assert len(quoted) > 30
    assert not [piece for piece in pieces - theirs if piece and not any(piece in text for text in texts)]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("plan_0*.md")), ids=lambda page: page.name)
def test_every_guide_of_a_plan_has_all_its_parts(page: Path) -> None:
    text = page.read_text()
    wanted, commands, rest = text.partition("```console\n$ nightschool ")
    recipe = re.search(r"\]\(\.\./configs/(\w+)\.yaml\)", wanted)
    assert recipe
    assert commands
    assert f" {recipe[1]} --profile tiny" in rest
    parts = ["## What one sees", "## Your own", "## What it got wrong, and what this does"]
    assert [title for title in re.findall(r"^## .*$", rest, re.MULTILINE) if title in parts] == parts
    assert "| the plan | here |" in rest
