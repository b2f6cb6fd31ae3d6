"""What is seen of a stage while it trains."""

from __future__ import annotations

from tasks.training import said


def test_a_step_is_told_with_loss_speed_and_memory() -> None:
    line = {"loss": 0.69314, "tokens_per_s": 12345.6, "rss_bytes": 700_000_000, "device_bytes": 0}
    assert said("sft", line) == "sft, loss 0.693, 12,346 tokens/s, 0.7 GB"
    assert said("a-first", line | {"device_bytes": 41_200_000_000}).endswith(" 41.2 GB")
