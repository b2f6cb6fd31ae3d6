"""Command lines and environments of model servers, per engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from blocks import servers
from blocks.servers import ServerSpec, command, environment, spec_of
from nightschool.errors import RecipeError
from nightschool.recipe.models import Model, Serve

SCRIPT = Path("t.script.json")


def _spec(**fields: Any) -> ServerSpec:
    return ServerSpec.model_validate({"name": "t", "engine": "vllm", "model": "org/model", **fields})


def _value(flags: list[str], flag: str) -> str:
    return flags[flags.index(flag) + 1]


def _adapter(folder: Path, rank: int) -> str:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"r": rank}))
    return str(folder)


def test_vllm_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_vllm_on_cpu", lambda: False)
    spec = _spec(
        tensor_parallel=2, gpu_memory_utilization=0.85, max_model_len=4096, dtype="bfloat16", max_num_seqs=64,
        quantization="fp8", enable_prefix_caching=False, trust_remote_code=True, reasoning_parser="qwen3",
        structured_outputs="outlines", extra_args=("--swap-space", "4"),
    )  # fmt: skip
    flags = command(spec, 8123, SCRIPT)
    assert flags[1:4] == ["-P", "-m", "vllm.entrypoints.openai.api_server"]
    assert (_value(flags, "--host"), _value(flags, "--port")) == ("127.0.0.1", "8123")
    assert (_value(flags, "--model"), _value(flags, "--served-model-name")) == ("org/model", "t")
    assert (_value(flags, "--tensor-parallel-size"), _value(flags, "--dtype")) == ("2", "bfloat16")
    assert (_value(flags, "--gpu-memory-utilization"), _value(flags, "--max-model-len")) == ("0.85", "4096")
    assert (_value(flags, "--max-num-seqs"), _value(flags, "--quantization")) == ("64", "fp8")
    assert _value(flags, "--reasoning-parser") == "qwen3"
    assert "--enable-prompt-tokens-details" in flags  # or nobody learns what its cache is worth
    assert json.loads(_value(flags, "--structured-outputs-config")) == {"backend": "outlines"}
    assert flags[-2:] == ["--swap-space", "4"]
    assert {"--no-enable-prefix-caching", "--trust-remote-code"} <= set(flags)
    assert not {"--enforce-eager", "--enable-lora"} & set(flags)
    variables = environment(spec, "the key", (2, 3))
    assert variables["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert variables["CUDA_VISIBLE_DEVICES"] == variables["HIP_VISIBLE_DEVICES"] == "2,3"
    assert variables["VLLM_API_KEY"] == "the key"
    assert not {"the key"} & set(flags)
    assert "VLLM_CPU_KVCACHE_SPACE" not in variables


def test_left_to_itself_vllm_is_told_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_vllm_on_cpu", lambda: False)
    flags = command(_spec(), 8123, SCRIPT)
    assert json.loads(_value(flags, "--structured-outputs-config"))["disable_any_whitespace"] is True
    assert {flag for flag in flags if flag.startswith("--")} == {
        "--host", "--port", "--model", "--served-model-name", "--dtype", "--tensor-parallel-size",
        "--structured-outputs-config", "--enable-prompt-tokens-details",
    }  # fmt: skip


def test_copies_behind_one_address_have_devices_and_slots_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_vllm_on_cpu", lambda: False)
    model = Model(name="alba", model="org/m", tensor_parallel=2, pipeline_parallel=2, data_parallel=3)
    spec = spec_of(model, Serve(), engine="vllm", path="here")
    flags = command(spec, 8123, SCRIPT)
    sizes = [_value(flags, f"--{ways}-parallel-size") for ways in ("tensor", "pipeline", "data")]
    assert sizes == ["2", "2", "3"]
    assert spec.want.devices == 12
    assert spec.most_concurrency == 3 * 512


@pytest.mark.parametrize("flag", ["--tensor-parallel-size=2", "--data-parallel-size", "--pipeline_parallel_size=2"])
def test_a_flag_that_has_a_field_is_refused_as_a_further_one(flag: str) -> None:
    with pytest.raises(ValidationError, match="use the field"):
        Serve(extra_args=(flag,))


def test_a_model_overrides_what_serve_says() -> None:
    serve = Serve(replicas=2, threads=3, concurrency=7, restarts=1)
    model = Model(name="alba", model="org/m", threads=1, adapter="folder")
    spec = spec_of(model, serve, engine="vllm", path="here")
    assert (spec.replicas, spec.threads, spec.concurrency, spec.restarts, spec.model) == (2, 1, 7, 1, "here")
    assert (spec.name, spec.adapters) == ("alba.base", {"alba": "folder"})


def test_vllm_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_vllm_on_cpu", lambda: True)
    assert {"--enforce-eager", "--no-enable-chunked-prefill"} <= set(command(_spec(), 1, SCRIPT))
    assert environment(_spec(threads=3), "k").items() >= {
        "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "3",
    }.items()  # fmt: skip


def test_vllm_holds_the_largest_adapter(tmp_path: Path) -> None:
    adapters = {"sft": _adapter(tmp_path / "a", 4), "dpo": _adapter(tmp_path / "b", 20)}
    flags = command(_spec(adapters=adapters), 1, SCRIPT)
    assert _value(flags, "--max-lora-rank") == "32"
    assert flags[flags.index("--lora-modules") + 1 :] == [f"{name}={folder}" for name, folder in adapters.items()]
    with pytest.raises(RecipeError, match="rank"):
        command(_spec(adapters={"big": _adapter(tmp_path / "c", 1000)}), 1, SCRIPT)
    with pytest.raises(RecipeError, match=r"nothing.adapter_config\.json"):
        command(_spec(adapters={"x": str(tmp_path / "nothing")}), 1, SCRIPT)


@pytest.mark.parametrize(
    ("engine", "fields", "most"),
    [
        ("vllm", {}, 512),
        ("vllm", {"max_num_seqs": 64}, 128),
        ("endpoint", {}, 512),
        ("vllm", {"concurrency": 8}, 0),
        ("transformers", {}, 0),
    ],
)
def test_where_no_number_is_set_a_server_may_be_given_more_if_that_brings_more(
    engine: str, fields: dict[str, int], most: int
) -> None:
    spec = spec_of(Model(name="alba", model="m"), Serve.model_validate(fields), engine=engine, path="here")
    assert spec.most_concurrency == most


def test_the_embedded_server() -> None:
    spec = _spec(engine="transformers", adapters={"sft": "dir"}, threads=2, max_model_len=256)
    flags = command(spec, 5, SCRIPT)
    assert flags[1:] == [
        "-P", "-m", "blocks.embedded", "--host", "127.0.0.1", "--port", "5", "--model", "org/model", "--name", "t",
        "--threads", "2", "--adapter", "sft=dir", "--max-model-len", "256",
    ]  # fmt: skip
    assert environment(spec, "k")["NIGHTSCHOOL_API_KEY"] == "k"


def test_a_folder_is_served_without_the_hub(tmp_path: Path) -> None:
    assert environment(_spec(model=str(tmp_path)), "k")["HF_HUB_OFFLINE"] == "1"


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b"])
def test_a_name_must_be_fit_for_a_file(name: str) -> None:
    with pytest.raises(ValidationError):
        _spec(name=name)
