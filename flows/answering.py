"""The order of ensemble inference: problems asked, votes counted, a submission handed in."""

from __future__ import annotations

from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from flows.phase import run_phase
from flows.showing import create_markdown_artifact
from nightschool.report.ensemble import lines
from nightschool.report.predicted import Ensemble
from tasks import predict, submission
from tasks.ensemble import EnsembleDesk
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.predicted import summary
from tasks.steps import STEPS


def predicted(begun: Night, ledger: Ledger) -> Ensemble:
    """Makes what is missing of an ensemble's answers and of the submission, and hands it in."""
    # As in a night: a subflow's heartbeat costs a second of waiting at its end.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        predict.begin(begun)
        with EnsembleDesk(begun, ledger) as served:
            run_phase(begun, ledger, STEPS["predict"], served)
        run_phase(begun, ledger, STEPS["submission"])
    submission.hand_in(begun)
    found = summary(begun)
    told = "\n".join(lines(found))
    create_markdown_artifact(f"```\n{told}\n```\n", key="ensemble", description=begun.name)
    return found
