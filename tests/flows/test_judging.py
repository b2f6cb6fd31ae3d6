"""A spot check in the browser: what a press does, and that nobody else's press does anything."""

from __future__ import annotations

import http.client
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email.message import Message
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest

from blocks import pages
from blocks.decisions import Decisions
from flows.pages import links, served
from flows.press import TOKEN, Refused, received
from nightschool.report.figures import Report
from nightschool.review import Case
from tasks.ledger import Run
from tasks.night import Night
from tasks.report import publish
from tasks.spot_check import refresh, waiting
from tests.flows.test_pages import get
from tests.half_night import maker
from tests.tasks.conftest import fill, serving

HOSTILE = "<script>alert(1)</script>\u202e"


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    with served(0) as found:
        monkeypatch.setenv(pages.ADDRESS, found)
        yield found


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A night that teaches rows and has a report."""
    found = maker(tmp_path_factory.mktemp("night"))("pool.per_topic=4", "balance.by=[topic]")
    with serving(models={name: {"accuracy": 0.9} for name in ("alba", "bruno")}) as served:
        fill(found, served, "questions", "pool", "answers", "committee", "balance")
    publish(found, Run(started="2026-01-02T03:04:05+00:00"))
    return found


@pytest.fixture
def night(taught: Night) -> Night:
    """The same before anybody looked at it."""
    shutil.rmtree(taught.store.root / "review", ignore_errors=True)
    refresh(taught)
    return taught


class Browser:
    """Sends the form of one night's spot check, as a browser would."""

    def __init__(self, address: str, night: Night) -> None:
        self.address = address
        self.path = (pages.shown(night.dir, night.store.place) or "").removeprefix(address) + "spot-check"

    def page(self, query: str = "") -> str:
        return get(self.address, self.path + query)[2]

    def press(self, case: Case, verdict: str, **fields: str) -> tuple[int, str]:
        """The reply's status, and its text or where it leads."""
        said = {"token": TOKEN, "row": case.content, "verdict": verdict, "who": "Ada", **fields}
        return self.send(urlencode(said).encode())

    def send(self, body: bytes, **headers: str | None) -> tuple[int, str]:
        host = self.address.removeprefix("http://")
        given = {"Host": host, "Origin": self.address, "Content_Length": str(len(body)), **headers}
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.putrequest("POST", self.path, skip_host=True)
        for name, value in given.items():
            if value is not None:
                connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        return reply.status, reply.headers["Location"] or text


def decisions(night: Night) -> list[tuple[str, str | None, str, str]]:
    return [(one.action, one.answer, one.who, one.note) for one in Decisions(night.store).read()]


def test_a_press_is_a_decision_on_file_and_in_the_report_and_can_be_changed(address: str, night: Night) -> None:
    browser, rows = Browser(address, night), waiting(night)
    page = browser.page()
    assert page.count("<article") == len(rows)
    assert "nobody has looked at them" in page
    assert "Your name" in page
    first, second = rows[0], rows[1]
    assert browser.press(first, "good", note=HOSTILE)[0] == 303
    status, place = browser.press(second, "bad", who="Bob & Co")
    assert (status, place) == (303, f"spot-check?who=Bob+%26+Co#row-{second.content}")
    assert decisions(night) == [("accept", first.leading, "Ada", HOSTILE), ("reject", None, "Bob & Co", "")]
    report = Report.model_validate_json((night.dir / "report.json").read_bytes())
    assert report.spot_check
    assert report.spot_check.bad
    assert (report.spot_check.bad.value, report.spot_check.bad.n) == (0.5, 2)

    page = browser.page("?who=Bob+%26+Co")
    assert 'You judge as <strong class="model">Bob &amp; Co</strong>' in page
    assert "1 of 2 rows is bad: 50.0%" in page
    assert ("&lt;script&gt;" in page, "<script" in page, "\u202e" in page) == (True, False, False)
    assert browser.press(second, "good")[0] == 303
    assert decisions(night)[2:] == [("accept", second.leading, "Ada", "")]
    assert "0 of 2 rows are bad" in browser.page()
    assert "0 of 2 rows are bad" in (night.dir / "report.html").read_text()


