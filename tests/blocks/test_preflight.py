"""What is looked at before a night: each thing well, and each thing broken with the way to mend it."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from blocks.devices import Gpu
from blocks.machine import Memory
from blocks.preflight.check import Check
from blocks.preflight.memory import device_checks, judge_memory, widest_bytes
from blocks.preflight.preflight import engine_check, preflight
from blocks.preflight.reach import reach_checks
from blocks.preflight.space import ports_check, store_check
from blocks.preflight.weights import find_weights, missing_files
from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from nightschool.recipe.models import Model
from nightschool.recipe.recipe import Recipe

GIB = 2**30
PROMPT = {"system": None, "user": "$question $choices"}


def recipe(**changes: Any) -> Recipe:
    data = {
        "name": "small",
        "teachers": [{"name": "ann", "model": "ann", "engine": "scripted"}],
        "student": {"name": "kim", "model": "org/kim-7B", "prompt": PROMPT},
        "pool": {"per_topic": 10, "top_up": "generator"},
        "answers": {"prompt": PROMPT},
        "committee": {"quorum": 1},
        "sft": {"learning_rate": 1e-3},
        "validate": {"per_topic": 20},
    }
    return Recipe.model_validate(data | changes)


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (folder / name).write_bytes(b"x" * 100)
    return folder


def test_a_whole_folder(model_folder: Path) -> None:
    assert missing_files(model_folder) == []
    found = find_weights(str(model_folder))
    assert (found.kind, found.folder, found.size) == ("folder", model_folder, 100)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("config.json", "config.json"),
        ("tokenizer.json", "a tokenizer (tokenizer.json)"),
        ("model.safetensors", "weights (*.safetensors)"),
    ],
)
def test_a_file_of_the_folder_is_missing(model_folder: Path, name: str, missing: str) -> None:
    (model_folder / name).unlink()
    assert missing_files(model_folder) == [missing]


def test_a_shard_is_missing(model_folder: Path) -> None:
    shards = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (model_folder / "model.safetensors.index.json").write_text(json.dumps(shards))
    assert missing_files(model_folder) == ["model-2.safetensors"]
    (model_folder / "model.safetensors.index.json").write_text("[]")
    assert missing_files(model_folder) == ["a readable model.safetensors.index.json"]


def test_a_model_in_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert find_weights("org/kim-7B").kind == "hub"
    snapshot = tmp_path / "models--org--kim-7B" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (snapshot / "a.safetensors").write_bytes(b"x" * 10)
    assert find_weights("org/kim-7B").folder == snapshot
    assert find_weights("org/kim-7B").size == 10


@pytest.mark.parametrize(
    ("model", "kind", "size"),
    [
        ("org/Kim-14B-Instruct", "hub", 28_000_000_000),
        ("org/kim-0.5b", "hub", 1_000_000_000),
        ("org/kim", "hub", None),
        ("no/such/folder", "nothing", None),
        ("school:alba", "school", 4_000_000),
    ],
)
def test_what_a_models_name_says(
    model: str, kind: str, size: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    found = find_weights(model)
    assert (found.kind, found.size) == (kind, size)


@pytest.mark.parametrize(("need", "outcome"), [(2 * GIB, "ok"), (6 * GIB, "warn"), (9 * GIB, "fail"), (None, "warn")])
def test_memory(need: int | None, outcome: str) -> None:
    found = judge_memory(need, Memory(total=8 * GIB, available=4 * GIB))
    assert found.outcome == outcome
    assert bool(found.mend) == (outcome != "ok")


def test_more_teachers_need_more_memory(model_folder: Path) -> None:
    def needed(count: int, room: int = 64 * GIB, **changes: Any) -> int:
        teachers = [{"name": f"t{i}", "model": str(model_folder), "engine": "transformers"} for i in range(count)]
        student = {"name": "kim", "model": str(model_folder), "prompt": PROMPT}
        return widest_bytes(recipe(teachers=teachers, student=student, **changes), [], Memory(room, room)) or 0

    assert needed(6) > needed(4) > GIB
    assert needed(4, serve={"replicas": 3}) > 2 * needed(4)
    assert needed(6, serve={"placement": "sequential"}) == needed(6, room=GIB) == needed(1)


H200 = Gpu("nvidia", 0, "NVIDIA H200", 141 * 10**9, 0)
PLENTY = Memory(10**12, 10**12)


@pytest.mark.parametrize(
    ("student", "gpus", "outcomes"),
    [
        ({"model": "org/kim-7B"}, [H200], ["ok", "ok"]),
        ({"model": "org/kim-120B"}, [H200], ["ok", "fail"]),
        ({"model": "org/kim"}, [H200], ["ok", "warn"]),
        ({"model": "org/kim-7B", "gpus": [1]}, [H200], ["ok", "fail"]),
        ({"model": "org/kim-7B", "tensor_parallel": 2}, [H200], ["ok", "fail"]),
        ({"model": "org/kim-7B", "replicas": 2}, [H200], ["ok", "fail"]),
        ({"model": "org/kim-7B", "gpus": [0]}, [], ["ok", "fail"]),
        ({"model": "org/kim-7B"}, [], ["ok"]),
    ],
)
def test_devices(
    student: dict[str, Any], gpus: list[Gpu], outcomes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    night = recipe(student={"name": "kim", "prompt": PROMPT, "engine": "vllm", **student})
    assert [check.outcome for check in device_checks(night, gpus, PLENTY)] == outcomes


def test_teachers_that_do_not_fit_at_once_are_told_to_come_one_by_one() -> None:
    teachers = [{"name": name, "model": "org/t-7B", "engine": "vllm"} for name in ("ann", "bob")]
    found = device_checks(recipe(teachers=teachers, serve={"engine": "vllm"}), [H200], PLENTY)
    assert [check.detail for check in found if check.name == "placement"] == [
        "teachers one after the other: ann, then bob"
    ]
    assert all(check.outcome == "ok" for check in found)


def endpoint(url: str, **fields: Any) -> Model:
    return Model.model_validate({"name": "ann", "model": "big", "engine": "endpoint", "urls": [url], **fields})


def test_an_endpoint_that_serves_the_model() -> None:
    with scripted(Script(models={"big": ScriptedModel()})) as url:
        [found] = reach_checks([endpoint(url)], [])
    assert (found.outcome, found.detail) == ("ok", f"{url} has big")


def test_an_endpoint_without_the_model_names_those_it_has() -> None:
    with scripted(Script(models={"small": ScriptedModel()})) as url:
        [found] = reach_checks([endpoint(url)], [])
    assert found.outcome == "fail"
    assert found.mend == "model: small"


def test_an_endpoint_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    [found] = reach_checks([endpoint(url)], [])
    assert found.outcome == "fail"
    assert "does not answer" in found.detail


def test_an_endpoint_whose_url_is_wrong() -> None:
    with scripted(Script(models={"big": ScriptedModel()})) as url:
        [found] = reach_checks([endpoint(f"{url}/chat")], [])
    assert (found.outcome, found.mend) == ("fail", "does the URL end in /v1?")


def test_a_key_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIG_KEY", raising=False)
    [found] = reach_checks([endpoint("http://127.0.0.1:9/v1", key_env="BIG_KEY")], [])
    assert (found.outcome, found.detail) == ("fail", "variable BIG_KEY is not set")


def test_a_download_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    [found] = reach_checks([], [recipe().models[-1]])
    assert found.outcome == "fail"
    assert "hf download org/kim-7B" in found.mend


def test_an_adapter_is_whole_or_told(model_folder: Path, tmp_path: Path) -> None:
    def found(folder: Path) -> Check:
        teacher = {"name": "ann", "model": str(model_folder), "engine": "transformers", "adapter": str(folder)}
        return next(check for check in preflight(recipe(teachers=[teacher])) if check.name == "adapter of ann")

    assert "lacks adapter_config.json, adapter_model.safetensors" in found(tmp_path / "nowhere").detail
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (model_folder / name).touch()
    assert found(model_folder).outcome == "ok"


def test_code_that_a_model_brings_is_warned_of() -> None:
    night = recipe(serve={"engine": "vllm", "trust_remote_code": True})
    warned = [check for check in preflight(night) if check.name == "code of kim"]
    assert [check.outcome for check in warned] == ["warn"]


def test_store(tmp_path: Path) -> None:
    assert store_check(tmp_path / "new" / "store").outcome == "ok"
    assert store_check("memory://somewhere").outcome == "ok"
    assert store_check("nosuch://somewhere").outcome == "fail"
    assert list(tmp_path.iterdir()) == []
    found = store_check(Path("/proc/store"))
    assert found.outcome == "fail"
    assert found.mend


def test_ports() -> None:
    assert ports_check(3).outcome == "ok"


def test_engines() -> None:
    assert engine_check("scripted").outcome == "ok"
    assert "torch" in engine_check("transformers").detail


def test_preflight_is_whole_and_never_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    checks = {check.name: check for check in preflight(recipe(store="runs"))}
    assert checks["model of kim"].outcome == "fail"
    assert {"training", "engine scripted", "gpus", "memory", "cores", "store", "disk", "ports"} <= set(checks)
    assert all(check.mend for check in checks.values() if check.outcome != "ok")
    assert list(tmp_path.iterdir()) == []
