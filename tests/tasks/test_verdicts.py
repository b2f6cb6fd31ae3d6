"""A look at all nights of a store."""

from pathlib import Path

from tasks.verdicts import verdicts
from tests.nightschool.example_report import example


def test_every_night_has_its_verdict_or_none_yet(tmp_path: Path) -> None:
    reports = {"whole": example().model_dump_json(), "torn": '{"night": ', "other": "[1]", "new": None}
    for name, report in reports.items():
        (tmp_path / "nights" / name).mkdir(parents=True)
        (tmp_path / "nights" / name / "night.json").touch()
        if report:
            (tmp_path / "nights" / name / "report.json").write_text(report)
    none = dict.fromkeys(("new", "other", "torn"), "no report yet")
    assert verdicts(str(tmp_path)) == none | {"whole": example().night.verdict}
