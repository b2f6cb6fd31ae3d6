"""What lies in an export's folder, for programs and in words."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from nightschool.exports.shapes import FormatName

_LOADS: dict[FormatName, str] = {
    "verl": "data.train_files=train.parquet, or verl.utils.dataset.rl_dataset.RLHFDataset. verl picks its reward by "
    "`data_source`; it knows none of ours, so give custom_reward_function (critiques come with theirs, reward.py), or "
    "export with --data-source.",
    "trl": 'datasets.load_dataset("json", data_files="train.jsonl"), for SFTTrainer; preferences for DPOTrainer.',
    "chatml": "Messages by role; the chat template of the model puts them into ChatML.",
    "sharegpt": "Conversations of system, human and gpt.",
    "datasets": 'datasets.load_from_disk("train").',
    "csv": "One answer a question, under the id that its file gave it. A cell that a spreadsheet would run begins with "
    "an apostrophe.",
    "jsonl": "A record a line.",
}


class ExportManifest(BaseModel):
    """`rows` and `files` (SHA-256) by name, `left_out` by reason; `keys` of the phase's chunks in the night's store."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    night: str
    recipe: str
    phase: str
    format: FormatName
    data_source: str
    keys: list[str]
    columns: dict[str, Any]
    rows: dict[str, int]
    left_out: dict[str, int]
    files: dict[str, str]
    folder: str = ""


def readme(found: ExportManifest) -> str:
    """The same in words."""
    rows = "\n".join(f"| {name} | {count:,} |" for name, count in found.rows.items())
    left_out = "".join(f"\nLeft out {count:,} times: {reason}." for reason, count in found.left_out.items())
    return (
        f"# {found.format} of night {found.night}\n\n"
        f"Rows of phase {found.phase} ({', '.join(found.keys)}), recipe {found.recipe}.\n\n"
        f"| file | rows |\n|---|---|\n{rows}\n{left_out}\n\n"
        f"Columns: {', '.join(found.columns)}.\n\n{_LOADS[found.format]}\n"
    )
