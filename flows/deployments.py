"""What a person can start from Prefect's page: deployments/prefect.yaml, and a night that ends behind each phase.

A phase has its deployment because it is in `tasks.steps.ORDER`: a new one needs no word in any file of deployments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from blocks.automations import asked, automate
from blocks.prefect_server import HOST, ROOT, call, deploy, register_blocks
from tasks.steps import ORDER

FILE = ROOT / "deployments" / "prefect.yaml"
NIGHT = "night/night"
# What a phase's deployment has of the night's own, as Prefect's API names it.
_SAME = (
    "flow_id", "path", "entrypoint", "pull_steps", "work_pool_name", "work_queue_name", "job_variables",
    "parameter_openapi_schema", "enforce_parameter_schema",
)  # fmt: skip


def written() -> list[dict[str, Any]]:
    """The deployments of the file."""
    return yaml.safe_load(FILE.read_text("utf-8"))["deployments"]


def of_phases(night: Mapping[str, Any], named: Sequence[str]) -> list[dict[str, Any]]:
    """A deployment like the night's for every phase that has none of its own; what Prefect's API is to be sent.

    Args:
        night: the night's deployment as the API has it.
        named: phases that have one.
    """
    same = {name: night.get(name) for name in _SAME}
    found = []
    for module in ORDER:
        phase, does = module.STEP.phase, str(module.__doc__).strip()
        if phase not in named:
            told = f"**A night as far as `{phase}`.** {does}\n\nThe form `night` goes on from there."
            parameters = {**night["parameters"], "until_phase": phase}
            tags = [*night["tags"], "phase"]
            mine = {"name": f"until-{phase}", "description": told, "parameters": parameters, "tags": tags}
            found.append(same | mine)
    return found


def register(port: int, home: Path) -> str:
    """Puts all of them, and the forms of blocks, on the server, whose pool a worker has made.

    Returns:
        The address of the night's form.

    Raises:
        WorldError: Prefect refused; carries what it said.
    """
    ask = partial(call, port)
    with ThreadPoolExecutor(1) as beside:  # each of the two commands spends seconds on imports
        blocks = beside.submit(register_blocks, port, home)
        deploy(port, home, FILE)
        blocks.result()
    night = asked(ask, "GET", f"/deployments/name/{NIGHT}")
    named = [one["parameters"].get("until_phase", "") for one in written() if "parameters" in one]
    # `prefect deploy` would read the night's code anew for each of them.
    for one in of_phases(night, named):
        asked(ask, "POST", "/deployments/", one)
    automate(ask)
    return f"http://{HOST}:{port}/deployments/deployment/{night['id']}/run"
