"""Nights in a browser: what is given out, and that nothing else is."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks import pages
from flows.pages import HOST, links, served
from tasks.ledger import Run
from tasks.night import Night
from tasks.report import publish
from tests.half_night import Make
from tests.tasks.conftest import fill, serving


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    with served(0) as found:
        monkeypatch.setenv(pages.ADDRESS, found)
        yield found


def get(address: str, path: str, host: str | None = None) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    connection.request("GET", path, headers={"Host": host} if host else {})
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, reply.headers["Content-Type"], text


def begun(make: Make) -> Night:
    night = make()
    with serving() as served:
        fill(night, served)
    publish(night, Run(started="2026-01-02T03:04:05+00:00"))
    return night


def test_a_night_is_found_with_report_chunks_recipe_and_logs(address: str, make: Make) -> None:
    night = begun(make)
    at = pages.shown(night.dir, night.store.place)
    assert at
    assert f"[Report]({at}report.html)" in links(night)
    base = at.removeprefix(address)
    assert get(address, f"{base}report.html")[:2] == (200, "text/html; charset=utf-8")
    assert "first-half" in get(address, "/")[2]
    grid = get(address, f"{base}status")
    assert (grid[0], "answers" in grid[2], "made" in grid[2]) == (200, True, True)
    assert "by bruno" in get(address, f"{base}status/answers")[2]
    assert get(address, f"{base}recipe.resolved.yaml")[1] == "text/plain; charset=utf-8"
    (night.dir / "servers").mkdir()
    (night.dir / "servers/alba.log").write_text("it runs\n")
    assert get(address, f"{base}servers/alba.log")[2] == "it runs\n"
    assert "servers/alba.log" in get(address, base)[2]


def test_nothing_else_is_given_out(address: str, make: Make, tmp_path: Path) -> None:
    night = begun(make)
    base = (pages.shown(night.dir, night.store.place) or "").removeprefix(address)
    (tmp_path / "secret").write_text("secret")
    (night.dir / "servers").mkdir()
    (night.dir / "servers/out.log").symlink_to(tmp_path / "secret")
    (night.dir / "other.txt").write_text("secret")
    paths = [
        "other.txt",
        "servers/out.log",
        "../first-half/report.html",
        "..%2f..%2fsecret",
        "servers/../run.json",
        "lock",
    ]
    for path in [*(f"{base}{one}" for one in paths), "/../secret", "/no-such-night/", f"{base}status/nothing"]:
        status, _, text = get(address, path)
        assert (status, "secret" in text) == (404, False), path
    # A page of the web that has its own name point here reads nothing.
    assert get(address, f"{base}report.html", host="evil.example")[0] == 404
    assert get(address, f"{base}report.html", host=f"localhost:{address.rpartition(':')[2]}")[0] == 200


def test_without_pages_a_person_is_told_the_commands(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(pages.ADDRESS, raising=False)
    night = make()
    assert pages.shown(night.dir, night.store.place) is None
    assert "nightschool report first-half" in links(night)


def test_a_store_that_machines_share_is_opened_by_its_own_name(address: str, make: Make) -> None:
    night = make()
    night.begin()
    for store, opens in (("s3://bucket/runs", "s3://bucket/runs"), ("runs", str(night.store.root.resolve()))):
        name = (pages.shown(night.dir, store) or "").removeprefix(address).strip("/")
        assert (pages.folder_of(name), pages.store_of(name)) == (night.dir.resolve(), opens)
    assert pages.store_of("no-such-night") is None


def test_a_taken_port_gives_way_to_a_free_one() -> None:
    with served(0) as first, served(int(first.rpartition(":")[2])) as second:
        assert first != second
        assert second.startswith(f"http://{HOST}:")
