"""The page in a real browser: fits a phone, follows light and dark, asks nobody, complains of nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.report.comparing import Told, comparison
from nightschool.report.comparison_page import render as render_comparison
from nightschool.report.page import render
from nightschool.report.verdict import conclude
from tests.integration.brought_up import shoot
from tests.nightschool.example_report import GATES, example, stopped, unjudged
from tests.nightschool.example_rows import measured
from tests.nightschool.test_report_render import hostile_sample

PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=860)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    quiet = example().model_copy(update={"restarts": ()})
    long = "The student is no better than guessing: /" + "a-folder-of-some-night/" * 9
    hostile = example().model_copy(update={"samples": (hostile_sample(),), "what_next": (long,)})
    folder = tmp_path_factory.mktemp("pages")
    night = Told(
        load_recipe(find_recipe("smoke")), example(), {name: measured(name) for name in ("base", "sft", "dpo")}
    )
    other = Told(load_recipe(find_recipe("smoke"), sets=["seed=8"]), conclude(unjudged(), GATES[:2]), night.answers)
    (folder / "compared.html").write_text(render_comparison(comparison(night, other)), encoding="utf-8")
    for name, report in {"good": example(), "quiet": quiet, "stopped": stopped(), "hostile": hostile}.items():
        (folder / f"{name}.html").write_text(render(report), encoding="utf-8")
    return {path.stem: path for path in folder.iterdir()}


class Visit:
    """One page looked at in one way; `complaints` holds what the console, the policy or the network said."""

    def __init__(self, browser: Browser, path: Path, viewport: ViewportSize, scheme: str = "light") -> None:
        self.page: Page = browser.new_page(viewport=viewport, color_scheme=scheme)  # pyright: ignore[reportArgumentType]
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.goto(path.as_uri())
        shoot(self.page, f"report-{path.stem}-{viewport['width']}-{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", ["good", "stopped", "hostile", "compared"])
def test_no_sideways_scrolling_no_complaints_no_network(
    browser: Browser, pages: dict[str, Path], name: str, viewport: ViewportSize, scheme: str
) -> None:
    visit = Visit(browser, pages[name], viewport, scheme)
    for place in visit.page.locator("details").all():
        place.evaluate("element => element.open = true")
    assert visit.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    tables = "[...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth)"
    cut = visit.page.evaluate(f"{tables}.map(each => each.ariaLabel)")
    assert viewport != PHONE or cut == []
    assert visit.complaints == []
    assert [url for url in visit.requested if not url.startswith(("file:", "data:"))] == []
    visit.page.close()


def test_light_and_dark_reach_paper_ink_and_plots(browser: Browser, pages: dict[str, Path]) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        page = Visit(browser, pages["good"], DESK, scheme).page
        seen[scheme] = page.evaluate(
            """() => [
                getComputedStyle(document.body).backgroundColor,
                getComputedStyle(document.body).color,
                getComputedStyle(document.querySelector('figure svg text')).fill,
            ]"""
        )
        page.close()
    assert all(light != dark for light, dark in zip(seen["light"], seen["dark"], strict=True))
    assert seen["light"][0] == "rgb(248, 247, 243)"


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_the_first_screen_answers_the_three_questions(
    browser: Browser, pages: dict[str, Path], viewport: ViewportSize
) -> None:
    visit = Visit(browser, pages["quiet"], viewport)
    for heading in ("The student learned", "Did it work?", "What broke?", "What next?"):
        box = visit.page.get_by_role("heading", name=heading).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < viewport["height"]
    gate = visit.page.get_by_text("no-slow-tail").first
    assert gate.is_visible() == (viewport == DESK), "a phone has them folded away"
    visit.page.close()


def test_letters_in_plots_are_readable_on_a_phone(browser: Browser, pages: dict[str, Path]) -> None:
    page = Visit(browser, pages["good"], PHONE).page
    sizes = page.evaluate(
        """() => [...document.querySelectorAll('figure svg')].flatMap(svg => {
            const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
            return [...svg.querySelectorAll('text')].map(text => scale * parseFloat(getComputedStyle(text).fontSize));
        })"""
    )
    assert len(sizes) > 50
    assert min(sizes) > 9
    page.close()


def test_a_hostile_row_is_read_not_run(browser: Browser, pages: dict[str, Path]) -> None:
    visit = Visit(browser, pages["hostile"], DESK)
    assert "<script>alert(1)</script>" in visit.page.locator(".asked").inner_text()
    assert visit.page.locator("script, img").count() == 0
    assert visit.complaints == []
    visit.page.close()


def test_it_is_under_a_megabyte(pages: dict[str, Path]) -> None:
    assert pages["good"].stat().st_size < 1_000_000


def test_every_link_on_the_page_leads_somewhere_on_it(browser: Browser, pages: dict[str, Path]) -> None:
    page = Visit(browser, pages["stopped"], PHONE).page
    page.get_by_role("link", name="1 failure to mend").click()
    box = page.locator("#failures").bounding_box()
    assert box is not None
    assert box["y"] < PHONE["height"]
    page.close()
