"""Whether verl's own RLHFDataset reads what `export --format verl` writes: `python -m benchmarks.exports_load`.

verl and what it imports are brought from the package registry into a folder of their own (240 MB, once), beside this
environment's torch, transformers and datasets. Two exports of plan 004's night (tiny, its models scripted) are read
together, as a training run would: its questions, and the judgements of their solutions; plan 004's two files had other
columns and could not be. The reward function that the judgements come with is loaded by verl too, and holds each row's
own truth against the right and the wrong conclusion.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from shutil import which

from blocks.scripted.local import scripted
from nightschool.forecast import forecast
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.recipe.script import Script
from nightschool.wire import Endpoint
from tasks.export import Order, export
from tasks.night import Night
from tasks.steps import STEPS

_VERL = ("verl==0.9.1", "tensordict", "pyvers", "omegaconf", "antlr4-python3-runtime==4.9.3", "ray", "msgpack",
         "hydra-core", "codetiming", "pillow")  # fmt: skip

_CHILD = """
import sys
from omegaconf import OmegaConf
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.utils.data import DataLoader
from transformers import PreTrainedTokenizerFast
import verl
from verl.trainer.ppo.reward import get_custom_reward_fn
from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn

words = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
words.pre_tokenizer = pre_tokenizers.Whitespace()
turn = "{% for m in messages %}<|{{ m.role }}|> {{ m.content }}\\n{% endfor %}"
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="?", chat_template=turn)
config = OmegaConf.create({"cache_dir": sys.argv[1], "max_prompt_length": 4096, "filter_overlong_prompts_workers": 1})
data = RLHFDataset(sys.argv[3:], tokenizer, config)
seen = [row for batch in DataLoader(data, batch_size=16, collate_fn=collate_fn) for row in zip(
    batch["raw_prompt"], batch["reward_model"], batch["data_source"], batch["extra_info"], batch["index"])]
for prompt, reward, source, extra, index in seen:
    assert isinstance(prompt[0]["content"], str) and prompt[-1]["role"] == "user", prompt
    assert set(reward) == {"style", "ground_truth"} and reward["ground_truth"], reward
    assert index == extra["index"] and extra["id"], extra
    assert "<|im_start|>" not in prompt[-1]["content"]
reward = get_custom_reward_fn(OmegaConf.create(
    {"reward": {"custom_reward_function": {"path": sys.argv[2], "name": "compute_score"}}}))
judged = [(source, row["ground_truth"]) for _, row, source, _, _ in seen if row["ground_truth"] in ("right", "wrong")]
scores = {(truth, said): reward(source, f"So it is. Conclusion: {said} [END]", truth, None)
          for source, truth in judged for said in ("right", "wrong")}
assert len(scores) == 4 and all(score == (truth == said) for (truth, said), score in scores.items()), scores
print(f"{len(judged)} judgements, {sum(truth == 'right' for _, truth in judged)} of them right")
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
        command = [
            sys.executable,
            "-c",
            _CHILD,
            str(folder / "cache"),
            str(folder / "critique" / "reward.py"),
            *map(str, files),
        ]
        subprocess.run(command, env=environment, check=True)


def _bring(site: Path) -> None:
    if not (site / "verl").is_dir():
        uv = which("uv") or str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "pip", "install", "-q", "--target", str(site), "--no-deps", *_VERL], check=True)


def _exports(folder: Path) -> list[Path]:
    """The questions of plan 004's night on scripted models, and the judgements that it made of their solutions."""
    sets = [
        f"store={folder / 'runs'}",
        *(f"{name}=null" for name in ("school", "student", "sft", "splits", "validate")),
    ]
    night = Night.plan(load_recipe(find_recipe("critique"), profile="tiny", sets=sets))
    night.begin()
    with ExitStack() as stack:
        served: dict[str, Endpoint] = {}
        for teacher in night.recipe.teachers:
            url = stack.enter_context(scripted(teacher.script or Script()))
            served[teacher.name] = Endpoint(model=teacher.model, urls=(url,))
        for ahead in forecast(night.recipe):
            for chunk in STEPS[ahead.phase].chunks(night):
                made = STEPS[ahead.phase].make(night, chunk, served)
                night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures, files=made.files)
    for phase in ("pool", "critique"):
        export(night, Order("verl", phase=phase), folder / phase)
    return [folder / phase / "train.parquet" for phase in ("pool", "critique")]


if __name__ == "__main__":
    main()
