"""The report of a night as it is on file."""

from __future__ import annotations

from pydantic import ValidationError

from nightschool.errors import DataError, WorldError
from nightschool.report.figures import Report
from tasks.night import Night


def report_of(night: Night) -> Report:
    """The figures of a night that has a report.

    Raises:
        WorldError: it has no report yet.
        DataError: its report is none.
    """
    file = night.dir / "report.json"
    try:
        return Report.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        mend = f"nightschool status {night.name}{night.where}"
        raise WorldError(f"night {night.name} has no report yet: {mend}") from None
    except ValidationError as err:
        raise DataError(f"not a report: {err.errors()[0]['msg']}", file=file) from None
