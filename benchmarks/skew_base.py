"""The student of the skew experiment before it is taught: a tiny model that knows two things, and not both at once.

It finds out relations of two steps, written out, with choices to pick from (the school's own turns), and it judges a
claim about a relation that is given ("It is uncle. Is it aunt?"). Claims about two steps are what it has to learn: what
they need is known, as with a large model, and nothing says to use it.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
from transformers import GenerationConfig

from benchmarks.skew_task import TOPICS, claim
from nightschool import school
from nightschool.teaching import taught
from nightschool.tinymodels.corpus import Turn, answer_turn
from nightschool.tinymodels.initialise import initialise
from nightschool.tinymodels.making import new_model
from nightschool.tinymodels.spec import ANSWERS
from nightschool.tinymodels.tokenizer import END, PAD, build_tokenizer, token_id
from nightschool.tinymodels.train import Encoder, Optimiser, batches, loss_of, rate

STEPS, BATCH, RATE = 450, 32, 0.012
CLAIMS = 0.5  # share of turns
_PUZZLES = 3_500
_VOCABULARY = 480


def make_base(folder: Path) -> Path:
    """The model in a folder of its own, made if it is not there: about a minute of one core."""
    if folder.is_dir():
        return folder
    torch.manual_seed(0)
    beside = Path(tempfile.mkdtemp(dir=folder.parent))
    texts = (text for turn in islice(turns(seed=1), 4_000) for text in (turn.user, turn.reply))
    tokenizer = build_tokenizer(texts, beside, vocabulary=_VOCABULARY)
    model = new_model(tokenizer)
    initialise(model, seed=0)
    supply, optimiser = batches(turns(seed=0), Encoder(tokenizer), size=BATCH, seed=0), Optimiser(model, RATE)
    for step in range(STEPS):
        loss_of(model, *next(supply)).backward()
        optimiser.step(rate(step, STEPS, decay=0.5))
    ends = GenerationConfig(eos_token_id=token_id(tokenizer, END), pad_token_id=token_id(tokenizer, PAD))
    model.generation_config = ends
    model.save_pretrained(beside)
    return Path(shutil.move(beside, folder))


def turns(*, seed: int) -> Iterator[Turn]:
    """Both kinds for ever, of questions that no test has."""
    rng = random.Random(seed)
    puzzles = [one for topic in TOPICS for one in school.generate(topic, _PUZZLES, seed=seed)]
    while True:
        puzzle = rng.choice(puzzles)
        if rng.random() >= CLAIMS:
            yield answer_turn(puzzle, ANSWERS, rng)
            continue
        truth = rng.choice(("yes", "no"))
        user = f"It is {puzzle.right}. Is it {claim(puzzle, truth, rng)}?"
        reply = taught(f"so {puzzle.right}", truth, "yes_no", form="reasoning", letters=False)
        yield Turn(user, reply, puzzle.topic, "claim")
