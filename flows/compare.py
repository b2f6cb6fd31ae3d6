"""Two nights held against each other, on Prefect's page."""

from __future__ import annotations

from typing import Annotated

from prefect import flow

from blocks import pages
from flows import fields as form
from flows.showing import create_markdown_artifact
from nightschool.report import comparison_text as text
from nightschool.report.markdown import as_markdown, escaped
from tasks.compare import compare as found_in
from tasks.compare import publish
from tasks.night import Night


@flow(name="compare", flow_run_name="{second} against {first}", persist_result=False)
def compare(
    first: Annotated[form.NightName, form.titled("The night before")],
    second: Annotated[form.NightName, form.titled("The night")],
    store: form.StoreName = "runs",
    first_store: Annotated[str, form.titled("Store of the night before")] = "",
) -> str:
    """Shows what differs between two nights: recipe, rows, stages, gates, times; as an artifact and as a page.

    Args:
        first: The night that was before.
        second: The night that is held against it.
        store: Folder of rows, models and nights, or the URL of a shared one.
        first_store: Where the first night lies, if elsewhere.
    """
    nights = Night.open(first_store or store, first), Night.open(store, second)
    found = found_in(*nights)
    page, at = publish(nights[1], found), pages.shown(nights[1].dir, nights[1].store.place)
    where = f"[As a page]({at}{page.name})" if at else f"As a page: `{page}`"
    parts = [f"## {escaped(text.headline(found))}", escaped(text.lede(found)), where]
    parts += [f"### {title}\n\n{as_markdown(table)}" for title, table in text.tables(found).items()]
    parts += [escaped(line) for line in text.alone(found)]
    create_markdown_artifact("\n\n".join(parts), key="compare", description=text.headline(found))
    return text.headline(found)
