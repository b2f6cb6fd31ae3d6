"""What notices crashed nights is registered once, over what is there."""

from typing import Any

import pytest

from blocks import automations
from blocks.automations import MEND, automate
from nightschool.errors import WorldError


class Server:
    """Prefect's server, as far as automations go."""

    def __init__(self, silent: int = 0) -> None:
        self.silent = silent
        self.known: dict[str, dict] = {}
        self.runs = 0

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        if self.silent:
            self.silent -= 1
            return 0, None
        if path == f"/deployments/name/{MEND}":
            return 200, {"id": "mend"}
        if path == "/automations/filter":
            [name] = body["automations"]["name"]["any_"]
            return 200, [{"id": key} for key, one in self.known.items() if one["name"] == name]
        if path.startswith("/automations/"):
            key = path.removeprefix("/automations/") or f"new-{len(self.known)}"
            self.known[key] = body
            return (201 if method == "POST" else 204), None
        if path.endswith("create_flow_run"):
            self.runs += 1
        return 201, {}


def test_a_second_registration_changes_what_is_there_and_looks_at_old_crashes_again() -> None:
    server = Server()
    for _ in range(2):
        automate(server.ask)
    assert sorted(one["name"] for one in server.known.values()) == [
        "nightschool: a night crashed",
        "nightschool: a night is silent",
    ]
    assert all(one["actions"][0]["deployment_id"] == "mend" for one in server.known.values())
    assert server.runs == 2


def test_a_busy_server_is_asked_again_and_one_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automations, "_PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(automations, "_urgent", lambda ask: None)
    server = Server(silent=2)
    automate(server.ask)
    assert server.runs == 1
    with pytest.raises(WorldError, match="HTTP status 0"):
        automate(Server(silent=3).ask)
