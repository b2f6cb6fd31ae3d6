"""A reference's log-probabilities on file, by all that decides them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nightschool.training.reference import References


class Rows(dict[str, list[Any]]):
    """Columns of rows; its length is theirs."""

    def __len__(self) -> int:
        return len(self["prompt_ids"])


def rows(**changed: Any) -> Rows:
    common = {"prompt_ids": [[1, 2], [3]], "chosen_ids": [[4], [5]], "rejected_ids": [[6], [7, 8]]}
    return Rows(common | {"ref_chosen_logps": [-0.5, -1.25], "ref_rejected_logps": [-2.0, -3.0]} | changed)


KEPT = {"ref_chosen_logps": [-0.5, -1.25], "ref_rejected_logps": [-2.0, -3.0]}


def test_what_was_written_is_read_back_under_the_same_model_and_rows(tmp_path: Path) -> None:
    writing, reading = References(tmp_path / "deep", "cpu float32"), References(tmp_path / "deep", "cpu float32")
    assert reading.read("m", rows()) is None
    writing.write("m", rows())
    assert reading.read("m", rows()) == KEPT
    assert (writing.found, reading.found) == (False, True)


@pytest.mark.parametrize(
    ("model", "precision", "changed"),
    [("n", "cpu float32", {}), ("m", "cuda bfloat16", {}), ("m", "cpu float32", {"rejected_ids": [[6], [7]]})],
)
def test_another_model_precision_or_row_is_another_reference(
    tmp_path: Path, model: str, precision: str, changed: dict[str, Any]
) -> None:
    References(tmp_path, "cpu float32").write("m", rows())
    assert References(tmp_path, precision).read(model, rows(**changed)) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"ref_chosen_logps": [1.0], "ref_rejected_logps": [1.0]}'])
def test_a_damaged_file_is_computed_anew(tmp_path: Path, content: bytes) -> None:
    kept = References(tmp_path, "cpu float32")
    kept.write("m", rows())
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert kept.read("m", rows()) is None
    assert not kept.found


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = References(tmp_path / "file", "cpu float32")
    kept.write("m", rows())
    assert kept.read("m", rows()) is None


def test_no_folder_keeps_nothing() -> None:
    kept = References(None, "cpu float32")
    kept.write("m", rows())
    assert kept.read("m", rows()) is None
