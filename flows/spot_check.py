"""A spot check on Prefect's page: a form for each row that was drawn, then the share of bad ones."""

from __future__ import annotations

from prefect import flow

from flows import fields as form
from flows.form import sit
from flows.showing import create_markdown_artifact
from nightschool.report.markdown import escaped
from nightschool.report.people import spotted
from tasks.night import Night
from tasks.sitting import Sitting
from tasks.spot_check import refresh, waiting


@flow(name="spot-check", flow_run_name="spot check of {night}", persist_result=False)
def spot_check(night: form.NightName, store: form.StoreName = "runs") -> str:
    """Asks of 20 rows, drawn by chance from those that a night teaches, whether they are good: Resume on this page.

    What is decided is on file at once, with the decisions of every review, and the report gets the share of bad rows.

    Args:
        night: The night's name.
        store: Folder of rows, models and nights, or the URL of a shared one.
    """
    begun = Night.open(store, night)
    sitting = Sitting(begun, who="", waiting=waiting(begun), spot_check=True)
    if not sitting.total:
        return f"Night {night} teaches no rows yet."
    sit(sitting)
    found = refresh(begun)
    told = f"{spotted(found)}." if found else ""
    create_markdown_artifact(escaped(told), key="spot-check", description=told)
    return told