def test_another_answer_needs_a_way_to_it_and_what_was_typed_is_not_lost(address: str, night: Night) -> None:
    browser, row = Browser(address, night), waiting(night)[0]
    other = next(one for one in row.options if not row.reasoning_for(one))
    status, page = browser.press(row, "instead", answer=other, note="see page 9")
    assert status == 400
    assert f"Reasoning: no teacher argues for {other}, so write why it is right." in page
    assert ('value="see page 9"' in page, f'value="{other}" selected' in page) == (True, True)
    assert decisions(night) == []
    assert browser.press(row, "instead", answer=other, reasoning="Count them.", note="see page 9")[0] == 303
    assert decisions(night) == [("edit", other, "Ada", "see page 9")]
    assert f'right is <strong class="model" dir="auto">{other}</strong>' in browser.page()


def test_two_tabs_at_once_lose_nothing(address: str, night: Night) -> None:
    browser, rows = Browser(address, night), waiting(night)[:4]
    with ThreadPoolExecutor(len(rows)) as tabs:
        assert {status for status, _ in tabs.map(lambda row: browser.press(row, "bad"), rows)} == {303}
    assert len(decisions(night)) == len(rows)
    report = Report.model_validate_json((night.dir / "report.json").read_bytes())
    assert report.spot_check
    assert [row.verdict for row in report.spot_check.rows][:5] == [*["bad"] * 4, None]


def form(row: Case) -> dict[str, str]:
    """What a press of *Good* sends."""
    return {"token": TOKEN, "row": row.content, "verdict": "good", "who": "Ada"}


def test_whatever_comes_from_elsewhere_is_refused(address: str, night: Night) -> None:
    browser, good = Browser(address, night), form(waiting(night)[0])
    report = (night.dir / "report.json").read_bytes()
    body, port = urlencode(good).encode(), address.rpartition(":")[2]
    evil = "http://evil.example"
    senders: list[dict[str, str | None]] = [
        {"Origin": evil},
        {"Origin": "null"},
        {"Origin": None},
        {"Origin": f"{address}0"},
        {"Origin": f"http://localhost:{port}"},
        {"Origin": None, "Referer": f"{evil}/"},
        {"Host": f"evil.example:{port}"},
        {"Host": f"evil.example:{port}", "Origin": f"{evil}:{port}"},
    ]
    for headers in senders:
        assert browser.send(body, **headers)[0] == 403, headers
    for token in ("", "a", "\u00e4", TOKEN[:-1]):
        assert browser.send(urlencode(good | {"token": token}).encode())[0] == 403
    assert decisions(night) == []
    assert (night.dir / "report.json").read_bytes() == report


def test_what_cannot_be_read_or_is_too_long_is_refused(address: str, night: Night) -> None:
    browser, good = Browser(address, night), form(waiting(night)[0])
    body = urlencode(good).encode()
    wrong = [
        ({"row": "no such row"}, 400, "draws no such row"),
        ({"verdict": "splendid"}, 400, "good, bad or instead"),
        ({"who": " "}, 400, "Write your name"),
        ({"who": "a" * 81}, 400, "no more than 80"),
        ({"note": "a" * 1001}, 400, "no more than 1,000"),
        ({"night": "other"}, 400, "not known"),
        ({"note": "a" * 70_000}, 413, "64 KB"),
    ]
    for fields, status, why in wrong:
        found = browser.send(urlencode(good | fields).encode())
        assert (found[0], why in found[1]) == (status, True), fields
    assert browser.send(body + b"&who=Bob")[1] == "The form says a field twice.\n"
    assert browser.send(b"\xff\x00=%")[0] == 400
    assert browser.send(body, Content_Length=None)[0] == 411
    cut = Message()
    cut["Content-Length"] = str(len(body) + 1)
    with pytest.raises(Refused, match="did not come whole"):
        received(cut, BytesIO(body))
    browser.path = browser.path.replace("spot-check", "report.html")
    assert browser.send(body)[0] == 404
    assert decisions(night) == []


def test_the_page_is_for_nobody_else_and_a_report_on_disk_shows_no_button(address: str, night: Night) -> None:
    browser = Browser(address, night)
    assert get(address, browser.path, host="evil.example")[0] == 404
    served = get(address, browser.path.replace("spot-check", "report.html"))[2]
    on_disk = (night.dir / "report.html").read_text()
    assert ("<html data-served lang" in served, "data-served lang" in on_disk) == (True, False)
    assert 'href="spot-check"' in get(address, browser.path.removesuffix("spot-check"))[2]
    assert f"[Spot check]({address}{browser.path})" in links(night)
    with closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)) as connection:
        connection.request("GET", browser.path)
        reply = connection.getresponse()
        policy = reply.headers["Content-Security-Policy"]
        assert reply.headers["Referrer-Policy"] == "same-origin", (
            "with no-referrer no browser says where a form is from"
        )
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "script" not in policy
