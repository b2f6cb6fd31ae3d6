"""Nothing phones home: what Prefect, vLLM, the hub and Ray send of themselves is off unless the environment says."""

from __future__ import annotations

import os

OFF = {
    "DO_NOT_TRACK": "1",  # Prefect's client, vLLM
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def switch_off() -> None:
    """For this process and all that it starts; what the environment says of it already stands."""
    for name, value in OFF.items():
        os.environ.setdefault(name, value)
