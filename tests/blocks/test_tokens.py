"""Counting tokens with a tokenizer that lies in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from blocks.tokens import counter
from nightschool.errors import RecipeError


def test_a_folder_or_its_file_counts_alike(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"who": 0, "sits": 1, "there": 2, "?": 3, "[UNK]": 4}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    for name in (str(tmp_path), str(tmp_path / "tokenizer.json")):
        assert [counter(name)(text) for text in ("who sits there?", "", "a b")] == [4, 0, 2]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"model": {"vocab": 3}}'])
def test_what_is_no_tokenizer_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(RecipeError, match=r"--tokenizer: not a tokenizer\.json"):
        counter(str(tmp_path))


def test_a_folder_without_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="--tokenizer: there is no"):
        counter(str(tmp_path))
