"""What Prefect's server does by itself about nights that crashed: it runs the deployment `mend`, which resumes them.

Prefect's own action "change the state" is not used: on SQLite an automation acts at least once, and two that change
states were measured to undo each other. `mend` looks before it acts, so that a second run of it changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from nightschool.errors import WorldError

POOL = "nightschool"
MEND = "mend/mend"
# Runs of deployments with this tag are resumed.
TAG = "resumes"
# A run tells every 30 s that it lives (blocks/prefect_server.py); Prefect advises to wait for three.
SILENT_S = 90
# A server on a busy machine may take longer over a request than is waited for; to be asked twice does no harm.
_PAUSES_S = (1.0, 2.0, 4.0, 8.0)
_ENDS = ("Completed", "Failed", "Cancelled", "Crashed", "TimedOut")

# A request to the server's API by method, path and body: HTTP status and decoded reply.
Ask = Callable[[str, str, object], tuple[int, Any]]


def automate(ask: Ask) -> None:
    """Registers what notices crashed nights, anew or over what is there, and has those of before looked at now.

    A work queue `urgent` comes with it.

    Raises:
        WorldError: the server refused, or has no deployment `mend`.
    """
    _urgent(ask)
    mend = asked(ask, "GET", f"/deployments/name/{MEND}")["id"]
    for wanted in _automations(mend):
        known = asked(ask, "POST", "/automations/filter", {"automations": {"name": {"any_": [wanted["name"]]}}})
        for one in known[1:]:
            asked(ask, "DELETE", f"/automations/{one['id']}")
        if known:
            asked(ask, "PUT", f"/automations/{known[0]['id']}", wanted)
        else:
            asked(ask, "POST", "/automations/", wanted)
    asked(ask, "POST", f"/deployments/{mend}/create_flow_run", {})


def _urgent(ask: Ask) -> None:
    """A work queue before all others: a night that comes through it has the next turn at the devices."""
    body = {"name": "urgent", "priority": 1, "description": "Nights that have the next turn at the devices."}
    status, reply = ask("POST", f"/work_pools/{POOL}/queues", body)
    if status not in (201, 409):
        raise WorldError(f"Prefect's server refused a work queue: HTTP status {status} {reply}")


def _automations(mend: str) -> list[dict[str, Any]]:
    runs = {"prefect.resource.id": "prefect.flow-run.*"}
    ours = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}
    event = {"type": "event", "match": runs, "match_related": ours, "for_each": ["prefect.resource.id"], "threshold": 1}
    act = {"type": "run-deployment", "source": "selected", "deployment_id": mend}
    silent = {
        **event,
        "posture": "Proactive",
        "after": ["prefect.flow-run.heartbeat"],
        "expect": ["prefect.flow-run.heartbeat", *(f"prefect.flow-run.{end}" for end in _ENDS)],
        "within": SILENT_S,
    }
    crashed = {**event, "posture": "Reactive", "after": [], "expect": ["prefect.flow-run.Crashed"], "within": 0}
    return [
        {
            "name": "nightschool: a night is silent",
            "description": f"No sign of life for {SILENT_S} s: power cut, or a worker that was killed with its night.",
            "enabled": True,
            "trigger": silent,
            "actions": [act],
        },
        {
            "name": "nightschool: a night crashed",
            "description": "Its process ended without a word.",
            "enabled": True,
            "trigger": crashed,
            "actions": [act],
        },
    ]


def asked(ask: Ask, method: str, path: str, body: object = None) -> Any:
    """What the server replies to a request that does no harm when it is made twice.

    Raises:
        WorldError: the server refused, or gave no answer.
    """
    status, reply = ask(method, path, body)
    for pause_s in _PAUSES_S:
        if status:
            break
        time.sleep(pause_s)
        status, reply = ask(method, path, body)
    if status not in (200, 201, 204):
        raise WorldError(f"Prefect's server refused {method} {path}: HTTP status {status} {reply}")
    return reply
