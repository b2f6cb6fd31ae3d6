"""Weights that are pickles with code in them: refused by all that loads weights for us, and the code is not run."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("kind", ["adapter", "model"])
def test_a_pickle_is_not_run(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("torch")
    from peft.utils.save_and_load import load_peft_weights
    from transformers.modeling_utils import load_state_dict

    evil, ran = tmp_path / ("adapter_model.bin" if kind == "adapter" else "pytorch_model.bin"), tmp_path / "ran"
    evil.write_bytes(pickle.dumps({"weight": Evil(ran)}))
    with pytest.raises((pickle.UnpicklingError, RuntimeError, ValueError)):
        load_peft_weights(str(tmp_path)) if kind == "adapter" else load_state_dict(str(evil))
    assert not ran.exists()
    with evil.open("rb") as file:
        pickle.load(file)
    assert ran.exists(), "the file does what it is feared for"
