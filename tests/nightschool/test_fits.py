"""What fits where: against the numbers of devices that were worked out for these models by hand, and its own parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.fits import Room, Way, adapter_params, best, serving, training
from nightschool.registry import registry


def on(each: float, devices: int = 64) -> Room:
    return Room(devices, each, gpu=True, cuda=True)


def served(hub: str, form: str, room: Room) -> Way:
    return next(way for way in serving(registry().named(hub), room) if way.how == form)


def trained(hub: str, how: str, room: Room, rank: int = 16, tokens: int = 4096) -> Way:
    return next(way for way in training(registry().named(hub), room, rank=rank, tokens=tokens) if way.how == how)


@pytest.mark.parametrize(("hub", "form", "devices"), [
    ("openai/gpt-oss-120b", "mxfp4", (1, 1, 1)),
    ("openai/gpt-oss-120b", "bf16", (4, 2, 2)),
    ("Qwen/Qwen2.5-14B-Instruct", "bf16", (1, 1, 1)),
    ("Qwen/Qwen3-32B", "bf16", (2, 1, 1)),
    ("Qwen/Qwen3-32B", "fp8", (1, 1, 1)),
    ("Qwen/Qwen3-235B-A22B", "bf16", (8, 4, 4)),
    ("Qwen/Qwen3-235B-A22B", "fp8", (4, 2, 2)),
    ("deepseek-ai/DeepSeek-R1", "fp8", (16, 8, 8)),
    ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "bf16", (4, 2, 2)),
    ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "int4", (1, 1, 1)),
    ("meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "fp8", (8, 4, 4)),
    ("moonshotai/Kimi-K2.5", "int4", (16, 8, 4)),
    ("mistralai/Mistral-Large-3-675B-Instruct-2512", "fp8", (16, 8, 8)),
    ("mistralai/Mistral-Large-3-675B-Instruct-2512", "nvfp4", (8, 4, 4)),
])  # fmt: skip
def test_devices_of_80_141_and_192_gb(hub: str, form: str, devices: tuple[int, ...]) -> None:
    assert tuple(served(hub, form, on(each)).devices for each in (80, 141, 192)) == devices


def test_an_adapter_of_rank_128_on_qwen_14b() -> None:
    assert adapter_params(registry().named("Qwen/Qwen2.5-14B-Instruct"), 128) == 550_502_400
    assert trained("Qwen/Qwen2.5-14B-Instruct", "lora", on(80, 1), rank=128).devices == 1


def test_plan_002_fits_8_gb_in_4_bits_and_no_other_way() -> None:
    ways = {how: trained("microsoft/Phi-3.5-mini-instruct", how, on(8, 1), tokens=1024) for how in ("full", "lora")}
    assert not any(way.devices for way in ways.values())
    assert trained("microsoft/Phi-3.5-mini-instruct", "qlora", on(8, 1), tokens=1024).devices == 1


@pytest.mark.parametrize(("hub", "packed"), [("Qwen/Qwen2.5-14B-Instruct", 10.0), ("microsoft/phi-4", 9.1)])
def test_4_bits_weigh_what_their_cards_say(hub: str, packed: float) -> None:
    assert trained(hub, "qlora", on(80)).parts["weights in 4 bits"] == pytest.approx(packed, rel=0.03)


def test_4_bits_are_refused_with_the_reason() -> None:
    assert "CUDA" in trained("microsoft/phi-4", "qlora", Room(1, 64, gpu=False)).why_not
    assert "CUDA" in trained("microsoft/phi-4", "qlora", Room(1, 192, gpu=True)).why_not
    assert "experts" in trained("openai/gpt-oss-20b", "qlora", on(80)).why_not


def test_on_a_cpu_only_16_bits_are_served() -> None:
    room = Room(1, 64, gpu=False)
    assert best(serving(registry().named("deepseek-ai/DeepSeek-R1"), room)).why_not == "fp8 is for GPUs"
    assert best(serving(registry().named("Qwen/Qwen3-4B"), room)).how == "bf16"


def test_nothing_of_an_api_is_trained() -> None:
    entry = registry().named("gpt-4.1-nano-2025-04-14")
    assert best(serving(entry, on(8))).devices == 1
    assert not best(training(entry, on(80))).devices


def test_why_not_says_what_would_do() -> None:
    way = served("Qwen/Qwen3-32B", "bf16", on(80, 1))
    assert not way.devices
    assert "2 such devices would hold it" in way.told
    assert "66.0" in way.told


@given(entry=st.sampled_from(registry().models), each=st.floats(4, 400), devices=st.integers(1, 16))
def test_more_room_never_takes_more_devices(entry, each: float, devices: int) -> None:
    for ways in (serving, training):
        small, large = ways(entry, on(each, devices)), ways(entry, on(2 * each, devices))
        for before, after in zip(small, large, strict=True):
            assert not before.devices or 0 < after.devices <= before.devices
            assert before.devices <= devices
