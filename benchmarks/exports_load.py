"""Whether verl's own RLHFDataset reads what `export --format verl` writes: `python -m benchmarks.exports_load`.

verl and what it imports are brought from the package registry into a folder of their own (240 MB, once), beside this
environment's torch, transformers and datasets. Two exports are read together, as a training run would: the questions
of a night, and critiques of their solutions; plan 004's two files had other columns and could not be.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import which

from blocks.export_files import write_rows
from nightschool.exports.lesson import of_critique
from nightschool.exports.shapes import FORMATS
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.records import CritiqueRow, CritiqueSource, Question
from nightschool.wire import Message
from tasks import pool
from tasks.export import Order, export
from tasks.night import Night

_VERL = ("verl==0.9.1", "tensordict", "pyvers", "omegaconf", "antlr4-python3-runtime==4.9.3", "ray", "msgpack",
         "hydra-core", "codetiming", "pillow")  # fmt: skip

_CHILD = """
import sys
from omegaconf import OmegaConf
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.utils.data import DataLoader
from transformers import PreTrainedTokenizerFast
import verl
from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn

words = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
words.pre_tokenizer = pre_tokenizers.Whitespace()
turn = "{% for m in messages %}<|{{ m.role }}|> {{ m.content }}\\n{% endfor %}"
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="?", chat_template=turn)
config = OmegaConf.create({"cache_dir": sys.argv[1], "max_prompt_length": 4096, "filter_overlong_prompts_workers": 1})
data = RLHFDataset(sys.argv[2:], tokenizer, config)
seen = [row for batch in DataLoader(data, batch_size=16, collate_fn=collate_fn) for row in zip(
    batch["raw_prompt"], batch["reward_model"], batch["data_source"], batch["extra_info"], batch["index"])]
for prompt, reward, source, extra, index in seen:
    assert isinstance(prompt[0]["content"], str) and prompt[-1]["role"] == "user", prompt
    assert set(reward) == {"style", "ground_truth"} and reward["ground_truth"], reward
    assert index == extra["index"] and extra["id"], extra
    assert "<|im_start|>" not in prompt[-1]["content"]
sources = sorted({source for _, _, source, _, _ in seen})
print(f"verl {verl.__version__}: {len(seen)} of {len(data)} rows read in batches, of {', '.join(sources)}")
"""


def main() -> None:
    """Bring verl, write two exports, read them there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports_load", description=__doc__)
    parser.add_argument("--site", type=Path, default=Path(tempfile.gettempdir()) / "nightschool-verl", metavar="FOLDER")
    given = parser.parse_args()
    _bring(given.site)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = _exports(folder)
        environment = {
            **os.environ,
            "PYTHONPATH": str(given.site),
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
            "HF_HOME": str(folder / "hf"),
        }
        command = [sys.executable, "-c", _CHILD, str(folder / "cache"), *map(str, files)]
        subprocess.run(command, env=environment, check=True)


def _bring(site: Path) -> None:
    if not (site / "verl").is_dir():
        uv = which("uv") or str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "pip", "install", "-q", "--target", str(site), "--no-deps", *_VERL], check=True)


def _exports(folder: Path) -> list[Path]:
    """The questions of plan 004's recipe, and a critique of a solution to each."""
    night = Night.plan(load_recipe(find_recipe("critique"), sets=[f"store={folder / 'runs'}"]))
    night.begin()
    (chunk,) = pool.chunks(night)
    made = pool.STEP.make(night, chunk, {})
    night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures)
    questions = night.rows([chunk], Question)
    export(night, Order("verl", phase="pool"), folder / "questions")
    verl, critiques = FORMATS["verl"], folder / "critiques.parquet"
    rows = (verl.row(of_critique(_critique(row, index)), index, "nightschool/critique")
            for index, row in enumerate(questions))  # fmt: skip
    write_rows(critiques, rows, verl.columns)
    return [folder / "questions" / "train.parquet", critiques]


def _critique(question: Question, index: int) -> CritiqueRow:
    source = CritiqueSource(question_id=question.id, topic="", teacher="qwen3", sample=index % 8, value="7")
    return CritiqueRow(
        id=f"{question.id}-{index}", prompt=(Message(role="user", content=f"Is 7 right? {question.question}"),),
        target="right" if question.answer == "7" else "wrong", question=question.question, solution="7",
        ground_truth=question.answer or "", data_source="critique", extra_info=source,
    )  # fmt: skip


if __name__ == "__main__":
    main()
