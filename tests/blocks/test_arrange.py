"""Who is up with whom, on which devices: by what the recipe says and what the machine has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blocks.arrange import arranged, visible
from blocks.devices import Gpu
from blocks.servers import ServerSpec
from nightschool.errors import RecipeError
from nightschool.placement import NoRoom

GIB = 2**30


def spec_with(name: str, **fields: Any) -> ServerSpec:
    return ServerSpec.model_validate({"name": name, "engine": "vllm", "model": "org/m-1B", **fields})


def shown(specs: list[ServerSpec], placement: Any = "auto", devices: int = 0, memory: int = 1000 * GIB) -> object:
    waves = arranged(specs, placement, devices=range(devices), memory_bytes=memory)
    return [{spec.name: spec.devices for spec in wave} for wave in waves]


A, B = spec_with("a"), spec_with("b", replicas=2)


def test_side_by_side_where_devices_suffice() -> None:
    assert shown([A, B], devices=3) == [{"a": ((0,),), "b": ((1,), (2,))}]
    assert shown([A, B], devices=2) == [{"a": ((0,),)}, {"b": ((0,), (1,))}]
    c = spec_with("c", tensor_parallel=2)
    assert shown([A, B, c], devices=4) == [{"a": ((0,),), "b": ((1,), (2,))}, {"c": ((0, 1),)}]
    assert shown([A, B], "sequential", devices=8) == [{"a": ((0,),)}, {"b": ((0,), (1,))}]


def test_side_by_side_where_memory_suffices(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"x" * 1000)
    one, two = (spec_with(name, engine="transformers", model=str(tmp_path)) for name in "ab")
    assert shown([one, two], memory=2 * GIB) == [{"a": (), "b": ()}]
    assert shown([one, two], memory=GIB) == [{"a": ()}, {"b": ()}]
    assert shown([one, two], "side_by_side", memory=GIB) == [{"a": (), "b": ()}]


def test_what_needs_no_device_is_always_up() -> None:
    remote = spec_with("paid", engine="endpoint", urls=("http://h/v1",))
    assert shown([remote, A, B], devices=2) == [{"paid": (), "a": ((0,),)}, {"paid": (), "b": ((0,), (1,))}]
    assert shown([remote], "sequential") == [{"paid": ()}]


def test_what_no_order_can_mend() -> None:
    with pytest.raises(NoRoom, match="b wants 2 x 1"):
        shown([A, B], devices=1)
    with pytest.raises(NoRoom):
        shown([A, B], "side_by_side", devices=2)
    with pytest.raises(RecipeError, match="none on this machine"):
        shown([spec_with("a", gpus=(0,))])


@pytest.mark.parametrize(
    ("said", "expected"),
    [(None, [0, 1, 2]), ("2,0", [2, 0]), ("", []), ("7", []), ("GPU-b2, GPU-a0f", [2, 0]), ("MIG-b2", [])],
)
def test_the_environment_narrows_what_is_seen(
    said: str | None, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if said is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", said)
    uuids = ("GPU-a0ff", "GPU-a1ff", "GPU-b2ff")
    assert visible([Gpu("nvidia", number, "H200", GIB, 0, uuid) for number, uuid in enumerate(uuids)]) == expected
