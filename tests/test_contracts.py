"""The rules of the house that a tool can check."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nightschool.recipe.load import load_recipe, recipes

ROOT = Path(__file__).parents[1]
CODE = ("nightschool", "flows", "tasks", "blocks", "tests", "benchmarks")
MODULES = sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))
PACKAGED = [path for path in MODULES if path.relative_to(ROOT).parts[0] not in ("tests", "benchmarks")]
LONGEST_FILE, LONGEST_FUNCTION = 250, 40

# Put together here, so that this file holds none of them.
HOSTS = [r"py" + r"pi\.org", r"python" + r"hosted\.org", r"npm" + r"js\.org", r"debian" + r"\.org"]
FOLDERS = ["/" + "work/", "/" + "root/", "/" + "opt/wheels", "/" + "tmp/bash_jobs"]
OF_ONE_MACHINE = re.compile(r"(?<![\w.}])(" + "|".join(FOLDERS) + ")|" + "|".join(HOSTS))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_keep_to_the_contracts():
    lint = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    done = subprocess.run([sys.executable, "-c", lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_is_longer_than_a_person_reads():
    long = {named(path): lines for path in MODULES if (lines := path.read_text().count("\n")) > LONGEST_FILE}
    assert not long


def test_no_function_is_longer_than_a_screen():
    long = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long[f"{named(path)}:{node.name}"] = lines
    assert not long


def test_every_module_says_what_it_is():
    assert not [named(path) for path in PACKAGED if not ast.get_docstring(ast.parse(path.read_text()))]


def test_no_module_has_a_name_that_says_nothing():
    assert not [named(path) for path in MODULES if re.search(r"(^|_)(utils?|helpers?|managers?|misc)$", path.stem)]


def test_no_file_names_one_machine_or_a_package_host():
    files = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(files, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file() or b"\0" in (raw := path.read_bytes())[:4096]:
            continue
        for number, line in enumerate(raw.decode(errors="replace").splitlines(), 1):
            if OF_ONE_MACHINE.search(line):
                found.append(f"{name}:{number}: {line.strip():.120}")
    assert not found


def test_the_command_line_loads_nothing_heavy():
    heavy = ("prefect", "torch", "transformers", "pandas", "scipy", "matplotlib", "datasets")
    look = f"import flows.cli, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("path", recipes(ROOT / "configs"), ids=lambda path: path.stem)
def test_every_committed_recipe_loads(path):
    assert load_recipe(path)


@pytest.mark.parametrize("profile", sorted((ROOT / "configs/profiles").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_committed_profile_fits_the_first_recipe(profile):
    assert load_recipe(ROOT / "configs/quickstart.yaml", profile=profile.stem)
